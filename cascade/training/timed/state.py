"""A timed training in files: everything that it needs to go on, and each network's averaged weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from cascade.network import checkpoint, checkpoint_parts
from cascade.network.config import to_dict
from cascade.training.errors import TrainingError
from cascade.training.progress import Progress
from cascade.training.state import CHECKPOINT
from cascade.training.timed.learner import Learner


@dataclass
class TimedState:
    """What a training changes, and what it must be the same one by."""

    recipe: str
    seed: int
    learners: Sequence[Learner]
    progress: Progress
    samples: int = 0
    """Samples made in all: the next ones begin there. The ring's own are made anew."""

    def save(self, folder: Path) -> None:
        """Writes ``checkpoint.pt`` and a file of averaged weights per network, in bounded parts. Raises OSError."""
        content: dict[str, Any] = {
            **self._identity(),
            "progress": asdict(self.progress),
            "samples": self.samples,
        }
        for learner in self.learners:
            content[f"{learner.name} weights"] = learner.parameters.named(learner.parameters.masters)
            content[f"{learner.name} average"] = learner.parameters.named(learner.average)
            for key, tensors in learner.optimizer.state().items():
                content[f"{learner.name} {key}"] = tensors
        checkpoint_parts.write(folder / CHECKPOINT, content)
        for learner in self.learners:
            path = folder / f"{learner.name}.pt"
            checkpoint.save(path, learner.averaged(), checkpoint_parts.PART_BYTES)

    @torch.no_grad()
    def load(self, folder: Path) -> None:
        """Takes the state of ``checkpoint.pt``.

        Raises FileNotFoundError, CheckpointError, or TrainingError for the checkpoint of another training.
        """
        content = checkpoint.read(folder / CHECKPOINT)
        for key, mine in self._identity().items():
            if (theirs := content.get(key)) != mine:
                raise TrainingError(
                    f"The checkpoint {folder / CHECKPOINT} is of another training: its {key} {_words(theirs)}, "
                    f"not {_words(mine).partition(' ')[2]}."
                )
        self.progress, self.samples = Progress(**content["progress"]), content["samples"]
        for learner in self.learners:
            learner.parameters.assign(learner.parameters.masters, content[f"{learner.name} weights"])
            learner.parameters.assign(learner.average, content[f"{learner.name} average"])
            keys = learner.optimizer.state()
            learner.optimizer.load({key: content[f"{learner.name} {key}"] for key in keys})
            learner.parameters.publish()

    def _identity(self) -> dict[str, Any]:
        networks = {learner.name: to_dict(learner.cascade.config) for learner in self.learners}
        return {"recipe": self.recipe, "seed": self.seed, "networks": networks}


def _words(value: object) -> str:
    """Says what the value is; of networks, which they are."""
    return f"are {', '.join(value)}" if isinstance(value, dict) else f"is {value!r}"
