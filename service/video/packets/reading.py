"""Finds out which frames a video has and when each appears, from its packets alone: nothing is decoded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from service.errors.video import DamagedVideo, VideoTooLong
from service.video.headers.captions import caption_check
from service.video.index import FrameIndex, Identity, Keyframe
from service.video.packets.clocks import timeline_of
from service.video.packets.field_pairs import FieldPairs
from service.video.packets.leaps import mend_outliers
from service.video.packets.sanity import sanity_check
from service.video.packets.sizes import SizeWatch
from service.video.packets.track import HIDDEN, KEY, NO_TIME, Track, read_tracks
from service.video.packets.truncation import lost_seconds
from service.video.timeline import StreamClock, Timeline

_PROGRAM_STREAM = "mpeg"
_UNSEEKABLE = (_PROGRAM_STREAM, "gif", "apng")
"""MPEG program streams store one time for several frames, and the place of one packet. What FFmpeg computes for the
others is right when it reads from the start of the file, not after a seek. Frames of animations are differences."""

_COMPUTED = "avi"
"""AVI stores no times at all. Those that FFmpeg computes are right only when it reads from the start, and where frames
are reordered, only as a set."""

_ARBITRARY_CLOCK = ("mpegts", "mpeg")
"""Broadcast formats whose clock starts anywhere, up to 26 hours in; a result starts at zero instead."""

LATE_S = 1
"""A clock that begins later than this does so because nobody set it: a live stream, a part of a longer recording."""


def read_index(
    container: InputContainer, stream: VideoStream, head: bytes, max_frames: int | None = None
) -> tuple[FrameIndex, Timeline]:
    """Indexes ``stream`` by reading all packets of the file, and leaves the container at its end.

    ``head``: the first HEAD bytes of the file.

    Raises DamagedVideo where there are no usable frames, VideoTooLong above ``max_frames``.
    """
    watch = _Watch(stream, max_frames)
    try:
        tracks = read_tracks(container, watch.see)
    except av.FFmpegError as error:
        raise DamagedVideo(f"The video stream cannot be read: {error.strerror}.") from error
    picture = tracks[stream.index]
    if not any(_is_frame(picture, at) for at in range(len(picture.pts))):
        raise DamagedVideo("The video stream holds no frames. The file is probably truncated.")
    if container.format.name == _PROGRAM_STREAM:
        mend_outliers(picture)
    timeline = timeline_of(tracks, stream.index, container.format.name)
    clock = timeline.clock(stream.index)
    index = _index(container, picture, clock, bool(timeline.breaks))
    changes = watch.sizes.changes
    index = replace(
        index,
        breaks=timeline.breaks,
        damaged_sound=tuple(sorted(watch.damaged_sound.items())),
        broken=frozenset(_tick(picture, at, clock) for at in watch.broken),
        sizes=tuple((_tick(picture, one.ordinal, clock), one.width, one.height) for one in changes),
        shapes=tuple((_tick(picture, one.ordinal, clock), one.aspect) for one in watch.sizes.shapes),
        captions=_span(picture, watch.captioned, clock),
        lost=lost_seconds(container, stream, tracks, head),
    )
    return index, timeline


def _span(track: Track, ordinals: list[int], clock: StreamClock) -> tuple[int, int] | None:
    """Returns the first and the last tick of some packets; None where there are none."""
    ticks = [_tick(track, at, clock) for at in ordinals]
    return (min(ticks), max(ticks)) if ticks else None


def _tick(track: Track, ordinal: int, clock: StreamClock) -> int:
    """Returns when a packet's frame appears on the continuous clock."""
    return track.pts[ordinal] - clock.shift(ordinal)


class _Watch:
    """Looks at the packets of the picture while they are read."""

    def __init__(self, stream: VideoStream, max_frames: int | None) -> None:
        self._stream = stream.index
        self._max_frames = max_frames
        self._shown = 0
        codec = stream.codec_context
        self._fields = FieldPairs(codec.extradata) if codec.codec.canonical_name == "h264" else None
        self._is_sane = sanity_check(stream.codec_context)
        self._has_captions = caption_check(codec.codec.canonical_name)
        self.captioned: list[int] = []
        """Ordinals of the packets that carry captions."""
        self.sizes = SizeWatch(stream)
        self._sounds: dict[int, Callable[[bytes], bool]] = {}
        self.damaged_sound: Counter[int] = Counter()
        """How many packets of each stream of sound are damaged."""
        self.broken: list[int] = []
        """Ordinals of the packets that cannot be decoded."""

    def see(self, packet: Packet[Any], track: Track) -> None:
        """Raises VideoTooLong for a packet too many, and DamagedVideo for one without a time."""
        if packet.stream.index != self._stream:
            self._hear(packet)
            return
        if self._fields is not None and self._fields.is_second(bytes(packet)):
            track.flags[-1] |= HIDDEN
            track.duration[-2] += track.duration[-1]
        if track.flags[-1] & HIDDEN:
            return
        if packet.pts is None:
            raise DamagedVideo("The video stream holds frames without a timestamp. Remux it and try again.")
        self._shown += 1
        if self._max_frames is not None and self._shown > self._max_frames:
            raise VideoTooLong(f"The video has more frames than the {self._max_frames} that are allowed.")
        data, ordinal = bytes(packet), len(track.pts) - 1
        if not self._is_sane(data):
            self.broken.append(ordinal)
            return
        self.sizes.see(packet, ordinal)
        if self._has_captions(data):
            self.captioned.append(ordinal)

    def _hear(self, packet: Packet[Any]) -> None:
        """Counts damaged packets of sound."""
        stream = packet.stream
        if stream.type != "audio" or stream.codec_context is None:
            return
        check = self._sounds.setdefault(stream.index, sanity_check(stream.codec_context))
        if not check(bytes(packet)):
            self.damaged_sound[stream.index] += 1


def _is_frame(track: Track, ordinal: int) -> bool:
    return track.pts[ordinal] != NO_TIME and not track.flags[ordinal] & HIDDEN


def _index(container: InputContainer, track: Track, clock: StreamClock, broken: bool) -> FrameIndex:
    shown = _shown(track, clock)
    pts = tuple(sorted(shown))
    identity = _identity(container.format.name, track, broken)
    keys = [at for tick, at in shown.items() if track.flags[at] & KEY]
    origin, late = _origin(container, track.time_base, pts[0])
    last = shown[pts[-1]]
    return FrameIndex(
        time_base=track.time_base,
        pts=pts,
        keyframes=tuple(sorted((_keyframe(track, at, clock) for at in keys), key=lambda key: key.pts)),
        last_duration=track.duration[last] or _typical(pts, track),
        origin=origin,
        late=late,
        identity=identity,
        moments=_moments(track, shown, identity),
        duplicates=sum(_is_frame(track, at) for at in range(len(track.pts))) - len(shown),
    )


def _shown(track: Track, clock: StreamClock) -> dict[int, int]:
    """Returns the packet of each frame by the tick at which it appears; the first of several at the same."""
    shown: dict[int, int] = {}
    for at in range(len(track.pts)):
        if _is_frame(track, at):
            shown.setdefault(_tick(track, at, clock), at)
    return shown


def _identity(container: str, track: Track, broken: bool) -> Identity:
    if container not in (*_UNSEEKABLE, _COMPUTED) and not broken:
        return Identity.TIME
    if container == _COMPUTED and track.pts != track.dts:
        return Identity.OUTPUT
    unique = -1 not in track.place and len(set(track.place)) == len(track.place)
    return Identity.PLACE if unique and container not in _UNSEEKABLE else Identity.ORDINAL


def _moments(track: Track, shown: dict[int, int], identity: Identity) -> dict[int, int]:
    if identity is Identity.TIME:
        return {}
    if identity is Identity.PLACE:
        return {track.place[at]: tick for tick, at in shown.items()}
    if identity is Identity.OUTPUT:
        return dict(zip(sorted(shown.values()), sorted(shown), strict=True))
    return {at: tick for tick, at in shown.items()}


def _keyframe(track: Track, at: int, clock: StreamClock) -> Keyframe:
    dts = track.pts[at] if track.dts[at] == NO_TIME else track.dts[at]
    return Keyframe(_tick(track, at, clock), dts, track.place[at])


def _typical(pts: tuple[int, ...], track: Track) -> int:
    if len(pts) > 1:
        return max((pts[-1] - pts[0]) // (len(pts) - 1), 1)
    return max(round(Fraction(1, 25) / track.time_base), 1)


def _origin(container: InputContainer, time_base: Fraction, first: int) -> tuple[int, bool]:
    """Returns the tick that is zero in a result, and whether that is so because the clock begins late."""
    began = container.start_time
    start = first if began is None else min(first, int(Fraction(began, av.time_base) / time_base))
    if container.format.name in _ARBITRARY_CLOCK:
        return start, False
    late = start * time_base > LATE_S
    return (start if late else min(first, 0)), late
