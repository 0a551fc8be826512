"""Channels of sound that a file lists in an order of its own, which PyAV cannot bear."""

from __future__ import annotations

import ctypes

from av.audio.codeccontext import AudioCodecContext

_LISTED = "channels ("
"""Begins the list of channels in an order of the file's own, such as ``2 channels (FC+FC)``."""
_keep_forever = ctypes.pythonapi.Py_IncRef
_keep_forever.argtypes, _keep_forever.restype = [ctypes.py_object], None


def lists_channels(context: AudioCodecContext) -> bool:
    """Returns whether the stream says what its channels are, in an order of its own.

    PyAV frees the list with every object that it gives for a layout, and the list is not the object's own: a second one
    aborts the process. So the first one is kept, which costs some bytes for each such stream.
    """
    layout = context.layout
    listed = _LISTED in layout.name
    if listed:
        _keep_forever(layout)
    return listed


def forget_list(context: AudioCodecContext) -> None:
    """Takes a list of channels away from a stream that is read, which then has their number alone."""
    layout = context.layout
    _keep_forever(layout)
    context.layout = f"{layout.nb_channels} channels"
