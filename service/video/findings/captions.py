"""What becomes of captions within the pictures."""

from __future__ import annotations

from service.findings import Code, Finding, Kind
from service.video.encoding.captions import CODECS


def caption_finding(codec: str) -> Finding:
    """Returns what a result in ``codec`` does with captions."""
    if codec in CODECS:
        return Finding(
            Kind.KEPT, Code.CAPTIONS, "Captions within the pictures (CEA-608/708) are carried over."
        )
    text = f"Captions within the pictures (CEA-608/708) are left out: only {' and '.join(CODECS)} carry them here."
    return Finding(Kind.LOST, Code.CAPTIONS, text)
