"""Names of devices that restore windows: what ``--device`` and ``CDVD_DEVICE`` say. Pure; loads no runtime."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from service.errors.engine import InvalidDevice

Precision = Literal["auto", "fp16", "fp32"]
"""What a device computes in; ``auto`` is FP16 on accelerators for which the model has such a graph."""

AUTO, CPU = "auto", "cpu"
_NAME = re.compile(r"([a-z][a-z0-9-]*?)(?::(\d{1,3}))?")


@dataclass(frozen=True)
class Device:
    """A kind of device, and which of several; without a number the runtime takes its first."""

    kind: str
    index: int | None = None

    @classmethod
    def parse(cls, text: str) -> Device:
        """Reads ``cuda`` or ``cuda:1``. Raises InvalidDevice."""
        match = _NAME.fullmatch(text.strip().lower())
        if match is None or (match[1] in (AUTO, CPU) and match[2]):
            raise InvalidDevice(
                f"{text.strip()[:64]!r} is no device; there are auto, cpu, and names such as cuda and cuda:1."
            )
        return cls(match[1], None if match[2] is None else int(match[2]))

    def __str__(self) -> str:
        return self.kind if self.index is None else f"{self.kind}:{self.index}"


@dataclass(frozen=True)
class DeviceOrder:
    """The devices that a worker may use: the first that works, and those after it where one fails later."""

    devices: tuple[Device, ...]

    @classmethod
    def parse(cls, text: str) -> DeviceOrder:
        """Reads names with commas between, such as ``cuda,cpu``. Raises InvalidDevice."""
        return cls(tuple(Device.parse(part) for part in text.split(",")))

    def __str__(self) -> str:
        return ",".join(map(str, self.devices))
