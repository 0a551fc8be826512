from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from cascade.network import checkpoint
from cascade.network.cascade import Cascade, restore_window
from cascade.network.complexity import macs_per_pixel
from cascade.network.config import BASE, LITE, NetworkConfig, Prior, from_dict, preset, to_dict
from tests.support import first_lite
from tests.support.parity import reference


@pytest.fixture(scope="module")
def lite() -> Cascade:
    torch.manual_seed(0)
    cascade = Cascade(LITE)
    # Initial flow and residual layers are almost zero; at random ones every path matters.
    for parameter in cascade.parameters():
        if parameter.dim() == 4:
            torch.nn.init.normal_(parameter, std=0.05)
    return cascade.eval()


def test_a_frame_is_restored_alike_in_every_window_that_holds_its_neighbors(lite: Cascade) -> None:
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


@pytest.mark.parametrize(
    ("config", "parameters", "macs"),
    [(LITE, 965_264, 43_000), (BASE, 6_528_896, 286_700)],
    ids=lambda value: getattr(value, "preset", None),
)
def test_a_preset_costs_what_it_is_documented_to(config: NetworkConfig, parameters: int, macs: float) -> None:
    assert sum(parameter.numel() for parameter in Cascade(config).parameters()) == parameters
    assert macs_per_pixel(config) == pytest.approx(macs, rel=0.01)


def test_a_checkpoint_rebuilds_its_network(lite: Cascade, tmp_path: Path) -> None:
    path = tmp_path / "run" / "weights.pt"
    checkpoint.save(path, lite)
    loaded = checkpoint.load(path)
    frames = torch.rand(5, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(restore_window(loaded, frames), restore_window(lite, frames))
    assert [file.name for file in path.parent.iterdir()] == ["weights.pt"]


@pytest.mark.parametrize("name", ["lite", "base", "paper"])
def test_a_configuration_survives_its_plain_form(name: str) -> None:
    config = preset(name, stages=3, prior=Prior.EQUATION, use_flow=False)
    assert from_dict(to_dict(config)) == config
    assert from_dict(json.loads(json.dumps(to_dict(config)))) == config


def test_a_checkpoint_of_the_first_light_network_gives_what_it_gave(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    torch.save(first_lite.content(), path)
    cascade = checkpoint.load(path)
    frames = torch.from_numpy(reference().frames[:5]).permute(0, 3, 1, 2).float() / 255
    with torch.no_grad():
        restored = restore_window(cascade, frames)[0].permute(1, 2, 0)

    assert cascade.config.flow.radius == (4, 4, 4, 4)
    assert sum(parameter.numel() for parameter in cascade.parameters()) == 913_580
    torch.testing.assert_close(restored, torch.from_numpy(first_lite.restored()), atol=1e-3, rtol=1e-3)


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(checkpoint.CheckpointError, match="is not a checkpoint"):
        checkpoint.load(path)
    with pytest.raises(FileNotFoundError):
        checkpoint.load(tmp_path / "missing.pt")
