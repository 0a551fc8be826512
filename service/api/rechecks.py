"""Whether those who were let in would still be."""

from __future__ import annotations

import asyncio
import math
import time

from anyio.to_thread import run_sync

from service.api.access import Caller
from service.api.token_access import issuer_of
from service.errors.access import UploadTokenNotFound
from service.tenancy.api_keys import KeyRing
from service.tenancy.upload_tokens import UploadTokens

RECHECK_S = 1.0
"""Seconds for which it stays true that a caller is let in."""


class Rechecks:
    """Looks up again and again whether the callers of long answers would still be let in, once for all of a key's.

    For one event loop.
    """

    def __init__(self, ring: KeyRing, tokens: UploadTokens) -> None:
        self._ring = ring
        self._tokens = tokens
        self._answers: dict[tuple[str | None, str | None], tuple[float, asyncio.Future[bool]]] = {}

    async def still_admitted(self, caller: Caller) -> bool:
        """Returns what was true at most RECHECK_S ago. Raises BrokerUnavailable."""
        who = caller.key.prefix if caller.key else None, caller.token.id if caller.token else None
        now = time.monotonic()
        asked, answer = self._answers.get(who, (-math.inf, None))
        if answer is None or now - asked > RECHECK_S:
            self._forget_before(now - RECHECK_S)
            answer = asyncio.ensure_future(run_sync(self._look_up, *who))
            self._answers[who] = now, answer
        return await asyncio.shield(answer)

    def _forget_before(self, moment: float) -> None:
        self._answers = {who: each for who, each in self._answers.items() if each[0] >= moment}

    def _look_up(self, prefix: str | None, token_id: str | None) -> bool:
        if token_id is not None:
            return self._is_good(token_id)
        return not self._ring.any() if prefix is None else self._ring.valid_key(prefix) is not None

    def _is_good(self, token_id: str) -> bool:
        try:
            token = self._tokens.get(token_id)
        except UploadTokenNotFound:
            return False
        return issuer_of(token, self._ring) is not None
