"""How to run the Triton that ``triton_install`` fetched: its files, its command, and whether it serves."""

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
"""Triton lets everybody who reaches it do everything."""
READY_TIMEOUT_S = 2.0
EXIT_TIMEOUT_S = 5
"""With less, an open connection makes Triton end as if it had failed."""
REGION_BYTES, GROWTH_BYTES = 1 << 20, 16 << 20
"""Shared memory between the server and a model's process, at first and by how much it grows."""


@dataclass(frozen=True)
class TritonPorts:
    http: int
    grpc: int
    metrics: int


NO_PORTS = TritonPorts(0, 0, 0)


@dataclass(frozen=True)
class TritonServer:
    """One server on the models of a repository; ``name`` tells it from every other one on this machine."""

    install: TritonInstall
    models: Path
    directory: Path
    """Its own files: created, and emptied at every start."""
    log: Path
    ports: TritonPorts
    name: str
    threads: int | None = None
    """Threads of ONNX Runtime per window; None lets it take every core."""

    @property
    def grpc_address(self) -> str:
        return f"{HOST}:{self.ports.grpc}"

    def spec(self) -> ChildSpec:
        """How ``Child`` runs it: it dies with us, in good order, and leaves nothing behind."""
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
        """Lay out the backends, and remove the shared memory that an earlier run could not remove itself."""
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
        """Whether it has finished loading; another server that listens on our port is not taken for it."""
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
        """Whether the processes that run the models live. Without one the server still says that it is ready,
        does not start it again, and fails every window.
        """
        tasks = Path(f"/proc/{pid}/task").glob("*/children")
        return not any(_is_zombie(int(child)) for task in tasks for child in _read(task).split())

    @property
    def _prefix(self) -> str:
        return f"{self.name}_"

    def _environment(self) -> dict[str, str]:
        """All that the server sees: the first ``python3`` on PATH runs the models, and must be ours."""
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


def free_ports(wanted: TritonPorts = NO_PORTS) -> TritonPorts:
    """The wanted ports, and free ones in place of zeros; ``is_ready`` notices when somebody else was faster.

    Raises StackFailed for a port that is taken: the server itself would notice that only when all is loaded.
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
    """A process that has ended and was not waited for; its state follows its name, which may hold anything."""
    return _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()[:1] == ["Z"]


def _read(path: Path) -> str:
    """What a file of /proc says; nothing when its process is gone."""
    try:
        return path.read_text()
    except OSError:
        return ""
