"""What ``cdvd doctor`` looks at: one function per part, each safe where that part is missing."""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from service.errors import RequirementMissing
from service.local.redis_server import find_redis_server

OLDEST_PYTHON = (3, 11)
TRITON_TIMEOUT_S = 3.0
REDIS_TIMEOUT_S = 10.0
GIB = 1 << 30


@dataclass(frozen=True)
class Finding:
    """One line of the report. ``detail`` says what is there, or why not; ``remedy`` how to get it."""

    name: str
    found: bool
    detail: str
    remedy: str = ""
    required: bool = True


def python() -> Finding:
    enough = sys.version_info[:2] >= OLDEST_PYTHON
    remedy = "" if enough else f"install Python {'.'.join(map(str, OLDEST_PYTHON))} or newer"
    return Finding("Python", enough, f"{platform.python_version()} at {sys.executable}", remedy)


def machine() -> Finding:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / GIB
    detail = f"{cores} cores, {memory:.1f} GiB memory, {platform.machine()}"
    return Finding("Machine", True, detail, required=False)


def redis() -> Finding:
    """The server that ``cdvd up`` would start."""
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
    """``v=7.0.15`` of ``Redis server v=7.0.15 sha=...``."""
    return next((word[2:] for word in text.split() if word.startswith("v=")), text.strip())


def ffmpeg() -> Finding:
    av = _module("av")
    if av is None:
        return Finding("FFmpeg", False, "PyAV is not installed", "pip install av")
    libraries = ", ".join(
        f"{name} {'.'.join(map(str, av.library_versions[name]))}"
        for name in ("libavcodec", "libavformat")
        if name in av.library_versions
    )
    return Finding("FFmpeg", True, f"PyAV {av.__version__} with {libraries}")


def x264() -> Finding:
    """Without it no H.264 result can be written."""
    av = _module("av")
    if av is not None and "libx264" in av.codecs_available:
        return Finding("H.264 encoder", True, "libx264")
    remedy = "pip install --force-reinstall av (its wheels bring libx264)"
    return Finding("H.264 encoder", False, "FFmpeg was built without libx264", remedy)


def onnxruntime() -> Finding:
    module = _module("onnxruntime")
    if module is None:
        return Finding("ONNX Runtime", False, "not installed", "pip install onnxruntime")
    providers = ", ".join(name.removesuffix("ExecutionProvider") for name in module.get_available_providers())
    return Finding("ONNX Runtime", True, f"{module.__version__} on {providers}")


def triton(url: str | None) -> Finding:
    """The optional inference server, by its HTTP address."""
    if not url:
        detail = "CDVD_TRITON_URL is not set: networks run in the worker's process"
        return Finding("Triton", False, detail, required=False)
    import httpx

    address = url if "://" in url else f"http://{url}"
    try:
        ready = httpx.get(f"{address}/v2/health/ready", timeout=TRITON_TIMEOUT_S).is_success
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Finding("Triton", False, f"{address}: {error}", "start it, or correct CDVD_TRITON_URL", False)
    return Finding("Triton", ready, f"{address}: {'ready' if ready else 'not ready'}", required=False)


def triton_client() -> Finding:
    if _module("tritonclient") is not None:
        return Finding("Triton client", True, "installed", required=False)
    remedy = "only for a Triton server: pip install 'cdvd[triton]'"
    return Finding("Triton client", False, "not installed", remedy, required=False)


def disk(folder: Path, needed: int) -> Finding:
    """Free space where jobs are kept; ``needed`` bytes are what uploads must leave free."""
    existing = next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
    free = shutil.disk_usage(existing).free
    detail = f"{free / GIB:.1f} GiB free at {existing.resolve()}"
    remedy = f"keep more than {needed / GIB:.1f} GiB free there, or set CDVD_DATA"
    return Finding("Disk", free > needed, detail, "" if free > needed else remedy)


def _module(name: str) -> ModuleType | None:
    """The module, or None when it is missing or cannot load its shared libraries."""
    try:
        return importlib.import_module(name)
    except (ImportError, OSError):
        return None
