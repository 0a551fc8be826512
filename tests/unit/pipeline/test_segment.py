from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from service.errors.engine import InferenceFailed
from service.errors.job import JobCanceled
from service.errors.pipeline import PipelineError
from service.inference.engine import DeblurEngine
from service.pipeline.segment import SegmentRequest, SegmentResult, restore_segment
from service.types import EncodeOptions, Segment
from tests.support.clips import Clip, psnr, read_frames, write_clip
from tests.support.fake_engines import AveragingEngine, FailingEngine, IdentityEngine, RecordingEngine
from tests.support.job_files import JOB, storage_of_one_job

ENCODE = EncodeOptions(crf=8)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.mp4", Clip(frames=20))


def request_for(clip: Path, start: int = 0, stop: int = 20, window: int = 4) -> SegmentRequest:
    return SegmentRequest(clip, clip.with_name("piece.mp4"), Segment(0, start, stop), ENCODE, window)


def restore(request: SegmentRequest, engine: DeblurEngine) -> SegmentResult:
    return restore_segment(request, engine, lambda *_: None, lambda: False)


def test_a_piece_holds_the_segments_frames_at_their_own_times(clip: Path) -> None:
    request = request_for(clip, 7, 15)
    result = restore(request, IdentityEngine())

    given, pieces = read_frames(clip), read_frames(request.target)
    assert [time for time, _ in pieces] == [time for time, _ in given[7:15]]
    assert result.frames == 8
    assert result.bytes == request.target.stat().st_size
    for (_, one), (_, two) in zip(given[7:15], pieces, strict=True):
        assert psnr(one.to_ndarray(format="rgb24"), two.to_ndarray(format="rgb24")) > 38


def test_frames_at_a_seam_see_the_same_context_as_without_a_seam(clip: Path) -> None:
    whole, right = RecordingEngine(), RecordingEngine()
    restore(request_for(clip, window=1), whole)
    restore(request_for(clip, 7, 15, window=1), right)

    by_output = {window[2].tobytes(): window for window in whole.windows}
    assert len(right.windows) == 8
    for window in right.windows:
        np.testing.assert_array_equal(window, by_output[window[2].tobytes()])


def test_a_piece_has_the_same_bytes_whatever_else_the_process_does(tmp_path: Path) -> None:
    """x264 once read memory that it had not written: two pieces in a hundred differed when several were encoded."""
    clip = write_clip(tmp_path / "clip.mp4", Clip(frames=36))

    def pieces(thread: int) -> set[bytes]:
        target, seen = tmp_path / f"{thread}.mp4", set()
        for _ in range(50):
            request = SegmentRequest(clip, target, Segment(1, 12, 24), EncodeOptions(), window=12)
            restore(request, IdentityEngine())
            seen.add(target.read_bytes())
        return seen

    with ThreadPoolExecutor(4) as pool:
        assert len(set().union(*pool.map(pieces, range(4)))) == 1


def test_the_window_length_does_not_change_the_result(clip: Path) -> None:
    pictures = []
    for window in (1, 3, 20):
        request = request_for(clip, window=window)
        restore(request, AveragingEngine())
        pictures.append([frame.to_ndarray(format="rgb24") for _, frame in read_frames(request.target)])

    np.testing.assert_array_equal(pictures[0], pictures[1])
    np.testing.assert_array_equal(pictures[0], pictures[2])


def test_a_scene_cut_is_not_blended(tmp_path: Path) -> None:
    spec = Clip(frames=12, cuts=(6,))
    clip = write_clip(tmp_path / "clip.mp4", spec)
    request = request_for(clip, 0, 12)
    restore(request, AveragingEngine())

    frames = [frame.to_ndarray(format="rgb24") for _, frame in read_frames(request.target)]
    foreign = spec.picture(6).mean() - spec.picture(5).mean()
    assert abs(foreign) > 20
    assert abs(frames[5].mean() - spec.picture(5).mean()) < abs(foreign) / 10
    assert abs(frames[6].mean() - spec.picture(6).mean()) < abs(foreign) / 10


def test_progress_counts_finished_frames_after_each_window(clip: Path) -> None:
    seen: list[int] = []
    restore_segment(
        request_for(clip, 0, 10), IdentityEngine(), lambda done, _: seen.append(done), lambda: False
    )

    assert seen == [2, 6, 10]


def test_cancel_stops_within_one_window_and_leaves_nothing(clip: Path) -> None:
    seen: list[int] = []
    storage = storage_of_one_job(clip.parent / "data")
    before = set(clip.parent.rglob("*"))

    def cancel() -> None:
        with storage.writing(JOB, "piece.mp4") as target:
            request = replace(request_for(clip), target=target)
            restore_segment(
                request, IdentityEngine(), lambda done, _: seen.append(done), lambda: len(seen) == 2
            )

    with pytest.raises(JobCanceled):
        cancel()

    assert seen == [4, 8]
    assert set(clip.parent.rglob("*")) == before


def test_a_failing_engine_leaves_nothing(clip: Path) -> None:
    storage = storage_of_one_job(clip.parent / "data")
    before = set(clip.parent.rglob("*"))

    def fail() -> None:
        with storage.writing(JOB, "piece.mp4") as target:
            restore(replace(request_for(clip), target=target), FailingEngine(on_window=3))

    with pytest.raises(InferenceFailed, match="refused"):
        fail()

    assert set(clip.parent.rglob("*")) == before


def test_restoring_a_segment_twice_gives_the_same_bytes(clip: Path) -> None:
    request = request_for(clip)
    restore(request, IdentityEngine())
    first = request.target.read_bytes()
    restore(request, IdentityEngine())

    assert request.target.read_bytes() == first


def test_sharpness_is_reported_for_every_frame(clip: Path) -> None:
    result = restore(request_for(clip, 0, 10), AveragingEngine())

    assert len(result.sharpness_before) == len(result.sharpness_after) == 10
    assert np.mean(result.sharpness_after) < np.mean(result.sharpness_before)


def test_a_segment_beyond_the_video_is_refused(clip: Path) -> None:
    with pytest.raises(PipelineError, match="20"):
        restore(request_for(clip, 10, 21), IdentityEngine())


def test_an_unknown_codec_is_refused_and_leaves_nothing(clip: Path) -> None:
    request = SegmentRequest(
        clip, clip.with_name("p.mp4"), Segment(0, 0, 4), EncodeOptions(codec="theora"), 4
    )
    with pytest.raises(PipelineError, match="h264"):
        restore(request, IdentityEngine())

    assert list(clip.parent.iterdir()) == [clip]
