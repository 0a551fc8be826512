"""Values that several layers share. Plain data: importing this loads neither numpy nor FFmpeg."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from service.findings import Finding

CONTEXT_FRAMES = 4
"""Input frames a window needs beyond its output frames: the two-stage cascade looks two to each side."""

MIN_SIDE = 64
"""Smallest height or width, in pixels, that the exported graphs take."""

Interlacing = Literal["auto", "keep", "off"]
"""What becomes of interlaced frames: ``auto`` deinterlaces those that say that they are interlaced, ``keep`` restores
their fields each by itself, and ``off`` takes all frames for progressive."""

Engine = Literal["auto", "onnx", "openvino", "triton"]
"""What restores windows: ``onnx`` and ``openvino`` are ONNX Runtime and OpenVINO in the worker's process, ``triton``
are servers of NVIDIA Triton."""


Sound = Literal["auto", "compatible", "copy", "none"]
"""How sound gets into a result: ``auto`` copies what the container takes and players play, and codes the rest anew,
without loss where the source has none; ``compatible`` codes all as AAC (Opus in WebM); ``copy`` never codes anew;
``none`` leaves sound out."""


@dataclass(frozen=True)
class ColorTags:
    """The four color fields of a stream, as FFmpeg's integer codes (2 is 'unspecified')."""

    primaries: int
    transfer: int
    matrix: int
    full_range: bool


@dataclass(frozen=True)
class Excerpt:
    """The part of a video from ``start_s`` on and before ``end_s``, in seconds of its own clock; None is its end."""

    start_s: float = 0.0
    end_s: float | None = None


@dataclass(frozen=True)
class VideoInfo:
    """Describes an input video, or an excerpt of it, as its probe read it. Sizes are in pixels, before rotation."""

    container: str
    codec: str
    width: int
    height: int
    frames: int
    duration_s: float
    fps: float
    variable_frame_rate: bool
    rotation: int
    """Degrees clockwise that a player turns the frames by: 0, 90, 180 or 270."""
    bit_depth: int
    color: ColorTags
    audio: tuple[str, ...]
    """Codec names of the audio streams."""
    subtitles: tuple[str, ...]
    excerpt: Excerpt | None = None
    """The part that frames, duration and rate are of; None is the whole."""
    findings: tuple[Finding, ...] = ()
    """What a result with the options that were asked for keeps, changes and lacks, as far as it is known before."""
    chroma: str = "420"
    """The resolution of chroma as in ``service.encoding.pixels``; ``gray`` and ``rgb`` have none."""
    has_alpha: bool = False
    """Whether the frames have transparency."""


@dataclass(frozen=True)
class RemoteFile:
    """A file in an object store, read over HTTP in ranges for as long as its signed address is valid."""

    url: str
    bytes: int
    public: bool = False
    """Whether clients of the service can reach the address as well."""


@dataclass(frozen=True)
class Segment:
    """A run of output frames that one task restores: ``start <= frame < stop``, in presentation order."""

    index: int
    start: int
    stop: int

    @property
    def frames(self) -> int:
        """The number of output frames."""
        return self.stop - self.start


@dataclass(frozen=True)
class EncodeOptions:
    """How results are encoded. All segments of a job share one value, or their pieces would not join."""

    codec: str = "h264"
    crf: int | None = 14
    """The constant rate factor on the codec's own scale; None for codecs without one, and for ``lossless``."""
    container: str = "mp4"
    encode_quality: str | None = None
    """What chose the rate factor; None if it was asked for by itself."""
    encoder: str = "software"
    bit_depth: int | None = None
    """Bits per sample that were asked for; None keeps as many of the source's as players cope with."""
    chroma: str | None = None
    """The same of the resolution of chroma."""
    deinterlace: Interlacing = "auto"
    sound: Sound = "auto"
    """Whether sound is copied where that works, coded as all players know it, or never coded anew."""

    @property
    def density(self) -> str:
        """Names what decides the bytes per pixel: results of one name are about as dense."""
        return f"{self.codec}|{self.encode_quality if self.crf is None else self.crf}"
