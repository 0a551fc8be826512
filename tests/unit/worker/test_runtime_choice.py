"""Which runtime a worker takes for ``auto``: the one that was faster here, measured once."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from service.config import Settings
from service.worker.runtime.choice import kept_choice, settled
from service.worker.runtime.machine import FILE
from tests.support.graphs import averaging_graph, write_model


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of a worker whose model is a mean of frames."""
    model = write_model(tmp_path / "models", averaging_graph())
    data = tmp_path / "data"
    data.mkdir()
    return Settings(engine="auto", data=data, models=model.parent, model=model.name, engine_threads=1)


def test_the_first_start_measures_and_keeps_what_it_found(settings: Settings) -> None:
    chosen = settled(settings).engine
    kept = json.loads((settings.data / FILE).read_text())

    assert set(kept["frame_ms"]) == {"onnx", "openvino"}
    assert chosen == kept["engine"] == min(kept["frame_ms"], key=kept["frame_ms"].get)
    assert set(kept["machine"]) >= {"processor", "threads", "onnx", "openvino"}


def test_later_starts_take_what_is_kept(settings: Settings) -> None:
    settled(settings)
    path = settings.data / FILE
    kept = json.loads(path.read_text())
    other = {"onnx": "openvino", "openvino": "onnx"}[kept["engine"]]
    path.write_text(json.dumps(kept | {"engine": other}))

    assert settled(settings).engine == other


@pytest.mark.parametrize("changed", ["processor", "openvino", "threads"])
def test_another_machine_or_version_is_measured_anew(settings: Settings, changed: str) -> None:
    settled(settings)
    path = settings.data / FILE
    kept = json.loads(path.read_text())
    path.write_text(json.dumps(kept | {"frame_ms": {}, "machine": kept["machine"] | {changed: "another"}}))

    assert kept_choice(settings) is None
    settled(settings)
    assert json.loads(path.read_text())["frame_ms"]


def test_a_damaged_file_is_measured_anew(settings: Settings) -> None:
    (settings.data / FILE).write_text('{"engine": ')
    settled(settings)

    choice = kept_choice(settings)
    assert choice is not None
    assert choice.line.startswith(f"{choice.engine}, measured on this machine")


def test_a_named_engine_is_not_measured(settings: Settings) -> None:
    named = settings.model_copy(update={"engine": "openvino"})

    assert settled(named) is named
    assert not (settings.data / FILE).exists()


def test_a_runtime_that_does_not_load_does_not_take_part(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "service.inference.openvino", None)

    assert settled(settings).engine == "onnx"
    choice = kept_choice(settings)
    assert choice is not None
    assert choice.line == "onnx, the only one for this machine"


def test_without_a_model_nothing_is_kept(settings: Settings) -> None:
    assert settled(settings.model_copy(update={"model": "nowhere"})).engine == "onnx"
    assert not (settings.data / FILE).exists()
