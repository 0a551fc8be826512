from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from service.errors.pipeline import PipelineError
from service.video.decode import decode_range
from service.video.source import load_source
from tests.support.clips import Clip, psnr, write_clip

GROUPS = {"crf": "8", "g": "5", "bf": "3", "preset": "veryfast"}

CLIPS = {
    "MP4 with B-frames": ("clip.mp4", Clip(frames=24, encoder=GROUPS)),
    "open groups": ("clip.mp4", Clip(frames=24, encoder=GROUPS | {"x264-params": "open-gop=1:keyint=5"})),
    "open groups in Matroska": ("clip.mkv", Clip(frames=24, encoder=GROUPS | {"x264-params": "open-gop=1"})),
    "transport stream": ("clip.ts", Clip(frames=24, encoder=GROUPS)),
    "HEVC with open groups": (
        "clip.mp4",
        Clip(
            frames=24,
            codec="libx265",
            encoder={"crf": "8", "x265-params": "keyint=5:min-keyint=5:open-gop=1:log-level=error"},
        ),
    ),
    "VP8 with hidden frames": (
        "clip.webm",
        Clip(frames=24, codec="libvpx", encoder={"crf": "4", "b": "2M", "auto-alt-ref": "1", "g": "8"}),
    ),
    "MPEG-2 program stream": (
        "clip.mpg",
        Clip(frames=24, codec="mpeg2video", encoder={"g": "5", "bf": "2", "qscale": "2"}),
    ),
    "MPEG-2 transport stream": (
        "clip.ts",
        Clip(frames=24, codec="mpeg2video", encoder={"g": "5", "bf": "2", "qscale": "2"}),
    ),
    "H.264 in AVI": ("clip.avi", Clip(frames=24, encoder=GROUPS)),
    "intra refresh without keyframes": (
        "clip.mp4",
        Clip(frames=24, encoder={"crf": "8", "x264-params": "intra-refresh=1:keyint=8:bframes=0"}),
    ),
}


@pytest.mark.parametrize("name", CLIPS)
@pytest.mark.parametrize(("start", "stop"), [(0, 24), (3, 9), (4, 5), (11, 17), (23, 24)])
def test_any_range_gives_its_frames_once_and_in_order(
    tmp_path: Path, name: str, start: int, stop: int
) -> None:
    file, clip = CLIPS[name]
    source = load_source(write_clip(tmp_path / file, clip))
    frames = list(decode_range(source, start, stop))

    assert source.index.frames == 24
    assert [frame.number for frame in frames] == list(range(start, stop))
    assert [frame.pts for frame in frames] == list(source.index.pts[start:stop])
    for frame in frames:
        assert psnr(frame.image, clip.picture(frame.number)) > 25
        nearest = max(range(24), key=lambda number, image=frame.image: psnr(image, clip.picture(number)))
        assert nearest == frame.number


def test_frames_are_rgb_as_drawn(tmp_path: Path) -> None:
    clip = Clip(frames=1, encoder={"crf": "0"}, pix_fmt="yuv444p")
    (frame,) = decode_range(load_source(write_clip(tmp_path / "clip.mp4", clip)), 0, 1)

    assert frame.image.dtype == np.uint8
    assert frame.image.shape == (64, 96, 3)
    assert abs(frame.image.astype(int) - clip.picture(0)).max() <= 3


def test_rotation_is_not_applied(tmp_path: Path) -> None:
    source = load_source(write_clip(tmp_path / "clip.mp4", Clip(rotation=90)))
    (frame,) = decode_range(source, 0, 1)

    assert frame.image.shape == (64, 96, 3)
    assert source.picture.rotation == 90


def test_exact_times_travel_with_the_frames(tmp_path: Path) -> None:
    times = (7, 1008, 5000, 5001, 90000)
    clip = Clip(frames=5, time_base=Fraction(1, 90000), pts=times)
    frames = list(decode_range(load_source(write_clip(tmp_path / "clip.mp4", clip)), 1, 4))

    assert [frame.pts * frame.time_base for frame in frames] == [Fraction(pts, 90000) for pts in times[1:4]]


def test_frames_hidden_by_an_edit_list_do_not_count(tmp_path: Path) -> None:
    """Packets with negative times make the muxer write an edit list that starts after them."""
    plain, trimmed = (
        write_clip(tmp_path / "plain.mp4", Clip(encoder=GROUPS | {"bf": "0"})),
        tmp_path / "cut.mp4",
    )
    with av.open(str(plain)) as given, av.open(str(trimmed), "w") as output:
        copy = output.add_stream_from_template(given.streams.video[0], opaque=True)
        for packet in given.demux(video=0):
            if packet.size:
                packet.pts -= 3
                packet.dts -= 3
                packet.stream = copy
                output.mux(packet)
    source = load_source(trimmed)
    shown = [frame.number for frame in decode_range(source, 0, source.index.frames)]
    with av.open(str(trimmed)) as container:
        player = [frame.pts for frame in container.decode(video=0)]

    assert list(source.index.pts) == player
    assert shown == list(range(len(player)))


def test_a_video_that_changes_its_size_is_refused(tmp_path: Path) -> None:
    parts = [write_clip(tmp_path / f"{side}.ts", Clip(frames=4, width=side)) for side in (96, 128)]
    path = tmp_path / "clip.ts"
    with av.open(str(path), "w") as output:
        stream = None
        for number, part in enumerate(parts):
            with av.open(str(part)) as given:
                stream = stream or output.add_stream_from_template(given.streams.video[0], opaque=True)
                for packet in given.demux(video=0):
                    if packet.size:
                        packet.pts += number * 4 * 3600
                        packet.dts += number * 4 * 3600
                        packet.stream = stream
                        output.mux(packet)
    source = load_source(path)

    with pytest.raises(PipelineError, match="128x64, not 96x64"):
        list(decode_range(source, 0, source.index.frames))
