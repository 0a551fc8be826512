"""Measures one graph at one size, in a process of its own: what it takes is its alone, and ends with it."""

from __future__ import annotations

import contextlib
import ctypes
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto

from benchmarks.gpu.convolutions import convolutions, peak, seconds, timed
from service.devices.names import Device
from service.inference.devices.device_engine import DeviceEngine, read_graph
from service.inference.devices.fixed_session import FixedSession, SessionSettings
from service.inference.devices.memory import cuda_runtime
from service.inference.devices.offers import Offer, offered, offers
from service.inference.engine import Frames
from service.inference.precision import psnr, read_reference
from service.types import CONTEXT_FRAMES

LANES = 2


@dataclass(frozen=True)
class Case:
    """What is measured."""

    model: Path
    """Its directory."""
    graph: str
    """The file's name in ``1/``."""
    device: str
    height: int
    width: int
    frames: int
    """Restored by one call."""
    rounds: int
    options: tuple[tuple[str, str], ...] = ()
    """Of the provider, in place of the service's."""

    @property
    def half(self) -> bool:
        """Whether the graph's convolutions are FP16."""
        return self.graph != "model.onnx"

    @property
    def shape(self) -> tuple[int, int, int, int]:
        return (self.frames + CONTEXT_FRAMES, self.height, self.width, 3)


@dataclass(frozen=True)
class Figures:
    """What was measured."""

    psnr: float | None
    """Of the reference window to the FP32 graph's own result, in dB; None where the model has no reference."""
    frames_per_second: float
    """As a worker gets them: from the machine's memory and back, two windows on their way."""
    frame_ms: float
    """Of the device alone, with the window in its memory."""
    convolutions_ms: float
    """Per frame, of the convolutions by themselves."""
    convolutions_teraflops: float
    """10^12 operations a second in them."""
    peak_teraflops: float
    """The same in a convolution that suits the device."""
    memory: int
    """Bytes of the device, or of the process on a processor."""
    nodes: tuple[tuple[str, int], ...]
    """How many nodes each provider took."""
    nodes_of_any_size: int
    """How many the file has, whose sizes are open."""
    copies: int
    """Nodes that were inserted to carry a tensor between the device and the processor."""

    @property
    def share(self) -> float:
        """The part of the time that the convolutions would need by themselves."""
        return self.convolutions_ms / self.frame_ms


def measure(case: Case) -> Figures:
    """Measures one case, in this process. Raises what the device raises, where it fails."""
    offer = _with_options(offered(Device.parse(case.device), offers()), case.options)
    path = case.model / "1" / case.graph
    before = _taken(offer)
    exact = _psnr(case.model, path, offer)
    rate = _rate(path, case, offer)
    memory = _taken(offer) - (before if offer.on_gpu_memory else 0)
    with tempfile.TemporaryDirectory() as folder:
        nodes, copies = _placed(path, case, offer, Path(folder))
        alone, operations, best = _convolutions(path, case, offer, Path(folder))
    return Figures(
        psnr=exact,
        frames_per_second=rate,
        frame_ms=1000 * _device_seconds(path, case, offer) / case.frames,
        convolutions_ms=1000 * alone / case.frames,
        convolutions_teraflops=operations / alone / 1e12,
        peak_teraflops=best,
        memory=memory,
        nodes=nodes,
        nodes_of_any_size=len(onnx.load(path).graph.node),
        copies=copies,
    )


def _with_options(offer: Offer, options: tuple[tuple[str, str], ...]) -> Offer:
    merged = {**offer.options, **dict(options)}
    return Offer(offer.device, offer.provider, merged, offer.plugin_device, offer.processor)


def _psnr(model: Path, path: Path, offer: Offer) -> float | None:
    file = model / "reference.npz"
    if not file.is_file():
        return None
    reference = read_reference(file)
    with contextlib.closing(DeviceEngine(path, offer, 1)) as engine:
        return psnr(reference.restored, engine.restore(reference.window))


def _rate(path: Path, case: Case, offer: Offer) -> float:
    """Returns frames per second of windows that two threads hand over, as a worker's pipeline does."""
    windows = [_window(case, seed) for seed in range(LANES)]
    with contextlib.closing(DeviceEngine(path, offer, LANES)) as engine, ThreadPoolExecutor(LANES) as callers:
        list(callers.map(engine.restore, windows))  # kernels are chosen, graphs captured
        start = time.perf_counter()
        list(callers.map(engine.restore, windows * case.rounds))
        return LANES * case.rounds * case.frames / (time.perf_counter() - start)


def _device_seconds(path: Path, case: Case, offer: Offer) -> float:
    session = FixedSession(read_graph(path), case.shape, offer)
    with session.lane() as lane:
        lane.source.write(_window(case, 0))
        return timed(lane.run, case.rounds)


def _placed(path: Path, case: Case, offer: Offer, folder: Path) -> tuple[tuple[tuple[str, int], ...], int]:
    """Returns the number of nodes by provider, and that of copies."""
    optimized = folder / "placed.onnx"
    settings = SessionSettings(optimized=optimized, assignment=True)
    session = FixedSession(read_graph(path), case.shape, offer, settings=settings).session
    nodes: Counter[str] = Counter()
    for part in session.get_provider_graph_assignment_info():
        nodes[part.ep_name] += len(part.get_nodes())
    kinds = [node.op_type for node in onnx.load(optimized).graph.node]
    return tuple(nodes.most_common()), sum(kind.startswith("Memcpy") for kind in kinds)


def _convolutions(path: Path, case: Case, offer: Offer, folder: Path) -> tuple[float, int, float]:
    """Returns the seconds and operations of all convolutions of a window, and the peak in 10^12 a second."""
    dtype = TensorProto.FLOAT16 if case.half else TensorProto.FLOAT
    found = convolutions(read_graph(path.with_name("model.onnx")), case.shape, dtype, folder)
    alone = sum(count * seconds(one, offer, case.rounds) for one, count in found.items())
    operations = sum(count * one.operations for one, count in found.items())
    suited = peak(dtype)
    return alone, operations, suited.operations / seconds(suited, offer, case.rounds) / 1e12


def _window(case: Case, seed: int) -> Frames:
    return np.random.default_rng(seed).integers(0, 256, case.shape, np.uint8)


def _taken(offer: Offer) -> int:
    """Returns the bytes in use on the GPU, or the most that this process ever had on the machine (Linux)."""
    cuda = cuda_runtime() if offer.on_gpu_memory else None
    if cuda is None:
        status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        return int(status["VmHWM"].split()[0]) * 1024
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    cuda.cudaSetDevice(offer.device.index or 0)
    cuda.cudaMemGetInfo(ctypes.byref(free), ctypes.byref(total))
    return total.value - free.value
