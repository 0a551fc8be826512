"""What a result keeps of everything beside the picture."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import av

from service.findings import Code, Finding, Kind
from service.types import EncodeOptions
from service.video.container import open_video
from service.video.muxing import MUXERS
from service.video.ranged import RangedFile
from service.video.stream_copies import reasons_left_out

_CODES = {"audio": Code.SOUND, "subtitle": Code.SUBTITLES, "attachment": Code.ATTACHMENTS}


def track_findings(media: Path | RangedFile, options: EncodeOptions) -> Iterator[Finding]:
    """Yields a finding for each stream that the result would lack. Raises what ``open_video`` raises."""
    with (
        open_video(media) as original,
        av.open(io.BytesIO(), "w", format=MUXERS[options.container]) as output,
    ):
        for index, reason in reasons_left_out(original, output).items():
            code = _CODES.get(original.streams[index].type, Code.DATA)
            yield Finding(Kind.LOST, code, reason, index)
