"""The matrices between R'G'B' and Y'CbCr, for what FFmpeg's scaler does not do."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from service.video.color import Conversion

Matrix: TypeAlias = "NDArray[np.float64]"

_LUMA = {1: (0.2126, 0.0722), 4: (0.30, 0.11), 5: (0.299, 0.114), 7: (0.212, 0.087), 9: (0.2627, 0.0593)}
"""The weights of red and blue in luma, by the scaler's codes."""
_YCGCO = np.array([[0.25, 0.5, 0.25], [-0.25, 0.5, -0.25], [0.5, 0, -0.5]])


def weights(how: Conversion) -> Matrix:
    """Returns float64 [3, 3]: R'G'B' in 0..1 to Y' in 0..1 and both chroma in -0.5..0.5."""
    if how.ycgco:
        return _YCGCO
    red, blue = _LUMA[how.matrix]
    luma = np.array([red, 1 - red - blue, blue])
    return np.stack([luma, ([0, 0, 1] - luma) / (2 - 2 * blue), ([1, 0, 0] - luma) / (2 - 2 * red)])
