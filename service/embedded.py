"""Everything on this machine: Redis, a worker and the gateway as children of this process.

They die with this process, however it dies, and are started again when they die. The next start goes on with the jobs.
"""

from __future__ import annotations

import secrets
import signal
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from service.config import Settings, default_models
from service.devices.names import AUTO, CPU, DeviceOrder
from service.errors.engine import ModelNotFound
from service.errors.startup import StackFailed
from service.local.address import listen, require_safe_address, url_of
from service.local.children import Child, ChildSpec
from service.local.data_version import open_data_directory
from service.local.lock import DirectoryLock
from service.local.redis_server import find_redis_server, redis_command, socket_path
from service.local.signals import sigterm_exits
from service.local.supervisor import SupervisedChild, Supervisor
from service.local.triton.install import cache_directory, install
from service.local.triton.server import TritonServer, free_ports
from service.redis_state.connection import is_answering
from service.tenancy.first_key import has_keys
from service.types import Engine

_MODULES = {"worker": "service.worker", "gateway": "service.api"}
CLAIM_TTL_S = 10
"""The one worker is started again at once and takes over what it held before; this is only a backstop."""


@dataclass(frozen=True)
class EmbeddedOptions:
    """Where the stack listens, what it keeps where, and what it runs. Other settings come from ``CDVD_...``."""

    host: str = "127.0.0.1"
    port: int = 0
    """0 takes a free one."""
    data: Path = Path("cdvd-data")
    models: Path = field(default_factory=default_models)
    model: str = "cdvd_lite"
    engine: Engine | None = None
    """What restores windows; None is what ``CDVD_ENGINE`` says, or else ``auto``. For ``triton`` a server is started
    here, fetched from PyPI when it is not there yet, unless ``CDVD_TRITON_URLS`` names others."""
    device: str | None = None
    """Where ONNX Runtime restores them; None is what ``CDVD_DEVICE`` says."""
    triton: Path = field(default_factory=cache_directory)
    """Where a Triton from PyPI is kept."""
    allow_unauthenticated: bool = False
    """Listen on other addresses than loopback although everyone who reaches them may do everything."""
    start_timeout_s: float = 120.0
    stop_timeout_s: float = 10.0
    """Until children are killed; the segment of the window in work is then done again."""

    def engine_for(self, settings: Settings) -> Engine:
        return self.engine or (settings.engine if "engine" in settings.model_fields_set else "auto")


class EmbeddedStack:
    """A running service. Use as a context manager, or call ``start`` and ``stop``."""

    def __init__(self, options: EmbeddedOptions) -> None:
        self._options = options
        self._url = ""
        self.read_only: str | None = None
        """Why uploads had to wait when the service was ready; None if they did not."""
        self._resources = ExitStack()
        self._supervisor: Supervisor | None = None

    @property
    def url(self) -> str:
        """Where the service is reached from this machine, such as ``http://127.0.0.1:8080``."""
        return self._url

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Return when jobs are taken and a worker has loaded the model.

        Raises InsecureAddress, ModelNotFound, DeviceUnavailable, RequirementMissing (no Redis, no Triton for this
        machine), DataInUse, DataVersionUnsupported, and StackFailed with the end of the logs.
        """
        options = self._options
        allowed = options.allow_unauthenticated or Settings().allow_unauthenticated
        _require_model(options)
        _require_device(options)
        require_safe_address(options.host, allowed, lambda: has_keys(options.data))
        with ExitStack() as resources:
            self._supervisor = self._start(resources, allowed)
            self._await_ready(self._supervisor)
            self._resources = resources.pop_all()

    def stop(self) -> None:
        """Stop everything; jobs in work go on with the next start. Safe to call twice."""
        self._resources.close()

    def wait(self) -> None:
        """Block until the stack was stopped, or until a child cannot be kept alive, which raises StackFailed."""
        while self._supervisor and not self._supervisor.wait(timeout_s=1.0):
            pass

    def _start(self, resources: ExitStack, allow_unauthenticated: bool) -> Supervisor:
        options = self._options
        data = options.data.resolve()
        server = find_redis_server()
        lock = resources.enter_context(DirectoryLock(data))
        open_data_directory(data)
        listener = resources.enter_context(listen(options.host, options.port))
        self._url, socket = url_of(listener), listener.fileno()
        redis_socket = resources.enter_context(socket_path(data))
        environment = _environment(options, data, redis_socket, allow_unauthenticated)
        triton = _triton_server(options, data)
        if triton:
            environment["CDVD_TRITON_URLS"] = triton.grpc_address
        children = (
            _redis(
                options, redis_command(server, _directory(data / "redis"), redis_socket), lock, environment
            ),
            *([_triton(triton)] if triton else []),
            _python(options, "worker", environment),
            # The socket is ours: it keeps its port, and takes connections, while a new gateway starts.
            _python(options, "gateway", {**environment, "CDVD_LISTEN_FD": str(socket)}, socket),
        )
        resources.enter_context(sigterm_exits())
        supervisor = Supervisor(children)
        resources.callback(supervisor.stop)
        supervisor.start()
        return supervisor

    def _await_ready(self, supervisor: Supervisor) -> None:
        deadline = time.monotonic() + self._options.start_timeout_s
        with httpx.Client(base_url=self._url, timeout=2.0, trust_env=False) as client:
            while not supervisor.wait(timeout_s=0.1):
                reason, self.read_only = _unready(client)
                if reason is None:
                    return
                if time.monotonic() > deadline:
                    reason = reason.rstrip(".")
                    raise StackFailed(f"The service does not get ready: {reason}.\n{supervisor.log_tails()}")


def _redis(
    options: EmbeddedOptions, command: list[str], lock: DirectoryLock, environment: dict[str, str]
) -> SupervisedChild:
    """It holds the lock as well: the data is free again only when Redis has written all of it."""
    log, url = _directory(options.data.resolve() / "logs") / "redis.log", environment["CDVD_REDIS_URL"]
    spec = ChildSpec(
        "redis",
        command,
        log,
        pass_fds=(lock.fileno(),),
        death_signal=signal.SIGTERM,
        patience_s=options.stop_timeout_s,
    )
    return SupervisedChild(Child(spec), lambda: is_answering(url))


def _triton_server(options: EmbeddedOptions, data: Path) -> TritonServer | None:
    """The server to start here, if windows go to a Triton and nobody has named one."""
    settings = Settings()
    if options.engine_for(settings) != "triton" or "triton_urls" in settings.model_fields_set:
        return None
    return TritonServer(
        install=install(options.triton),
        models=options.models,
        directory=data / "triton",
        log=_directory(data / "logs") / "triton.log",
        ports=free_ports(),
        name=f"cdvd-{secrets.token_hex(8)}",
        threads=settings.engine_threads,
    )


def _triton(server: TritonServer) -> SupervisedChild:
    return SupervisedChild(Child(server.spec()), server.is_ready, server.is_healthy)


def _python(options: EmbeddedOptions, name: str, environment: dict[str, str], *fds: int) -> SupervisedChild:
    """A worker or a gateway."""
    log = _directory(options.data.resolve() / "logs") / f"{name}.log"
    command = [sys.executable, "-m", _MODULES[name]]
    spec = ChildSpec(name, command, log, environment, fds, patience_s=options.stop_timeout_s)
    return SupervisedChild(Child(spec))


def _environment(
    options: EmbeddedOptions, data: Path, redis_socket: Path, allow_unauthenticated: bool
) -> dict[str, str]:
    settings = Settings()
    return {
        "CDVD_REDIS_URL": f"unix://{redis_socket}?db=0",
        "CDVD_DATA": str(data),
        "CDVD_MODELS": str(options.models.resolve()),
        "CDVD_MODEL": options.model,
        "CDVD_ENGINE": options.engine_for(settings),
        "CDVD_DEVICE": options.device or settings.device,
        "CDVD_HOST": options.host,  # where the listener is that the gateway is given
        "CDVD_ALLOW_UNAUTHENTICATED": str(allow_unauthenticated),
        "CDVD_WORKER_NAME": "embedded",
        "CDVD_CLAIM_TTL_S": str(CLAIM_TTL_S),
        "CDVD_SWEEP_AFTER_S": str(settings.model_dump(exclude_unset=True).get("sweep_after_s", 0)),
    }


def _require_model(options: EmbeddedOptions) -> None:
    if not (options.models / options.model / "1" / "model.onnx").is_file():
        missing = f"There is no model {options.model!r} in {options.models}."
        raise ModelNotFound(f"{missing} Name the model repository with --models or CDVD_MODELS.")


def _require_device(options: EmbeddedOptions) -> None:
    """Looks for a device that is asked for by name, before anything is started. Raises DeviceUnavailable."""
    settings = Settings()
    order = DeviceOrder.parse(options.device or settings.device)
    if options.engine_for(settings) in ("auto", "onnx") and order.devices[0].kind not in (AUTO, CPU):
        from service.inference.devices.placing import require_one

        require_one(order)


def _unready(client: httpx.Client) -> tuple[str | None, str | None]:
    """Returns why the gateway says that it is not ready, None if it is, and why uploads have to wait."""
    try:
        answer = client.get("/readyz")
    except httpx.TransportError as error:
        return f"no answer from the gateway ({type(error).__name__})", None
    body = answer.json()
    return (None, body["reason"]) if answer.is_success else (str(body.get("detail", answer.text)), None)


def _directory(path: Path) -> Path:
    path.mkdir(mode=0o700, exist_ok=True)
    return path
