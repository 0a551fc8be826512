from __future__ import annotations

import pytest

from service.api.upload.multipart import MAX_FIELDS, UploadForm, boundary_of
from service.errors.submission import InvalidOption
from service.errors.upload import MalformedRequest
from service.submission.filenames import clean_filename

BODY = (
    b'--b\r\nContent-Disposition: form-data; name="crf"\r\n\r\n20\r\n'
    b'--b\r\nContent-Disposition: form-data; name="video"; filename="a.mp4"\r\n'
    b"Content-Type: video/mp4\r\n\r\n\r\n--not the end\r\n\x00\xff\r\n"
    b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nlite\r\n--b--\r\n'
)
FILE = b"\r\n--not the end\r\n\x00\xff"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_form_is_read_the_same_in_pieces_of_any_size(size: int) -> None:
    received = bytearray()
    form = UploadForm(b"b", received.extend)

    for start in range(0, len(BODY), size):
        form.feed(BODY[start : start + size])
    form.close()

    assert bytes(received) == FILE
    assert form.fields == {"crf": "20", "model": "lite"}
    assert form.filename == "a.mp4"


def test_fields_ahead_of_the_file_are_handed_on_before_a_byte_of_it() -> None:
    received, fields = bytearray(), []

    def refuse(before: dict[str, str]) -> None:
        fields.append(before)
        raise InvalidOption("No.")

    form = UploadForm(b"b", received.extend, refuse)
    with pytest.raises(InvalidOption):
        form.feed(BODY)

    assert (fields, bytes(received)) == ([{"crf": "20"}], b"")


def test_file_is_handed_on_before_the_form_ends() -> None:
    received = bytearray()

    UploadForm(b"b", received.extend).feed(BODY[: BODY.index(b"\xff") + 1])

    assert bytes(received).startswith(FILE[:10])


@pytest.mark.parametrize(
    "body",
    [
        BODY.replace(b'"model"', b'"crf"'),
        BODY.replace(b"20", b"x" * 5000),
        BODY.replace(b'name="crf"', b'x="crf"'),
        BODY.replace(b'name="crf"', b'name="crf"; filename="b"'),
        b"".join(
            b'--b\r\nContent-Disposition: form-data; name="f%d"\r\n\r\n\r\n' % n
            for n in range(MAX_FIELDS + 1)
        ),
        b"--other\r\n",
    ],
    ids=["same field twice", "long field", "no name", "second file", "too many fields", "other boundary"],
)
def test_form_that_asks_for_trouble_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedRequest):
        UploadForm(b"b", bytearray().extend).feed(body)


def test_form_without_a_file_or_an_end_is_refused() -> None:
    unfinished = UploadForm(b"b", bytearray().extend)
    unfinished.feed(BODY[:-8])
    with pytest.raises(MalformedRequest, match="ended before"):
        unfinished.close()

    without = UploadForm(b"b", bytearray().extend)
    without.feed(b'--b\r\nContent-Disposition: form-data; name="crf"\r\n\r\n20\r\n--b--\r\n')
    with pytest.raises(MalformedRequest, match="'video'"):
        without.close()


def test_boundary_is_taken_from_the_content_type() -> None:
    assert boundary_of('multipart/form-data; boundary="x y"') == b"x y"
    for other in ("", "text/plain", "multipart/mixed; boundary=x", "multipart/form-data"):
        with pytest.raises(MalformedRequest):
            boundary_of(other)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("holiday.mp4", "holiday.mp4"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\clip.mov", "clip.mov"),
        ("a\r\nSet-Cookie: x\x00.mp4", "aSet-Cookie: x.mp4"),
        ("für Süden 🎬.mp4", "für Süden 🎬.mp4"),
        ("...", "video"),
        ("", "video"),
        ("x" * 300 + ".mp4", "x" * 196 + ".mp4"),
    ],
)
def test_file_name_is_only_something_to_show(sent: str, kept: str) -> None:
    assert clean_filename(sent) == kept
