"""Chooses how sound is coded anew where it cannot be copied. Loads no numpy: the probe's child uses it, too."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.container import OutputContainer

_LOSSLESS = {"mp4": "flac", "mov": "alac", "mkv": "flac"}
"""By container: what browsers play in MP4, and QuickTime in MOV. WebM holds nothing of the kind."""
_LOSSY = {"mp4": "aac", "mov": "aac", "mkv": "aac", "webm": "libopus"}
_NAMES = {"flac": "FLAC", "alac": "ALAC", "aac": "AAC", "libopus": "Opus"}

_EXACT = re.compile(
    r"pcm_|adpcm_|flac$|alac$|truehd$|mlp$|wavpack$|tta$|ape$|tak$|shorten$|wmalossless$|als$|s302m$"
)
"""Codecs whose decoders give whole numbers, the same everywhere: these can be stored without loss."""
_FLOATS = re.compile(r"pcm_f|pcm_s64")
_BITS = {"u8": 16, "s16": 16, "s32": 24}
"""Bits that a sample of each format is stored with; FLAC and ALAC hold 16 or 24."""
_TOO_WIDE = re.compile(r"pcm_[su]32|pcm_f|pcm_s64")
"""More than 24 bits."""
_FORMATS = {("flac", 16): "s16", ("flac", 24): "s32", ("alac", 16): "s16p", ("alac", 24): "s32p"}

_AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
_OPUS_RATE = 48_000
_BITS_PER_CHANNEL = 96_000
"""Of AAC and Opus, per second: what listening tests call transparent for stereo."""


@dataclass(frozen=True)
class SoundCoding:
    """How a track of sound is coded anew."""

    encoder: str
    """FFmpeg's name."""
    sample_format: str
    rate: int
    layout: str
    bit_rate: int | None
    exact: bool
    """Whether every sample comes back as the source's decoder gives it."""
    rounded: bool = False
    """Whether samples of more than 24 bits are rounded to 24."""

    @property
    def codec(self) -> str:
        """FFmpeg's name of the codec."""
        return "opus" if self.encoder == "libopus" else self.encoder

    @property
    def name(self) -> str:
        return _NAMES[self.encoder]

    def add_to(self, output: OutputContainer) -> AudioStream:
        """Adds a stream with these parameters. Raises ValueError where the container does not take the codec."""
        stream = output.add_stream(self.encoder, rate=self.rate)
        assert isinstance(stream, AudioStream)
        context = stream.codec_context
        context.layout, context.format = self.layout, self.sample_format
        stream.time_base = context.time_base = Fraction(1, self.rate)
        if self.bit_rate:
            context.bit_rate = self.bit_rate
        return stream


def lossless(context: AudioCodecContext, layout: str, container: str) -> SoundCoding | None:
    """Returns a coding that keeps every sample of a lossless codec, rounded to 24 bits at most, if there is one."""
    codec, encoder = context.codec.canonical_name, _LOSSLESS.get(container)
    if encoder is None or not _EXACT.match(codec):
        return None
    rounded = bool(_TOO_WIDE.match(codec))
    bits = 24 if rounded else _BITS.get(context.format.packed.name, 24)
    return SoundCoding(
        encoder,
        _FORMATS[encoder, bits],
        context.sample_rate,
        layout,
        None,
        exact=not rounded,
        rounded=rounded,
    )


def lossy(context: AudioCodecContext, layout: str, container: str) -> SoundCoding:
    """Returns the coding that players of the container know best."""
    encoder = _LOSSY[container]
    if encoder == "libopus":
        rate, form = _OPUS_RATE, "flt"
    else:
        rate, form = _aac_rate(context.sample_rate), "fltp"
    return SoundCoding(encoder, form, rate, layout, _BITS_PER_CHANNEL * context.channels, exact=False)


def _aac_rate(rate: int) -> int:
    return next((known for known in _AAC_RATES if known >= rate), _AAC_RATES[-1])
