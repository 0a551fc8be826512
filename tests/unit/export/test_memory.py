from pathlib import Path

import pytest

from export.memory import MemoryCost, memory_cost
from export.triton import Plan
from tests.support.graphs import averaging_graph, identity_graph, write_model

GIB = 1024**3


def test_a_graph_that_only_copies_needs_its_input_and_its_output(tmp_path: Path) -> None:
    cost = memory_cost(write_model(tmp_path, identity_graph()) / "1" / "model.onnx", context_frames=4)

    # Three bytes per pixel: T + 4 frames in, T frames out, and 1.8 times that in all.
    assert (cost.frame, cost.context) == (11, 22)


def test_tensors_that_are_needed_at_the_same_time_are_added_up(tmp_path: Path) -> None:
    cost = memory_cost(write_model(tmp_path, averaging_graph()) / "1" / "model.onnx", context_frames=4)

    # Five views of the window as FP32 wait for the mean: five times 12 bytes per pixel, and it is a sixth.
    assert cost.frame >= 1.8 * 6 * 12
    assert cost.frame <= 1.8 * 8 * 12


@pytest.mark.parametrize("budget", [GIB, 8 * GIB, 24 * GIB])
def test_the_longest_window_fits_and_one_frame_more_would_not(budget: int) -> None:
    cost = MemoryCost(frame=1000, context=100)
    frames = cost.longest(budget, 720, 1280)

    assert cost.window(frames, 720, 1280) <= budget < cost.window(frames + 1, 720, 1280)


def test_a_window_has_a_frame_even_where_memory_is_short() -> None:
    assert MemoryCost(frame=1000, context=2000).longest(GIB, 2160, 3840) == 1


def test_a_plan_has_longer_windows_for_smaller_frames() -> None:
    plan = Plan.within(MemoryCost(frame=1082, context=2164), 16 * GIB, context_frames=4)

    assert plan.hd == (4 + 12, 720, 1280, 3)
    assert plan.full_hd == (4 + 5, 1080, 1920, 3)
    assert plan.largest == (4 + 2, 1920, 1920, 3)
