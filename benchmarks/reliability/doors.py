"""The doors through which strangers' bytes get into a gateway, each tried with bytes that nobody foresaw."""

from __future__ import annotations

import importlib.util
import json
import random
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from benchmarks.reliability.running import Running

PARSERS = ("form", "content-type", "tus", "options", "webhook", "host")
_HOOKS = """
import schemathesis

@schemathesis.serializer("application/offset+octet-stream")
def raw(ctx, value):
    return value if isinstance(value, bytes) else str(value).encode()
"""
_LIMITS = (
    *("pattern", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    *("enum", "const", "maxItems", "minItems", "multipleOf", "additionalProperties", "anyOf"),
)
"""What the document says about values; without it they are as wide as their types."""
_WORST = (
    *(
        b"\x00",
        b"\xff\xfe",
        b"[",
        b"]",
        b"%",
        b"%zz",
        b"\r",
        b"\n ",
        b"\t",
        b"'",
        b'"',
        b"..",
        b"//",
        b"?",
        b"#",
        b"@",
        b":",
    ),
    *(b"-1", b"99999999999999999999999", b"0x10", b"1e999", b"nan", "٣".encode(), b"\xb2", b"A" * 9000, b","),
)


_SWITCHES = "^/admin/intake"
"""Would have the service answer 503 to all that follows."""


@dataclass(frozen=True)
class Outcome:
    """What one door did with how many inputs."""

    door: str
    inputs: int
    faults: tuple[str, ...]


def documented_calls(service: Running, where: Path, seconds: float) -> Outcome:
    """Sends requests made from the OpenAPI document without its limits on values, by Schemathesis."""
    document = httpx.get(f"{service.url}/openapi.json", trust_env=False).json()
    (where / "wide.json").write_text(json.dumps(_widened(document)))
    (where / "hooks.py").write_text(_HOOKS)
    (where / "schemathesis.toml").write_text('hooks = "hooks.py"\n')
    begin = service.log_size()
    command = [sys.executable, "-m", "schemathesis.cli", "run", "wide.json", "--url", service.url]
    command += [
        "--exclude-path-regex",
        _SWITCHES,
        "--checks",
        "not_a_server_error",
        "--phases",
        "coverage,fuzzing",
        "--continue-on-failure",
    ]
    command += ["--max-time", str(max(1, round(seconds))), "--request-timeout", "20", "--no-color"]
    command += ["--generation-database", "none", "--suppress-health-check", "all"]
    run = subprocess.run(command, cwd=where, capture_output=True, text=True, timeout=seconds + 240)
    if not re.search(r"Test cases|Tested|generated", run.stdout):
        raise RuntimeError(f"Schemathesis did not run: {run.stdout[-2000:]}{run.stderr[-2000:]}")
    found = service.verdict(begin)
    return Outcome("documented calls, wide values", found.answers, found.faults)


def raw_requests(service: Running, seconds: float, seed: int) -> Outcome:
    """Sends requests with broken lines, headers and bodies; every one must be answered or cut off, and not by 5xx."""
    chance, begin, inputs = random.Random(seed), service.log_size(), 0
    faults: list[str] = []
    for _ in _until(seconds):
        inputs += 1
        request = _mutated(chance, chance.choice(_requests(service)))
        answer = _exchange(service.url, request)
        if re.match(rb"HTTP/1.1 5(?!03|07)", answer):
            faults.append(repr(request[:300]))
    return Outcome("raw requests", inputs, (*faults, *service.verdict(begin).faults))


def uploaded_videos(service: Running, seeds: list[bytes], seconds: float, seed: int) -> Outcome:
    """Uploads videos with changed bytes for an estimate, which probes them."""
    chance, begin, inputs = random.Random(seed), service.log_size(), 0
    with httpx.Client(base_url=service.url, timeout=60, trust_env=False) as client:
        for _ in _until(seconds):
            inputs += 1
            client.post("/estimates", files={"video": ("a", _damaged(chance, chance.choice(seeds)))})
    return Outcome("videos with changed bytes", inputs, service.verdict(begin).faults)


def parser(name: str, where: Path, seconds: float) -> Outcome | None:
    """Fuzzes one parser, led by coverage; None where atheris is not installed."""
    if importlib.util.find_spec("atheris") is None:
        return None
    command = [sys.executable, "-m", "benchmarks.reliability.parsers", name, str(max(1, round(seconds)))]
    run = subprocess.run(command, cwd=Path.cwd(), capture_output=True, text=True, timeout=seconds + 120)
    (where / f"{name}.log").write_text(run.stderr)
    done = [int(number) for number in re.findall(r"^(?:Done |#)(\d+)", run.stderr, re.MULTILINE)]
    faults = () if run.returncode == 0 else ((run.stdout + run.stderr)[-1500:],)
    return Outcome(f"parser: {name}", max(done, default=0), faults)


def _widened(part: Any) -> Any:
    if isinstance(part, list):
        return [_widened(one) for one in part]
    if not isinstance(part, dict):
        return part
    is_schema = "type" in part or "anyOf" in part
    kept = {name: _widened(value) for name, value in part.items() if not (is_schema and name in _LIMITS)}
    if "in" in kept and "name" in kept and kept["in"] != "path":
        kept["required"] = False
    return kept


def _requests(service: Running) -> list[bytes]:
    host = urlsplit(service.url).netloc.encode()
    form = (
        b'--x\r\nContent-Disposition: form-data; name="video"; filename="a.mp4"\r\n\r\nabc\r\n--x\r\n'
        b'Content-Disposition: form-data; name="start"\r\n\r\n0.5\r\n--x--\r\n'
    )
    length = str(len(form)).encode()
    job = b"0" * 32
    return [
        b"GET /jobs?limit=5&status=queued&cursor=" + job + b" HTTP/1.1\r\nHost: " + host + b"\r\n\r\n",
        b"GET /jobs/" + job + b"/events HTTP/1.1\r\nHost: " + host + b"\r\nLast-Event-ID: 1-0\r\n\r\n",
        b"GET /jobs/"
        + job
        + b"/preview/3.jpg?view=side HTTP/1.1\r\nHost: "
        + host
        + b"\r\nIf-None-Match: a\r\n\r\n",
        b"GET /static/app.js HTTP/1.1\r\nHost: "
        + host
        + b"\r\nRange: bytes=0-10,20-30\r\nIf-Range: a\r\n\r\n",
        b"POST /jobs HTTP/1.1\r\nHost: "
        + host
        + b"\r\nOrigin: http://"
        + host
        + b"\r\nIdempotency-Key: k\r\n"
        b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nX-Request-ID: abcdefgh\r\n"
        b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: " + length + b"\r\n\r\n" + form,
        b"POST /estimates HTTP/1.1\r\nHost: " + host + b"\r\nTransfer-Encoding: chunked\r\n"
        b'Content-Type: application/json\r\n\r\n1d\r\n{"width":64,"height":64,"frames":9}\r\n0\r\n\r\n',
        b"POST /uploads HTTP/1.1\r\nHost: " + host + b"\r\nTus-Resumable: 1.0.0\r\nUpload-Length: 10\r\n"
        b"Upload-Metadata: filename YQ==\r\nUpload-Checksum: sha1 YQ==\r\nContent-Length: 0\r\n\r\n",
        b"POST /session HTTP/1.1\r\nHost: " + host + b"\r\nAuthorization: Bearer cdvd_0_0\r\n"
        b"Cookie: cdvd_session=abc; a=b\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n",
    ]


def _mutated(chance: random.Random, request: bytes) -> bytes:
    data = bytearray(request)
    for _ in range(chance.choice((1, 1, 2, 3))):
        at = chance.randrange(len(data))
        if chance.random() < 0.6:
            data[at : at + chance.choice((0, 0, 1, 8))] = chance.choice(_WORST)
        elif chance.random() < 0.5:
            data[at] = chance.randrange(256)
        else:
            del data[at : at + chance.randrange(1, 12)]
    return bytes(data)


def _damaged(chance: random.Random, video: bytes) -> bytes:
    data = bytearray(video)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at = min(chance.randrange(len(data)), chance.choice((900, len(data) - 1)))
        change: Callable[[], bytes] = chance.choice(
            (
                lambda: bytes([chance.randrange(256)]),
                lambda: b"\xff\xff\xff\xff",
                lambda: bytes(4),
                lambda: b"ZZZZ",
            )
        )
        data[at : at + 4] = change()
    return bytes(data)


def _exchange(url: str, request: bytes) -> bytes:
    """Returns the beginning of the answer; empty where the connection was closed, or nothing more was asked for."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            return connection.recv(4096)
        except OSError:
            return b""


def _until(seconds: float) -> Iterator[None]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
