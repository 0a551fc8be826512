"""The node for ComfyUI, loaded from a folder ``custom_nodes`` as ComfyUI does, on real tensors and a real service."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from tests.integration.examples.conftest import EXAMPLES, Used
from tests.support.clips import moving_picture

pytestmark = pytest.mark.integration


def loaded(folder: Path) -> ModuleType:
    """A module with the path of the folder for a name, from a file: what ComfyUI makes of each folder that it finds."""
    name = str(folder).replace(".", "_x_")
    found = importlib.util.spec_from_file_location(name, folder / "__init__.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module
    found.loader.exec_module(module)
    return module


class InterruptedNodeError(Exception):
    """What ComfyUI raises when somebody presses the button."""


class Comfy:
    """The two functions of ComfyUI that the node uses, under their names."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.told: list[int] = []
        self.interrupted = False
        utils, management = ModuleType("comfy.utils"), ModuleType("comfy.model_management")
        utils.ProgressBar = lambda _total: self  # type: ignore[attr-defined]
        management.throw_exception_if_processing_interrupted = self.check  # type: ignore[attr-defined]
        for name, module in {
            "comfy": ModuleType("comfy"),
            "comfy.utils": utils,
            "comfy.model_management": management,
        }.items():
            monkeypatch.setitem(sys.modules, name, module)

    def update_absolute(self, done: int) -> None:
        self.told.append(done)

    def check(self) -> None:
        if self.interrupted:
            raise InterruptedNodeError


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    before = set(sys.modules)
    there = tmp_path / "custom_nodes" / "cdvd_deblur"
    shutil.copytree(EXAMPLES / "comfyui" / "cdvd_deblur", there)
    yield there
    for name in set(sys.modules) - before:
        if "cdvd_deblur" in name:
            del sys.modules[name]


@pytest.fixture
def images() -> torch.Tensor:
    pictures = np.stack([moving_picture(number, 80, 66) for number in range(7)])
    fine = pictures.astype(np.float32) / 255 + np.random.default_rng(1).random(pictures.shape) / 600
    return torch.from_numpy(fine.clip(0, 1).astype(np.float32))


def inputs(node: type) -> dict[str, Any]:
    """The inputs by name, each with what ComfyUI would fill in."""
    groups = node.INPUT_TYPES()  # type: ignore[attr-defined]
    assert set(groups) <= {"required", "optional", "hidden"}
    return {name: kind for group in groups.values() for name, kind in group.items()}


def execute(module: ModuleType, used: Used, monkeypatch: pytest.MonkeyPatch, images: torch.Tensor) -> Any:
    """Run the node as ComfyUI does: by the name in FUNCTION, with every input by name."""
    monkeypatch.setenv("CDVD_KEY", used.key)
    monkeypatch.setenv("CDVD_URL", used.service.url)
    node = module.NODE_CLASS_MAPPINGS["CdvdDeblurVideo"]
    filled = {name: kind[1]["default"] for name, kind in inputs(node).items() if len(kind) > 1}
    outputs = getattr(node(), node.FUNCTION)(**{**filled, "images": images, "fps": 23.976})
    assert isinstance(outputs, tuple)
    assert len(outputs) == len(node.RETURN_TYPES) == len(node.RETURN_NAMES)
    return outputs[0]


def test_the_node_is_what_comfyui_looks_for(folder: Path) -> None:
    module = loaded(folder)
    (node,) = module.NODE_CLASS_MAPPINGS.values()
    assert module.NODE_DISPLAY_NAME_MAPPINGS.keys() == module.NODE_CLASS_MAPPINGS.keys()
    assert node.RETURN_TYPES == ("IMAGE",)
    assert isinstance(node.CATEGORY, str)
    assert callable(getattr(node, node.FUNCTION))
    assert inputs(node)["images"][0] == "IMAGE"
    assert inputs(node)["fps"][0] == "FLOAT"


@pytest.mark.parametrize("channels", [3, 4])
def test_frames_go_to_the_service_and_come_back(
    used: Used, folder: Path, images: torch.Tensor, monkeypatch: pytest.MonkeyPatch, channels: int
) -> None:
    comfy = Comfy(monkeypatch)
    before = used.service.http.get("/jobs?limit=100").json()["jobs"]
    given = torch.cat([images, images[..., :1]], dim=-1)[..., :channels]
    sharp = execute(loaded(folder), used, monkeypatch, given)
    assert sharp.dtype == torch.float32
    assert sharp.shape == images.shape
    # The models of the tests change nothing: what is left is the rounding to 16 bits on the way.
    assert float((sharp - images).abs().max()) < 1 / 60_000
    assert comfy.told[-1] == len(images)
    assert used.service.http.get("/jobs?limit=100").json()["jobs"] == before


def test_an_interrupted_node_leaves_no_job(
    used: Used, folder: Path, images: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    comfy = Comfy(monkeypatch)
    comfy.interrupted = True
    before = used.service.http.get("/jobs?limit=100").json()["jobs"]
    with pytest.raises(InterruptedNodeError):
        execute(loaded(folder), used, monkeypatch, images)
    assert used.service.http.get("/jobs?limit=100").json()["jobs"] == before


def test_a_refusal_is_the_nodes_error(
    used: Used, folder: Path, images: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = loaded(folder)  # without ComfyUI
    with pytest.raises(RuntimeError, match="32"):
        execute(module, used, monkeypatch, images[:, :32, :32])
