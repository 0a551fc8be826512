from pathlib import Path

import pytest

from service.artifacts.heat_maps import merge_pictures, read_picture, write_pictures


def test_pictures_of_segments_are_found_by_frame_in_one_file(tmp_path: Path) -> None:
    write_pictures(tmp_path / "a", 0, [b"zero", b"one"])
    write_pictures(tmp_path / "b", 2, [b"two"])
    merge_pictures(tmp_path / "all", [tmp_path / "a", tmp_path / "b"])

    assert [read_picture(tmp_path / "all", frame) for frame in range(3)] == [b"zero", b"one", b"two"]
    with pytest.raises(KeyError):
        read_picture(tmp_path / "a", 2)


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"no archive")

    with pytest.raises(ValueError, match="holds no pictures"):
        read_picture(tmp_path / "other", 0)
    with pytest.raises(FileNotFoundError):
        read_picture(tmp_path / "absent", 0)
