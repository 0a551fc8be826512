import pytest

from service.pipeline.segments import plan_segments


@pytest.mark.parametrize("frames", [1, 2, 4, 63, 64, 65, 95, 96, 97, 128, 1000])
def test_segments_cover_every_frame_once_in_order(frames: int) -> None:
    segments = plan_segments(frames, 64)

    covered = [number for segment in segments for number in range(segment.start, segment.stop)]
    assert covered == list(range(frames))
    assert [segment.index for segment in segments] == list(range(len(segments)))


@pytest.mark.parametrize("frames", [65, 129, 200, 1000, 12345])
def test_no_segment_is_a_tiny_tail(frames: int) -> None:
    lengths = [segment.frames for segment in plan_segments(frames, 64)]

    assert max(lengths) - min(lengths) <= 1
    assert min(lengths) >= 32
    assert max(lengths) <= 96


@pytest.mark.parametrize(("frames", "length"), [(0, 64), (-1, 64), (10, 0)])
def test_impossible_plans_are_refused(frames: int, length: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        plan_segments(frames, length)
