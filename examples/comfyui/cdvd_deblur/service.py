"""The calls to the service, with the standard library alone: a node should install nothing."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from typing import Any


class Service:
    """A running service and the key for it, if it wants one. Methods raise RuntimeError with the service's reason."""

    def __init__(self, url: str, key: str | None) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    def restored(self, video: bytes, options: Mapping[str, str], on_progress: Callable[[int], None]) -> bytes:
        """Returns the result for a video. Tells how many frames are done; what that raises cancels the job.

        Either way nothing of the job stays at the service.
        """
        job = self._submit(video, options)
        try:
            self._wait(job, on_progress)
            return self._ask("GET", f"{job}/result")[0]
        finally:
            self._ask("DELETE", job)

    def _submit(self, video: bytes, options: Mapping[str, str]) -> str:
        boundary = uuid.uuid4().hex
        head = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in options.items()
        )
        head += (
            f'--{boundary}\r\nContent-Disposition: form-data; name="video"; filename="comfyui.mkv"\r\n\r\n'
        )
        body = head.encode() + video + f"\r\n--{boundary}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return str(self._ask("POST", "/jobs", body, kind)[1]["Location"])

    def _wait(self, job: str, on_progress: Callable[[int], None]) -> None:
        while True:
            body, headers = self._ask("GET", job)
            state = json.loads(body)
            on_progress(state["progress"]["frames_done"])
            if state["status"] not in ("queued", "running"):
                break
            time.sleep(float(headers.get("Retry-After", 1)))
        if state["status"] != "succeeded":
            raise RuntimeError((state["error"] or {}).get("detail", f"The job was {state['status']}."))

    def _ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[bytes, Any]:
        request = urllib.request.Request(
            self._url + path, body, {**self._headers, **(headers or {})}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:
                return answer.read(), answer.headers
        except urllib.error.HTTPError as error:
            raise RuntimeError(_reason(error)) from error
        except urllib.error.URLError as error:
            raise RuntimeError(f"No service answers at {self._url}: {error.reason}.") from error


def _reason(error: urllib.error.HTTPError) -> str:
    text = error.read().decode("utf-8", "replace")
    try:
        return str(json.loads(text)["detail"])
    except (ValueError, KeyError):
        return f"The service answered {error.code}: {text[:200]}"
