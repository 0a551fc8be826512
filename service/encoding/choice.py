"""Decides how a result is encoded: checks what was asked for, and fills in what was left open from the video.

A result stays in its source's family of containers, and the codec follows: H.264 for 8 bits, which plays everywhere,
HEVC above; in WebM VP9 for 8 bits, AV1 above. What is made for editing stays so: ProRes and pictures with transparency
in MOV become ProRes, FFV1 and transparency in Matroska FFV1, transparency in WebM VP9.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from service.encoding.codecs import (
    ALPHA_CONTAINERS,
    CODECS,
    HARDWARE,
    Codec,
)
from service.encoding.pixels import Pixels
from service.types import EncodeOptions, Interlacing, Sound, VideoInfo

_FAMILY: dict[str, str] = {"mov": "mov", "matroska": "mkv", "webm": "webm", "mxf": "mov"}
"""The containers of results by those of sources; all others become MP4, which plays everywhere."""
_ANIMATIONS = ("gif", "apng", "webp")
_FIRST: dict[str, tuple[str, ...]] = {
    "mp4": ("h264", "hevc"),
    "mov": ("h264", "hevc"),
    "mkv": ("h264", "hevc"),
    "webm": ("vp9", "av1"),
}
"""The codecs of 8-bit and of deeper video."""
_EDITED: dict[str, str] = {"mov": "prores", "mkv": "ffv1"}
_FOR_ALPHA: dict[str, str] = {**_EDITED, "webm": "vp9"}


class ImpossibleEncodingError(ValueError):
    """Options that no result can have together; the message says which can."""


@dataclass(frozen=True)
class Asked:
    """What was asked for; None leaves it to the service."""

    codec: str | None = None
    container: str | None = None
    crf: int | None = None
    encode_quality: str | None = None
    encoder: str | None = None
    bit_depth: int | None = None
    chroma: str | None = None
    deinterlace: Interlacing | None = None
    sound: Sound | None = None


def check(asked: Asked) -> None:
    """Raises ImpossibleEncodingError for what is impossible with any video."""
    if asked.crf is not None and asked.encode_quality is not None:
        raise ImpossibleEncodingError(
            "The option encode_quality chooses the rate factor; give either it or crf."
        )
    if asked.codec is None:
        if asked.container == "webm" and asked.encoder == "hardware":
            raise ImpossibleEncodingError("Hardware encodes AV1 in WebM; ask for codec=av1.")
        return
    codec = CODECS[asked.codec]
    if asked.container is not None and asked.container not in codec.containers:
        raise ImpossibleEncodingError(
            f"The container {asked.container} does not hold {codec.label}; {_holders(codec)} "
            f"and {asked.container} holds {_held(asked.container)}."
        )
    _check_quality(asked, codec)
    if asked.encoder == "hardware" and asked.codec not in HARDWARE:
        able = ", ".join(HARDWARE)
        raise ImpossibleEncodingError(f"No hardware encodes {codec.label} here; it encodes {able}.")
    _check_pixels(asked, codec, asked.codec)


def resolve(asked: Asked, video: VideoInfo | None = None) -> EncodeOptions:
    """Returns the options of a job for ``video``; None stands for 8-bit video in MP4, of which nothing else is known.

    Raises ImpossibleEncodingError.
    """
    check(asked)
    pixels = pixels_of(video) if video else Pixels()
    container = container_for(asked, _family(video) if video else "mp4")
    name = asked.codec or _codec(asked, container, pixels, video.codec if video else "")
    codec = CODECS[name]
    _check_quality(asked, codec)
    _check_pixels(asked, codec, name)
    quality = asked.encode_quality or (None if asked.crf is not None else _usual_quality(codec))
    return EncodeOptions(
        codec=name,
        crf=codec.crf.get(quality) if quality else asked.crf,
        container=container,
        encode_quality=quality,
        encoder=asked.encoder or "software",
        bit_depth=asked.bit_depth,
        chroma=asked.chroma,
        deinterlace=asked.deinterlace or "auto",
        sound=asked.sound or "auto",
    )


def pixels_of(video: VideoInfo) -> Pixels:
    """Returns what the frames of a video are coded in."""
    return Pixels(video.chroma, video.bit_depth, video.has_alpha)


def result_pixels(options: EncodeOptions, source: Pixels) -> Pixels:
    """Returns the pixels of a result: what the codec and the container keep of the source's."""
    codec = CODECS[options.codec]
    if options.encoder == "hardware":
        return HARDWARE[options.codec].nearest(replace(source, alpha=False), depth=options.bit_depth)
    wider = codec.more_pixels if options.bit_depth or options.chroma else None
    found = (wider or codec.pixels).nearest(
        source,
        options.chroma or _usual_chroma(codec, source),
        options.bit_depth or _usual_depth(codec, source),
    )
    if found.alpha and options.container not in ALPHA_CONTAINERS[options.codec]:
        opaque = Pixels(source.chroma, source.depth)
        return result_pixels(options, opaque)
    return found


def _usual_chroma(codec: Codec, source: Pixels) -> str | None:
    """Returns the chroma that a codec with rarer formats has unless others are asked for."""
    return codec.pixels.nearest(source).chroma if codec.more_pixels else None


def _usual_depth(codec: Codec, source: Pixels) -> int | None:
    return codec.pixels.nearest(source).depth if codec.more_pixels else None


def container_for(asked: Asked, family: str) -> str:
    """Returns the container that was asked for, else the source's ``family``, else the first that holds the codec."""
    if asked.container is not None:
        return asked.container
    if asked.codec is None:
        return family
    holders = CODECS[asked.codec].containers
    return family if family in holders else holders[0]


def _family(video: VideoInfo) -> str:
    """Returns the container that a result of ``video`` stays in, or one that keeps its transparency."""
    usual = "mp4"
    if video.has_alpha and video.container != "mp4":
        usual = "webm" if video.container in _ANIMATIONS else "mov"
    return _FAMILY.get(video.container, usual)


def _codec(asked: Asked, container: str, pixels: Pixels, source_codec: str) -> str:
    if pixels.alpha and container in _FOR_ALPHA and asked.encoder != "hardware":
        return "vp9" if source_codec in ("vp8", "vp9") and container != "mov" else _FOR_ALPHA[container]
    if _EDITED.get(container) == source_codec and asked.encoder != "hardware":
        fits = asked.encode_quality is None or asked.encode_quality in CODECS[source_codec].qualities
        if fits and asked.crf is None:
            return source_codec
    usual, deep = _FIRST[container]
    depth = asked.bit_depth or pixels.depth
    return deep if depth > max(CODECS[usual].pixels.depths) else usual


def _usual_quality(codec: Codec) -> str:
    return "high" if "high" in codec.qualities else "lossless"


def _check_quality(asked: Asked, codec: Codec) -> None:
    if asked.crf is not None and not codec.crf:
        raise ImpossibleEncodingError(
            f"{codec.label} has no rate factor; leave crf out"
            + ("." if codec.qualities == ("lossless",) else ", and choose by encode_quality.")
        )
    if asked.crf is not None and asked.crf > codec.worst_crf:
        raise ImpossibleEncodingError(
            f"The option crf is at most {codec.worst_crf} for {codec.label}, not {asked.crf}."
        )
    if asked.encode_quality is not None and asked.encode_quality not in codec.qualities:
        raise ImpossibleEncodingError(
            f"{codec.label} is encoded as {' or '.join(codec.qualities)}, not as {asked.encode_quality}."
        )


def _check_pixels(asked: Asked, codec: Codec, name: str) -> None:
    in_hardware = HARDWARE.get(name) if asked.encoder == "hardware" else None
    offered = in_hardware or codec.more_pixels or codec.pixels
    if asked.bit_depth is not None and asked.bit_depth not in offered.depths:
        depths = " or ".join(map(str, offered.depths))
        raise ImpossibleEncodingError(
            f"{codec.label} is encoded with a bit depth of {depths}, not {asked.bit_depth}."
        )
    if asked.chroma is not None and asked.chroma not in offered.chromas:
        chromas = " or ".join(offered.chromas)
        raise ImpossibleEncodingError(f"{codec.label} is encoded with chroma {chromas}, not {asked.chroma}.")


def _holders(codec: Codec) -> str:
    return f"{codec.label} goes into {' or '.join(codec.containers)},"


def _held(container: str) -> str:
    return ", ".join(name for name, codec in CODECS.items() if container in codec.containers)
