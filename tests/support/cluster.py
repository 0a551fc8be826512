"""A gateway and any number of workers as processes of their own, on whatever Redis and storage a test chooses."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from service.local.children import Child, ChildSpec
from tests.support.object_store import free_port
from tests.support.stack import QUICK, Service, until, write_models


class Cluster:
    """Processes that end with it. ``settings`` are the ``CDVD_...`` variables that all of them share."""

    def __init__(self, root: Path, settings: Mapping[str, str], stack: ExitStack) -> None:
        self._root = root
        self._stack = stack
        models = write_models(root / "models")
        own = {"CDVD_MODELS": str(models), "CDVD_MODEL": QUICK, "CDVD_CLAIM_TTL_S": "2"}
        self._settings = {**own, "CDVD_DATA": str(root / "data"), **settings}

    def gateway(self, host: str = "127.0.0.1") -> Service:
        """Start it; it may need a moment."""
        port = free_port(host)
        own = {"CDVD_HOST": host, "CDVD_PORT": str(port), "CDVD_ALLOW_UNAUTHENTICATED": "true"}
        self.start("gateway", [sys.executable, "-m", "service.api"], own)
        http = httpx.Client(base_url=f"http://{host}:{port}", timeout=120.0, trust_env=False)
        return Service(self._stack.enter_context(http), self._root / "data")

    def worker(self, name: str, inside: Sequence[str] = (), **settings: str) -> Child:
        """Start one; ``inside`` is a command that runs another one, such as ``ip netns exec``."""
        command = [*inside, sys.executable, "-m", "service.worker"]
        return self.start(name, command, {"CDVD_WORKER_NAME": name, **settings})

    def start(self, name: str, command: Sequence[str], settings: Mapping[str, str]) -> Child:
        log = self._root / f"{name}.log"
        child = Child(ChildSpec(name, command, log, {**self._settings, **settings}, patience_s=60))
        child.start()
        self._stack.callback(child.stop)
        return child


@contextmanager
def cluster(root: Path, settings: Mapping[str, str]) -> Iterator[Cluster]:
    with ExitStack() as stack:
        yield Cluster(root, settings, stack)


def until_ready(service: Service, workers: int) -> None:
    """Wait until so many workers have loaded their model."""

    def ready() -> bool:
        try:
            answer = service.http.get("/readyz")
        except httpx.TransportError:
            return False
        return answer.is_success and sum(bool(one["ready"]) for one in answer.json()["workers"]) == workers

    until(ready, f"the gateway knows {workers} workers that are ready")
