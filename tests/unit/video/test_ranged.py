from __future__ import annotations

import asyncio
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from service.errors.storage import StorageUnavailable
from service.errors.video import DamagedVideo, NotAVideo
from service.types import RemoteFile
from service.video.ranged import BLOCK_BYTES, BLOCKS_KEPT, RangedFile
from service.video.sandbox.probe import ProbeLimits, probe
from tests.support.animations import picture_bytes, write_webp
from tests.support.clips import Clip, moving_picture, write_clip

LIMITS = ProbeLimits(max_pixels=1 << 20, max_duration_s=60, max_frames=1000)


@dataclass
class Store:
    """A server of one file that remembers what was asked for."""

    data: bytes
    url: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Path and range of every request."""
    fail_next: int = 0


@contextmanager
def serving(data: bytes) -> Iterator[Store]:
    store = Store(data)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            store.asked.append((self.path, wanted))
            failing, store.fail_next = store.fail_next > 0, max(0, store.fail_next - 1)
            found = re.fullmatch(r"bytes=(\d+)-(\d+)", wanted)
            body = store.data[int(found[1]) : int(found[2]) + 1] if found and not failing else b""
            self.send_response(503 if failing else 206)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        store.url = f"http://127.0.0.1:{server.server_port}/file"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield store
        finally:
            server.shutdown()
            thread.join()


def remote(store: Store) -> RemoteFile:
    return RemoteFile(store.url, len(store.data))


def test_reads_and_seeks_like_a_local_file() -> None:
    data = bytes(range(256)) * (BLOCK_BYTES // 256) + b"the end"
    with serving(data) as store, RangedFile(remote(store)) as file:
        assert file.read(10) == data[:10]
        file.seek(BLOCK_BYTES - 2)
        assert file.read(10) == data[BLOCK_BYTES - 2 : BLOCK_BYTES], "a read ends with its block"
        assert file.read(10) == b"the end"
        assert file.read(10) == b""
        assert file.seek(-3, 2) == len(data) - 3
        assert file.read() == b"end"
        assert file.tell() == len(data)
        assert len(store.asked) == 2


def test_keeps_a_few_blocks_and_no_more() -> None:
    with serving(bytes((BLOCKS_KEPT + 1) * BLOCK_BYTES)) as store, RangedFile(remote(store)) as file:
        for number in (*range(BLOCKS_KEPT), 0, BLOCKS_KEPT, 0, 1):
            file.seek(number * BLOCK_BYTES)
            file.read(1)

    assert len(store.asked) == BLOCKS_KEPT + 2, "only the second block had to make room"


def test_server_that_recovers_is_asked_again() -> None:
    with serving(b"abc") as store, RangedFile(remote(store)) as file:
        store.fail_next = 2
        assert file.read(3) == b"abc"


def test_server_that_does_not_is_unavailable() -> None:
    with serving(b"abc") as store, RangedFile(remote(store)) as file:
        store.fail_next = 3
        with pytest.raises(StorageUnavailable, match="503"):
            file.read(3)


def test_probe_of_a_remote_video_says_the_same_as_of_a_local_one(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", Clip(audio="aac"))
    with serving(path.read_bytes()) as store:
        assert asyncio.run(probe(remote(store), LIMITS)) == asyncio.run(probe(path, LIMITS))


def test_a_zip_of_pictures_and_a_webp_animation_are_read_over_the_network_too(tmp_path: Path) -> None:
    """Their readers want whole reads, and a block ends in the midst of them."""
    archive = tmp_path / "shot.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(
            "notes.bin", bytes(BLOCK_BYTES - 39 - 10)
        )  # the head of the next entry begins 10 bytes before
        for number in range(4):
            file.writestr(f"{number}.png", picture_bytes(moving_picture(number), "png"))
    animation = write_webp(tmp_path / "clip.webp", (40, 80, 40))
    for path in (archive, animation):
        with serving(path.read_bytes()) as store:
            assert asyncio.run(probe(remote(store), LIMITS)) == asyncio.run(probe(path, LIMITS))


def test_probe_of_a_truncated_remote_video_names_the_damage(tmp_path: Path) -> None:
    data = write_clip(tmp_path / "clip.mp4", Clip()).read_bytes()
    with serving(data[: len(data) // 2]) as store, pytest.raises(DamagedVideo):
        asyncio.run(probe(remote(store), LIMITS))


def test_probe_reports_a_store_that_is_away() -> None:
    with pytest.raises(StorageUnavailable):
        asyncio.run(probe(RemoteFile("http://127.0.0.1:9/file", 1000), LIMITS))


@pytest.mark.parametrize(
    "playlist",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{url}-neighbor\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{url}-neighbor'\n",
    ],
)
def test_remote_playlist_makes_the_probe_ask_for_nothing_else(playlist: str) -> None:
    with serving(b"") as store:
        store.data = playlist.format(url=store.url).encode()
        with pytest.raises(NotAVideo):
            asyncio.run(probe(remote(store), LIMITS))

    assert {path for path, _ in store.asked} == {"/file"}
