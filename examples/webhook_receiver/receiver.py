"""Receives the service's webhooks: checks who sent them, and acts once on each. Needs nothing but Python.

    CDVD_WEBHOOK_SECRET=$(cdvd webhook-secret) python receiver.py --port 9000

The check is that of Standard Webhooks; their libraries (``pip install standardwebhooks``) do the same. Put a proxy with
TLS in front of it.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import os
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

TOLERANCE_S = 300
"""How old a signature may be: an older one may have been recorded and be sent again."""
KEPT_S = 7 * 24 * 3600
"""The service tries again for about a day, under the same id; ids are remembered for longer than that."""
MOST_BYTES = 1 << 20


class NotGenuineError(Exception):
    """The message is not the service's, or too old."""


def verified(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> str:
    """Returns the id of a message. Raises NotGenuineError."""
    message_id, sent = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or not sent.isdecimal() or abs(now - int(sent)) > TOLERANCE_S:
        raise NotGenuineError("no id, or a time that is not about now")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{message_id}.{sent}.".encode() + body, hashlib.sha256).digest()
    wanted = f"v1,{base64.b64encode(digest).decode()}"
    if not any(
        hmac.compare_digest(one.encode(), wanted.encode())
        for one in headers.get("webhook-signature", "").split()  # several while a secret is being changed
    ):
        raise NotGenuineError("no signature that fits")
    return message_id


class Seen:
    """The ids of the messages that were acted on, in a file, so that a restart forgets none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with closing(self._open()) as database, database:
            database.execute("CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY, time REAL)")

    def act_once(self, message_id: str, message: Mapping[str, Any]) -> bool:
        """Acts unless it did before; where that fails, the message counts as not seen and will come again."""
        with closing(self._open()) as database, database:
            database.execute("DELETE FROM seen WHERE time < ?", (time.time() - KEPT_S,))
            row = (message_id, time.time())
            if not database.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", row).rowcount:
                return False
            act(message)
            return True

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=30)


def act(message: Mapping[str, Any]) -> None:
    """Does whatever is to be done when a job has ended; be quick, the service waits for the answer."""
    print(message["type"], message["data"]["id"], flush=True)


class Handler(BaseHTTPRequestHandler):
    """Answers 204 to what was taken, now or before, 401 to what is not genuine."""

    secret: str
    seen: Seen

    def do_POST(self) -> None:
        self.connection.settimeout(10)
        self.send_response(self._status())
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _status(self) -> int:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            return 413
        body = self.rfile.read(int(length))
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            message_id = verified(self.secret, headers, body, time.time())
        except NotGenuineError as error:
            self.log_message("refused: %s", error)
            return 401
        self.seen.act_once(message_id, json.loads(body))
        return 204


def main() -> None:
    parser = argparse.ArgumentParser(description="Receives webhooks of the deblurring service.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--seen", type=Path, default=Path("seen.sqlite"), help="file for the ids of messages")
    chosen = parser.parse_args()
    Handler.secret = os.environ["CDVD_WEBHOOK_SECRET"]
    Handler.seen = Seen(chosen.seen)
    with ThreadingHTTPServer((chosen.host, chosen.port), Handler) as server:
        print(f"http://{chosen.host}:{server.server_port}/", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
