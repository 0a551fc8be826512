"""Makes what the page shows to whoever has no video at hand: ``python -m benchmarks.page.sample``.

It renders a shaking clip from a photograph in the public domain, sends it through the running service in the quality
that the page names, and writes the clip and one of its frames before and after to ``service/web/sample``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.data import coffee

from benchmarks.clip import read_clip, write_clip
from cascade.evaluation.metrics import measure
from cascade.synthesis.demo_clip import FPS, render_demo_clip
from service.client import Client
from service.embedded import EmbeddedOptions, EmbeddedStack

FRAMES = 48
"""Played forth and back, so that the clip ends where it began."""
CRF = 25
CLIP_BYTES, PICTURE_BYTES = 400_000, 80_000
"""Most that each file may have: the page loads the pictures whenever it is opened."""
WEBP_QUALITY = 86
RESTORED = "best"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page.sample", description=__doc__)
    parser.add_argument(
        "--output", type=Path, default=Path("service/web/sample"), help="folder for the files"
    )
    folder = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    clip = folder / "espresso.mp4"
    blurred, truth = (_forth_and_back(frames) for frames in render_demo_clip(coffee(), FRAMES))
    write_clip(clip, blurred, round(FPS), CRF, sound=False)
    before, after = read_clip(clip), _restored(clip)
    frame = _shown(before, after, truth)
    _write(before[frame], folder / "before.webp")
    _write(after[frame], folder / "after.webp")
    print(
        f"Frame {frame}: {_psnr(before, truth, frame):.2f} dB before, {_psnr(after, truth, frame):.2f} dB after"
    )
    return _report(
        {clip: CLIP_BYTES, folder / "before.webp": PICTURE_BYTES, folder / "after.webp": PICTURE_BYTES}
    )


def _forth_and_back(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.concatenate([frames, frames[::-1]])


def _restored(clip: Path) -> NDArray[np.uint8]:
    with (
        tempfile.TemporaryDirectory() as scratch,
        EmbeddedStack(EmbeddedOptions(data=Path(scratch) / "data")) as stack,
        Client(stack.url) as client,
    ):
        job = client.wait(client.submit(clip, options={"quality": RESTORED}).id)
        result = Path(scratch) / "result.mp4"
        client.download(job.id, result)
        return read_clip(result)


def _shown(before: NDArray[np.uint8], after: NDArray[np.uint8], truth: NDArray[np.uint8]) -> int:
    """Returns the frame with the median gain of the blurred half, so that the page promises what is usual."""
    blurred = sorted(range(len(before)), key=lambda frame: _psnr(before, truth, frame))[: len(before) // 2]
    gains = sorted(blurred, key=lambda frame: _psnr(after, truth, frame) - _psnr(before, truth, frame))
    return gains[len(gains) // 2]


def _psnr(frames: NDArray[np.uint8], truth: NDArray[np.uint8], frame: int) -> float:
    return measure(frames[frame], truth[frame]).psnr


def _write(picture: NDArray[np.uint8], target: Path) -> None:
    Image.fromarray(picture).save(target, quality=WEBP_QUALITY, method=6)


def _report(most: dict[Path, int]) -> int:
    """Prints the sizes; returns 1 if one is too large."""
    for path, limit in most.items():
        print(f"{path}: {path.stat().st_size // 1000} kB of at most {limit // 1000}")
    return int(any(path.stat().st_size > limit for path, limit in most.items()))


if __name__ == "__main__":
    sys.exit(main())
