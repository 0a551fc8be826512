"""What may be sent and what is refused, over real HTTP. A refused upload leaves nothing behind."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.clips import Clip, read_frames, write_clip, write_sound
from tests.support.stack import Service, running_stack, until

pytestmark = pytest.mark.integration

MAX_BYTES = 200_000


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    limits = {
        "CDVD_MAX_UPLOAD_BYTES": str(MAX_BYTES),
        "CDVD_MAX_FRAME_PIXELS": str(200 * 100),
        "CDVD_MAX_DURATION_S": "5",
    }
    with running_stack(tmp_path_factory.mktemp("uploads"), limits) as running:
        yield running


@pytest.fixture
def nothing_left(service: Service) -> Iterator[None]:
    """Files and jobs are the same afterwards."""
    files, jobs = service.lasting_files(), service.http.get("/jobs").json()
    yield
    assert service.lasting_files() == files
    assert service.http.get("/jobs").json() == jobs


def _text(path: Path) -> Path:
    path.write_text("This is not a video. " * 50)
    return path


def _empty(path: Path) -> Path:
    path.touch()
    return path


def _truncated(path: Path) -> Path:
    write_clip(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def _playlist(path: Path) -> Path:
    neighbor = write_clip(path.with_name("neighbor.mp4"))
    path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile://{neighbor}\n#EXT-X-ENDLIST\n")
    return path


def _concat_script(path: Path) -> Path:
    neighbor = write_clip(path.with_name("neighbor.mp4"))
    path.write_text(f"ffconcat version 1.0\nfile '{neighbor}'\n")
    return path


def _too_large(path: Path) -> Path:
    path.write_bytes(bytes(MAX_BYTES + 200_000))
    return path


def _barely_too_large(path: Path) -> Path:
    """Below the limit for the whole request, so only counting finds it out."""
    path.write_bytes(bytes(MAX_BYTES + 1))
    return path


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(
    ("make", "status", "code"),
    [
        (_text, 415, "not_a_video"),
        (_empty, 422, "empty_upload"),
        (_truncated, 422, "damaged_video"),
        (write_sound, 422, "no_video_stream"),
        (_playlist, 415, "not_a_video"),
        (_concat_script, 415, "not_a_video"),
        (_too_large, 413, "upload_too_large"),
        (_barely_too_large, 413, "upload_too_large"),
        (lambda path: write_clip(path, Clip(frames=2, width=256, height=128)), 422, "frame_size_rejected"),
        (lambda path: write_clip(path, Clip(frames=2, width=32, height=64)), 422, "frame_size_rejected"),
        (lambda path: write_clip(path, Clip(frames=2, pts=(0, 200))), 422, "video_too_long"),
    ],
)
def test_bad_file_is_refused_with_its_reason(
    service: Service, tmp_path: Path, make: Callable[[Path], Path], status: int, code: str
) -> None:
    answer = service.post(make(tmp_path / "upload.mp4"))

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["status"] == status
    assert problem["detail"]


@pytest.mark.usefixtures("nothing_left")
def test_body_without_length_is_counted_while_it_streams(service: Service) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="video"; filename="a.mp4"\r\n\r\n'

    def body() -> Iterator[bytes]:
        yield head
        for _ in range(40):
            yield bytes(10_000)

    answer = service.http.post(
        "/jobs", content=body(), headers={"Content-Type": "multipart/form-data; boundary=b"}
    )

    assert (answer.status_code, answer.json()["code"]) == (413, "upload_too_large")


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(
    ("field", "value"),
    [("codec", "mpeg1"), ("crf", "64"), ("crf", "-1"), ("crf", "x"), ("container", "exe")],
)
def test_bad_option_is_refused_by_name(service: Service, tmp_path: Path, field: str, value: str) -> None:
    answer = service.post(write_clip(tmp_path / "clip.mp4", Clip(frames=2)), **{field: value})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_option")
    assert field in answer.json()["detail"]


@pytest.mark.usefixtures("nothing_left")
def test_unknown_model_is_refused_and_the_known_are_named(service: Service, tmp_path: Path) -> None:
    answer = service.post(write_clip(tmp_path / "clip.mp4", Clip(frames=2)), model="../../etc")

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_option")
    assert "quick, slow" in answer.json()["detail"]


_PART = b'--b\r\nContent-Disposition: form-data; name="video"; filename="a.mp4"\r\n\r\nabc\r\n'


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("video/mp4", b"abc"),
        ("multipart/form-data", b"abc"),
        ("multipart/form-data; boundary=b", b"no form"),
        ("multipart/form-data; boundary=b", _PART),
        ("multipart/form-data; boundary=b", _PART + _PART + b"--b--\r\n"),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="crf"\r\n\r\n1\r\n--b--',
        ),
        ("multipart/form-data; boundary=b", _PART.replace(b'"video"', b'"file"') + b"--b--\r\n"),
    ],
    ids=["no form", "no boundary", "garbage", "cut off", "two files", "no file", "file under another name"],
)
def test_malformed_form_is_refused(service: Service, content_type: str, body: bytes) -> None:
    answer = service.http.post("/jobs", content=body, headers={"Content-Type": content_type})

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")


@pytest.mark.usefixtures("nothing_left")
def test_client_that_leaves_in_the_middle_leaves_nothing(service: Service) -> None:
    address = urlsplit(str(service.http.base_url))
    request = (
        f"POST /jobs HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: 100000\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
    ).encode() + _PART[:-2]
    known = service.lasting_files()
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(request + bytes(50_000))
        until(lambda: service.lasting_files() != known, "the upload has begun")

    until(lambda: service.lasting_files() == known, "the upload is gone")


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(
    "headers", [{"Host": "attacker.example"}, {"Origin": "https://attacker.example"}, {"Origin": "null"}]
)
def test_requests_of_foreign_pages_are_refused(
    service: Service, tmp_path: Path, headers: dict[str, str]
) -> None:
    clip = write_clip(tmp_path / "clip.mp4", Clip(frames=2))

    answer = service.http.post("/jobs", files={"video": clip.read_bytes()}, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("frames", [1, 2, 3, 4, 5])
def test_very_short_videos_are_restored(service: Service, tmp_path: Path, frames: int) -> None:
    job_id = service.submit(write_clip(tmp_path / "clip.mp4", Clip(frames=frames)))

    job = service.until_status(job_id, "succeeded")

    assert job["output"]["frames"] == frames


@pytest.mark.parametrize(("codec", "size"), [("auto", (98, 66)), ("av1", (97, 65))])
def test_odd_sizes_grow_to_even_ones_where_the_codec_needs_it(
    service: Service, tmp_path: Path, codec: str, size: tuple[int, int]
) -> None:
    clip = write_clip(tmp_path / "clip.mp4", Clip(frames=3, width=97, height=65, pix_fmt="yuv444p"))
    job_id = service.submit(clip, codec=codec)
    service.until_status(job_id, "succeeded")

    result = tmp_path / "result.mp4"
    result.write_bytes(service.http.get(f"/jobs/{job_id}/result").content)

    assert {(frame.width, frame.height) for _, frame in read_frames(result)} == {size}
