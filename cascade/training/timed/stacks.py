"""A network's parameters in few tensors: all weights of one shape in one, and all small parameters in another.

An optimizer then is a few kernels for each shape instead of a few for each parameter, of which there are hundreds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cascade.training.muon import is_matrix


@dataclass(frozen=True)
class Stack:
    """Some parameters and how they lie in one tensor."""

    names: tuple[str, ...]
    shapes: tuple[torch.Size, ...]
    matrices: bool
    """Whether they are matrices of one shape, and lie one after the other as [K, O, kh, kw, I], which is how
    convolutions in channels-last order want them; else they are small parameters of any shapes, in one row."""

    def pack(self, tensors: Sequence[Tensor]) -> Tensor:
        """Returns tensors of the parameters' shapes as one new tensor."""
        if self.matrices:
            return torch.stack([tensor.movedim(1, -1) for tensor in tensors])
        return torch.cat([tensor.reshape(-1) for tensor in tensors])

    def unpack(self, packed: Tensor) -> list[Tensor]:
        """Returns views of a packed tensor, of the parameters' shapes."""
        if self.matrices:
            return [tensor.movedim(-1, 1) for tensor in packed]
        parts = torch.split(packed, [math.prod(shape) for shape in self.shapes])
        return [part.view(shape) for part, shape in zip(parts, self.shapes, strict=True)]


class StackedParameters:
    """The parameters of a network as float32 stacks, and what the network computes on: copies in another precision.

    In float32 there are no copies: the network's parameters are views of the stacks themselves.
    """

    def __init__(self, network: nn.Module, dtype: torch.dtype) -> None:
        """Replaces the network's parameters by views of the stacks, on the device where they are."""
        named = {name: parameter.detach() for name, parameter in network.named_parameters()}
        self.stacks = _stacks(named)
        self.masters = [stack.pack([named[name] for name in stack.names]).float() for stack in self.stacks]
        self._copies = [master.to(dtype) for master in self.masters]
        self._copied = dtype != torch.float32
        self.parameters: list[nn.Parameter] = []
        for stack, copy in zip(self.stacks, self._copies, strict=True):
            for name, view in zip(stack.names, stack.unpack(copy), strict=True):
                self.parameters.append(_replace(network, name, view))

    def gather(self, gradients: Sequence[Tensor]) -> list[Tensor]:
        """Returns gradients, in the order of `parameters`, as float32 stacks."""
        rest, packed = list(gradients), []
        for stack in self.stacks:
            count = len(stack.names)
            packed.append(stack.pack(rest[:count]).float())
            rest = rest[count:]
        return packed

    def publish(self) -> None:
        """Gives the network what the stacks hold now."""
        if self._copied:
            torch._foreach_copy_(self._copies, self.masters)

    def named(self, packed: Iterable[Tensor]) -> dict[str, Tensor]:
        """Returns views of tensors that lie as the stacks do, by parameter."""
        found: dict[str, Tensor] = {}
        for stack, tensor in zip(self.stacks, packed, strict=True):
            found |= zip(stack.names, stack.unpack(tensor), strict=True)
        return found

    @torch.no_grad()
    def assign(self, packed: Iterable[Tensor], named: Mapping[str, Tensor]) -> None:
        """Copies tensors by parameter into ones that lie as the stacks do. Raises KeyError for one that is missing."""
        for name, view in self.named(packed).items():
            view.copy_(named[name])


def _stacks(named: Mapping[str, Tensor]) -> list[Stack]:
    groups: dict[torch.Size | None, list[str]] = {}
    for name, tensor in named.items():
        groups.setdefault(tensor.shape if is_matrix(tensor) else None, []).append(name)
    return [
        Stack(tuple(names), tuple(named[name].shape for name in names), matrices=shape is not None)
        for shape, names in groups.items()
    ]


def _replace(network: nn.Module, name: str, view: Tensor) -> nn.Parameter:
    owner, _, leaf = name.rpartition(".")
    parameter = nn.Parameter(view)
    setattr(network.get_submodule(owner), leaf, parameter)
    return parameter
