"""Tells how fast everything around the network is: ``python -m benchmarks.pipeline``.

It restores a segment as a worker does, with an engine that returns its input: decoding, conversion, windows, measuring,
conversion back and encoding. Prints frames a second of wall time, which depends on what else the machine does, and of
processor time, which hardly does, and where the processor time goes.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.pipeline.restoring import measure, write_source
from benchmarks.pipeline.stages import measure_stages


def main() -> None:
    chosen = _parser().parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.mp4"
        write_source(clip, chosen.frames, chosen.height, chosen.width)
        measure(clip, min(chosen.frames, chosen.window), chosen.window)
        best = min(
            (measure(clip, chosen.frames, chosen.window) for _ in range(chosen.rounds)),
            key=lambda one: one.processor_s,
        )
        stages = measure_stages(clip, chosen.frames, chosen.window, Path(folder))
    print(f"{chosen.width}x{chosen.height}, {chosen.frames} frames, the best of {chosen.rounds} rounds:")
    print(f"  {best.per_second:.1f} frames a second")
    print(f"  {best.per_processor_second:.1f} frames a second of one processor")
    print("Milliseconds of one processor for a frame:")
    for name, seconds in stages.items():
        print(f"  {name:16}{1000 * seconds:6.1f}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.pipeline",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=720)
    parser.add_argument("--frames", type=int, default=64, help="of the segment")
    parser.add_argument("--window", type=int, default=4, help="output frames of a window")
    parser.add_argument("--rounds", type=int, default=3)
    return parser


if __name__ == "__main__":
    main()
