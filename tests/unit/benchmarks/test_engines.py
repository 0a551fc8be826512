import numpy as np

from benchmarks.engines import Row, measure, table
from service.config import default_models


def test_both_runtimes_are_measured_on_the_same_window() -> None:
    window = np.full((5, 64, 64, 3), 128, np.uint8)
    rows = measure(default_models() / "cdvd_lite", window, threads=1, rounds=1)

    assert [row.engine for row in rows] == ["ONNX Runtime", "OpenVINO"]
    assert all(row.frame_ms > 0 and row.psnr > 60 for row in rows)


def test_the_ratio_is_above_one_for_the_faster() -> None:
    lines = table([Row("ONNX Runtime", 20, 10, 99), Row("OpenVINO", 40, 8, 70)], threads=2).splitlines()

    assert lines[1].split()[-3] == "1.00"
    assert lines[2].split()[-3] == "1.25"
