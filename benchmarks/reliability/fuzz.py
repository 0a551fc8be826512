"""Throws what nobody foresaw at a gateway for some minutes and prints what it did: ``make fuzz``.

Nothing may be answered with 500, leave a traceback in the log or raise what is no error of the service.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.reliability.doors import (
    PARSERS,
    Outcome,
    documented_calls,
    parser,
    raw_requests,
    uploaded_videos,
)
from benchmarks.reliability.machine import heading, table
from benchmarks.reliability.running import running
from tests.support.clips import Clip, write_clip

SEEDS = {
    "a.mp4": Clip(frames=3, audio="aac"),
    "b.mkv": Clip(frames=3, audio="aac"),
    "c.avi": Clip(frames=3, codec="mpeg4", encoder={}),
    "d.ts": Clip(frames=3, audio="aac"),
    "e.webm": Clip(frames=3, codec="libvpx", encoder={}),
    "f.flv": Clip(frames=3, codec="flv", encoder={}),
    "g.mpg": Clip(frames=3, codec="mpeg2video", encoder={}),
    "h.mov": Clip(frames=3, rotation=90),
}
"""Videos whose bytes are changed."""
_SHARES = {"documented": 0.4, "raw": 0.15, "videos": 0.25, "parsers": 0.2}
"""Of the time."""


def main() -> None:
    """Prints the table; ends with status 1 where a door has a fault."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--minutes", type=float, default=5.0, help="time for all doors together")
    arguments.add_argument("--seed", type=int, default=1)
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        found = list(outcomes(Path(directory), asked.minutes * 60, asked.seed))
    print(heading(f"python -m benchmarks.reliability.fuzz --minutes {asked.minutes:g}"))
    rows = [(one.door, one.inputs, len(one.faults)) for one in found]
    print(table(("door", "inputs", "faults"), rows))
    for one in found:
        for fault in one.faults[:5]:
            print(f"{one.door}: {fault}", file=sys.stderr)
    sys.exit(any(one.faults for one in found))


def outcomes(where: Path, seconds: float, seed: int) -> Iterator[Outcome]:
    """Yields what each door did, one after the other, with files in ``where``."""
    seeds = [write_clip(where / name, clip).read_bytes() for name, clip in SEEDS.items()]
    with running(where, {"CDVD_PROBE_TIMEOUT_S": "10"}) as service:
        yield documented_calls(service, where, seconds * _SHARES["documented"])
        yield raw_requests(service, seconds * _SHARES["raw"], seed)
        yield uploaded_videos(service, seeds, seconds * _SHARES["videos"], seed)
    for name in PARSERS:
        outcome = parser(name, where, seconds * _SHARES["parsers"] / len(PARSERS))
        if outcome is not None:
            yield outcome


if __name__ == "__main__":
    main()
