"""The form fields of ``POST /jobs``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from service.errors.submission import InvalidOption
from service.types import EncodeOptions, Excerpt

CODECS = ("h264",)
CONTAINERS = ("mp4",)
CRF_RANGE = range(52)
"""H.264's scale: 0 is lossless, 18 looks lossless, 51 is the worst."""
FIELDS = ("model", "stages", "codec", "crf", "container", "start", "end", "strict", "webhook_url")
_STAGES = range(1, 10)
_LONGEST = 9
"""Digits of a time before the point."""


@dataclass(frozen=True)
class RequestedOptions:
    """What the form asks for; ``model`` and ``stages`` are None when it leaves the choice to us."""

    model: str | None
    encode: EncodeOptions
    stages: int | None = None
    excerpt: Excerpt | None = None
    strict: bool = False
    webhook_url: str | None = None


def read_options(fields: Mapping[str, str]) -> RequestedOptions:
    """Raises InvalidOption, naming the field and what is allowed."""
    for name in fields:
        if name not in FIELDS:
            raise InvalidOption(f"there is no option {name[:64]!r}; there are: {', '.join(FIELDS)}")
    default = EncodeOptions()
    encode = EncodeOptions(
        codec=_choice("codec", fields.get("codec", default.codec), CODECS),
        crf=_number("crf", fields.get("crf", str(default.crf)), CRF_RANGE),
        container=_choice("container", fields.get("container", default.container), CONTAINERS),
    )
    return RequestedOptions(
        model=fields.get("model") or None,
        encode=encode,
        stages=_number("stages", fields["stages"], _STAGES) if fields.get("stages") else None,
        excerpt=_excerpt(fields.get("start", ""), fields.get("end", "")),
        strict=_choice("strict", fields.get("strict", "false"), ("true", "false")) == "true",
        webhook_url=fields.get("webhook_url") or None,
    )


def _excerpt(start: str, end: str) -> Excerpt | None:
    if not start and not end:
        return None
    part = Excerpt(_seconds("start", start or "0"), _seconds("end", end) if end else None)
    if part.end_s is not None and part.end_s <= part.start_s:
        raise InvalidOption(f"end ({end}) must come after start ({start or 0})")
    return part


def _seconds(name: str, text: str) -> float:
    whole, _, part = text.partition(".")
    if not (text.isascii() and whole.isdecimal() and (part or "0").isdecimal() and len(whole) <= _LONGEST):
        raise InvalidOption(f"{name} is a time in seconds like 12.5; got {text[:64]!r}")
    return float(text)


def _choice(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise InvalidOption(f"{name} is one of {', '.join(allowed)}; got {value[:64]!r}")
    return value


def _number(name: str, text: str, allowed: range) -> int:
    if not text.isdecimal() or not text.isascii() or len(text) > 2 or int(text) not in allowed:
        message = f"{name} is a whole number from {allowed.start} to {allowed.stop - 1}; got {text[:64]!r}"
        raise InvalidOption(message)
    return int(text)
