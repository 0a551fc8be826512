import re
from pathlib import Path

import service
from service.findings import SHOWN, Code, Finding, Kind, at_frames, lost, merged, said, sentence
from service.text import MOST_CHARACTERS, PHRASES

HELD = "The picture before is held."


def test_a_sentence_names_the_first_places() -> None:
    assert sentence(Finding(Kind.LOST, Code.ALPHA, "Transparency is dropped.")) == "Transparency is dropped."
    one = at_frames(Kind.LOST, Code.DAMAGE, HELD, [(3, 0.12)])
    assert sentence(one) == "The picture before is held: 1 time, at 0.12 s."
    many = at_frames(Kind.LOST, Code.DAMAGE, HELD, [(frame, frame / 25) for frame in range(1, 6)])
    assert sentence(many) == "The picture before is held: 5 times, at 0.04 s, 0.08 s, 0.12 s ..."


def test_findings_of_segments_about_the_same_thing_become_one() -> None:
    first = at_frames(Kind.LOST, Code.DAMAGE, HELD, [(3, 0.12), (4, 0.16)])
    last = at_frames(Kind.LOST, Code.DAMAGE, HELD, [(90, 3.6)])
    other = Finding(Kind.CHANGED, Code.SOUND, "The sound is stored as AAC.", stream=1)

    (both, sound) = merged([first, other, last, other])

    assert (both.count, both.frames, both.times_s) == (3, (3, 4, 90), (0.12, 0.16, 3.6))
    assert sound == other
    assert lost([both, sound]) == (sentence(both),)


def test_a_finding_lists_a_bounded_number_of_frames() -> None:
    damaged = at_frames(Kind.LOST, Code.DAMAGE, HELD, [(frame, float(frame)) for frame in range(SHOWN + 50)])

    assert (damaged.count, len(damaged.frames)) == (SHOWN + 50, SHOWN)
    (both,) = merged([damaged, at_frames(Kind.LOST, Code.DAMAGE, HELD, [(500, 500.0)])])
    assert (both.count, len(both.frames)) == (SHOWN + 51, SHOWN)


def test_a_phrase_is_filled_with_values_and_with_parts_that_have_the_same_values() -> None:
    values = {"title": "part.sound", "number": 1, "details": "aac", "reason": "part.untaken"}
    one = said(
        Kind.LOST, Code.SOUND, "stream_dropped", {**values, "container": "MP4", "codec": "aac"}, stream=1
    )
    assert one.text == "Sound of stream 1 (aac) is left out: MP4 does not take aac."
    assert (one.phrase, one.values["reason"]) == ("stream_dropped", "part.untaken")

    named = said(Kind.KEPT, Code.METADATA, "metadata_kept", {"count": 1, "names": "part.{what}"})
    assert named.text == "1 entry of metadata kept: part.{what}."


def test_words_of_a_strangers_file_are_short_printable_and_no_parts() -> None:
    timecode = said(Kind.KEPT, Code.TIMECODE, "timecode_kept", {"timecode": "part.untaken"})
    assert timecode.text == "The timecode part.untaken is kept."

    long = said(Kind.KEPT, Code.METADATA, "metadata_kept", {"count": 1, "names": "n" * 1_000_000})
    assert long.values["names"] == "n" * (MOST_CHARACTERS - 3) + "..."
    assert len(long.text) < 2 * MOST_CHARACTERS

    title = {"title": "part.attachment", "number": 1, "details": "a\r\n\x1b[2J\u202eb"}
    copied = said(Kind.KEPT, Code.ATTACHMENTS, "attachment_copied", title)
    assert copied.text == "Attachment of stream 1 (a   [2J b) is copied."


def test_each_phrase_is_said_somewhere() -> None:
    files = [path for path in Path(str(service.__file__)).parent.rglob("*.py") if path.name != "text.py"]
    source = "\n".join(path.read_text("utf-8") for path in files)
    assert {name for name in PHRASES if f'"{name}"' not in source} == set()
    assert set(re.findall(r'"(part\.\w+)"', source)) <= set(PHRASES)
    assert set(re.findall(r'\bsaid\(\s*[\w.]+,\s*[\w.]+,\s*"(\w+)"', source)) <= set(PHRASES)
