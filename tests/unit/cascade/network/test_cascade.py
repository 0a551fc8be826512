from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cascade.network import checkpoint
from cascade.network.cascade import Cascade, restore_window
from cascade.network.complexity import macs_per_pixel
from cascade.network.config import LITE, Prior, from_dict, preset, to_dict


@pytest.fixture(scope="module")
def lite() -> Cascade:
    torch.manual_seed(0)
    cascade = Cascade(LITE)
    # Initial flow and residual layers are almost zero; at random ones every path matters.
    for parameter in cascade.parameters():
        if parameter.dim() == 4:
            torch.nn.init.normal_(parameter, std=0.05)
    return cascade.eval()


def test_a_frame_is_restored_alike_in_every_window_that_holds_its_neighbours(lite: Cascade) -> None:
    frames = torch.rand(8, 3, 64, 72)
    with torch.no_grad():
        whole = restore_window(lite, frames)
        alone = [restore_window(lite, frames[start : start + 5]) for start in range(4)]
    torch.testing.assert_close(torch.cat(alone), whole, atol=2e-5, rtol=0)


@pytest.mark.parametrize("size", [(64, 64), (65, 67), (71, 130)])
def test_any_size_comes_back_as_it_was(lite: Cascade, size: tuple[int, int]) -> None:
    with torch.no_grad():
        assert restore_window(lite, torch.rand(5, 3, *size)).shape == (1, 3, *size)


@pytest.mark.parametrize("stages", [1, 2, 3])
def test_each_stage_uses_up_one_frame_on_each_side(stages: int) -> None:
    cascade = Cascade(preset("lite", stages=stages)).eval()
    with torch.no_grad():
        outputs = cascade(torch.rand(1, 9, 3, 64, 64))
    assert [output.restored.shape[1] for output in outputs] == [7, 5, 3][:stages]


def test_without_flow_nothing_is_moved() -> None:
    cascade = Cascade(preset("lite", use_flow=False)).eval()
    with torch.no_grad():
        outputs = cascade(torch.rand(1, 5, 3, 64, 64))
    assert not outputs[0].flow.any()


def test_lite_stays_within_what_two_cores_can_serve() -> None:
    assert macs_per_pixel(LITE) <= 40_000


def test_a_checkpoint_rebuilds_its_network(lite: Cascade, tmp_path: Path) -> None:
    path = tmp_path / "run" / "weights.pt"
    checkpoint.save(path, lite)
    loaded = checkpoint.load(path)
    frames = torch.rand(5, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(restore_window(loaded, frames), restore_window(lite, frames))
    assert [file.name for file in path.parent.iterdir()] == ["weights.pt"]


def test_a_configuration_survives_its_plain_form() -> None:
    config = preset("lite", stages=3, prior=Prior.EQUATION, use_flow=False)
    assert from_dict(to_dict(config)) == config


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(checkpoint.CheckpointError, match="is not a checkpoint"):
        checkpoint.load(path)
    with pytest.raises(FileNotFoundError):
        checkpoint.load(tmp_path / "missing.pt")
