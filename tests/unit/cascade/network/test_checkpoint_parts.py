"""Checkpoints in several files: none too large, all needed, and whole whenever a save is interrupted."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cascade.network import checkpoint, checkpoint_parts
from cascade.network.cascade import Cascade
from cascade.network.config import LITE

_PART = 2**20


@pytest.fixture(scope="module")
def cascade() -> Cascade:
    return Cascade(LITE)


def test_parts_are_bounded_and_load_as_one(cascade: Cascade, tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "weights.pt", cascade, part_bytes=_PART)
    files = list(tmp_path.iterdir())
    assert len(files) >= 4
    assert all(file.stat().st_size < 1.1 * _PART for file in files)
    loaded = checkpoint.load(tmp_path / "weights.pt")
    assert loaded.config == LITE
    for name, tensor in cascade.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor), name


def test_a_later_save_leaves_nothing_of_the_one_before(cascade: Cascade, tmp_path: Path) -> None:
    (tmp_path / "weights.best.2.pt").touch()  # not a part, whatever it is
    checkpoint.save(tmp_path / "weights.pt", cascade, part_bytes=_PART)
    first = {*tmp_path.iterdir()}
    checkpoint.save(tmp_path / "weights.pt", cascade, part_bytes=_PART)
    second = {*tmp_path.iterdir()}
    assert len(first) == len(second)
    assert {path.name for path in first & second} == {"weights.pt", "weights.best.2.pt"}
    checkpoint.save(tmp_path / "weights.pt", cascade)
    assert {path.name for path in tmp_path.iterdir()} == {"weights.pt", "weights.best.2.pt"}


def test_a_save_that_fails_leaves_the_one_before(
    cascade: Cascade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "weights.pt"
    checkpoint.save(path, cascade, part_bytes=_PART)
    save = torch.save

    def fail_at_the_first_file(content: object, file: Path) -> None:
        if file.name.endswith(".part"):
            raise OSError("No space is left.")
        save(content, file)

    monkeypatch.setattr(torch, "save", fail_at_the_first_file)
    with pytest.raises(OSError, match="No space"):
        checkpoint.save(path, Cascade(LITE), part_bytes=_PART)
    assert torch.equal(
        checkpoint.load(path).stage.restoration.body.leave[-1].weight,
        cascade.stage.restoration.body.leave[-1].weight,
    )


def test_a_missing_part_is_named(cascade: Cascade, tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "weights.pt", cascade, part_bytes=_PART)
    missing = next(path for path in tmp_path.iterdir() if path.name != "weights.pt")
    missing.unlink()
    with pytest.raises(checkpoint.CheckpointError, match=f"missing or broken.*{missing.name}"):
        checkpoint.load(tmp_path / "weights.pt")


def test_a_part_lies_beside_its_checkpoint(tmp_path: Path) -> None:
    torch.save({"parts": ["../other.pt"]}, tmp_path / "weights.pt")
    with pytest.raises(checkpoint.CheckpointError, match="not beside"):
        checkpoint.read(tmp_path / "weights.pt")


def test_a_tensor_larger_than_a_part_has_a_file_to_itself(tmp_path: Path) -> None:
    content = {"weights": {"a": torch.ones(10), "b": torch.zeros(1000), "c": torch.ones(10)}, "step": 3}
    checkpoint_parts.write(tmp_path / "c.pt", content, part_bytes=100)
    assert len([*tmp_path.iterdir()]) == 3
    joined = checkpoint.read(tmp_path / "c.pt")
    assert joined["step"] == 3
    assert {name: len(tensor) for name, tensor in joined["weights"].items()} == {"a": 10, "b": 1000, "c": 10}
