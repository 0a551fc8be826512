"""A want of memory is known as such, whoever met it and whatever it was wrapped in."""

from __future__ import annotations

import errno

import av
import cv2
import numpy as np
import pytest

from service.errors.engine import InferenceFailed, OutOfMemory
from service.errors.pipeline import PipelineError
from service.worker.memory.shortage import is_shortage


def wrapped(cause: Exception) -> PipelineError:
    error = PipelineError("Frame 7 cannot be encoded.")
    error.__cause__ = cause
    return error


def of_numpy() -> Exception:
    with pytest.raises(MemoryError) as raised:
        np.empty(1 << 60, np.uint8)
    return raised.value


def of_opencv() -> Exception:
    row = np.zeros((1, 1 << 14), np.uint8)
    with pytest.raises(cv2.error) as raised:
        cv2.copyMakeBorder(row, (1 << 30) - 1, 1 << 30, 0, 0, cv2.BORDER_REPLICATE)
    with pytest.raises(cv2.error):
        cv2.resize(row, (0, 0))  # what comes after an error changes nothing of it
    return raised.value


def of_ffmpeg() -> Exception:
    with pytest.raises(av.FFmpegError) as raised:
        av.error.err_check(-errno.ENOMEM)
    return raised.value


@pytest.mark.parametrize(
    "error",
    [OutOfMemory("none left"), of_numpy(), of_opencv(), of_ffmpeg(), RuntimeError("can't start new thread")],
    ids=lambda error: type(error).__name__,
)
def test_a_shortage_is_known(error: Exception) -> None:
    assert is_shortage(error)
    assert is_shortage(wrapped(error))


@pytest.mark.parametrize(
    "error", [InferenceFailed("refused"), RuntimeError("other"), wrapped(ValueError("odd"))], ids=str
)
def test_other_failures_are_none(error: Exception) -> None:
    assert not is_shortage(error)
