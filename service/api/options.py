"""The form fields of ``POST /jobs``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from service.errors import InvalidOption
from service.types import EncodeOptions

CODECS = ("h264",)
CONTAINERS = ("mp4",)
CRF_RANGE = range(52)
"""H.264's scale: 0 is lossless, 18 looks lossless, 51 is the worst."""
FIELDS = ("model", "codec", "crf", "container", "webhook_url")


@dataclass(frozen=True)
class RequestedOptions:
    """What the form asks for; ``model`` is None when it leaves the choice to us."""

    model: str | None
    encode: EncodeOptions
    webhook_url: str | None = None


def read_options(fields: Mapping[str, str]) -> RequestedOptions:
    """Raises InvalidOption, naming the field and what is allowed."""
    for name in fields:
        if name not in FIELDS:
            raise InvalidOption(f"there is no option {name[:64]!r}; there are: {', '.join(FIELDS)}")
    default = EncodeOptions()
    encode = EncodeOptions(
        codec=_choice("codec", fields.get("codec", default.codec), CODECS),
        crf=_crf(fields.get("crf", str(default.crf))),
        container=_choice("container", fields.get("container", default.container), CONTAINERS),
    )
    return RequestedOptions(fields.get("model") or None, encode, fields.get("webhook_url") or None)


def _choice(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise InvalidOption(f"{name} is one of {', '.join(allowed)}; got {value[:64]!r}")
    return value


def _crf(text: str) -> int:
    if not text.isdecimal() or not text.isascii() or len(text) > 2 or int(text) not in CRF_RANGE:
        message = f"crf is a whole number from {CRF_RANGE.start} to {CRF_RANGE.stop - 1}; got {text[:64]!r}"
        raise InvalidOption(message)
    return int(text)
