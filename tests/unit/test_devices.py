"""Names of devices, as options and settings take them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from service.config import Settings
from service.devices.names import Device, DeviceOrder
from service.devices.placement import Placement
from service.errors.engine import InvalidDevice


def test_an_order_is_names_with_commas_between() -> None:
    order = DeviceOrder.parse("CUDA:1, tensorrt-rtx,cpu")
    assert order.devices == (Device("cuda", 1), Device("tensorrt-rtx"), Device("cpu"))
    assert str(order) == "cuda:1,tensorrt-rtx,cpu"


@pytest.mark.parametrize(
    "text", ["", "cuda:", "cuda:x", ":1", "cuda,,cpu", "cuda cpu", "cpu:1", "auto:0", "-", "cuda:1000"]
)
def test_what_is_no_device_is_refused_and_said(text: str) -> None:
    with pytest.raises(InvalidDevice, match="is no device; there are auto, cpu"):
        DeviceOrder.parse(text)


def test_the_setting_is_checked_when_it_is_read() -> None:
    assert Settings(device="Cuda,CPU").device == "cuda,cpu"
    with pytest.raises(ValidationError, match="is no device"):
        Settings(device="cuda:one")


def test_a_placement_is_one_line() -> None:
    assert Placement("lite", "cuda:1", "fp16", "67.4 dB").line == "lite runs on cuda:1 in fp16: 67.4 dB"
    assert Placement("lite", "triton", "", "as set").line == "lite runs on triton: as set"
