"""Everything that a training changes, as it is kept in a checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from cascade.network import checkpoint
from cascade.network.cascade import Cascade
from cascade.network.config import from_dict
from cascade.training.errors import TrainingError
from cascade.training.phase import Phase
from cascade.training.progress import Progress
from cascade.training.recipes import Recipe
from cascade.training.schedule import make_optimizer

CHECKPOINT, WEIGHTS = "checkpoint.pt", "weights.pt"
"""Files of a run: everything, and the averaged weights alone."""
_OPTIMIZER = "optimiser"
"""Key of the optimizer's state in checkpoints: the spelling of those that have been written already."""


class TrainingState:
    """Weights, their average, the optimizer and the progress of one training with a recipe and a seed."""

    def __init__(self, recipe: Recipe, phases: Sequence[Phase], seed: int, device: torch.device) -> None:
        """Draws random weights. ``phases`` are the recipe's, with their lengths in steps."""
        self.recipe, self.phases, self.seed, self.device = recipe, phases, seed, device
        self.cascade = Cascade(recipe.network).to(device)
        self.cascade.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in the stub
        decay = get_ema_multi_avg_fn(recipe.ema_decay)  # type: ignore[no-untyped-call]
        self.average = AveragedModel(self.cascade, multi_avg_fn=decay)
        self.progress = Progress()
        self.optimizer = make_optimizer(self.cascade, phases[0])

    @property
    def averaged(self) -> Cascade:
        """The averaged weights: what is validated and exported."""
        module = self.average.module
        assert isinstance(module, Cascade)
        return module

    @property
    def finished(self) -> bool:
        """Whether the last phase has ended."""
        return self.progress.phase >= len(self.phases)

    @property
    def total_steps(self) -> int:
        """Steps done in all phases."""
        return self.progress.step + sum(phase.steps for phase in self.phases[: self.progress.phase])

    def begin_next_phase(self) -> None:
        """Moves to the next phase, with a new optimizer where there is one."""
        self.progress.phase, self.progress.step = self.progress.phase + 1, 0
        if not self.finished:
            # Adam's moments of one phase's loss mislead the next one's first steps.
            self.optimizer = make_optimizer(self.cascade, self.phases[self.progress.phase])

    def start_from(self, weights: dict[str, torch.Tensor]) -> None:
        """Takes these weights: of a whole cascade, or of a part, and then the others stay as they are.

        Raises TrainingError when they are of another network.
        """
        complete = {**self.cascade.state_dict(), **weights}
        try:
            self.cascade.load_state_dict(complete)
        except RuntimeError as error:
            first = "; ".join(line.strip() for line in str(error).splitlines()[1:4])
            raise TrainingError(f"The weights are of another network: {first[:300]}") from error
        self.averaged.load_state_dict(complete)

    def save(self, folder: Path) -> None:
        """Writes ``checkpoint.pt`` and ``weights.pt``, each atomically. Raises OSError."""
        optimizer: dict[str, Any] = {_OPTIMIZER: self.optimizer.state_dict()}
        checkpoint.save(
            folder / CHECKPOINT,
            self.cascade,
            recipe=self.recipe.name,
            average=self.average.state_dict(),
            rng=torch.get_rng_state(),
            cuda_rng=torch.cuda.get_rng_state() if self.device.type == "cuda" else None,
            seed=self.seed,
            progress=asdict(self.progress),
            **optimizer,
        )
        checkpoint.save(folder / WEIGHTS, self.averaged)

    def load(self, folder: Path) -> None:
        """Takes the state of ``checkpoint.pt``: the next batch is the one that would have come.

        Raises FileNotFoundError, CheckpointError, or TrainingError for the checkpoint of another training.
        """
        content = checkpoint.read(folder / CHECKPOINT)
        self._require_same_training(folder / CHECKPOINT, content)
        self.progress = Progress(**content["progress"])
        last = len(self.phases) - 1
        self.optimizer = make_optimizer(self.cascade, self.phases[min(self.progress.phase, last)])
        self.cascade.load_state_dict(content["weights"])
        self.average.load_state_dict(content["average"])
        self.optimizer.load_state_dict(content[_OPTIMIZER])
        torch.set_rng_state(content["rng"])
        if self.device.type == "cuda" and content.get("cuda_rng") is not None:
            torch.cuda.set_rng_state(content["cuda_rng"])

    def _require_same_training(self, path: Path, content: dict[str, Any]) -> None:
        if "progress" not in content:
            raise TrainingError(f"The file {path} holds weights only; start from them with --init.")
        if (recipe := content["recipe"]) != self.recipe.name:
            raise TrainingError(f"The checkpoint {path} is of recipe {recipe!r}, not {self.recipe.name!r}.")
        if (seed := content["seed"]) != self.seed:
            raise TrainingError(f"The checkpoint {path} was trained with seed {seed}, not {self.seed}.")
        if (network := from_dict(content["config"])) != self.cascade.config:
            raise TrainingError(
                f"The checkpoint {path} is of another network: {network}, not {self.cascade.config}."
            )
