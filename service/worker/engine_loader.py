"""Chooses the runtime that restores windows, by ``CDVD_ENGINE``. Only this module knows all runtimes.

A runtime is imported when it is chosen: a worker that uses Triton loads no runtime of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from service.config import Settings
from service.distribution import install_command
from service.errors.startup import RequirementMissing
from service.inference.engine import DeblurEngine

Load = Callable[[Path], DeblurEngine]
"""Makes an engine from a model's directory; raises ModelNotFound, EngineError or EngineUnavailable."""


def engine_loader(settings: Settings) -> Load:
    """Returns what loads models with the engine of the settings. Raises RequirementMissing without its package."""
    try:
        return _CHOICES[settings.engine](settings)
    except ImportError as error:
        extra = None if settings.engine == "onnx" else settings.engine
        raise RequirementMissing(
            f"CDVD_ENGINE={settings.engine} needs a package that is not installed ({error.name}). "
            f"Install it: {install_command(extra)}"
        ) from error


def _onnx(settings: Settings) -> Load:
    from service.inference.onnx import OnnxEngine

    return lambda directory: OnnxEngine(directory, threads=settings.engine_threads)


def _openvino(settings: Settings) -> Load:
    from service.inference.openvino import OpenVinoEngine

    return lambda directory: OpenVinoEngine(directory, threads=settings.engine_threads)


def _triton(settings: Settings) -> Load:
    from service.inference.triton import TritonEngine, TritonOptions

    options = TritonOptions(
        addresses=settings.triton_urls,
        timeout_s=settings.triton_timeout_s,
        patience_s=settings.triton_patience_s,
        owner=settings.worker_name,
        share_memory=settings.triton_shared_memory,
    )
    return lambda directory: TritonEngine(directory.name, options)


_CHOICES: dict[str, Callable[[Settings], Load]] = {
    "onnx": _onnx,
    "openvino": _openvino,
    "triton": _triton,
}
