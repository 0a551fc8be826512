"""Checks the parts that ``cdvd doctor`` reports: one function each, which works where that part is missing."""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from service.config import Settings
from service.devices.names import DeviceOrder
from service.distribution import build_command, install_command, onnx_runtimes, pip_command
from service.errors.base import ServiceError
from service.errors.engine import ModelNotFound
from service.errors.startup import RequirementMissing
from service.local.redis_server import find_redis_server
from service.local.triton.install import VERSION as TRITON_VERSION
from service.local.triton.install import cache_directory, find_install, require_platform
from service.memory.machine import worker_memory
from service.memory.plan import Demand, least_plan
from service.model_catalog import ModelCard
from service.text import plural

OLDEST_PYTHON = (3, 11)
TRITON_TIMEOUT_S = 10.0
REDIS_TIMEOUT_S = 10.0
GIB = 1 << 30
REMOTE_PROVIDER = "Azure"
"""Every build of ONNX Runtime names it; it calls servers of others, and nothing here does."""
LEAST_FRAME = (1920, 1080)
"""Width and height of the frames that the smallest machine restores."""
_FRAMES = ((1280, 720), LEAST_FRAME, (3840, 2160), (7680, 4320))


@dataclass(frozen=True)
class Finding:
    """One line of the report. ``detail`` says what is there, or why not; ``remedy`` how to get it."""

    name: str
    found: bool
    detail: str
    remedy: str = ""
    required: bool = True


def python() -> Finding:
    """Checks the version of the interpreter."""
    enough = sys.version_info[:2] >= OLDEST_PYTHON
    remedy = "" if enough else f"install Python {'.'.join(map(str, OLDEST_PYTHON))} or newer"
    return Finding("Python", enough, f"{platform.python_version()} at {sys.executable}", remedy)


def machine() -> Finding:
    """Reports processors and memory."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / GIB
    detail = f"{plural(cores or 1, 'core')}, {memory:.1f} GiB memory, {platform.machine()}"
    return Finding("Machine", True, detail, required=False)


def memory(settings: Settings, card: ModelCard | None) -> Finding:
    """Reports the largest frames that a worker has the memory for; those of LEAST_FRAME are required."""
    limit = worker_memory(settings.memory_limit)
    if limit is None or card is None or card.memory is None:
        return Finding("Memory", True, "nothing says how much is free or needed", required=False)
    demands = [Demand(*size, settings.max_frames, 1, card.memory, card.tiles) for size in _FRAMES]
    least = [least_plan(demand, settings.window_limits()).bytes for demand in demands]
    fitting = [size for size, needed in zip(_FRAMES, least, strict=True) if needed <= limit]
    there = f"{limit / GIB:.1f} GiB for a worker"
    if LEAST_FRAME not in fitting:
        needed = least[_FRAMES.index(LEAST_FRAME)] / GIB
        return Finding("Memory", False, there, f"{card.name} wants {needed:.1f} GiB at {_by(LEAST_FRAME)}")
    return Finding("Memory", True, f"{there}: {card.name} restores frames of up to {_by(fitting[-1])}")


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def redis() -> Finding:
    """Checks the Redis server that ``cdvd up`` would start."""
    try:
        path = find_redis_server()
    except RequirementMissing as error:
        return Finding("Redis", False, "no server", str(error))
    command = [str(path), "--version"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=REDIS_TIMEOUT_S, check=False)
    if run.returncode:
        return Finding("Redis", False, f"{path} does not run: {run.stderr.strip()}", "reinstall it")
    return Finding("Redis", True, f"{path}: {_version_word(run.stdout)}")


def _version_word(text: str) -> str:
    """Returns ``7.0.15`` of ``Redis server v=7.0.15 sha=...``."""
    return next((word[2:] for word in text.split() if word.startswith("v=")), text.strip())


def ffmpeg() -> Finding:
    """Checks PyAV and the FFmpeg libraries in it."""
    av = _module("av")
    if av is None:
        return Finding("FFmpeg", False, "PyAV is not installed", install_command())
    libraries = ", ".join(
        f"{name} {'.'.join(map(str, av.library_versions[name]))}"
        for name in ("libavcodec", "libavformat")
        if name in av.library_versions
    )
    return Finding("FFmpeg", True, f"PyAV {av.__version__} with {libraries}")


def x264() -> Finding:
    """Checks the encoder without which no H.264 result can be written."""
    av = _module("av")
    if av is not None and "libx264" in av.codecs_available:
        return Finding("H.264 encoder", True, "libx264")
    remedy = f"{pip_command('install', '--force-reinstall', 'av')} (its wheels bring libx264)"
    return Finding("H.264 encoder", False, "FFmpeg was built without libx264", remedy)


def hardware_encoders() -> Finding:
    """Reports what ``encoder=hardware`` finds here, by opening it."""
    if _module("av") is None or _module("cv2") is None:
        return Finding("Hardware encoders", False, "not tried without PyAV", required=False)
    from service.video.encoding.hardware import found

    names = found()
    detail = ", ".join(names) or "none opens; results are encoded in software"
    return Finding("Hardware encoders", bool(names), detail, required=False)


def onnxruntime() -> Finding:
    """Checks ONNX Runtime, and reports where it can run models."""
    module = _module("onnxruntime")
    if module is None:
        return Finding("ONNX Runtime", False, "not installed", install_command("cpu"))
    builds = onnx_runtimes()
    if len(builds) > 1:
        return Finding(
            "ONNX Runtime", False, f"{' and '.join(builds)} are the same files", _one_build(builds)
        )
    found = [name.removesuffix("ExecutionProvider") for name in module.get_available_providers()]
    devices = ", ".join(name for name in found if name != REMOTE_PROVIDER)
    return Finding("ONNX Runtime", True, f"{module.__version__} on {devices}")


def _one_build(builds: Sequence[str]) -> str:
    """Returns the commands that leave one of several builds, the one for GPUs if it is among them."""
    return build_command("gpu" if "onnxruntime-gpu" in builds else "cpu")


def device(settings: Settings, models: Path) -> Finding:
    """Restores the default model's reference window where a worker with these settings would."""
    try:
        from service.inference.devices.placing import DeviceSettings, place

        order = DeviceOrder.parse(settings.device)
        chosen = DeviceSettings(order, settings.precision, settings.engine_threads)
        placed = place(models / settings.model, chosen)
    except ImportError as error:
        return Finding("Device", False, f"{error.name} is not installed", install_command("cpu"))
    except ModelNotFound:
        return Finding("Device", False, f"not tried without {settings.model}", required=False)
    except ServiceError as error:
        return Finding(
            "Device", False, str(error), "correct CDVD_DEVICE, or what keeps the device from working"
        )
    placed.engine.close()
    return Finding("Device", True, placed.placement.line)


def runtime(settings: Settings) -> Finding:
    """Reports which runtime `cdvd up` takes on this machine's processor, as measured at an earlier start."""
    name = "Runtime"
    try:
        from service.worker.runtime.choice import kept_choice
    except ImportError as error:
        return Finding(name, False, f"{error.name} is not installed", install_command("cpu"), False)
    kept = kept_choice(settings)
    if kept is None:
        return Finding(name, True, "not measured yet: `cdvd up` does at its first start", required=False)
    return Finding(name, True, kept.line, required=False)


def triton(addresses: Sequence[str], model: str) -> Finding:
    """Checks whether one of the servers at ``addresses`` restores a window of ``model`` now."""
    from service.inference.triton import TritonEngine, TritonOptions

    remedy = "start it, or correct CDVD_TRITON_URLS"
    options = TritonOptions(addresses, timeout_s=TRITON_TIMEOUT_S, owner="doctor")
    try:
        with closing(TritonEngine(model, options)) as engine:
            return Finding("Triton", True, f"{', '.join(engine.servers)}: restored a window of {model}")
    except (ServiceError, ValueError) as error:
        return Finding("Triton", False, str(error), remedy)


def triton_client(*, required: bool) -> Finding:
    """Checks the client library of Triton."""
    if _module("tritonclient.grpc") is not None:
        return Finding("Triton client", True, "installed", required=required)
    command = install_command("triton")
    remedy = command if required else f"only for CDVD_ENGINE=triton: {command}"
    return Finding("Triton client", False, "not installed", remedy, required=required)


def local_triton(*, required: bool) -> Finding:
    """Checks the server that ``cdvd triton`` and ``cdvd up --engine triton`` start here."""
    name, folder = "Local Triton", cache_directory()
    try:
        require_platform()
    except RequirementMissing as error:
        return Finding(name, False, str(error), "use another machine's: CDVD_TRITON_URLS", required)
    if find_install(folder):
        return Finding(name, True, f"{TRITON_VERSION} in {folder}", required=required)
    return Finding(
        name, False, "not fetched yet", "`cdvd triton --install` (55 MB), or at its first use", False
    )


def disk(folder: Path, needed: int) -> Finding:
    """Checks the free space where jobs are kept; uploads must leave ``needed`` bytes free."""
    existing = next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
    free = shutil.disk_usage(existing).free
    detail = f"{free / GIB:.1f} GiB free at {existing.resolve()}"
    remedy = f"keep more than {needed / GIB:.1f} GiB free there, or set CDVD_DATA"
    return Finding("Disk", free > needed, detail, "" if free > needed else remedy)


def _module(name: str) -> ModuleType | None:
    """Returns the module, or None when it is missing or cannot load its shared libraries."""
    try:
        return importlib.import_module(name)
    except (ImportError, OSError):
        return None
