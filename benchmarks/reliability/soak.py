"""Works a service for a while and looks whether anything grows: ``make soak MINUTES=60``.

One client does what clients do, again and again: it submits, watches, fetches and looks at frames, cancels, deletes,
sends in pieces and gives up. Files and records expire within a minute, so that as much goes as comes. After a first
part, in which caches fill, memory, descriptors, threads, keys and files are to stay as they are.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from benchmarks.reliability.machine import heading, table
from benchmarks.reliability.running import running
from benchmarks.reliability.soaking.growth import Series, grown, slope
from benchmarks.reliability.soaking.habits import HABITS, Habits
from benchmarks.reliability.soaking.sampling import Sampler

SETTINGS = {
    "CDVD_SEGMENT_FRAMES": "8",
    "CDVD_RETENTION_S": "20",
    "CDVD_RECORD_RETENTION_S": "20",
    "CDVD_ENGINE_THREADS": "1",
}
WARM = 0.4
"""Part of the time in which caches fill and pools grow to their size."""
PERIOD_S = 5.0


def main() -> None:
    """Prints the table; ends with status 1 if something grew."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--minutes", type=float, default=10.0)
    minutes = arguments.parse_args().minutes
    with tempfile.TemporaryDirectory() as directory:
        done, series = soak(Path(directory), minutes * 60)
    print(heading(f"python -m benchmarks.reliability.soak --minutes {minutes:g}"))
    columns = ("what", f"after {100 * WARM:g} %", "at the end", "slope an hour", "grows")
    print(table(columns, [_row(one) for one in series]))
    print(f"\nDone: {', '.join(f'{number} times {what}' for what, number in sorted(done.items()))}.")
    sys.exit(any(grown(one) for one in series))


def soak(where: Path, seconds: float) -> tuple[Counter[str], list[Series]]:
    """Works a service below ``where``; returns how often what was done, and what was measured after the warm part."""
    over = threading.Event()
    with running(where, SETTINGS) as service:
        habits, sampler = Habits(service), Sampler(service.data)
        threads = [threading.Thread(target=habits.work, args=(habit, over)) for habit in HABITS]
        for thread in threads:
            thread.start()
        try:
            over.wait(seconds * WARM)
            deadline = time.monotonic() + seconds * (1 - WARM)
            while time.monotonic() < deadline:
                sampler.sample()
                over.wait(PERIOD_S)
        finally:
            over.set()
            for thread in threads:
                thread.join()
    return habits.done, sampler.series()


def _row(one: Series) -> tuple[str, str, str, str, str]:
    digits = one.digits
    first, last = one.ends()
    return (
        one.name,
        f"{first:.{digits}f} {one.unit}".strip(),
        f"{last:.{digits}f} {one.unit}".strip(),
        f"{slope(one) * 3600:+.{digits}f} {one.unit}".strip(),
        "yes" if grown(one) else ("by nature" if one.allowed is None else "no"),
    )


if __name__ == "__main__":
    main()
