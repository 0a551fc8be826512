"""Places a model on a device: the first of those allowed that is here, loads the graph and computes what it should."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from service.devices.names import AUTO, CPU, Device, DeviceOrder, Precision
from service.devices.placement import Placement
from service.errors.engine import DeviceUnavailable, EngineError, InferenceFailed, ModelNotFound
from service.inference.card import read_card
from service.inference.devices.device_engine import DeviceEngine
from service.inference.devices.offers import BEST_FIRST, Offer, offered, offers
from service.inference.engine import DeblurEngine
from service.inference.local import graph_file
from service.inference.onnx import OnnxEngine
from service.inference.precision import check_precision

log = logging.getLogger(__name__)

HALF, FULL = "fp16", "fp32"


@dataclass(frozen=True)
class DeviceSettings:
    """What a worker may use."""

    order: DeviceOrder
    precision: Precision = "auto"
    threads: int | None = None
    """Of the processor; None is all."""
    in_flight: int = 2
    """Windows that are on their way to or from an accelerator at a time."""


@dataclass(frozen=True)
class Placed:
    """An engine whose output was compared with the model's, where it runs, and where it may run if that fails."""

    engine: DeblurEngine
    placement: Placement
    others: DeviceOrder | None
    """The devices of the order that were not tried."""


@dataclass(frozen=True)
class Attempt:
    """One device in one precision."""

    offer: Offer
    precision: str
    graph: Path

    def __str__(self) -> str:
        return f"{self.offer.device} in {self.precision}"


class _Faults:
    """What kept a model from each device."""

    def __init__(self, known: Sequence[str]) -> None:
        self.sentences: list[str] = []
        self._last = EngineError("No device was tried.")
        for sentence in known:
            self._note(sentence)

    def add(self, error: EngineError) -> None:
        self._note(str(error))
        self._last = error

    def _note(self, sentence: str) -> None:
        """Keeps a sentence once: both precisions often fail for the same reason."""
        whole = sentence.rstrip(".") + "."
        if whole not in self.sentences:
            self.sentences.append(whole)

    def error(self) -> EngineError:
        """Returns the one error, or several as one; that a window failed here is then a matter of the device."""
        if len(self.sentences) > 1:
            return DeviceUnavailable(" ".join(["No device is left.", *self.sentences]))
        return DeviceUnavailable(str(self._last)) if isinstance(self._last, InferenceFailed) else self._last


def place(directory: Path, settings: DeviceSettings, known: Sequence[str] = ()) -> Placed:
    """Returns an engine for the model in ``directory``, on the first device of the order that works.

    ``known``: sentences on what is wrong with devices that came before. Raises ModelNotFound without the model; if no
    device works, the error of the one that was allowed, or DeviceUnavailable with the reasons of all.
    """
    graph_file(directory)
    choices, faults = offers(), _Faults(known)
    for position, device in enumerate(settings.order.devices):
        others = settings.order.devices[position + 1 :]
        placed = _first_that_works(directory, device, settings, (choices, faults))
        if placed is not None:
            engine, one, measured = placed
            why = _why(device, measured, faults, choices)
            placement = Placement(directory.name, str(one.offer.device), one.precision, why)
            return Placed(engine, placement, DeviceOrder(others) if others else None)
    raise faults.error()


def _first_that_works(
    directory: Path, device: Device, settings: DeviceSettings, found: tuple[tuple[Offer, ...], _Faults]
) -> tuple[DeblurEngine, Attempt, float | None] | None:
    choices, faults = found
    try:
        allowed = candidates(device, choices)
    except DeviceUnavailable as error:
        faults.add(error)
        return None
    for offer in allowed:
        for one in attempts(directory, offer, settings.precision):
            try:
                return _try(directory, one, settings)
            except (ModelNotFound, DeviceUnavailable) as error:
                if isinstance(error, ModelNotFound):
                    raise
                faults.add(error)
                break  # the other precision will not find it either
            except EngineError as error:
                log.warning("The model %s does not run on %s: %s", directory.name, one, error)
                faults.add(error)
    return None


def require_one(order: DeviceOrder) -> None:
    """Raises DeviceUnavailable unless a device of the order is here; whether it works, `place` sees."""
    faults, choices = _Faults(()), offers()
    for device in order.devices:
        try:
            candidates(device, choices)
        except DeviceUnavailable as error:
            faults.add(error)
        else:
            return
    raise faults.error()


def candidates(device: Device, choices: Sequence[Offer]) -> tuple[Offer, ...]:
    """Returns the offers that the name of a device stands for. Raises DeviceUnavailable."""
    if device.kind != AUTO:
        return (offered(device, choices),)
    accelerators = [offer for offer in choices if offer.device.kind in BEST_FIRST and not offer.processor]
    return (*accelerators, choices[-1])


def attempts(directory: Path, offer: Offer, precision: Precision) -> Iterator[Attempt]:
    """Yields the precisions to try on a device, the faster first. Raises EngineError for one that the model lacks."""
    half = read_card(directory).fp16
    if precision == HALF and half is None:
        raise EngineError(f"The model {directory.name!r} has no FP16 graph; take another precision.")
    if half is not None and (precision == HALF or (precision == "auto" and not offer.processor)):
        yield Attempt(offer, HALF, directory / "1" / half.file)
    if precision != HALF:
        yield Attempt(offer, FULL, graph_file(directory))


def _try(
    directory: Path, one: Attempt, settings: DeviceSettings
) -> tuple[DeblurEngine, Attempt, float | None]:
    engine = _engine(directory, one, settings)
    try:
        return engine, one, check_precision(engine, directory)
    except BaseException:
        engine.close()
        raise


def _engine(directory: Path, one: Attempt, settings: DeviceSettings) -> DeblurEngine:
    """The processor takes graphs of any size as they are, which costs it nothing."""
    if one.offer.device.kind == CPU and one.precision == FULL:
        return OnnxEngine(directory, threads=settings.threads)
    return DeviceEngine(one.graph, one.offer, settings.in_flight)


def _why(device: Device, measured: float | None, faults: _Faults, choices: Sequence[Offer]) -> str:
    """Says how exact the output is, and why the model runs here and nowhere else."""
    exact = "not compared with the model's own result"
    if measured is not None:
        exact = f"{measured:.1f} dB from the model's own result"
    if faults.sentences:
        return f"{exact}; {' '.join(faults.sentences).rstrip('.')}"
    if device.kind != AUTO:
        return f"{exact}; asked for by name"
    others = dict.fromkeys(offer.device.kind for offer in choices)
    return (
        f"{exact}; the best of {', '.join(others)}"
        if len(others) > 1
        else f"{exact}; no other device is here"
    )
