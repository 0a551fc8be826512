"""Spreads windows over several Triton servers: the least loaded one that works gets the next.

A server is admitted when it has restored a window and ejected at its first failure. A thread then tests it after 0.2,
0.4 ... 2 seconds, until it restores a window again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition, Thread

from service.errors.base import ServiceError
from service.errors.engine import EngineUnavailable
from service.errors.job import JobCanceled
from service.inference.engine import Stopped, never
from service.inference.triton_member import Link, Member

log = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 2.0
RESOLVE_S = 10.0
"""Seconds after which addresses are resolved again, so that a new server under a DNS name is noticed."""
_ROUND_S = 0.1


class Pool:
    """Lends links to the servers behind some addresses, which a thread watches."""

    def __init__(self, resolve: Callable[[], set[str]], connect: Callable[[str], Link]) -> None:
        """Returns when one server is admitted.

        ``resolve`` returns the present addresses or raises OSError; it is called every few seconds. ``connect`` makes
        a link to an address. Raises ModelNotFound or EngineError where every server does, else
        EngineUnavailable.
        """
        self._resolve = resolve
        self._connect = connect
        self._members: dict[str, Member] = {}
        self._changed = Condition()
        self._closed = False
        self._turn = 0
        self._resolve_at = 0.0
        self._watcher = Thread(target=self._watch, name="triton-pool", daemon=True)
        try:
            self._refresh()
            self._prove_due()
            self._await_first()
        except BaseException:
            self.close()
            raise
        self._watcher.start()

    def admitted(self) -> tuple[str, ...]:
        """Returns the addresses of the servers that take windows at the moment."""
        with self._changed:
            return tuple(sorted(member.link.address for member in self._members.values() if member.admitted))

    def in_flight(self) -> int:
        """Returns how many windows are at a server now."""
        with self._changed:
            return sum(member.in_flight for member in self._members.values())

    @contextmanager
    def borrowed(self, patience_s: float, stopped: Stopped = never) -> Iterator[Link]:
        """Lends the least loaded server for one window. An EngineUnavailable that the block raises ejects the server.

        Raises EngineUnavailable when none is admitted within ``patience_s``, JobCanceled when ``stopped`` says so.
        """
        member = self._take(patience_s, stopped)
        try:
            yield member.link
        except EngineUnavailable as error:
            self._eject(member, error)
            raise
        finally:
            self._give_back(member)

    def close(self) -> None:
        """Gives up running calls and disconnects from all servers."""
        with self._changed:
            self._closed = True
            members = list(self._members.values())
            self._members.clear()
            self._changed.notify_all()
        for member in members:
            member.link.close()
        if self._watcher.ident is not None:
            self._watcher.join()

    def _take(self, patience_s: float, stopped: Stopped) -> Member:
        deadline = time.monotonic() + patience_s
        while True:
            if stopped():
                raise JobCanceled("Nobody waits for the window any more.")
            with self._changed:
                if self._closed:
                    raise EngineUnavailable("The engine was closed.")
                ready = [member for member in self._members.values() if member.admitted]
                if ready:
                    # Equally loaded servers take turns: one that is never used could die without being noticed.
                    chosen = min(ready, key=lambda member: (member.in_flight, member.last_turn))
                    chosen.in_flight += 1
                    self._turn += 1
                    chosen.last_turn = self._turn
                    return chosen
                if time.monotonic() > deadline:
                    raise EngineUnavailable(f"No Triton server takes windows: {self._reasons()}")
                self._changed.wait(_ROUND_S)

    def _give_back(self, member: Member) -> None:
        with self._changed:
            member.in_flight -= 1
            over = not member.wanted and not member.in_flight
        if over:
            member.link.close()

    def _eject(self, member: Member, reason: ServiceError) -> None:
        with self._changed:
            if member.admitted:
                log.warning("No more windows go to %s: %s", member.link.address, reason)
            self._put_off(member, reason)

    def _put_off(self, member: Member, reason: ServiceError) -> None:
        member.admit(admitted=False)
        member.reason = reason
        pause = min(FIRST_PAUSE_S * 2 ** min(member.failures, 10), LONGEST_PAUSE_S)
        member.failures += 1
        member.try_at = time.monotonic() + pause

    def _watch(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed, timeout=_ROUND_S)
                if self._closed:
                    return
            try:
                if time.monotonic() >= self._resolve_at:
                    self._refresh()
            except EngineUnavailable as error:
                log.warning("%s", error)  # the known servers stay
            self._prove_due()

    def _refresh(self) -> None:
        """Adds servers that have appeared and drops those that are gone. Raises EngineUnavailable."""
        self._resolve_at = time.monotonic() + RESOLVE_S
        try:
            addresses = self._resolve()
        except OSError as error:
            raise EngineUnavailable(f"The addresses of Triton cannot be resolved: {error}") from error
        with self._changed:
            gone = [member for address, member in self._members.items() if address not in addresses]
            for member in gone:
                member.wanted = False
                member.admit(admitted=False)
                del self._members[member.link.address]
            for address in addresses - self._members.keys():
                self._members[address] = Member(self._connect(address))
        for member in gone:
            if not member.in_flight:
                member.link.close()

    def _prove_due(self) -> None:
        """Tests the servers whose pause is over, each in a thread, so that one that does not answer delays no other."""
        now = time.monotonic()
        with self._changed:
            for member in self._members.values():
                if not member.admitted and not member.proving and now >= member.try_at:
                    member.proving = True
                    Thread(target=self._prove, args=(member,), name="triton-proof", daemon=True).start()

    def _prove(self, member: Member) -> None:
        reason: ServiceError | None = None
        try:
            member.link.prove()
        except ServiceError as error:
            reason = error
        except Exception as error:  # noqa: BLE001  # whatever it is, this server cannot be used
            reason = EngineUnavailable(f"{member.link.address}: {type(error).__name__}: {error}")
        with self._changed:
            member.proving = False
            if reason is None:
                member.failures, member.reason = 0, None
                member.admit(admitted=member.wanted)
                log.info("Windows go to %s", member.link.address)
            else:
                self._put_off(member, reason)
            self._changed.notify_all()

    def _await_first(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._has(admitted=True) or not self._has(proving=True))
            if not self._has(admitted=True):
                raise self._first_reason()

    def _has(self, *, admitted: bool = False, proving: bool = False) -> bool:
        """Returns whether any member is in one of these states."""
        return any((admitted and one.admitted) or (proving and one.proving) for one in self._members.values())

    def _first_reason(self) -> ServiceError:
        """Returns the servers' own kind of error where they agree, so that nobody waits for a missing model."""
        kinds = {type(one.reason) for one in self._members.values() if one.reason}
        kind = kinds.pop() if len(kinds) == 1 else EngineUnavailable
        return kind(f"No Triton server takes windows: {self._reasons()}")

    def _reasons(self) -> str:
        said = sorted({str(one.reason) for one in self._members.values() if one.reason})
        return "; ".join(said) or "there is no address"
