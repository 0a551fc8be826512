"""Names the speakers of sound that comes with a number of channels and no layout, as players do."""

from __future__ import annotations

from av.audio.codeccontext import AudioCodecContext

_USUAL = {1: "mono", 2: "stereo", 3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
"""FFmpeg's own defaults."""
_UNNAMED = "channels"


def is_assumed(context: AudioCodecContext) -> bool:
    """Returns whether the stream does not say what its channels are."""
    return _UNNAMED in context.layout.name


def layout_of(context: AudioCodecContext) -> str | None:
    """Returns the layout that a stream has or that is assumed for it; None for a number without a usual layout."""
    return _USUAL.get(context.channels) if is_assumed(context) else context.layout.name
