"""Says before a frame is restored what a result will keep, change and lack of a video."""

from __future__ import annotations

from pathlib import Path

from service.findings import Finding
from service.types import EncodeOptions
from service.video.findings.frames import frame_findings
from service.video.findings.picture import picture_findings
from service.video.findings.tracks import track_findings
from service.video.index import FrameIndex
from service.video.ranged import RangedFile
from service.video.source import PictureFormat


def foresee(
    media: Path | RangedFile, index: FrameIndex, picture: PictureFormat, options: EncodeOptions
) -> tuple[Finding, ...]:
    """Returns a finding for each property that is known now. Raises what ``open_video`` raises."""
    wanted = options.sound != "none"
    return (
        *(one for one in frame_findings(index) if one.stream is None or wanted),  # streams there are of sound
        *picture_findings(picture, options),
        *track_findings(media, options, index.captioned),
    )
