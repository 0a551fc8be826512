"""What a result becomes where nothing, or little, was asked for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.encoding.choice import Asked, ImpossibleEncodingError, resolve, result_pixels
from service.encoding.codecs import CODECS
from service.encoding.pixels import CHROMAS, Pixels
from service.types import ColorTags, VideoInfo

VIDEO = VideoInfo(
    container="mp4",
    codec="h264",
    width=96,
    height=64,
    frames=12,
    duration_s=0.48,
    fps=25.0,
    variable_frame_rate=False,
    rotation=0,
    bit_depth=8,
    color=ColorTags(1, 1, 1, full_range=False),
    audio=(),
    subtitles=(),
)
ALPHA = {"has_alpha": True}
DEEP = {"bit_depth": 10}


@pytest.mark.parametrize(
    ("video", "asked", "codec", "container"),
    [
        ({}, Asked(), "h264", "mp4"),
        (DEEP, Asked(), "hevc", "mp4"),
        (DEEP, Asked(bit_depth=8), "h264", "mp4"),
        ({"container": "mov"}, Asked(), "h264", "mov"),
        ({"container": "mov", "codec": "prores", **DEEP}, Asked(), "prores", "mov"),
        ({"container": "mov", "codec": "prores", **DEEP}, Asked(crf=20), "hevc", "mov"),
        ({"container": "mov", "codec": "prores", **DEEP}, Asked(container="mp4"), "hevc", "mp4"),
        ({"container": "mov", "codec": "prores", **DEEP}, Asked(encode_quality="lossless"), "hevc", "mov"),
        ({"container": "mov", "codec": "qtrle", **ALPHA}, Asked(), "prores", "mov"),
        ({"container": "mxf", "codec": "mpeg2video"}, Asked(), "h264", "mov"),
        ({"container": "matroska"}, Asked(), "h264", "mkv"),
        ({"container": "matroska", "codec": "ffv1"}, Asked(), "ffv1", "mkv"),
        ({"container": "matroska", "codec": "vp9", **ALPHA}, Asked(), "vp9", "mkv"),
        ({"container": "matroska", "codec": "png", **ALPHA}, Asked(), "ffv1", "mkv"),
        ({"container": "webm", "codec": "vp9"}, Asked(), "vp9", "webm"),
        ({"container": "webm", "codec": "vp9", **DEEP}, Asked(), "av1", "webm"),
        ({"container": "webm"}, Asked(codec="h264"), "h264", "mp4"),
        ({"container": "avi"}, Asked(), "h264", "mp4"),
        ({"container": "avi", "codec": "utvideo", **ALPHA}, Asked(), "prores", "mov"),
        ({"container": "gif", "codec": "gif", **ALPHA}, Asked(), "vp9", "webm"),
        ({"container": "mpegts", **DEEP}, Asked(), "hevc", "mp4"),
        ({}, Asked(codec="prores"), "prores", "mov"),
        ({"container": "matroska"}, Asked(codec="prores"), "prores", "mkv"),
        ({}, Asked(codec="ffv1"), "ffv1", "mkv"),
        (ALPHA, Asked(encoder="hardware"), "h264", "mp4"),
    ],
)
def test_a_result_stays_in_its_family_and_keeps_what_it_can(
    video: dict[str, object], asked: Asked, codec: str, container: str
) -> None:
    chosen = resolve(asked, replace(VIDEO, **video))

    assert (chosen.codec, chosen.container) == (codec, container)


def test_the_quality_is_high_unless_something_else_is_asked_for() -> None:
    assert (resolve(Asked()).encode_quality, resolve(Asked()).crf) == ("high", 14)
    assert (resolve(Asked(crf=30)).encode_quality, resolve(Asked(crf=30)).crf) == (None, 30)
    assert (resolve(Asked(codec="ffv1")).encode_quality, resolve(Asked(codec="ffv1")).crf) == (
        "lossless",
        None,
    )
    draft = resolve(Asked(codec="av1", encode_quality="draft"))
    assert (draft.crf, draft.density) == (40, "av1|40")


def test_a_rate_factor_that_only_the_video_makes_impossible_is_refused() -> None:
    with pytest.raises(ImpossibleEncodingError, match=r"at most 51 for H\.264, not 60"):
        resolve(Asked(crf=60), VIDEO)
    assert resolve(Asked(crf=60), replace(VIDEO, container="webm")).crf == 60


@pytest.mark.parametrize("codec", CODECS)
def test_pixels_lose_no_more_than_the_codec_must(codec: str) -> None:
    options = resolve(Asked(codec=codec))
    for chroma in CHROMAS:
        for depth in (8, 10, 12, 14, 16):
            source = Pixels(chroma, depth)
            result = result_pixels(options, source)
            offered = CODECS[codec].pixels
            assert result.chroma in offered.chromas
            assert result.depth in offered.depths
            assert result.depth >= min(depth, max(offered.depths))
            if chroma in offered.chromas and codec != "h264":
                assert result.chroma == chroma


def test_what_holds_all_of_a_chroma_takes_its_place() -> None:
    options = resolve(Asked(codec="ffv1"))
    places = {chroma: result_pixels(options, Pixels(chroma)).chroma for chroma in ("410", "411", "440")}
    assert places == {"410": "420", "411": "422", "440": "444"}
