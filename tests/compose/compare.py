"""Two videos, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np

from benchmarks.clip import frame_times, read_clip, sound_packets
from cascade.evaluation.metrics import psnr


@dataclass(frozen=True)
class Comparison:
    """``worst_psnr`` in dB is that of the frame that differs most: infinite for equal pictures."""

    frames: int
    expected_frames: int
    same_times: bool
    same_sound: bool
    worst_psnr: float
    same_file: bool

    @property
    def whole(self) -> bool:
        """Whether no frame, time or sound was lost."""
        return self.frames == self.expected_frames and self.same_times and self.same_sound


def compare(found: Path, expected: Path, sent: Path) -> Comparison:
    """``found`` against ``expected`` in pictures, and against what was ``sent`` in times and sound."""
    pictures, wanted = read_clip(found), read_clip(expected)
    pairs = zip_longest(pictures, wanted)
    worst = min(_psnr(one, other) for one, other in pairs)
    return Comparison(
        frames=len(pictures),
        expected_frames=len(read_clip(sent)),
        same_times=frame_times(found) == frame_times(sent),
        same_sound=sound_packets(found) == sound_packets(sent),
        worst_psnr=worst,
        same_file=found.read_bytes() == expected.read_bytes(),
    )


def _psnr(one: np.ndarray | None, other: np.ndarray | None) -> float:
    return -np.inf if one is None or other is None else float(psnr(one, other))
