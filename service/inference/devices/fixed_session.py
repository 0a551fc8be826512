"""A graph for windows of one size, with buffers at fixed addresses: the device computes frames and nothing else.

Exported graphs take any size, so half of their nodes compute shapes, on the processor, with copies in between. Where
sizes are known when the graph is loaded, ONNX Runtime computes all that once, and what is left is the device's alone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from service.errors.engine import DeviceUnavailable
from service.inference.devices.memory import Buffer, CudaBuffer, HostBuffer, Shape
from service.inference.devices.offers import GRAPHS, PROCESSOR, Offer
from service.inference.devices.runtime import QUIET, ort, why_missing
from service.inference.engine import INPUT, OUTPUT
from service.types import CONTEXT_FRAMES

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Graph:
    """A file, and the names of the sizes that it leaves open; a size that it states has no name."""

    path: Path
    inputs: tuple[str | None, ...]
    outputs: tuple[str | None, ...]

    def sizes(self, shape: Shape) -> dict[str, int]:
        """Returns the value of each name for a window of ``shape``, [T+4, H, W, 3]."""
        restored = (shape[0] - CONTEXT_FRAMES, *shape[1:])
        pairs = [*zip(self.outputs, restored, strict=True), *zip(self.inputs, shape, strict=True)]
        return {name: size for name, size in pairs if name is not None}


@dataclass(frozen=True)
class SessionSettings:
    """What may differ from the usual: for measurements."""

    optimized: Path | None = None
    """Where ONNX Runtime writes the graph that it made of the file's."""
    basic: bool = False
    """Whether that graph has ONNX's own operators alone, none of one provider's."""
    assignment: bool = False
    """Whether the session can tell which provider took which node."""


class Lane:
    """The buffers of one window, and the session's binding to them."""

    def __init__(self, number: int, session: ort.InferenceSession, source: Buffer, target: Buffer) -> None:
        self.source, self.target = source, target
        self._session = session
        self._binding = session.io_binding()
        self._binding.bind_ortvalue_input(INPUT, source.value)
        self._binding.bind_ortvalue_output(OUTPUT, target.value)
        self._run = ort.RunOptions()
        self._run.add_run_config_entry("gpu_graph_id", str(number))

    def run(self) -> None:
        """Restores the window in ``source`` into ``target``; always from the same thread, to which graphs belong."""
        self._session.run_with_iobinding(self._binding, self._run)


class FixedSession:
    """Restores windows of one shape on one device."""

    def __init__(
        self,
        graph: Graph,
        shape: Shape,
        offer: Offer,
        lanes: int = 1,
        settings: SessionSettings | None = None,
    ) -> None:
        """``lanes``: windows that are on their way at a time.

        On CUDA, runs are captured here, once for each lane, and only replayed from then on. Raises DeviceUnavailable
        when the device cannot be used, and what ONNX Runtime raises for a graph that it cannot run there.
        """
        self.shape = shape
        self._free: SimpleQueue[Lane] = SimpleQueue()
        wanted = _session_options(graph, shape, settings or SessionSettings())
        options = dict(offer.options)
        try:
            self.session = self._ready(graph, offer, wanted, options, lanes)
        except DeviceUnavailable:
            raise
        except Exception as error:  # ONNX Runtime's exceptions share no base of their own
            if options.pop(GRAPHS, None) is None:
                raise
            # For example because a node stays on the processor: then kernels are launched one by one.
            log.info("No CUDA graph is captured of %s: %s", graph.path.name, error)
            self._free = SimpleQueue()
            self.session = self._ready(graph, offer, wanted, options, lanes)

    def _ready(
        self, graph: Graph, offer: Offer, wanted: ort.SessionOptions, options: Mapping[str, str], lanes: int
    ) -> ort.InferenceSession:
        session = open_session(str(graph.path), offer, wanted, options)
        restored = (self.shape[0] - CONTEXT_FRAMES, *self.shape[1:])
        for number in range(lanes):
            buffers = _buffer(offer, self.shape), _buffer(offer, restored)
            lane = Lane(number, session, *buffers)
            if offer.on_gpu_memory:
                lane.run()
            self._free.put(lane)
        return session

    @contextmanager
    def lane(self) -> Iterator[Lane]:
        """Lends the buffers of one window; waits while all are in use."""
        lane = self._free.get()
        try:
            yield lane
        finally:
            self._free.put(lane)


def _buffer(offer: Offer, shape: Shape) -> Buffer:
    if offer.on_gpu_memory:
        return CudaBuffer(shape, offer.device.index or 0)
    return HostBuffer(shape)


def open_session(
    model: str | bytes, offer: Offer, wanted: ort.SessionOptions, options: Mapping[str, str]
) -> ort.InferenceSession:
    """Opens a graph on a device.

    ``model``: a path, or a graph as a file holds it. ``options``: of the provider. Raises DeviceUnavailable, and what
    ONNX Runtime raises.
    """
    if offer.plugin_device is None:
        providers: list[tuple[str, Mapping[str, str]]] = [(offer.provider, options)]
        if offer.provider != PROCESSOR:
            providers.append((PROCESSOR, {}))
        session = ort.InferenceSession(model, wanted, providers=providers, enable_fallback=0)
    else:
        wanted.add_provider_for_devices([offer.plugin_device], options)
        session = ort.InferenceSession(model, wanted, enable_fallback=0)
    if offer.provider not in session.get_providers():
        raise DeviceUnavailable(
            f"The device {offer.device} cannot be used: {why_missing(offer.provider).rstrip('.')}."
        )
    return session


def _session_options(graph: Graph, shape: Shape, settings: SessionSettings) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.log_severity_level = QUIET
    for name, size in graph.sizes(shape).items():
        options.add_free_dimension_override_by_name(name, size)
    if settings.optimized is not None:
        options.optimized_model_filepath = str(settings.optimized)
    if settings.assignment:
        options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    if settings.basic:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    return options
