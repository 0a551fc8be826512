"""The measurement that an operator of a GPU runs, on the processor."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from benchmarks.gpu.__main__ import _apart, run
from benchmarks.gpu.convolutions import Convolution, convolutions, peak, seconds
from benchmarks.gpu.measuring import Case, Figures
from service.config import default_models
from service.inference.devices.device_engine import read_graph
from service.inference.devices.offers import processor
from tests.support.graphs import identity_graph, write_model

LITE = default_models() / "cdvd_lite"
ROOT = LITE.parents[1]


def test_the_command_measures_both_precisions_and_prints_a_row_for_each(tmp_path: Path) -> None:
    written = tmp_path / "rows.json"
    command = [
        sys.executable,
        "-m",
        "benchmarks.gpu",
        "--device",
        "cpu",
        "--sizes",
        "64x64",
        "--models",
        str(LITE),
    ]
    command += ["--frames", "1", "--rounds", "1", "--json", str(written)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400, check=True)

    head, columns, half, full = done.stdout.splitlines()
    assert head == f"ONNX Runtime {ort.__version__} on cpu"
    assert len(columns.split()) == 12
    assert half.split()[:4] == ["cdvd_lite", "fp16", "64x64", "1"]
    assert full.split()[:4] == ["cdvd_lite", "fp32", "64x64", "1"]
    rows = json.loads(written.read_text())["rows"]
    for row, exact in zip(rows, (60, 90), strict=True):
        assert row["psnr"] > exact
        assert row["copies"] == 0
        assert [provider for provider, _ in row["nodes"]] == ["CPUExecutionProvider"]
        assert (
            min(row["frames_per_second"], row["frame_ms"], row["convolutions_ms"], row["peak_teraflops"]) > 0
        )
        assert 0 < row["share"] < 2
        assert row["memory"] > 50e6


def test_the_convolutions_of_the_graph_are_those_of_its_card(tmp_path: Path) -> None:
    """43 thousand multiply-adds per pixel and stage; the first stage restores T + 2 frames for T."""
    frames, height, width = 8, 64, 128
    graph = read_graph(LITE / "1" / "model.onnx")
    found = convolutions(graph, (frames + 4, height, width, 3), TensorProto.FLOAT, tmp_path)

    macs = sum(count * one.operations for one, count in found.items()) / 2
    stages = (frames + 2) + frames
    assert macs / (stages * height * width) == pytest.approx(43_000, rel=0.1)
    assert Counter(one.kind for one in found.elements()) == {"Conv": 106, "ConvTranspose": 4}


def test_a_transposed_convolution_is_counted_by_what_goes_in() -> None:
    strides = helper.make_attribute("strides", [2, 2]).SerializeToString()
    up = Convolution(
        "ConvTranspose", (1, 4, 8, 8), (4, 2, 2, 2), (1, 2, 16, 16), TensorProto.FLOAT, (strides,)
    )
    assert up.operations == 2 * (4 * 8 * 8) * (2 * 2 * 2)
    assert seconds(up, processor(), rounds=1) > 0


def test_the_peak_is_a_convolution_of_a_gpu_size() -> None:
    assert peak(TensorProto.FLOAT16).operations == 2 * 8 * 180 * 320 * 128 * 128 * 9


def test_a_case_that_fails_says_why_and_the_next_is_measured(tmp_path: Path) -> None:
    model = write_model(tmp_path, identity_graph())
    bad = Case(model, "absent.onnx", "cpu", 64, 64, 3, 1)
    ((case, said),) = list(run(iter([bad])))
    assert case.frames == 1
    assert isinstance(said, str)
    assert "tiny" in said
    assert "does not load" in said


def _dies(_case: Case) -> Figures:
    os._exit(9)


def test_a_case_whose_process_is_killed_is_told() -> None:
    case = Case(LITE, "model.onnx", "cpu", 64, 64, 1, 1)
    assert "process died" in str(_apart(case, _dies))
