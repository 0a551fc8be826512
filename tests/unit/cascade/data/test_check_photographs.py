"""The table of photographs, and the command that compares folders with it."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import pytest

from cascade.data.check_photographs import main
from cascade.data.photograph_table import read_table
from cascade.data.photographs import is_held_out

HEAD = "file\tsha256\theld_out\tauthor\tlicense\tsource\tcredit_line"
FREE = ("CC BY", "CC0", "Public domain", "Unsplash", "Pexels", "MIT")


def test_every_photograph_of_the_table_has_a_free_license_and_a_source() -> None:
    table = read_table()
    assert len(table) == 534
    for digest, record in table.items():
        assert len(digest) == 64
        assert digest.startswith(Path(record.file).stem)
        assert record.license.startswith(FREE)
        assert "NC" not in record.license
        assert "ND" not in record.license
        assert record.source.startswith("https://")


def test_held_out_in_the_table_is_what_the_digest_says() -> None:
    table = read_table()
    assert {record.held_out == is_held_out(digest) for digest, record in table.items()} == {True}
    assert sum(record.held_out for record in table.values()) == 68


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two pictures, and a table that knows one of them."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    (pictures / "known.jpg").write_bytes(b"one")
    (pictures / "new.jpg").write_bytes(b"another")
    digest = hashlib.sha256(b"one").hexdigest()
    row = f"known.jpg\t{digest}\tyes\tAda\tCC0 1.0\thttps://example.org\t"
    (tmp_path / "table.tsv").write_text(f"{HEAD}\n{row}\n")
    return pictures


def test_unknown_pictures_are_named_and_end_the_command_with_one(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(SystemExit) as ended:
        main([str(folder), "--table", str(folder.parent / "table.tsv"), "--list"])
    assert ended.value.code == 1
    assert "known.jpg\theld out\tCC0 1.0\tAda" in caplog.text
    assert "new.jpg" in caplog.text
    assert "Known: 1, of which held out: 1. Not in the table: 1." in caplog.text


def test_a_folder_of_known_pictures_passes(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    (folder / "new.jpg").unlink()
    main([str(folder), "--table", str(folder.parent / "table.tsv")])
    assert "Known: 1, of which held out: 1. Not in the table: 0." in caplog.text


def test_a_missing_folder_and_a_file_that_is_no_table_are_errors(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="No folder of photographs"):
        main([str(tmp_path / "absent")])
    (tmp_path / "other.tsv").write_text("file\tsha256\na.jpg\t0\n")
    with pytest.raises(SystemExit, match="has no column 'held_out'"):
        main([str(folder), "--table", str(tmp_path / "other.tsv")])
