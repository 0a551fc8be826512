"""The receiver of webhooks as a program: real messages, forged ones and repeated ones."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest

from service.webhooks.signature import new_secret, signed_headers
from tests.integration.examples.conftest import EXAMPLES, Used
from tests.support.stack import QUICK, until

pytestmark = pytest.mark.integration

SCRIPT = EXAMPLES / "webhook_receiver" / "receiver.py"
MESSAGE = {"type": "job.succeeded", "data": {"id": "a job"}}


@contextmanager
def receiving(used: Used, folder: Path) -> Iterator[tuple[str, Path]]:
    """The address of a running receiver, and the file that it prints to."""
    printed, seen = folder / "printed", folder / "seen.sqlite"
    command = [sys.executable, "-W", "error", str(SCRIPT), "--port", "0", "--seen", str(seen)]
    environment = used.environment(CDVD_WEBHOOK_SECRET=used.secret)
    with (
        printed.open("w") as file,
        subprocess.Popen(command, stdout=file, stderr=subprocess.DEVNULL, env=environment) as process,
    ):
        url = until(lambda: printed.read_text().partition("\n")[0], "the receiver")
        try:
            yield url, printed
        finally:
            process.terminate()


def sent(url: str, headers: dict[str, str], body: bytes) -> int:
    return httpx.post(url, content=body, headers=headers, trust_env=False).status_code


def announced(url: str, size: int) -> int:
    """What is answered to the length of a body alone."""
    with closing(HTTPConnection(httpx.URL(url).netloc.decode(), timeout=60)) as connection:
        connection.request("POST", "/", headers={"Content-Length": str(size)})
        return connection.getresponse().status


def test_the_services_message_is_taken(used: Used, clip: Path, tmp_path: Path) -> None:
    with receiving(used, tmp_path) as (url, printed):
        job = used.service.submit(clip, model=QUICK, webhook_url=url)
        until(lambda: job in printed.read_text(), "the message")

        def delivered() -> bool:
            (one,) = used.service.http.get(f"/jobs/{job}/webhooks").json()["deliveries"]
            return bool(one["state"] == "delivered")

        until(delivered, "the receiver's answer")
        assert f"job.succeeded {job}" in printed.read_text()


def test_what_is_forged_or_old_is_refused_and_what_comes_again_is_acted_on_once(
    used: Used, tmp_path: Path
) -> None:
    body, now = json.dumps(MESSAGE).encode(), int(time.time())
    genuine = signed_headers(used.secret, "msg_1", now, body)
    with receiving(used, tmp_path) as (url, printed):
        assert sent(url, signed_headers(new_secret(), "msg_1", now, body), body) == 401
        assert sent(url, signed_headers(used.secret, "msg_1", now - 3600, body), body) == 401
        assert sent(url, signed_headers(used.secret, "msg_1", now + 3600, body), body) == 401
        assert sent(url, {**genuine, "webhook-id": "msg_2"}, body) == 401
        assert sent(url, genuine, body.replace(b"a job", b"b job")) == 401
        assert sent(url, {}, body) == 401
        assert announced(url, 2 << 20) == 413
        assert "a job" not in printed.read_text()
        assert sent(url, genuine, body) == 204
        assert sent(url, genuine, body) == 204
    with receiving(used, tmp_path) as (url, printed):  # another process, which remembers
        again = {**signed_headers(used.secret, "msg_1", now + 1, body), "webhook-signature": "v1,x "}
        again["webhook-signature"] += signed_headers(used.secret, "msg_1", now + 1, body)["webhook-signature"]
        assert sent(url, again, body) == 204
        assert sent(url, signed_headers(used.secret, "msg_3", now, body), body) == 204
        assert printed.read_text().count("a job") == 1
