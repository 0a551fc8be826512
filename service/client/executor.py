"""Performs the effects of operations, blocking."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx

from service.client.effects import Effect, Pause, Read, Work
from service.client.execution import Execution
from service.client.http.calls import Answer, Call, SendProgress
from service.client.http.transport import build_request, to_answer, transport_errors


class Executor:
    """Performs the effects of one operation, which has at most one streamed answer open."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self._open: httpx.Response | None = None
        self._pieces: Iterator[bytes] = iter(())

    def perform(self, execution: Execution[Any]) -> None:
        """Performs the next effect, and hands its outcome to the operation."""
        assert execution.effect is not None
        try:
            outcome = self._outcome(execution.effect)
        except Exception as error:  # noqa: BLE001  # the operation handles it or raises it again
            execution.fail(error)
        else:
            execution.resume(outcome)

    def close(self) -> None:
        if self._open:
            self._open.close()
            self._open = None

    def _outcome(self, effect: Effect) -> Any:
        match effect:
            case Call():
                return self._call(effect)
            case Read():
                with transport_errors(self._http.base_url):
                    return next(self._pieces, b"")
            case Pause():
                return time.sleep(effect.seconds)
            case Work():
                return effect.do()
        raise TypeError(effect)

    def _call(self, call: Call) -> Answer:
        with transport_errors(self._http.base_url):
            request = build_request(self._http, call, _body(call))
            response = self._http.send(request, stream=True)
            if call.stream and response.is_success:
                self.close()
                self._open, self._pieces = response, response.iter_bytes()
                return to_answer(response)
            with closing(response):
                return to_answer(response, response.read())


def _body(call: Call) -> Iterator[bytes]:
    progress = SendProgress(call)
    for piece in call.pieces():
        yield piece
        progress.count(piece)
