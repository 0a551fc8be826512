"""Errors about a video that cannot be used, whether it was sent, stored or just made."""

from __future__ import annotations

from service.errors.base import ServiceError


class VideoError(ServiceError):
    """Base of what a video itself is refused for."""

    code = "video_rejected"


class NotAVideo(VideoError):
    """The file has no container format that the service accepts."""

    code = "not_a_video"


class NoVideoStream(VideoError):
    """The file has no video stream, for example audio alone."""

    code = "no_video_stream"


class DamagedVideo(VideoError):
    """The video is truncated or cannot be decoded."""

    code = "damaged_video"


class FrameSizeRejected(VideoError):
    """The frames have too many pixels, or a side below the minimum."""

    code = "frame_size_rejected"


class ColorRejected(VideoError):
    """The colors of the frames have a meaning that only another decoder knows."""

    code = "color_rejected"


class VideoTooLong(VideoError):
    """The video has more seconds or frames than allowed."""

    code = "video_too_long"


class ExcerptEmpty(VideoError):
    """The video has no frame between the start and the end asked for."""

    code = "excerpt_empty"


class ProbeTimeout(VideoError):
    """Looking at the file took longer than allowed."""

    code = "probe_timeout"
