from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from service.errors.storage import LocalCopiesTooSmall, StorageUnavailable
from service.storage.scratch import Scratch


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    return Scratch(tmp_path / "scratch", max_bytes=100)


def of_size(size: int) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(bytes(size)) and None


def use(scratch: Scratch, key: str, size: int) -> Path:
    with scratch.copy(key, size, of_size(size)) as path:
        assert path.stat().st_size == size
    return path


def test_least_recently_used_copy_makes_room(scratch: Scratch) -> None:
    first, second = use(scratch, "first", 40), use(scratch, "second", 40)
    use(scratch, "first", 40)

    use(scratch, "third", 40)

    assert first.exists()
    assert not second.exists()


def test_copy_in_use_stays_and_the_newcomer_is_put_off(scratch: Scratch) -> None:
    with scratch.copy("first", 60, of_size(60)) as path:
        with pytest.raises(StorageUnavailable, match="no room"):
            use(scratch, "second", 60)
        assert path.exists()
    use(scratch, "second", 60)


def test_what_can_never_fit_is_another_error(scratch: Scratch) -> None:
    with pytest.raises(LocalCopiesTooSmall, match="101"):
        use(scratch, "large", 101)


def test_fetch_that_failed_leaves_nothing_and_is_tried_again(scratch: Scratch, tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        path.write_bytes(b"half")
        raise StorageUnavailable("lost")

    with pytest.raises(StorageUnavailable, match="lost"), scratch.copy("file", 60, fail):
        pass

    assert [path.name for path in (tmp_path / "scratch").rglob("*") if path.is_file()] == []
    use(scratch, "file", 60)


def test_two_threads_share_one_fetch(scratch: Scratch) -> None:
    fetched: list[Path] = []
    both = Barrier(2, timeout=10)

    def fetch(path: Path) -> None:
        fetched.append(path)
        path.write_bytes(bytes(60))

    def read() -> Path:
        both.wait()
        with scratch.copy("file", 60, fetch) as path:
            both.wait()
            return path

    with ThreadPoolExecutor(2) as pool:
        one, two = pool.submit(read), pool.submit(read)
        assert one.result() == two.result() == fetched[0]
    assert len(fetched) == 1


def test_draft_is_gone_afterwards(scratch: Scratch) -> None:
    with scratch.draft() as path:
        path.write_bytes(b"piece")

    assert not path.exists()


def test_what_another_process_uses_stays_and_what_an_ended_one_left_goes(
    scratch: Scratch, tmp_path: Path
) -> None:
    left = tmp_path / "scratch" / "left" / "file"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"copy")
    with scratch.draft() as draft, scratch.copy("file", 60, of_size(60)) as copy:
        draft.write_bytes(b"piece")

        Scratch(tmp_path / "scratch", max_bytes=100)

        assert draft.read_bytes() == b"piece"
        assert copy.stat().st_size == 60
    assert not left.parent.exists()
