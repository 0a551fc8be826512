import weakref
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from service.pipeline.windows import Window, form_windows, mirrored
from service.types import Segment
from service.video.decode import DecodedFrame

SIDE = 64


def frame(number: int, scene: int = 0) -> DecodedFrame:
    """A frame that says its number in red, on the background of its scene: black or white."""
    image = np.full((SIDE, SIDE, 3), 255 * scene, np.uint8)
    image[..., 0] = number
    return DecodedFrame(number, number, Fraction(1, 25), False, image)


def windows_of(
    numbers: Sequence[int], segment: Segment, length: int, cuts: Sequence[int] = ()
) -> list[Window]:
    frames = [frame(number, sum(cut <= number for cut in cuts) % 2) for number in numbers]
    return list(form_windows(frames, segment, length, lambda _frame: None))


def contents(window: Window) -> list[int]:
    return [int(image[0, 0, 0]) for image in window.frames]


def test_windows_hold_the_outputs_and_two_neighbors_on_each_side() -> None:
    windows = windows_of(range(8, 22), Segment(1, 10, 20), 5)

    assert [window.start for window in windows] == [10, 15]
    assert contents(windows[0]) == list(range(8, 17))
    assert contents(windows[1]) == list(range(13, 22))


def test_lean_windows_are_the_same_and_their_frames_are_not_held_beside_them() -> None:
    images: list[weakref.ref[NDArray[np.uint8]]] = []

    def decoded() -> Iterator[DecodedFrame]:
        for number in range(8, 22):
            made = [frame(number)]
            images.append(weakref.ref(made[0].image))
            yield made.pop()

    segment = Segment(1, 10, 20)
    found = []
    for window in form_windows(decoded(), segment, 1, lambda _frame: None, lean=True):
        found.append((window.start, contents(window)))
        assert not any(image() is not None for image in images)

    assert found == [(window.start, contents(window)) for window in windows_of(range(8, 22), segment, 1)]


def test_what_is_left_over_comes_first_so_that_something_is_to_be_seen_soon() -> None:
    windows = windows_of(range(8, 32), Segment(1, 10, 28), 8)

    assert [(window.start, len(window.outputs)) for window in windows] == [(10, 2), (12, 8), (20, 8)]
    assert contents(windows[0]) == list(range(8, 14))
    assert contents(windows[1]) == list(range(10, 22))


def test_context_is_mirrored_at_both_ends_of_the_video() -> None:
    (window,) = windows_of(range(4), Segment(0, 0, 4), 8)

    assert contents(window) == [2, 1, 0, 1, 2, 3, 2, 1]


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        (1, [0, 0, 0, 0, 0]),
        (2, [0, 1, 0, 1, 0, 1]),
        (3, [2, 1, 0, 1, 2, 1, 0]),
        (4, [2, 1, 0, 1, 2, 3, 2, 1]),
    ],
)
def test_videos_shorter_than_a_window_are_mirrored_as_often_as_needed(
    frames: int, expected: list[int]
) -> None:
    (window,) = windows_of(range(frames), Segment(0, 0, frames), 16)

    assert contents(window) == expected


def test_context_never_crosses_a_cut() -> None:
    first, second = windows_of(range(12), Segment(0, 0, 12), 16, cuts=[5])

    assert contents(first) == [2, 1, 0, 1, 2, 3, 4, 3, 2]
    assert contents(second) == [7, 6, 5, 6, 7, 8, 9, 10, 11, 10, 9]


@pytest.mark.parametrize("cut", [8, 9, 10, 11, 15, 19, 20, 21])
@pytest.mark.parametrize("length", [1, 3, 4, 16])
def test_every_frame_comes_out_once_wherever_the_cut_is(cut: int, length: int) -> None:
    windows = windows_of(range(8, 22), Segment(1, 10, 20), length, cuts=[cut])

    restored = [int(image[0, 0, 0]) for window in windows for image in window.outputs]
    assert restored == list(range(10, 20))
    for window in windows:
        assert {number < cut for number in contents(window)} in ({True}, {False})


def test_a_segment_that_begins_at_a_cut_mirrors_instead_of_looking_back() -> None:
    windows = windows_of(range(8, 22), Segment(1, 10, 20), 10, cuts=[10])

    assert contents(windows[0])[:4] == [12, 11, 10, 11]


def test_memory_is_bounded_by_the_window_not_by_the_segment() -> None:
    taken = 0

    def frames() -> Iterator[DecodedFrame]:
        nonlocal taken
        for number in range(200):
            taken += 1
            yield frame(number)

    for window in form_windows(frames(), Segment(0, 0, 200), 4, lambda _frame: None):
        assert taken <= window.start + 4 + 2 + 1


def test_mirroring_stays_inside_the_scene() -> None:
    assert all(5 <= mirrored(position, 5, high) < high for high in (6, 7, 8, 20) for position in range(60))
