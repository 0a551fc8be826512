"""Encoders in hardware are found by opening them; where there is none, that is said."""

from pathlib import Path

import pytest

from service.encoding.choice import Asked, resolve, result_pixels
from service.encoding.pixels import Pixels
from service.errors.pipeline import PipelineError
from service.types import EncodeOptions
from service.video.encoding.hardware import found, hardware
from tests.support.clips import Clip, psnr, read_frames, write_clip
from tests.support.whole_way import restored

PAIRS = [tuple(name.split("_")) for name in found()]


def test_what_opens_encodes_every_frame(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "clip.mp4", Clip(width=256, height=256))

    for codec in {codec for codec, _ in PAIRS}:
        result = restored(source, codec=codec, encoder="hardware")

        given, made = read_frames(source), read_frames(result.path)
        assert [time for time, _ in made] == [time for time, _ in given]
        for (_, one), (_, two) in zip(given, made, strict=True):
            assert psnr(one.to_ndarray(format="rgb24"), two.to_ndarray(format="rgb24")) > 34


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1"])
def test_a_worker_without_such_hardware_says_so(codec: str) -> None:
    options = EncodeOptions(codec=codec, encoder="hardware")
    if any(pair[0] == codec for pair in PAIRS):
        assert hardware(options, Pixels()).name.startswith(codec)
        return
    with pytest.raises(PipelineError, match="Ask for encoder=software"):
        hardware(options, Pixels())


def test_hardware_gets_pixels_that_all_of_it_takes() -> None:
    deep = Pixels("422", 12, alpha=True)
    asked = Asked(encoder="hardware", codec="hevc")

    assert result_pixels(resolve(asked), deep) == Pixels("420", 10)
    assert result_pixels(resolve(Asked(encoder="hardware")), deep) == Pixels("420", 8)
