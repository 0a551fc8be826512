"""What becomes of captions within the pictures."""

from __future__ import annotations

from service.findings import Code, Finding, Kind, said
from service.video.encoding.captions import CODECS


def caption_finding(codec: str) -> Finding:
    """Returns what a result in ``codec`` does with captions."""
    if codec in CODECS:
        return said(Kind.KEPT, Code.CAPTIONS, "captions_kept")
    return said(Kind.LOST, Code.CAPTIONS, "captions_dropped", {"codecs": ", ".join(CODECS)})
