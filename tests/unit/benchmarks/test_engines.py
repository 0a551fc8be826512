import numpy as np

from benchmarks.engines import Row, measure, speed_ratio, table
from service.config import default_models


def test_models_and_runtimes_are_measured_on_the_same_window() -> None:
    window = np.full((5, 64, 64, 3), 128, np.uint8)
    lite = default_models() / "cdvd_lite"
    rows = measure([lite], ["onnxruntime", "openvino"], window, threads=1, rounds=1)

    assert [(row.model, row.engine) for row in rows] == [
        ("cdvd_lite", "onnxruntime"),
        ("cdvd_lite", "openvino"),
    ]
    assert all(row.frame_ms > 0 and row.psnr > 60 for row in rows)
    assert rows[0].ratio == 1


def test_the_ratio_is_above_one_for_the_faster() -> None:
    assert speed_ratio([4.0, 4.0, 4.0], [2.0, 2.0, 8.0]) == 2.0
    assert speed_ratio([4.0], [8.0]) == 0.5


def test_every_row_names_its_model_beside_its_figures() -> None:
    rows = [Row("first", "onnxruntime", 20, 10, 1, 99), Row("a_longer_name", "onnxruntime", 40, 8, 1.25, 30)]
    lines = table(rows, threads=2).splitlines()

    assert lines[1].split() == ["first", "onnxruntime", "2", "20", "10", "1.00", "99.0", "dB"]
    assert lines[2].split() == ["a_longer_name", "onnxruntime", "2", "40", "8", "1.25", "30.0", "dB"]
    assert len(lines[1]) == len(lines[2])
