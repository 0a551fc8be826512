"""ONNX Runtime as it is installed here: which build, and the libraries that its providers need."""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
from functools import cache
from pathlib import Path

# Read at import: builds from 1.29 on send usage data to their maker unless this is set.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime as ort

__all__ = ["CUDA", "QUIET", "built_in", "ort", "preloaded", "short_name", "why_missing"]
"""``ort`` is taken from here, so that nothing imports it before that is set."""

CUDA = "CUDAExecutionProvider"
_SUFFIX = "ExecutionProvider"
_LIBRARIES = {CUDA: "libonnxruntime_providers_cuda.so"}
QUIET = 3
"""The level that logs errors only: warnings about constant folding concern the exporter."""


@cache
def preloaded() -> str:
    """Loads the CUDA libraries that pip installed, which are on no search path; returns what it says if some lack."""
    if CUDA not in ort.get_available_providers():
        return ""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        ort.preload_dlls()
    return said.getvalue().strip()


def built_in() -> tuple[str, ...]:
    """Returns the names of the providers that this build has, whether they work here or not."""
    return tuple(ort.get_available_providers())


def short_name(provider: str) -> str:
    """Returns ``CUDA`` of ``CUDAExecutionProvider``."""
    return provider.removesuffix(_SUFFIX)


def why_missing(provider: str) -> str:
    """Returns why a provider of this build does not load: ONNX Runtime itself writes that to its log alone."""
    name = _LIBRARIES.get(provider)
    folder = Path(ort.__file__).parent / "capi"
    if name is None or not (folder / name).is_file():
        return "ONNX Runtime could not start it"
    try:
        # The second needs symbols of the first.
        for library in ("libonnxruntime_providers_shared.so", name):
            ctypes.CDLL(str(folder / library), mode=ctypes.RTLD_GLOBAL | os.RTLD_LAZY)
    except OSError as error:
        return str(error)
    return "no NVIDIA GPU and driver that this build works with"
