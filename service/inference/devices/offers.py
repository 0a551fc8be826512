"""What the ONNX Runtime of this machine offers to run models on, from the best to the processor."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from service.devices.names import CPU, Device
from service.distribution import build_command, pip_command
from service.errors.engine import DeviceUnavailable
from service.inference.devices.plugins import registered_plugins
from service.inference.devices.runtime import CUDA, built_in, ort, preloaded, short_name

PROCESSOR = "CPUExecutionProvider"
"""What takes the nodes that no other provider takes."""
_KINDS = {"dml": "directml", "nvtensorrtrtx": "tensorrt-rtx"}
"""Names that people use, where they are not the provider's own in lower case."""
BEST_FIRST = ("cuda", "tensorrt-rtx", "migraphx", "rocm", "coreml", "directml", "openvino", "webgpu")
"""The accelerators that ``auto`` tries, in this order. TensorRT builds engines for minutes, so it has to be named."""
_PLUGINS = {"openvino": "onnxruntime-ep-openvino", "tensorrt-rtx": "onnxruntime-ep-nv-tensorrt-rtx-cu13"}
"""The packages to advise; any other is found as well."""
_NO_DEVICE = frozenset({"azure"})
"""Providers that pass the work on to others."""
_TYPES = ("GPU", "NPU", "CPU")
"""Of the devices of a plugin, in order of preference."""
GRAPHS = "enable_cuda_graph"
_CUDA_OPTIONS = {
    # Sizes are fixed, so kernels are launched as one graph; heuristics choose them, since trying takes seconds.
    GRAPHS: "1",
    "cudnn_conv_algo_search": "HEURISTIC",
    "arena_extend_strategy": "kSameAsRequested",
    # FP32 is asked for where FP16 is not good enough.
    "use_tf32": "0",
}
_OPENVINO_CPU = json.dumps({"CPU": {"INFERENCE_PRECISION_HINT": "f32"}})
"""Processors with bfloat16 units would compute positions in eight bits."""


@dataclass(frozen=True)
class Offer:
    """A device that a provider says it can use."""

    device: Device
    provider: str
    options: Mapping[str, str] = field(default_factory=dict)
    plugin_device: Any = None
    """The ``OrtEpDevice`` of a plugin; None for the providers of ONNX Runtime's own build."""
    processor: bool = False
    """Whether it is the machine's processor after all, for which FP32 is the faster precision."""

    @property
    def on_gpu_memory(self) -> bool:
        """Whether frames are laid into the memory of a CUDA device, and runs captured as CUDA graphs."""
        return self.provider == CUDA


def offers() -> tuple[Offer, ...]:
    """Returns every offer, the best first and the processor last; plugins are registered on the way."""
    preloaded()
    plugins = registered_plugins()
    plugged = {provider for plugin in plugins for provider in plugin.providers}
    # ONNX Runtime lists the providers of plugins among its own once they have a device.
    own = [provider for provider in built_in() if provider not in plugged]
    found = [*_built_in(own), *_of_plugins(plugged, ort.get_ep_devices())]
    return (*sorted(found, key=_rank), processor())


def processor() -> Offer:
    """Returns the offer that is always there."""
    return Offer(Device(CPU), PROCESSOR, processor=True)


def offered(wanted: Device, choices: Sequence[Offer]) -> Offer:
    """Returns the offer of the device ``wanted``. Raises DeviceUnavailable, which says what there is."""
    same = [offer for offer in choices if offer.device.kind == wanted.kind]
    if not same:
        kinds = ", ".join(dict.fromkeys(offer.device.kind for offer in choices))
        raise DeviceUnavailable(
            f"The device {wanted} cannot be used: ONNX Runtime {ort.__version__} has {kinds} here{_hint(wanted)}."
        )
    if same[0].plugin_device is None:
        return _numbered(same[0], wanted)
    index = wanted.index or 0
    if index >= len(same):
        raise DeviceUnavailable(
            f"The device {wanted} cannot be used: the last {wanted.kind} here is {same[-1].device}."
        )
    return same[index]


def _built_in(providers: Iterable[str]) -> list[Offer]:
    kinds = ((_kind(provider), provider) for provider in providers)
    return [
        Offer(Device(kind), provider, _CUDA_OPTIONS if provider == CUDA else {})
        for kind, provider in kinds
        if kind != CPU and kind not in _NO_DEVICE
    ]


def _of_plugins(providers: Set[str], devices: Iterable[Any]) -> list[Offer]:
    """Numbers the devices of the providers that came with plugins, accelerators first."""
    ours = sorted(
        (one for one in devices if one.ep_name in providers), key=lambda one: _TYPES.index(_type_of(one))
    )
    numbers: dict[str, int] = {}
    found = []
    for one in ours:
        kind = _kind(one.ep_name)
        number = numbers[kind] = numbers.get(kind, -1) + 1
        on_processor = _type_of(one) == "CPU"
        options = {"load_config": _OPENVINO_CPU} if on_processor and kind == "openvino" else {}
        found.append(Offer(Device(kind, number), one.ep_name, options, one, on_processor))
    return found


def _numbered(offer: Offer, wanted: Device) -> Offer:
    """Hands the number of a device to a provider of ONNX Runtime's own."""
    if wanted.index is None:
        return offer
    return Offer(wanted, offer.provider, {**offer.options, "device_id": str(wanted.index)})


def _hint(wanted: Device) -> str:
    """Says what could be missing."""
    faults = [plugin for plugin in registered_plugins() if plugin.fault]
    idle = [plugin for plugin in registered_plugins() if wanted.kind in map(_kind, plugin.providers)]
    if idle:
        return f"; {idle[0].package} is installed but finds no device that it knows"
    if faults:
        return "".join(f"; {plugin.package} does not load: {plugin.fault.rstrip('.')}" for plugin in faults)
    if wanted.kind == "cuda":
        return f"; this installs the build for it: {build_command('gpu')}"
    package = _PLUGINS.get(wanted.kind)
    return f"; this installs a plugin for it: {pip_command('install', package)}" if package else ""


def _kind(provider: str) -> str:
    name = short_name(provider).lower()
    return _KINDS.get(name, name)


def _type_of(device: Any) -> str:
    return str(device.device.type.name)


def _rank(offer: Offer) -> tuple[bool, int, int]:
    """Puts what runs on the processor last, and kinds that nobody has heard of behind those that are known."""
    kind = offer.device.kind
    place = BEST_FIRST.index(kind) if kind in BEST_FIRST else len(BEST_FIRST)
    return offer.processor, place, offer.device.index or 0
