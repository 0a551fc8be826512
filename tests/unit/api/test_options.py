from __future__ import annotations

import pytest

from service.api.options import read_options
from service.errors import InvalidOption
from service.types import EncodeOptions


def test_nothing_asked_for_gives_the_defaults() -> None:
    requested = read_options({})

    assert requested.model is None
    assert requested.encode == EncodeOptions()


def test_options_are_taken_from_the_form() -> None:
    requested = read_options({"model": "cdvd_paper", "codec": "h264", "crf": "0", "container": "mp4"})

    assert requested.model == "cdvd_paper"
    assert requested.encode == EncodeOptions(codec="h264", crf=0, container="mp4")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("crf", "52"),
        ("crf", "1.5"),
        ("crf", ""),
        ("crf", "٣"),
        ("codec", "H264"),
        ("container", ""),
        ("x", "1"),
    ],
)
def test_refusal_names_the_option(name: str, value: str) -> None:
    with pytest.raises(InvalidOption, match=name):
        read_options({name: value})
