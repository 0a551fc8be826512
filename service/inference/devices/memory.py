"""Where the frames of a window lie while a device works on them."""

from __future__ import annotations

import ctypes
import logging
from contextlib import suppress
from typing import Protocol

import numpy as np

from service.inference.devices.runtime import ort
from service.inference.engine import Frames

log = logging.getLogger(__name__)

Shape = tuple[int, ...]

_TO_HOST = 2
"""``cudaMemcpyDeviceToHost``."""
_PORTABLE = 1
"""``cudaHostRegisterPortable``: pinned for every device."""


class Buffer(Protocol):
    """Frames at one address, which a graph that was captured reads or writes again and again."""

    value: ort.OrtValue
    """What is bound to the session."""

    def write(self, frames: Frames) -> None:
        """Copies frames of the buffer's shape into it."""
        ...

    def read(self) -> Frames:
        """Returns a copy of the frames in it."""
        ...


class HostBuffer:
    """Frames in the machine's memory."""

    def __init__(self, shape: Shape) -> None:
        self.value = ort.OrtValue.ortvalue_from_shape_and_type(shape, np.uint8, "cpu", 0)

    def write(self, frames: Frames) -> None:
        self.value.update_inplace(frames)

    def read(self) -> Frames:
        frames: Frames = self.value.numpy()
        return frames.copy()  # what it returns is the buffer itself


class CudaBuffer:
    """Frames in a GPU's memory, and pinned ones in the machine's through which they go there and back.

    From pinned memory the GPU fetches frames itself, at the bus's full speed and beside its other work. Without the
    CUDA runtime's library, frames are copied by ONNX Runtime from memory that is not pinned.
    """

    def __init__(self, shape: Shape, index: int) -> None:
        self.value = ort.OrtValue.ortvalue_from_shape_and_type(shape, np.uint8, "cuda", index)
        self._index = index
        self._staging: Frames = np.zeros(shape, np.uint8)
        self._cuda = cuda_runtime()
        self._pinned = self._cuda is not None and self._pin(self._cuda)

    def write(self, frames: Frames) -> None:
        np.copyto(self._staging, frames)
        self.value.update_inplace(self._staging)

    def read(self) -> Frames:
        if self._cuda is None or not self._pinned:
            copied: Frames = np.array(self.value.numpy())
            return copied
        self._cuda.cudaSetDevice(self._index)
        status = self._cuda.cudaMemcpy(
            ctypes.c_void_p(self._staging.ctypes.data),
            ctypes.c_void_p(self.value.data_ptr()),
            ctypes.c_size_t(self._staging.nbytes),
            _TO_HOST,
        )
        if status:
            raise RuntimeError(f"Frames did not come back from the GPU: cudaMemcpy returned {status}.")
        return self._staging.copy()

    def __del__(self) -> None:
        if getattr(self, "_pinned", False) and self._cuda is not None:
            with suppress(Exception):  # when the process ends, the library may be gone
                self._cuda.cudaHostUnregister(ctypes.c_void_p(self._staging.ctypes.data))

    def _pin(self, cuda: ctypes.CDLL) -> bool:
        cuda.cudaSetDevice(self._index)
        address, size = ctypes.c_void_p(self._staging.ctypes.data), ctypes.c_size_t(self._staging.nbytes)
        status = cuda.cudaHostRegister(address, size, _PORTABLE)
        if status:
            log.info("Frames are not pinned: cudaHostRegister returned %d", status)
        return not status


def cuda_runtime() -> ctypes.CDLL | None:
    """Returns the library of the CUDA runtime that ONNX Runtime uses, which is loaded by now."""
    from onnxruntime.capi.build_and_package_info import cuda_version

    try:
        return ctypes.CDLL(f"libcudart.so.{cuda_version.partition('.')[0]}")
    except OSError as error:
        log.info("Frames are not pinned: %s", error)
        return None
