from __future__ import annotations

from benchmarks.architecture import PICTURE, missing, picture


def test_the_picture_in_the_docs_shows_the_code_as_it_is() -> None:
    assert missing() == []
    assert PICTURE.read_text() == picture(), "run `python -m benchmarks.architecture`"
