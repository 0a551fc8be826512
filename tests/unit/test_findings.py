from service.findings import SHOWN, Code, Finding, Kind, at_frames, lost, merged, sentence

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
