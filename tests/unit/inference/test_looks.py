from __future__ import annotations

from threading import Barrier
from time import sleep

import numpy as np
import pytest

from service.errors.engine import InferenceFailed
from service.errors.job import JobCanceled
from service.inference.engine import Frames, Stopped, never
from service.inference.looks import SeveralLooks
from tests.support.fake_engines import IdentityEngine, RecordingEngine

WINDOW = np.random.default_rng(7).integers(0, 256, (6, 64, 80, 3), np.uint8)
INNER = WINDOW[2:-2]


class RampEngine(IdentityEngine):
    """Adds to each pixel its place in the window that it was given: frame, row and column leave their marks."""

    def restore(self, window: Frames, stopped: Stopped = never, /) -> Frames:
        frames, height, width = window.shape[0] - 4, window.shape[1], window.shape[2]
        place = np.arange(frames)[:, None, None] + 2 * np.arange(height)[:, None] + np.arange(width)
        return (super().restore(window, stopped) // 8 + place[..., None]).astype(np.uint8)


def turned_by_hand(axes: tuple[int, ...]) -> Frames:
    return np.flip(RampEngine().restore(np.flip(WINDOW, axes)), axes)


@pytest.mark.parametrize(("looks", "turns"), [(1, [()]), (2, [(), (2,)]), (4, [(), (2, 0), (1, 0), (2, 1)])])
def test_the_result_is_the_mean_of_the_looks_rounded_once(looks: int, turns: list[tuple[int, ...]]) -> None:
    restored = SeveralLooks(RampEngine(), looks).restore(WINDOW)

    wanted = np.rint(np.mean([turned_by_hand(axes) for axes in turns], axis=0, dtype=np.float64))
    np.testing.assert_array_equal(restored, wanted.astype(np.uint8))


@pytest.mark.parametrize("looks", [1, 2, 4])
def test_what_every_look_agrees_on_stays_as_it_is(looks: int) -> None:
    np.testing.assert_array_equal(SeveralLooks(IdentityEngine(), looks).restore(WINDOW), INNER)


def test_each_look_is_turned_in_space_and_time_by_its_own_axes() -> None:
    engine = RecordingEngine()
    SeveralLooks(engine, 4).restore(WINDOW)

    wanted = [WINDOW, WINDOW[::-1, :, ::-1], WINDOW[::-1, ::-1], WINDOW[:, ::-1, ::-1]]
    assert sorted(one.tobytes() for one in engine.windows) == sorted(one.tobytes() for one in wanted)


def test_all_looks_are_at_the_engine_at_once() -> None:
    together = Barrier(4)

    class Meeting(IdentityEngine):
        def restore(self, window: Frames, stopped: Stopped = never, /) -> Frames:
            together.wait(30)
            return super().restore(window, stopped)

    np.testing.assert_array_equal(SeveralLooks(Meeting(), 4).restore(WINDOW), INNER)


def test_every_look_is_reported() -> None:
    seen: list[int] = []
    SeveralLooks(IdentityEngine(), 4, lambda: seen.append(1)).restore(WINDOW)

    assert len(seen) == 4


def test_a_look_that_fails_ends_those_that_wait() -> None:
    dropped: list[bool] = []

    class OneFails(IdentityEngine):
        """The look at the window as it is fails; the others wait until they are told to stop."""

        def restore(self, window: Frames, stopped: Stopped = never, /) -> Frames:
            if np.array_equal(window, WINDOW):
                raise InferenceFailed("This window was refused.")
            while not stopped():
                sleep(0.01)
            dropped.append(True)
            raise JobCanceled("Nobody wants this window.")

    with pytest.raises(InferenceFailed):
        SeveralLooks(OneFails(), 4).restore(WINDOW)
    assert len(dropped) == 3


def test_looks_that_nobody_wants_are_not_restored() -> None:
    with pytest.raises(JobCanceled):
        SeveralLooks(IdentityEngine(), 4).restore(WINDOW, lambda: True)
