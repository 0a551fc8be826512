"""Every codec in every container that holds it: frames and times, the same bytes again, what players look for."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from service.encoding.codecs import CODECS
from service.findings import Code, Kind
from service.types import ColorTags
from service.video.headers.ebml import set_pixel_aspect
from tests.support.clips import Clip, psnr, read_frames, read_packets, write_clip
from tests.support.planes import Coding, read_planes, write_planes
from tests.support.whole_way import restored

PAIRS = [(codec, container) for codec, known in CODECS.items() for container in known.containers]
UNEVEN = (0, 1001, 4321, 4500, 9000, 9090, 20000, 20033, 30000, 41111, 41200, 50000)
EXACT = ("mp4", "mov")


@pytest.mark.parametrize(("codec", "container"), PAIRS)
def test_every_frame_is_there_at_its_time(tmp_path: Path, codec: str, container: str) -> None:
    clip = Clip(time_base=Fraction(1, 90_000), pts=UNEVEN)
    source = write_clip(tmp_path / "clip.mp4", clip)

    result = restored(source, codec=codec, container=container)

    given, made = read_frames(source), read_frames(result.path)
    tolerance = 0 if container in EXACT else Fraction(1, 2000)
    assert len(made) == len(given) == len(UNEVEN)
    assert len(result.pieces) > 1
    for (time, picture), (moment, frame) in zip(given, made, strict=True):
        assert abs(time - moment) <= tolerance
        assert psnr(picture.to_ndarray(format="rgb24"), frame.to_ndarray(format="rgb24")) > 36
    assert result.report.largest_timestamp_error_s <= float(tolerance)


@pytest.mark.parametrize(("codec", "container"), PAIRS)
def test_the_same_video_gives_the_same_bytes(tmp_path: Path, codec: str, container: str) -> None:
    source = write_clip(tmp_path / "clip.mp4", Clip(frames=6, audio="aac"))
    made = [restored(source, codec=codec, container=container).path.read_bytes() for _ in range(2)]

    assert made[0] == made[1]


def test_small_pictures_have_the_same_bytes_in_hevc_however_often(tmp_path: Path) -> None:
    """With cutree or weightp of x265 some have others."""
    source = write_clip(tmp_path / "clip.mp4", Clip(frames=6))
    made = {restored(source, codec="hevc").path.read_bytes() for _ in range(60)}

    assert len(made) == 1


TAGS = {"h264": "avc1", "hevc": "hvc1", "av1": "av01", "vp9": "vp09", "prores": "apch"}


@pytest.mark.parametrize(("codec", "container"), [pair for pair in PAIRS if pair[1] in EXACT])
def test_players_find_the_codec_by_its_name(tmp_path: Path, codec: str, container: str) -> None:
    result = restored(write_clip(tmp_path / "clip.mp4", Clip(frames=6)), codec=codec, container=container)

    with av.open(str(result.path)) as opened:
        stream = opened.streams.video[0]
        assert stream.codec_context.codec_tag == TAGS[codec]
        assert stream.average_rate == 25
    data = result.path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize(("codec", "container"), [pair for pair in PAIRS if pair[1] not in EXACT])
def test_matroska_states_the_rate_and_has_its_index_in_front(
    tmp_path: Path, codec: str, container: str
) -> None:
    result = restored(write_clip(tmp_path / "clip.mp4", Clip(frames=6)), codec=codec, container=container)

    data = result.path.read_bytes()
    assert b"\x23\xe3\x83\x84" + (40_000_000).to_bytes(4, "big") in data  # a frame's duration in nanoseconds
    assert data.index(b"\x1c\x53\xbb\x6b") < data.index(b"\x1f\x43\xb6\x75")  # cues, first cluster
    assert (b"webm" in data[:64]) == (container == "webm")


@pytest.mark.parametrize(("codec", "container"), PAIRS)
def test_the_shape_of_pixels_and_the_tags_of_color_are_kept(
    tmp_path: Path, codec: str, container: str
) -> None:
    color = ColorTags(6, 6, 6, full_range=False)
    planes = [np.full((96, 128), 120, np.uint8), *[np.full((48, 64), 110, np.uint8)] * 2]
    coding = Coding("yuv420p", "libx264", {"crf": "4"}, color, pixel_aspect=Fraction(16, 11))
    source = write_planes(tmp_path / "clip.mp4", coding, [planes] * 6, (128, 96))

    result = restored(source, codec=codec, container=container)

    with av.open(str(result.path)) as opened:
        shape = opened.streams.video[0].sample_aspect_ratio
    said = {one.kind for one in result.info.findings if one.code == "pixel_aspect"}
    assert (shape == Fraction(16, 11), said) == (container != "webm", {"kept"})
    assert abs(shape * 128 - Fraction(16, 11) * 128) < 1  # WebM states the width in pixels
    assert len(read_frames(result.path)) == 6
    kept = result.report.color_out
    assert (kept.matrix, kept.full_range) in ((6, False), (5, False))  # VP9 has one name for both
    assert (kept.primaries, kept.transfer) == (6, 6)


@pytest.mark.parametrize("codec", ["vp9", "prores"])
@pytest.mark.parametrize("full_range", [False, True])
def test_ycgco_becomes_a_matrix_that_the_codec_can_name(tmp_path: Path, codec: str, full_range: bool) -> None:
    red, green, blue = 200, 90, 40
    y, cg, co = red / 4 + green / 2 + blue / 4, green / 2 - red / 4 - blue / 4, red / 2 - blue / 2
    scale, low = ((219, 224), 16) if not full_range else ((255, 255), 0)
    values = (low + y * scale[0] / 255, 128 + cg * scale[1] / 255, 128 + co * scale[1] / 255)
    planes = [np.full((96, 128), round(value), np.uint8) for value in values]
    coding = Coding("yuv444p", "libx264", {"crf": "1"}, ColorTags(1, 1, 8, full_range))
    source = write_planes(tmp_path / "clip.mp4", coding, [planes] * 6, (128, 96))

    result = restored(source, codec=codec)

    assert result.report.color_out.matrix == 1
    frame = read_frames(result.path)[-1][1]
    rgb = frame.reformat(
        format="rgb24", src_colorspace=1, src_color_range=2 if full_range else 1, dst_color_range=2
    ).to_ndarray()[48, 64]
    np.testing.assert_allclose(rgb, (red, green, blue), atol=3)


def test_ycgco_stays_as_it_is_where_the_codec_can_name_it(tmp_path: Path) -> None:
    planes = [np.full((96, 128), value, np.uint8) for value in (110, 60, 190)]  # outside of BT.601's colors
    coding = Coding("yuv444p", "libx264", {"crf": "1"}, ColorTags(1, 1, 8, False))
    source = write_planes(tmp_path / "clip.mp4", coding, [planes] * 6, (128, 96))

    result = restored(source, codec="h264")

    assert result.report.color_out.matrix == 8
    kept = read_planes(result.path)[-1]
    assert [int(np.median(plane)) for plane in kept] == pytest.approx([110, 60, 190], abs=1)


RGB = {
    "bgr0": ({"codec": "ffv1"}, 0, {}),
    "yuv444p": ({"codec": "hevc"}, 3, {"color": "changed"}),
    "yuv420p": ({"container": "mp4"}, 3, {"color": "changed", "chroma": "lost"}),
}


@pytest.mark.parametrize("pixels", RGB)
def test_rgb_keeps_its_colors(tmp_path: Path, pixels: str) -> None:
    fields, tolerance, changes = RGB[pixels]
    planes = [np.dstack([np.full((96, 128), level, np.uint8) for level in (40, 90, 200, 0)])]
    coding = Coding("bgr0", "ffv1", {}, ColorTags(2, 2, 2, False))
    source = write_planes(tmp_path / "clip.mkv", coding, [planes] * 6, (128, 96))

    result = restored(source, **fields)

    frame = read_frames(result.path)[-1][1]
    assert frame.format.name == pixels
    matrix = None if pixels == "bgr0" else 1
    rgb = frame.reformat(format="rgb24", src_colorspace=matrix).to_ndarray()
    np.testing.assert_allclose(rgb[48, 64], (200, 90, 40), atol=tolerance)
    assert {one.code: one.kind for one in result.info.findings if one.kind != "kept"} == changes


def test_a_palette_keeps_its_colors(tmp_path: Path) -> None:
    """Screen recordings and old animations hold numbers of colors."""
    source = tmp_path / "clip.mov"
    rows, columns = np.mgrid[0:96, 0:128]
    colors = np.random.default_rng(3).integers(0, 256, (256, 4), np.uint8)
    colors[:, 0] = 255  # opaque
    with av.open(str(source), "w") as output:
        stream = output.add_stream("png", rate=25, width=128, height=96)
        stream.pix_fmt = "pal8"
        for number in range(6):
            places = (rows // 8 + columns // 8 + number).astype(np.uint8)
            output.mux(stream.encode(av.VideoFrame.from_ndarray((places, colors), format="pal8")))
        output.mux(stream.encode(None))

    result = restored(source, codec="ffv1", container="mkv")

    given, made = (read_frames(path)[-1][1].reformat(format="rgb24") for path in (source, result.path))
    np.testing.assert_array_equal(made.to_ndarray(), given.to_ndarray())


def test_black_and_white_without_grays_stays_so(tmp_path: Path) -> None:
    clip = Clip(frames=6, codec="rawvideo", pix_fmt="monow", encoder={}, width=128, height=96)
    source = write_clip(tmp_path / "clip.nut", clip)

    result = restored(source)

    given, made = (read_frames(path)[-1][1].reformat(format="gray") for path in (source, result.path))
    levels = (
        made.to_ndarray()[given.to_ndarray() == 255].mean(),
        made.to_ndarray()[given.to_ndarray() == 0].mean(),
    )
    assert levels[0] > 200 > 60 > levels[1]


@pytest.mark.parametrize(
    ("codec", "given", "kind"),
    [("h264", "yuv411p", Kind.LOST), ("ffv1", "yuv411p", None), ("vp9", "yuv440p", None)],
)
def test_chroma_that_is_halved_down_or_across_is_lost(
    tmp_path: Path, codec: str, given: str, kind: Kind | None
) -> None:
    """4:1:1 has every line of chroma, 4:2:0 every other one."""
    clip = Clip(frames=6, codec="ffv1", pix_fmt=given, encoder={}, width=128, height=96)
    result = restored(write_clip(tmp_path / "clip.mkv", clip), codec=codec)

    for findings in (result.info.findings, result.report.findings):
        assert [one.kind for one in findings if one.code is Code.CHROMA] == ([kind] if kind else [])


@pytest.mark.parametrize("full_range", [False, True])
def test_gray_keeps_its_levels(tmp_path: Path, full_range: bool) -> None:
    ramp = np.tile(np.linspace(16, 235, 128).astype(np.uint8), (96, 1))
    coding = Coding("gray", "libx264", {"crf": "1"}, ColorTags(1, 1, 1, full_range))
    source = write_planes(tmp_path / "clip.mp4", coding, [[ramp]] * 6, (128, 96))

    result = restored(source)

    luma, *chroma = read_planes(result.path)[-1]
    np.testing.assert_allclose(luma.astype(int), ramp, atol=4)
    assert {int(np.median(plane)) for plane in chroma} == {128}
    assert result.report.color_out.full_range == full_range


def test_the_shape_of_pixels_of_webm_is_kept(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "clip.webm", Clip(frames=6, codec="libvpx-vp9", encoder={"crf": "20"}))
    set_pixel_aspect(source, Fraction(2, 3), (96, 64))

    result = restored(source)

    assert result.path.suffix == ".webm"
    with av.open(str(result.path)) as opened:
        assert opened.streams.video[0].sample_aspect_ratio == Fraction(2, 3)
        opened.seek(160_000)  # by the index
        assert next(opened.decode(video=0)).pts is not None


def test_a_file_of_another_structure_is_left_as_it_is(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4")
    before = path.read_bytes()

    with pytest.raises(ValueError, match="no description of its tracks"):
        set_pixel_aspect(path, Fraction(2), (96, 64))

    assert path.read_bytes() == before


@pytest.mark.parametrize("container", ["mp4", "mov", "mkv"])
def test_the_lead_in_of_sound_does_not_move_the_picture(tmp_path: Path, container: str) -> None:
    source = write_clip(tmp_path / "clip.mp4", Clip(frames=6, audio="aac"))

    result = restored(source, container=container)

    first, lead_in = read_packets(result.path, "video")[0][0], read_packets(source, "audio")[0][0]
    assert (first, lead_in < 0) == (0, True)
    assert abs(read_packets(result.path, "audio")[0][0] - lead_in) < Fraction(1, 1000)
