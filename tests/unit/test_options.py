from __future__ import annotations

import subprocess
import sys

import pytest

from service.errors.submission import InvalidOption
from service.options import JobOptions, form_fields
from service.types import EncodeOptions, Excerpt


def test_nothing_asked_for_gives_the_defaults() -> None:
    requested = JobOptions.from_text({})

    assert requested.model is None
    assert requested.encode() == EncodeOptions(encode_quality="high")


def test_options_are_taken_from_the_form() -> None:
    requested = JobOptions.from_text({"model": "cdvd_paper", "codec": "h264", "crf": "0", "container": "mp4"})

    assert requested.model == "cdvd_paper"
    assert requested.encode() == EncodeOptions(codec="h264", crf=0, container="mp4")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("crf", "64"),
        ("crf", "1.5"),
        ("crf", "٣"),
        ("codec", "H264"),
        ("container", ""),
        ("x", "1"),
    ],
)
def test_refusal_names_the_option(name: str, value: str) -> None:
    with pytest.raises(InvalidOption, match=name):
        JobOptions.from_text({name: value})


def test_part_and_strictness_are_read() -> None:
    requested = JobOptions.from_text({"start": "1.5", "end": "12", "strict": "true", "stages": "2"})

    assert requested.excerpt == Excerpt(1.5, 12.0)
    assert (requested.strict, requested.stages) == (True, 2)
    assert JobOptions.from_text({"end": "3"}).excerpt == Excerpt(0.0, 3.0)
    assert JobOptions.from_text({"start": "", "end": ""}).excerpt is None


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
        JobOptions.from_text(fields)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"crf": "64"}, "The option crf is a whole number from 0 to 63, not '64'."),
        ({"stages": "0"}, "The option stages is a whole number from 1 to 9, not '0'."),
        (
            {"codec": "mpeg1"},
            "The option codec is one of auto, h264, hevc, av1, vp9, prores, ffv1, not 'mpeg1'.",
        ),
        ({"strict": "yes"}, "The option strict is true or false, not 'yes'."),
        ({"start": "1e3"}, "The option start is a number of seconds like 12.5, not '1e3'."),
        ({"start": "2", "end": "1.5"}, "The end (1.5 s) must come after the start (2 s)."),
    ],
)
def test_refusal_says_what_is_allowed(fields: dict[str, str], sentence: str) -> None:
    with pytest.raises(InvalidOption) as caught:
        JobOptions.from_text(fields)

    assert str(caught.value) == sentence


def test_document_of_a_form_has_the_limits_and_no_null() -> None:
    fields = form_fields(JobOptions)

    assert (fields["crf"]["minimum"], fields["crf"]["maximum"]) == (0, 63)
    assert (fields["stages"]["type"], fields["stages"]["maximum"]) == ("integer", 9)
    assert fields["codec"]["default"] == fields["container"]["default"] == "auto"
    assert all("anyOf" not in field for field in fields.values())
    assert all(field["description"] for field in fields.values())


def test_options_are_read_without_a_web_framework() -> None:
    script = "import sys, service.options; print('fastapi' in sys.modules or 'starlette' in sys.modules)"

    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "False"
