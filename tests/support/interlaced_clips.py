"""Tiny interlaced videos: the lines of a frame are taken from two moments, one after the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from tests.support.broken_clips import later, remux
from tests.support.clips import Clip, Image, moving_picture, write_clip


@dataclass(frozen=True)
class Interlaced(Clip):
    """A clip of frames with two fields; frame ``n`` shows the moments ``2 n`` and ``2 n + 1``."""

    encoder: dict[str, str] = field(default_factory=lambda: {"crf": "2", "bf": "2", "flags": "+ildct+ilme"})
    field_order: str = "tff"
    speed: int = 3
    """How fast the picture moves, so that the fields differ."""

    def moment(self, number: int) -> Image:
        """The whole picture at a moment, of which a frame has only every second line.

        It is gray: 4:2:0 cannot tell the colors of two fields apart unless it is made for them.
        """
        return moving_picture(self.speed * number, self.width, self.height)[:, :, :1].repeat(3, axis=2)

    def picture(self, number: int) -> Image:
        lines = (2 * number, 2 * number + 1) if self.field_order == "tff" else (2 * number + 1, 2 * number)
        woven = self.moment(lines[0]).copy()
        woven[1::2] = self.moment(lines[1])[1::2]
        return woven


def write_hybrid(folder: Path, progressive: Clip, interlaced: Interlaced) -> Path:
    """A transport stream whose frames are progressive first and interlaced then, with one clock."""
    first = write_clip(folder / "first.ts", progressive)
    second = write_clip(folder / "second.ts", interlaced)
    moved = remux(second, folder / "moved.ts", later(Fraction(progressive.frames, 25)))
    path = folder / "hybrid.ts"
    path.write_bytes(first.read_bytes() + moved.read_bytes())
    return path
