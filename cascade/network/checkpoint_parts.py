"""Checkpoints in pieces of bounded size: the file that is named, and beside it the parts that it names.

Some places take files up to a size only. `write` puts as many tensors into the first file as fit, and the others into
parts beside it; `join` brings them together. The first file is replaced last, and parts have names of their own for
every save, so that a save that is interrupted leaves the one before it whole.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

PART_BYTES = 15 * 2**20
"""Bytes of tensors in one file: with what surrounds them, less than 16 MiB."""
_PARTS = "parts"
"""Key of the names of the other files."""

Piece = dict[str, dict[str, Tensor]]


def write(path: Path, content: Mapping[str, Any], part_bytes: int | None = PART_BYTES) -> None:
    """Writes ``content`` atomically; its values that are dictionaries of tensors alone may go to several files.

    None as ``part_bytes`` writes one file whatever its size, and a tensor that is larger has a file to itself.
    Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    pieces = list(_pieces(content, part_bytes or 2**62))
    save = secrets.token_hex(4)
    names = [f"{path.stem}.{save}.{number}{path.suffix}" for number in range(2, len(pieces) + 1)]
    for name, piece in zip(names, pieces[1:], strict=True):
        torch.save(piece, path.with_name(name))
    plain = {key: value for key, value in content.items() if not _is_tensors(value)}
    head = plain | {key: {} for key in content if key not in plain} | pieces[0]
    unfinished = path.with_suffix(path.suffix + ".part")
    torch.save(head | ({_PARTS: names} if names else {}), unfinished)
    unfinished.replace(path)
    _remove_others(path, names)


def join(path: Path, content: dict[str, Any]) -> dict[str, Any]:
    """Returns the content of the file at ``path`` with the tensors of its other parts, in no particular order.

    Raises FileNotFoundError, or what `torch.load` raises.
    """
    names = content.pop(_PARTS, [])
    for name in names:
        if Path(name).name != name:
            raise ValueError(f"The part {name!r} is not beside the checkpoint.")
        piece: Piece = torch.load(path.with_name(name), map_location="cpu", weights_only=True)
        for key, tensors in piece.items():
            content[key].update(tensors)
    return content


def _pieces(content: Mapping[str, Any], part_bytes: int) -> Iterator[Piece]:
    """Yields pieces in the order of the tensors; the first one may be empty."""
    piece: Piece = {}
    size = 0
    for key, name, tensor in _tensors(content):
        if size and size + tensor.nbytes > part_bytes:
            yield piece
            piece, size = {}, 0
        # A view would be saved with all that it is a view of.
        piece.setdefault(key, {})[name] = tensor.detach().cpu().clone()
        size += tensor.nbytes
    yield piece


def _tensors(content: Mapping[str, Any]) -> Iterator[tuple[str, str, Tensor]]:
    for key, value in content.items():
        if _is_tensors(value):
            for name, tensor in value.items():
                yield key, name, tensor


def _is_tensors(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value) and all(isinstance(v, Tensor) for v in value.values())


def _remove_others(path: Path, names: list[str]) -> None:
    """Removes the parts of earlier saves."""
    part = re.compile(rf"{re.escape(path.stem)}\.[0-9a-f]{{8}}\.\d+{re.escape(path.suffix)}")
    for other in path.parent.iterdir():
        if part.fullmatch(other.name) and other.name not in names:
            other.unlink(missing_ok=True)
