"""Chooses the runtime that restores windows, by ``CDVD_ENGINE``. Only this module knows all runtimes.

A runtime is imported when it is chosen: a worker that uses Triton loads no runtime of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from service.config import Settings
from service.devices.names import AUTO, CPU, DeviceOrder
from service.devices.placement import Placement
from service.distribution import install_command
from service.errors.engine import InvalidDevice, ModelNotFound, PrecisionTooLow
from service.errors.startup import RequirementMissing
from service.inference.engine import DeblurEngine
from service.inference.precision import check_precision
from service.inference.tiled.parts import Parts

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Loaded:
    """An engine whose output was compared with the model's, and where it runs."""

    engine: DeblurEngine
    placement: Callable[[], Placement]
    """May change while the engine is used: where a device failed and another took over."""


Load = Callable[[Path], Loaded]
"""Makes an engine from a model's directory; raises ModelNotFound, EngineError or EngineUnavailable."""


_ONNX = ("onnx", "auto")
"""``auto`` where nothing was measured: see ``service.worker.runtime``."""

Lost = Callable[[str], None]
"""Told that a device computes nothing any more."""


def engine_loader(settings: Settings, lost: Lost = lambda _: None) -> Load:
    """Returns what loads models with the engine of the settings; ``lost`` is what becomes of a device that is lost.

    Raises RequirementMissing without its package, and InvalidDevice for a device that the engine does not choose.
    """
    if settings.engine not in _ONNX and settings.device not in (AUTO, CPU):
        raise InvalidDevice(
            f"CDVD_DEVICE={settings.device} is for CDVD_ENGINE=onnx; {settings.engine} has its own ways to say that."
        )
    try:
        if settings.engine in _ONNX:
            return _onnx(settings, lost)
        return _CHOICES[settings.engine](settings)
    except ImportError as error:
        extra = "cpu" if settings.engine in _ONNX else settings.engine
        raise RequirementMissing(
            f"CDVD_ENGINE={settings.engine} needs a package that is not installed ({error.name}). "
            f"Install it: {install_command(extra)}"
        ) from error


def no_parts(directory: Path) -> Parts:
    """Loads nothing. Raises ModelNotFound."""
    raise ModelNotFound(f"The model {directory.name!r} is not restored in tiles by this engine.")


def parts_loader(settings: Settings) -> Callable[[Path], Parts]:
    """Returns what loads models for tiles: ONNX Runtime in this process, whichever engine restores whole frames there.

    Servers of models have memory of their own.
    """
    if settings.engine == "triton":
        return no_parts
    from service.inference.tiled.onnx_parts import OnnxParts

    return lambda directory: OnnxParts(directory, threads=settings.engine_threads)


def _onnx(settings: Settings, lost: Lost) -> Load:
    from service.inference.devices.falling_back import FallingBack
    from service.inference.devices.placing import DeviceSettings

    devices = DeviceSettings(
        order=DeviceOrder.parse(settings.device),
        precision=settings.precision,
        threads=settings.engine_threads,
        in_flight=settings.windows_in_flight,
    )

    def load(directory: Path) -> Loaded:
        engine = FallingBack(directory, devices, lost)
        return Loaded(engine, lambda: engine.placement)

    return load


def _openvino(settings: Settings) -> Load:
    from service.inference.bfloat16 import has_bfloat16
    from service.inference.openvino import OpenVinoEngine

    def load(directory: Path) -> Loaded:
        if settings.precision == "auto" and has_bfloat16():
            engine = OpenVinoEngine(directory, threads=settings.engine_threads, bfloat16=True)
            if _is_exact(engine, directory):
                return _placed(engine, Placement(directory.name, CPU, "bf16", "by OpenVINO"))
            engine.close()
        engine = OpenVinoEngine(directory, threads=settings.engine_threads)
        return _checked(engine, directory, Placement(directory.name, CPU, "fp32", "by OpenVINO"))

    return load


def _is_exact(engine: DeblurEngine, directory: Path) -> bool:
    """Returns whether the engine is known to be as close to FP32 as the model's card asks."""
    try:
        return check_precision(engine, directory) is not None
    except PrecisionTooLow as error:
        log.info("Not in bfloat16: %s", error)
        return False


def _triton(settings: Settings) -> Load:
    from service.inference.triton import TritonEngine, TritonOptions

    options = TritonOptions(
        addresses=settings.triton_urls,
        timeout_s=settings.triton_timeout_s,
        patience_s=settings.triton_patience_s,
        owner=settings.worker_name,
        share_memory=settings.triton_shared_memory,
    )

    def load(directory: Path) -> Loaded:
        engine = TritonEngine(directory.name, options)
        return _checked(engine, directory, Placement(directory.name, "triton", "", "CDVD_ENGINE=triton"))

    return load


def _checked(engine: DeblurEngine, directory: Path, placement: Placement) -> Loaded:
    """Closes the engine if it does not compute what the model should."""
    try:
        check_precision(engine, directory)
    except BaseException:
        engine.close()
        raise
    return _placed(engine, placement)


def _placed(engine: DeblurEngine, placement: Placement) -> Loaded:
    return Loaded(engine, lambda: placement)


_CHOICES: dict[str, Callable[[Settings], Load]] = {
    "openvino": _openvino,
    "triton": _triton,
}
