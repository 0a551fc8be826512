"""Compares how cuts between shots are found: the service's test of two frames, and PySceneDetect's content score.

``python -m benchmarks.shots [--photos DIR]`` makes pairs of frames of photographs: cuts from one photograph to another,
and two frames of one, moved by a shake of up to so many pixels, with and without motion blur, or with another exposure.
Without DIR the photographs are scikit-image's. PySceneDetect is compared where it is installed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray

from service.pipeline.scenes import is_cut

Image = NDArray[np.uint8]
Pair = tuple[Image, Image]
Detector = Callable[[Image, Image], bool]

WIDTH, HEIGHT = 320, 240
SHAKES = (0, 8, 20, 40, 70)
BLUR = 15
PAIRS = 4
CONTENT_THRESHOLD = 27.0
"""PySceneDetect's own."""


def main() -> None:
    """Prints a line for each detector."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, default=Path(skimage.data.__file__).parent)
    pictures = _photographs(parser.parse_args().photos)
    cuts, moved = _cuts(pictures), _moved(pictures)
    print(f"{len(pictures)} photographs, {len(cuts)} cuts")
    for name, detector in _detectors().items():
        found = sum(detector(*pair) for pair in cuts)
        false = {
            kind: f"{sum(detector(*pair) for pair in pairs)}/{len(pairs)}" for kind, pairs in moved.items()
        }
        print(f"{name}: {found} cuts found, taken for cuts: {false}")


def _photographs(folder: Path) -> list[Image]:
    names = sorted(path for path in folder.iterdir() if path.suffix in (".jpg", ".jpeg", ".png"))
    loaded = (cv2.imread(str(name)) for name in names)
    colorful = (image for image in loaded if image is not None and np.ptp(image, axis=2).mean() > 8)
    return [_sized(image) for image in colorful]


def _sized(image: NDArray[np.generic]) -> Image:
    return np.asarray(cv2.resize(image, (2 * WIDTH, 2 * HEIGHT))[..., ::-1], np.uint8)


def _cuts(pictures: list[Image]) -> list[Pair]:
    random = np.random.default_rng(0)
    others = ((one, other) for one in pictures for other in pictures if one is not other)
    return [(_crop(one, 100, 100), _crop(other, *_place(random))) for one, other in others]


def _moved(pictures: list[Image]) -> dict[str, list[Pair]]:
    random = np.random.default_rng(1)
    kinds: dict[str, list[Pair]] = {f"shake of {shake}": [] for shake in SHAKES}
    for shake in SHAKES:
        for picture in pictures * PAIRS:
            x, y = _place(random)
            far = random.integers(-shake, shake + 1, 2)
            pair = (_crop(picture, x, y), _crop(picture, x + far[0], y + far[1]))
            kinds[f"shake of {shake}"].append(_blurred(pair, random))
    kinds["exposure"] = [(_crop(one, 100, 100), _brighter(_crop(one, 100, 100))) for one in pictures]
    return kinds


def _place(random: np.random.Generator) -> tuple[int, int]:
    return int(random.integers(80, WIDTH - 80)), int(random.integers(80, HEIGHT - 80))


def _crop(picture: Image, x: int, y: int) -> Image:
    return np.ascontiguousarray(picture[y : y + HEIGHT, x : x + WIDTH])


def _blurred(pair: Pair, random: np.random.Generator) -> Pair:
    one, two = (cv2.blur(image, (BLUR, 1)) if random.integers(2) else image for image in pair)
    return np.asarray(one, np.uint8), np.asarray(two, np.uint8)


def _brighter(image: Image) -> Image:
    return np.clip(image.astype(np.float32) * 1.25 + 10, 0, 255).astype(np.uint8)


def _detectors() -> dict[str, Detector]:
    found: dict[str, Detector] = {"service.pipeline.scenes": is_cut}
    try:
        from scenedetect import FrameTimecode
        from scenedetect.detectors import ContentDetector
    except ImportError:
        return found

    def content(before: Image, after: Image) -> bool:
        detector = ContentDetector(threshold=CONTENT_THRESHOLD, min_scene_len=0)
        for number, image in enumerate((before, after)):
            cuts = detector.process_frame(FrameTimecode(number, 25.0), np.ascontiguousarray(image[..., ::-1]))
        return bool(cuts)

    return {**found, "PySceneDetect, ContentDetector": content}


if __name__ == "__main__":
    main()
