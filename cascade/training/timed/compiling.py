"""Parts of a network compiled one by one, each kept only if its gradients are right.

Compiled as a whole, torch 2.13 gave gradients on a CPU that were wrong by 43 %; the parts alone are right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from cascade.network.cascade import Cascade

_TOLERANCE = 0.005
"""How far gradients may be from those in float32, relative to their norm: compiled convolutions add up differently."""
_TOLERANCE_ROUNDED = 0.05
"""The same in bfloat16, where a compiler may round in other places: that moved a single tensor by 4 %."""
_MORE_THAN_EAGER = 1.5
"""How many times as far as the eager network's own, which are rounded to bfloat16, they may be."""
_NOTHING = 1e-6
"""Share of the whole gradient's norm below which that of a single tensor counts as this."""

Function = Callable[..., Any]
Gradients = Sequence[Tensor]


@dataclass(frozen=True)
class PartReport:
    """What became of one part."""

    name: str
    error: float | None
    """Distance of one tensor's gradients from those in float32, relative to their norm: of the tensor that is furthest
    from what is allowed. None where the part did not compile."""
    allowed: float
    """The largest distance of that tensor with which a part stays compiled."""
    reason: str = ""
    """What the compiler said where it failed."""

    @property
    def compiled(self) -> bool:
        """Whether the part stays compiled. Not a number is no small distance."""
        return self.error is not None and self.error <= self.allowed

    def __str__(self) -> str:
        if self.error is None:
            return f"{self.name} stays eager, since it did not compile: {self.reason}"
        kept = "is compiled" if self.compiled else "stays eager"
        return (
            f"{self.name} {kept}: its gradients are off by {self.error:.2%}, {self.allowed:.2%} is allowed."
        )


def compile_function(function: Function) -> Function:
    """Compiles a function for sizes that do not change."""
    return torch.compile(function, dynamic=False)


def compile_parts(
    cascade: Cascade,
    gradients: Callable[[], Gradients],
    exact: Gradients,
    rounded: bool,
    compiler: Callable[[Function], Function] = compile_function,
) -> Iterator[PartReport]:
    """Compiles one part after the other, and makes it eager again where it fails or computes wrong gradients.

    ``gradients`` computes those of the network as it stands, in bfloat16 where they are ``rounded``; ``exact`` are the
    same ones in float32.
    """
    tolerance = _TOLERANCE_ROUNDED if rounded else _TOLERANCE
    allowed = _MORE_THAN_EAGER * distances(gradients(), exact) + tolerance
    stage = cascade.stage
    parts: tuple[tuple[nn.Module, str, str], ...] = (
        (stage.restoration, "forward", "restoration"),
        (stage.flow, "encode", "flow.encode"),
        (stage.flow, "decode", "flow.decode"),
    )
    for owner, method, name in parts:
        setattr(owner, method, compiler(getattr(owner, method)))
        report = _report(name, gradients, exact, allowed)
        if not report.compiled:
            delattr(owner, method)
        yield report


def _report(name: str, gradients: Callable[[], Gradients], exact: Gradients, allowed: Tensor) -> PartReport:
    try:
        errors = distances(gradients(), exact)
    except Exception as error:  # noqa: BLE001  # whatever a compiler raises, the part works without it
        return PartReport(name, None, 0.0, f"{type(error).__name__}: {str(error)[:300]}")
    worst = int((errors - allowed).argmax())  # which takes what is not a number for the largest
    return PartReport(name, float(errors[worst]), float(allowed[worst]))


def distances(gradients: Gradients, exact: Gradients) -> Tensor:
    """Returns the norm of the difference of each tensor from the exact one, relative to the norm of that.

    Each counts for itself: beside the gradients of the last layers, wrong ones of the first would not show.
    """
    differences = [a - b for a, b in zip(gradients, exact, strict=True)]
    sizes = _norms(exact)
    return _norms(differences) / sizes.clamp(min=_NOTHING * float(sizes.norm()))


def _norms(tensors: Gradients) -> Tensor:
    return torch.stack([tensor.norm() for tensor in tensors])
