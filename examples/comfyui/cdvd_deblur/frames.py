"""Frames as a video without loss: FFV1 with 16 bits a channel, by the PyAV that ComfyUI brings."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

FORMAT = "gbrp16le"
WHITE = 65535


def encoded(images: NDArray[Any], fps: float) -> bytes:
    """Returns a video in Matroska. ``images``: float [N, H, W, 3], RGB, 0 to 1."""
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream("ffv1", rate=Fraction(fps).limit_denominator(1001))
        stream.height, stream.width = images.shape[1:3]
        stream.pix_fmt = FORMAT
        for image in images:
            whole = np.rint(np.clip(image, 0, 1) * WHITE).astype(np.uint16)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(whole, format=FORMAT)))
        container.mux(stream.encode(None))
    return file.getvalue()


def decoded(video: bytes) -> NDArray[np.float32]:
    """Returns the frames of a video as float32 [N, H, W, 3], RGB, 0 to 1."""
    with av.open(io.BytesIO(video)) as container:
        whole = [frame.to_ndarray(format=FORMAT) for frame in container.decode(video=0)]
    return np.stack(whole).astype(np.float32) / WHITE
