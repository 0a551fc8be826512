"""The plan of a job: fast where there is memory, small where there is little, refused where there is too little."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import pytest

from service.encoding.pixels import Pixels
from service.memory.coding import coding
from service.memory.plan import (
    Demand,
    TileMemory,
    best_plan,
    least_plan,
    plans,
    smaller_plan,
    wanting,
)
from service.types import EncodeOptions
from service.window_limits import WindowLimits, WindowMemory

GIB = 1 << 30
LIMITS = WindowLimits(segment_frames=64, frames=12, pixels=4_000_000, bytes=None)
LITE = Demand(1280, 720, 480, 1, WindowMemory(frame=242, context=483), TileMemory(flow=88, tile=238))


def at(width: int, height: int, **changes: object) -> Demand:
    return replace(LITE, width=width, height=height, **changes)  # type: ignore[arg-type]


def test_where_there_is_memory_whole_frames_are_restored_in_the_longest_windows() -> None:
    plan = best_plan(LITE, LIMITS, 64 * GIB)

    assert plan is not None
    assert (plan.window, plan.in_flight, plan.tile) == (12, 2, None)


def test_a_video_shorter_than_a_window_has_shorter_windows() -> None:
    plan = best_plan(replace(LITE, frames=5), LIMITS, 64 * GIB)

    assert plan is not None
    assert plan.window == 5


def test_whole_frames_leave_half_of_the_memory_to_another_job() -> None:
    plan = best_plan(LITE, LIMITS, 8 * GIB)

    assert plan is not None
    assert plan.tile is None
    assert plan.bytes <= 4 * GIB
    assert plan.window > 4


@pytest.mark.parametrize("gib", [1, 2, 4, 8, 16, 64])
@pytest.mark.parametrize("size", [(640, 360), (1280, 720), (1920, 1080), (4096, 2304), (7680, 4320)])
def test_a_plan_stays_within_the_memory(size: tuple[int, int], gib: int) -> None:
    plan = best_plan(at(*size), LIMITS, gib * GIB)
    least = least_plan(at(*size), LIMITS)

    if plan is None:
        assert least.bytes > gib * GIB
    else:
        assert least.bytes <= plan.bytes <= gib * GIB


def test_frames_that_do_not_fit_whole_are_restored_in_tiles() -> None:
    plan = best_plan(at(4096, 2304), LIMITS, 4 * GIB)

    assert plan is not None
    assert plan.tile is not None
    assert plan.in_flight == 1


def test_looks_are_part_of_the_plan() -> None:
    one, four = (least_plan(at(1280, 720, looks=looks), LIMITS) for looks in (1, 4))

    assert four.bytes > one.bytes


def test_8k_is_planned_within_4_gib() -> None:
    lite = at(7680, 4320, whole=WindowMemory(frame=252, context=505), tiles=TileMemory(flow=26, tile=350))
    plan = best_plan(lite, LIMITS, 4 * GIB)

    assert plan is not None
    assert (plan.window, plan.in_flight) == (1, 1)
    assert plan.tile is not None


def test_frames_that_are_kept_as_they_were_are_part_of_the_plan() -> None:
    plain, deep = (
        coding(EncodeOptions(codec=codec), pixels)
        for codec, pixels in (("h264", Pixels()), ("hevc", Pixels("422", 10)))
    )

    assert not plain.kept
    assert deep.kept
    assert deep.bytes(LITE.pixels, 10) == deep.bytes(LITE.pixels, 0) + 10 * 4
    for size in ((1280, 720), (7680, 4320)):
        taken = [least_plan(at(*size, coding=how), LIMITS).bytes for how in (plain, deep)]
        assert taken[0] < taken[1]


def test_a_model_without_parts_is_not_planned_in_tiles() -> None:
    demand = at(4096, 2304, tiles=None)

    assert best_plan(demand, LIMITS, 4 * GIB) is None
    assert {plan.tile for plan in plans(demand, LIMITS)} == {None}


def test_each_plan_takes_less_than_those_before_it() -> None:
    taken = [plan.bytes for plan in plans(at(3840, 2160), LIMITS)]

    assert taken == sorted(set(taken), reverse=True)


def test_after_one_that_ran_out_of_memory_comes_a_much_smaller_plan_until_there_is_none() -> None:
    demand = at(1920, 1080)
    plan = next(plans(demand, LIMITS))
    steps = [plan]
    while smaller := smaller_plan(demand, LIMITS, plan):
        steps.append(plan := smaller)

    assert all(b.bytes <= 0.75 * a.bytes for a, b in pairwise(steps[:-1]))
    assert steps[-1] == least_plan(demand, LIMITS)
    assert len(steps) < 12


def test_a_budget_for_one_window_holds_beside_the_plan() -> None:
    plan = best_plan(LITE, replace(LIMITS, bytes=1_000_000_000), 64 * GIB)

    assert plan is not None
    assert LITE.whole.bytes(LITE.pixels, plan.window) <= 1_000_000_000


def test_a_refusal_says_what_is_needed_and_what_is_there() -> None:
    sentence = wanting(at(7680, 4320), LIMITS, GIB)

    assert "7680 x 4320" in sentence
    assert "the smallest has 1.0 GiB" in sentence


def test_the_arithmetic_loads_neither_numpy_nor_ffmpeg() -> None:
    program = "import sys, service.memory.plan; print({'numpy', 'av'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)

    assert ran.stdout.strip() == "set()"
