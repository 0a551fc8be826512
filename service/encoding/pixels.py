"""Says in what pixels a video is coded, apart from its codec: chroma resolution, bits per sample and transparency."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

CHROMAS = ("gray", "410", "411", "420", "440", "422", "444", "rgb")
"""Resolutions of chroma, as in 4:2:0; ``gray`` has none, ``rgb`` is coded without a matrix."""
_STEPS = {
    "gray": (99, 99),
    "410": (4, 4),
    "411": (4, 1),
    "420": (2, 2),
    "440": (1, 2),
    "422": (2, 1),
    "444": (1, 1),
    "rgb": (1, 1),
}
"""Pixels, across and down, that share a sample of chroma."""

HUGE_PIXELS = 12_000_000
"""Pixels of a frame from which on encoders save memory, on every machine alike, because bytes depend on it."""
_SAMPLES = {"gray": 1.0, "410": 1.125, "411": 1.5, "420": 1.5, "440": 2.0, "422": 2.0, "444": 3.0, "rgb": 3.0}
"""Samples per pixel."""

_HOLDS: dict[str, str] = {
    "gray": "420",
    "410": "420",
    "420": "422",
    "411": "422",
    "422": "444",
    "440": "444",
    "rgb": "444",
}
"""The next format that holds all of one; ``rgb`` keeps its resolution in ``444`` and changes its colors' coding."""


@dataclass(frozen=True)
class Pixels:
    """str resolution, bits per sample, and whether there is transparency."""

    chroma: str = "420"
    depth: int = 8
    alpha: bool = False

    @property
    def plain(self) -> bool:
        """Whether these are the 8-bit 4:2:0 pixels that every player decodes."""
        return self == Pixels()

    @property
    def bytes(self) -> float:
        """Bytes per pixel of a frame."""
        return (_SAMPLES[self.chroma] + self.alpha) * (2 if self.depth > 8 else 1)

    @property
    def format(self) -> str:
        """FFmpeg's name of the format, with little-endian samples."""
        deep = f"{self.depth}le" if self.depth > 8 else ""
        if self.chroma == "gray":
            return f"gray{deep}"
        if self.chroma == "rgb" and not deep:
            return "bgra" if self.alpha else "bgr0"
        if self.chroma == "rgb":
            return f"gbr{'a' * self.alpha}p{deep}"
        return f"yuv{'a' * self.alpha}{self.chroma}p{deep}"

    def __str__(self) -> str:
        name = {"gray": "gray", "rgb": "RGB"}.get(self.chroma) or "Y'CbCr " + ":".join(self.chroma)
        return f"{self.depth}-bit {name}" + (" with transparency" if self.alpha else "")


@dataclass(frozen=True)
class PixelRange:
    """The pixels that a codec can be asked for."""

    chromas: tuple[str, ...]
    depths: tuple[int, ...]
    alpha_chromas: tuple[str, ...] = ()
    """Those that it codes with transparency."""

    def nearest(self, source: Pixels, chroma: str | None = None, depth: int | None = None) -> Pixels:
        """Returns the pixels that keep most of ``source`` and cost least; ``chroma`` and ``depth`` were asked for."""
        kept = source.alpha and bool(self.alpha_chromas)
        offered = self.alpha_chromas if kept else self.chromas
        wanted = replace(source, chroma=chroma or source.chroma, depth=depth or source.depth)
        return Pixels(_smallest_chroma(wanted.chroma, offered), self._depth(wanted.depth), kept)

    def _depth(self, wanted: int) -> int:
        return min((depth for depth in self.depths if depth >= wanted), default=self.depths[-1])


def _smallest_chroma(wanted: str, offered: Collection[str]) -> str:
    """Returns ``wanted``, else the next that holds it, else the finest that is offered."""
    candidate: str | None = wanted
    while candidate is not None:
        if candidate in offered:
            return candidate
        candidate = _HOLDS.get(candidate)
    return max(offered, key=CHROMAS.index)


def loses_chroma(given: str, taken: str) -> bool:
    """Returns whether chroma of the resolution ``given`` loses some of it across or down where it becomes ``taken``."""
    return any(one < other for one, other in zip(_STEPS[given], _STEPS[taken], strict=True))
