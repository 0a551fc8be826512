"""What the network changes is added to the planes of the source; what it leaves alone keeps every bit."""

from pathlib import Path

import numpy as np
import pytest

from service.inference.engine import Frames, Stopped, never
from service.types import ColorTags
from tests.support.fake_engines import IdentityEngine
from tests.support.planes import Coding, Planes, read_planes, write_planes
from tests.support.whole_way import restored

WIDTH, HEIGHT, FRAMES = 128, 96, 7


class BrighteningEngine(IdentityEngine):
    """Adds 10 levels to red, 20 to green and 40 to blue in the middle of the left half."""

    CHANGE = (10, 20, 40)

    def restore(self, window: Frames, stopped: Stopped = never, /) -> Frames:
        frames = super().restore(window, stopped)
        frames[:, 16:80, 16:48] += np.array(self.CHANGE, np.uint8)
        return frames


def gradient(pix_fmt: str, number: int) -> Planes:
    """Samples that rise by one step from pixel to pixel: a picture that shows every lost bit as a band."""
    depth = 10 if "10le" in pix_fmt else 12 if "12le" in pix_fmt else 16 if "16le" in pix_fmt else 8
    kind = np.uint8 if depth == 8 else np.uint16
    middle = 1 << (depth - 1)
    scale = 1 << (depth - 8)

    def ramp(width: int, height: int, base: int, step: int) -> np.ndarray:
        y, x = np.mgrid[0:height, 0:width]
        return (base + step * x + y // 8 + number).astype(kind)

    luma = ramp(WIDTH, HEIGHT, middle - 64, 1)
    if pix_fmt.startswith("gray"):
        return [luma]
    if pix_fmt.startswith("gbr"):
        return [
            ramp(WIDTH, HEIGHT, base * scale, 1)
            for base in (80, 90, 100, 60)[: 4 if "gbra" in pix_fmt else 3]
        ]
    across, down = {"420": (2, 2), "422": (2, 1), "444": (1, 1)}[pix_fmt.replace("a", "")[3:6]]
    chroma = ramp(WIDTH // across, HEIGHT // down, middle - 8, 0)
    planes = [luma, chroma, chroma + kind(3)]
    return [*planes, ramp(WIDTH, HEIGHT, 0, 1)] if "yuva" in pix_fmt else planes


def clip(tmp_path: Path, pix_fmt: str, **coding: object) -> tuple[Path, list[Planes]]:
    frames = [gradient(pix_fmt, number) for number in range(FRAMES)]
    path = write_planes(tmp_path / "clip.mkv", Coding(pix_fmt, **coding), frames, (WIDTH, HEIGHT))
    return path, frames


@pytest.mark.parametrize(
    ("pix_fmt", "fields"),
    [
        ("yuv420p10le", {"codec": "ffv1"}),
        ("yuv420p10le", {"codec": "hevc", "encode_quality": "lossless"}),
        ("yuv420p10le", {"codec": "h264", "encode_quality": "lossless", "bit_depth": "10"}),
        ("yuv422p10le", {"codec": "hevc", "encode_quality": "lossless"}),
        ("yuv444p12le", {"codec": "hevc", "encode_quality": "lossless"}),
        ("yuv420p", {"codec": "h264", "encode_quality": "lossless"}),
        ("yuv422p", {"codec": "h264", "encode_quality": "lossless", "chroma": "422"}),
        ("yuv444p", {"codec": "vp9", "encode_quality": "lossless"}),
        ("yuv420p", {"codec": "ffv1"}),
        ("yuv444p16le", {"codec": "ffv1"}),
        ("gray", {"codec": "ffv1"}),
        ("gray10le", {"codec": "ffv1"}),
        ("gbrp10le", {"codec": "ffv1"}),
        ("gbrap12le", {"codec": "ffv1"}),
        ("yuva444p10le", {"codec": "ffv1"}),
        ("yuva420p", {"codec": "ffv1"}),
    ],
)
def test_what_the_network_leaves_alone_keeps_every_bit(
    tmp_path: Path, pix_fmt: str, fields: dict[str, str]
) -> None:
    path, frames = clip(tmp_path, pix_fmt)

    result = restored(path, BrighteningEngine(), **fields)

    untouched = read_planes(result.path)
    assert len(untouched) == FRAMES
    for given, kept in zip(frames, untouched, strict=True):
        assert len(given) == len(kept)
        for one, two in zip(given, kept, strict=True):
            half = one.shape[1] // 2
            np.testing.assert_array_equal(one[:, half:], two[:, half:])
        if len(given) == 4:
            np.testing.assert_array_equal(given[3], kept[3])
        assert np.abs(given[0].astype(int) - kept[0])[20:70, 20:40].min() > 0


LUMA_WEIGHTS = {1: (0.2126, 0.7152, 0.0722), 5: (0.299, 0.587, 0.114), 9: (0.2627, 0.6780, 0.0593)}


@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("matrix", [1, 5, 9, 8])
def test_the_change_is_the_networks_in_the_color_model_of_the_video(
    tmp_path: Path, matrix: int, full_range: bool
) -> None:
    color = ColorTags(1, 1, matrix, full_range)
    path, frames = clip(tmp_path, "yuv444p10le", color=color)

    result = restored(path, BrighteningEngine(), codec="ffv1")

    red, green, blue = BrighteningEngine.CHANGE
    luma_steps, chroma_steps = (1023 / 255,) * 2 if full_range else (4 * 219 / 255, 4 * 224 / 255)
    if matrix == 8:
        luma = red / 4 + green / 2 + blue / 4
        expected = [luma, green / 2 - red / 4 - blue / 4, red / 2 - blue / 2]
    else:
        kr, kg, kb = LUMA_WEIGHTS[matrix]
        luma = kr * red + kg * green + kb * blue
        expected = [luma, (blue - luma) / (2 - 2 * kb), (red - luma) / (2 - 2 * kr)]
    steps = np.array(expected) * [luma_steps, chroma_steps, chroma_steps]
    kept = read_planes(result.path)[3]
    for one, two, step in zip(frames[3], kept, steps, strict=True):
        changed = (two.astype(int) - one)[20:70, 20:44]
        assert (changed == round(step)).all()
    assert result.report.color_out == color


def test_the_change_is_averaged_over_the_pixels_of_a_chroma_sample(tmp_path: Path) -> None:
    path, frames = clip(tmp_path, "yuv420p10le")

    result = restored(path, BrighteningEngine(), codec="ffv1")

    changed = read_planes(result.path)[0][1].astype(int) - frames[0][1]
    assert set(changed[8:40, 8:24].ravel()) == {changed[20, 12]}
    assert changed[20, 12] != 0
    assert not changed[:8].any()
    assert not changed[:, 24:].any()


def test_an_odd_size_grows_by_its_edge(tmp_path: Path) -> None:
    samples = [np.full((97, 127), 600, np.uint16), *[np.full((49, 64), 512, np.uint16)] * 2]
    samples[0][:, -1], samples[0][-1] = 700, 300
    path = write_planes(tmp_path / "clip.mkv", Coding("yuv420p10le"), [samples] * 2, (127, 97))

    result = restored(path, codec="hevc", encode_quality="lossless")

    luma = read_planes(result.path)[0][0]
    assert luma.shape == (98, 128)
    np.testing.assert_array_equal(luma[:97, :127], samples[0])
    assert (luma[:96, 127] == 700).all()
    assert (luma[97] == 300).all()


@pytest.mark.parametrize(
    ("pix_fmt", "fields", "planes", "bits"),
    [
        ("yuv422p", {"codec": "prores", "container": "mov"}, 3, 10),
        ("yuv422p10le", {"codec": "prores", "container": "mov"}, 3, 10),
        ("yuva444p10le", {"codec": "prores", "container": "mov"}, 4, 12),  # as it is decoded
        ("yuv420p10le", {"codec": "av1"}, 3, 10),
        ("yuv420p10le", {"codec": "h264"}, 3, 8),
        ("gbrp10le", {"codec": "hevc"}, 3, 10),
        ("gray10le", {"codec": "hevc"}, 3, 10),
    ],
)
def test_a_lossy_result_has_the_samples_within_its_own_noise(
    tmp_path: Path, pix_fmt: str, fields: dict[str, str], planes: int, bits: int
) -> None:
    path, frames = clip(tmp_path, pix_fmt)

    result = restored(path, **fields)

    depth = 8 if "le" not in pix_fmt else 10
    kept = read_planes(result.path)[2]
    assert (len(kept), result.report.bit_depth_out) == (planes, bits)
    if not pix_fmt.startswith("gbr"):
        error = kept[0].astype(float) / 2 ** (bits - depth) - frames[2][0]
        assert abs(error.mean()) < 0.5
        assert np.abs(error).max() < 12 * 2 ** (depth - 8)


def test_a_gradient_of_ten_bits_has_no_bands(tmp_path: Path) -> None:
    path, frames = clip(tmp_path, "yuv420p10le")

    result = restored(path, codec="auto", container="mp4")

    assert (result.options.codec, result.report.bit_depth_out) == ("hevc", 10)
    luma = read_planes(result.path)[0][0]
    levels = [len(np.unique(row)) for row in luma]
    assert min(levels) > 0.8 * len(np.unique(frames[0][0][0]))  # with eight bits, it would be a quarter


@pytest.mark.parametrize(
    ("codec", "container"), [("auto", "webm"), ("vp9", "mkv"), ("auto", "mkv"), ("auto", "mov")]
)
def test_transparency_of_webm_comes_back_as_it_was(tmp_path: Path, codec: str, container: str) -> None:
    coding = Coding("yuva420p", "libvpx-vp9", {"lossless": "1", "auto-alt-ref": "0"})
    frames = [gradient("yuva420p", number) for number in range(FRAMES)]
    path = write_planes(tmp_path / "clip.webm", coding, frames, (WIDTH, HEIGHT))

    result = restored(
        path,
        codec=codec,
        container=container,
        **({"encode_quality": "lossless"} if container == "webm" or codec == "vp9" else {}),
    )

    decoder = "libvpx-vp9" if result.options.codec == "vp9" else None
    alphas = [planes[3] for planes in read_planes(result.path, decoder)]
    assert len(alphas) == FRAMES
    for given, kept in zip(frames, alphas, strict=True):
        scale = np.iinfo(kept.dtype).max if kept.max() > 4095 else 4095 if kept.max() > 1023 else 255
        np.testing.assert_allclose(kept / scale, given[3] / 255, atol=0.004)
    assert result.info.has_alpha
    marked = b"\x53\xc0\x81\x01" in result.path.read_bytes()  # Matroska's AlphaMode, which browsers look for
    assert marked == (result.options.codec == "vp9")


def test_transparency_is_said_to_be_lost_where_the_codec_has_none(tmp_path: Path) -> None:
    path, _ = clip(tmp_path, "yuva420p")

    result = restored(path, codec="h264", container="mp4")

    lost = [finding.code for finding in result.info.findings if finding.kind == "lost"]
    assert lost == ["alpha"]
