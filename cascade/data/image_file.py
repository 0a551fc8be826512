"""Pictures as files."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray


def write_image(path: Path, image: NDArray[np.uint8]) -> None:
    """Writes ``image``, uint8 [H, W, 3] RGB, in the format that the suffix names. Raises OSError."""
    try:
        written = cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    except cv2.error as error:
        raise OSError(f"OpenCV has no format for the picture {path}.") from error
    if not written:
        raise OSError(f"The picture {path} cannot be written.")
