"""What a result keeps of the frames and their times, as the packets tell."""

from __future__ import annotations

from collections.abc import Iterator

from service.findings import Code, Finding, Kind
from service.text import plural
from service.video.index import FrameIndex


def frame_findings(index: FrameIndex) -> Iterator[Finding]:
    """Yields what is known from the index alone."""
    if index.duplicates:
        left_out = plural(index.duplicates, "frame")
        yield Finding(
            Kind.LOST,
            Code.DUPLICATES,
            f"{left_out} with another frame's time left out.",
            count=index.duplicates,
        )
