from __future__ import annotations

import pytest

from service.api.options import read_options
from service.errors.submission import InvalidOption
from service.types import EncodeOptions, Excerpt


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


def test_part_and_strictness_are_read() -> None:
    requested = read_options({"start": "1.5", "end": "12", "strict": "true", "stages": "2"})

    assert requested.excerpt == Excerpt(1.5, 12.0)
    assert (requested.strict, requested.stages) == (True, 2)
    assert read_options({"end": "3"}).excerpt == Excerpt(0.0, 3.0)
    assert read_options({"start": "", "end": ""}).excerpt is None


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"start": "2", "end": "2"}, "end"),
        ({"start": "-1"}, "start"),
        ({"start": "1e3"}, "start"),
        ({"end": "inf"}, "end"),
        ({"end": "."}, "end"),
        ({"start": "9999999999"}, "start"),
        ({"strict": "yes"}, "strict"),
        ({"stages": "0"}, "stages"),
    ],
)
def test_refusal_of_a_part_names_what_is_wrong(fields: dict[str, str], named: str) -> None:
    with pytest.raises(InvalidOption, match=named):
        read_options(fields)
