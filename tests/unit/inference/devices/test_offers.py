"""What the installed ONNX Runtime and its plugins offer, and how a name is looked up among it."""

from __future__ import annotations

import sys
from pathlib import Path

import onnxruntime as ort
import onnxruntime_ep_openvino
import pytest

from service.devices.names import Device
from service.errors.engine import DeviceUnavailable
from service.inference.devices.offers import Offer, offered, offers, processor
from service.inference.devices.placing import candidates
from service.inference.devices.plugins import Plugin, _modules, _register, registered_plugins

CUDA = Offer(Device("cuda"), "CUDAExecutionProvider", {"a": "b"})
PLUGGED = [
    Offer(Device("webgpu", number), "WebGpuExecutionProvider", plugin_device=object()) for number in (0, 1)
]


def test_the_processor_is_offered_last() -> None:
    assert offers()[-1] == processor()


def test_the_installed_plugin_is_registered_with_the_runtime_once() -> None:
    (plugin,) = [one for one in registered_plugins() if one.package == "onnxruntime-ep-openvino"]
    assert plugin == Plugin("onnxruntime-ep-openvino", ("OpenVINOExecutionProvider",))
    with pytest.raises(Exception, match="already registered"):
        ort.register_execution_provider_library(plugin.package, onnxruntime_ep_openvino.get_library_path())


def test_an_installed_plugin_offers_what_the_runtime_finds_for_it() -> None:
    """On Intel's processors it has one device at least; on others it has none, and its name says so."""
    registered_plugins()
    found = [one for one in ort.get_ep_devices() if one.ep_name == "OpenVINOExecutionProvider"]
    assert len([offer for offer in offers() if offer.device.kind == "openvino"]) == len(found)
    if found:
        assert offered(Device("openvino"), offers()).plugin_device in found
    else:
        with pytest.raises(DeviceUnavailable, match="ep-openvino is installed but finds no device"):
            offered(Device("openvino"), offers())


def test_a_plugin_that_fails_is_told_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "def get_library_path(): return 'nowhere.so'\ndef get_ep_name(): return 'BrokenExecutionProvider'\n"
    )
    (tmp_path / "broken_plugin.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    plugin = _register("onnxruntime-ep-broken", "broken_plugin")
    sys.modules.pop("broken_plugin")
    assert "nowhere.so" in plugin.fault


def test_plugins_are_found_by_the_names_of_their_distributions() -> None:
    owners = {"onnxruntime": ["onnxruntime"], "a_plugin": ["Onnxruntime_EP.Something"], "numpy": ["numpy"]}
    assert _modules(owners) == {"onnxruntime-ep-something": "a_plugin"}


def test_a_number_goes_to_the_provider() -> None:
    choices = (CUDA, processor())
    assert offered(Device("cuda"), choices) == CUDA
    numbered = offered(Device("cuda", 1), choices)
    assert numbered.options == {"a": "b", "device_id": "1"}
    assert str(numbered.device) == "cuda:1"


def test_the_devices_of_a_plugin_are_counted() -> None:
    choices = (*PLUGGED, processor())
    assert offered(Device("webgpu"), choices) is PLUGGED[0]
    assert offered(Device("webgpu", 1), choices) is PLUGGED[1]
    with pytest.raises(DeviceUnavailable, match="the last webgpu here is webgpu:1"):
        offered(Device("webgpu", 2), choices)


def test_a_device_that_is_not_here_is_told_with_those_that_are() -> None:
    with pytest.raises(DeviceUnavailable, match=r"directml cannot be used: .* has cuda, cpu here"):
        offered(Device("directml"), (CUDA, processor()))
    with pytest.raises(DeviceUnavailable, match=r"EXTRAS=gpu|cdvd.gpu"):
        offered(Device("cuda"), (processor(),))


def test_auto_stands_for_accelerators_and_then_the_processor() -> None:
    tensorrt = Offer(Device("tensorrt"), "TensorrtExecutionProvider")
    slow = Offer(Device("openvino", 0), "OpenVINOExecutionProvider", plugin_device=object(), processor=True)
    found = candidates(Device("auto"), (CUDA, tensorrt, *PLUGGED, slow, processor()))
    assert found == (CUDA, *PLUGGED, processor())
