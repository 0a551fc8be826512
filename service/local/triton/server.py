"""Runs the Triton server that ``install`` fetched: lays out its files, builds its command, checks whether it serves."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import sys
import urllib.request
from contextlib import ExitStack
from dataclasses import astuple, dataclass
from http.client import HTTPException
from pathlib import Path

from service.errors.startup import RequirementMissing, StackFailed
from service.local.children import ChildSpec
from service.local.triton.install import TritonInstall, library_directory

BACKEND = Path(__file__).with_name("onnxruntime_backend.py")
SHARED_MEMORY = Path("/dev/shm")
HOST = "127.0.0.1"
"""The server listens on this machine alone, because Triton lets everybody who reaches it do everything."""
READY_TIMEOUT_S = 2.0
EXIT_TIMEOUT_S = 5
"""With less time, an open connection makes Triton end as if it had failed."""
REGION_BYTES, GROWTH_BYTES = 1 << 20, 16 << 20
"""Bytes of shared memory between the server and a model's process, at first and by which it grows."""


@dataclass(frozen=True)
class TritonPorts:
    """The ports of the three interfaces; 0 is any free port."""

    http: int
    grpc: int
    metrics: int


ANY_PORTS = TritonPorts(0, 0, 0)


@dataclass(frozen=True)
class TritonServer:
    """A server for the models of a repository; its ``name`` is unique on this machine."""

    install: TritonInstall
    models: Path
    directory: Path
    """The server's own files: created, and emptied at every start."""
    log: Path
    ports: TritonPorts
    name: str
    threads: int | None = None
    """Threads of ONNX Runtime per window; None takes every core."""

    @property
    def grpc_address(self) -> str:
        """``host:port`` of gRPC."""
        return f"{HOST}:{self.ports.grpc}"

    def spec(self) -> ChildSpec:
        """Returns how ``Child`` runs the server, which ends in good order with its parent and leaves nothing behind."""
        return ChildSpec(
            "triton",
            self._command(),
            self.log,
            self._environment(),
            death_signal=signal.SIGTERM,
            patience_s=EXIT_TIMEOUT_S + 5.0,
            directory=self.directory / "work",
            inherit_environment=False,
            clean=self.prepare,
        )

    def prepare(self) -> None:
        """Lays out the backends, and removes the shared memory that an earlier run could not remove itself."""
        shutil.rmtree(self.directory, ignore_errors=True)
        backends = self.directory / "backends"
        (backends / "python").mkdir(parents=True)
        (backends / "onnxruntime").mkdir()
        # Empty: a model.py in the working directory would be taken for the backend.
        (self.directory / "work").mkdir()
        for name in ("libtriton_python.so", "triton_python_backend_utils.py"):
            shutil.copy(self.install.python_backend / name, backends / "python")  # a link is refused
        # A link, as it finds its libraries relative to where it really is; without them the server hangs.
        (backends / "python" / self.install.stub.name).symlink_to(self.install.stub)
        shutil.copy(BACKEND, backends / "onnxruntime" / "model.py")
        for region in SHARED_MEMORY.glob(f"{self._prefix}*"):
            region.unlink(missing_ok=True)

    def is_ready(self) -> bool:
        """Returns whether this server has finished loading; another one that listens on the port does not count."""
        address = f"http://{HOST}:{self.ports.http}"
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(f"{address}/v2", timeout=READY_TIMEOUT_S) as answer:
                if json.load(answer)["name"] != self.name:
                    return False
            with direct.open(f"{address}/v2/health/ready", timeout=READY_TIMEOUT_S) as answer:
                return bool(answer.status == 200)
        except (OSError, HTTPException, ValueError, KeyError):
            return False

    @staticmethod
    def is_healthy(pid: int) -> bool:
        """Returns whether the processes that run the models live.

        Without such a process, the server still says that it is ready, does not start it again, and fails every window.
        """
        tasks = Path(f"/proc/{pid}/task").glob("*/children")
        return not any(_is_zombie(int(child)) for task in tasks for child in _read(task).split())

    @property
    def _prefix(self) -> str:
        return f"{self.name}_"

    def _environment(self) -> dict[str, str]:
        """Returns all that the server sees. The first ``python3`` on PATH runs the models, so it must be this one."""
        interpreter = Path(sys.executable).parent
        if not (interpreter / "python3").is_file():
            raise RequirementMissing(f"There is no python3 beside {sys.executable}; Triton needs that name.")
        libraries = library_directory()
        return {
            "HOME": str(self.directory / "work"),
            "LC_ALL": "C.UTF-8",
            "PATH": f"{interpreter}:/usr/bin:/bin",
            **({"LD_LIBRARY_PATH": str(libraries)} if libraries else {}),
            **({"CDVD_ENGINE_THREADS": str(self.threads)} if self.threads else {}),
        }

    def _command(self) -> list[str]:
        ports = self.ports
        options = {
            "id": self.name,
            "model-repository": self.models.resolve(),
            "backend-directory": (self.directory / "backends").resolve(),
            "model-config-name": "cpu",  # configs/cpu.pbtxt of a model whose config.pbtxt asks for a GPU
            "exit-on-error": "false",  # a model that does not load is reported by whoever asks for it
            "strict-readiness": "false",
            "exit-timeout-secs": EXIT_TIMEOUT_S,
            "http-address": HOST,
            "grpc-address": HOST,
            "metrics-address": HOST,
            "http-port": ports.http,
            "grpc-port": ports.grpc,
            "metrics-port": ports.metrics,
            "allow-gpu-metrics": "false",
            "allow-cpu-metrics": "false",
            "pinned-memory-pool-byte-size": 0,
        }
        backend = {
            "shm-region-prefix-name": self._prefix,
            "shm-default-byte-size": REGION_BYTES,
            "shm-growth-byte-size": GROWTH_BYTES,
        }
        return [
            str(self.install.server),
            "--disable-auto-complete-config",  # what a configuration leaves out is an error, not a guess
            *(f"--{key}={value}" for key, value in options.items()),
            *(f"--backend-config=python,{key}={value}" for key, value in backend.items()),
        ]


def free_ports(wanted: TritonPorts = ANY_PORTS) -> TritonPorts:
    """Returns the wanted ports, with free ones in place of zeros.

    Raises StackFailed for a port that is taken, which the server itself would notice only after loading. Where another
    process takes a port in the meantime, ``is_ready`` does not succeed.
    """
    with ExitStack() as held:
        sockets = [held.enter_context(_bound(port)) for port in astuple(wanted)]
        http, grpc, metrics = (one.getsockname()[1] for one in sockets)
    return TritonPorts(http, grpc, metrics)


def _bound(port: int) -> socket.socket:
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        raise StackFailed(f"Triton cannot listen on {HOST} port {port}: {error.strerror or error}") from error


def _is_zombie(pid: int) -> bool:
    """Returns whether a process has ended without being waited for."""
    # The state follows the name in parentheses, which may itself hold any characters.
    return _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()[:1] == ["Z"]


def _read(path: Path) -> str:
    """Returns the text of a file of /proc, empty when its process has ended."""
    try:
        return path.read_text()
    except OSError:
        return ""
