"""Tells a want of memory from all other failures, whoever met it: the engine, numpy, OpenCV or FFmpeg."""

from __future__ import annotations

import cv2

from service.errors.engine import OutOfMemory

_NO_MEMORY = "(-4:"
"""Begins OpenCV's name of this error. Its ``code`` is no use: that of the class, and so of the latest error of all."""
_NO_THREAD = "can't start new thread"
"""What Python says where there is no memory for the stack of a thread: an error without a class of its own."""


def is_shortage(error: BaseException | None) -> bool:
    """Returns whether memory was wanting, also where that was wrapped in an error that says something else."""
    if error is None:
        return False
    if isinstance(error, cv2.error):
        return _NO_MEMORY in str(error)
    if isinstance(error, RuntimeError) and _NO_THREAD in str(error):
        return True
    return isinstance(error, OutOfMemory | MemoryError) or is_shortage(error.__cause__)
