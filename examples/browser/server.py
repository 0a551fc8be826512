"""The server behind the page: it has the key, and hands each visitor a token for one video. Needs nothing but Python.

    npm install
    CDVD_URL=https://deblur.example.org CDVD_KEY=... python server.py --port 8000

The service has to know the page's origin: ``CDVD_CORS_ORIGINS='["http://localhost:8000"]'``.
"""

from __future__ import annotations

import argparse
import json
import os
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HERE = Path(__file__).resolve().parent
FILES = {
    "/": ("text/html; charset=utf-8", HERE / "index.html"),
    "/page.js": ("text/javascript", HERE / "page.js"),
    "/tus.js": ("text/javascript", HERE / "node_modules" / "tus-js-client" / "dist" / "tus.min.js"),
}
WANTED = {"expires_in_s": 3600, "max_bytes": 500_000_000, "options": {"quality": "fast"}}
"""One upload of so many bytes, with these options; whoever holds the token cannot change them."""


class Handler(BaseHTTPRequestHandler):
    """Serves the page, and tokens to it alone."""

    service: str
    key: str

    def do_GET(self) -> None:
        if self.path not in FILES:
            return self._answer(404, "text/plain", b"There is nothing here.")
        kind, path = FILES[self.path]
        return self._answer(200, kind, path.read_bytes())

    def do_POST(self) -> None:
        """Here a product checks who is asking: a login, a plan, a limit per visitor."""
        own = self.headers.get("Origin") == f"http://{self.headers.get('Host')}"
        if self.path != "/token" or not own:
            return self._answer(403, "text/plain", b"Tokens are for this page.")
        try:
            made = self._token()
        except urllib.error.HTTPError as refused:
            return self._answer(502, refused.headers.get_content_type(), refused.read())
        except OSError as error:
            return self._answer(502, "text/plain", f"The service does not answer: {error}".encode())
        body = {"service": self.service, "token": made["token"]}
        return self._answer(200, "application/json", json.dumps(body).encode())

    def _token(self) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        address, body = f"{self.service}/upload-tokens", json.dumps(WANTED).encode()
        with urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=30) as answer:
            return dict(json.load(answer))

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    parser = argparse.ArgumentParser(description="A page that sends videos straight to the service.")
    parser.add_argument("--port", type=int, default=8000)
    Handler.service = os.environ.get("CDVD_URL", "http://127.0.0.1:8080").rstrip("/")
    Handler.key = os.environ["CDVD_KEY"]
    with ThreadingHTTPServer(("127.0.0.1", parser.parse_args().port), Handler) as server:
        print(f"http://localhost:{server.server_port}/", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
