from pathlib import Path

import pytest

from service.pipeline.publish import published


def test_the_file_appears_complete_under_its_name(tmp_path: Path) -> None:
    target = tmp_path / "piece.mp4"
    with published(target) as part:
        part.write_bytes(b"all of it")
        assert not target.exists()

    assert target.read_bytes() == b"all of it"
    assert list(tmp_path.iterdir()) == [target]


def test_an_error_leaves_nothing_and_keeps_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "piece.mp4"
    target.write_bytes(b"before")

    with pytest.raises(KeyboardInterrupt):
        _interrupted(target)

    assert target.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [target]


def _interrupted(target: Path) -> None:
    with published(target) as part:
        part.write_bytes(b"half")
        raise KeyboardInterrupt


def test_two_writers_do_not_share_a_part(tmp_path: Path) -> None:
    target = tmp_path / "piece.mp4"
    with published(target) as one, published(target) as two:
        one.write_bytes(b"one")
        two.write_bytes(b"two")
        assert one != two
