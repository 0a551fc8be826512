"""Two hosts share one video: each a network of its own, and no file in common but those in the object store."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.clip import read_clip
from tests.support.clips import Clip, write_clip
from tests.support.cluster import cluster, until_ready
from tests.support.object_store import free_port, running_object_store, settings
from tests.support.redis_servers import PASSWORD, QUOTED, redis_server
from tests.support.stack import SLOW, held_engine, until

pytestmark = pytest.mark.integration

SEGMENTS = 6


@dataclass(frozen=True)
class Host:
    """A network namespace that reaches this one at ``gateway``, and nothing else."""

    name: str
    gateway: str

    def inside(self, hidden: Path) -> list[str]:
        """A command that runs another one there, with an empty directory where ``hidden`` is here."""
        script = f"mount -t tmpfs tmpfs '{hidden}' && exec \"$@\""
        return [_tool("ip"), "netns", "exec", self.name, _tool("unshare"), "-m", "sh", "-c", script, "sh"]


@pytest.fixture
def hosts() -> Iterator[tuple[Host, Host]]:
    if os.geteuid() != 0:
        pytest.skip("needs root to make network namespaces")
    with ExitStack() as stack:
        yield tuple(stack.enter_context(_Namespace(number)) for number in (1, 2))  # type: ignore[misc]


class _Namespace:
    """A namespace and a pair of virtual network cards between it and this one."""

    def __init__(self, number: int) -> None:
        base = f"10.{200 + os.getpid() % 50}.{number}"
        self.host = Host(f"cdvd-test-{os.getpid()}-{number}", f"{base}.1")
        self._card = f"cdvd{os.getpid() % 10_000}-{number}"
        self._commands = (
            f"netns add {self.host.name}",
            f"link add {self._card} type veth peer name eth0 netns {self.host.name}",
            f"addr add {base}.1/24 dev {self._card}",
            f"link set {self._card} up",
            f"-n {self.host.name} addr add {base}.2/24 dev eth0",
            f"-n {self.host.name} link set eth0 up",
            f"-n {self.host.name} link set lo up",
            f"-n {self.host.name} route add default via {base}.1",
        )

    def __enter__(self) -> Host:
        try:
            for command in self._commands:
                subprocess.run([_tool("ip"), *command.split()], check=True, capture_output=True, text=True)
        except subprocess.CalledProcessError as error:
            self.__exit__()
            pytest.skip(f"network namespaces cannot be made here: {error.stderr.strip()}")
        return self.host

    def __exit__(self, *_: object) -> None:
        """Its end of the cards goes with the namespace, and ours with it."""
        subprocess.run([_tool("ip"), "netns", "delete", self.host.name], check=False, capture_output=True)


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"needs the command {name!r}")
    return found


def test_two_hosts_without_a_common_disk_restore_one_video(hosts: tuple[Host, Host], tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", Clip(frames=12 * SEGMENTS))
    port = str(free_port())
    here = f"redis://:{QUOTED}@127.0.0.1:{port}/0"
    everywhere = {"port": port, "bind": "0.0.0.0", "requirepass": PASSWORD}
    with (
        redis_server(tmp_path / "redis", here, everywhere),
        running_object_store(tmp_path, host="0.0.0.0") as store,
        held_engine(host="0.0.0.0") as engine,
        cluster(
            tmp_path,
            {**settings(store), **engine.settings(), "CDVD_SEGMENT_FRAMES": "12", "CDVD_REDIS_URL": here},
        ) as processes,
    ):
        service = processes.gateway()
        service.data.mkdir(exist_ok=True)
        for name, host in zip(("alpha", "beta"), hosts, strict=True):
            processes.worker(
                name,
                host.inside(hidden=service.data),
                CDVD_TRITON_URLS=f"{host.gateway}:{engine.port}",
                CDVD_REDIS_URL=here.replace("127.0.0.1", host.gateway),
                CDVD_S3_ENDPOINT=str(store.endpoint).replace("0.0.0.0", host.gateway),
            )
        until_ready(service, workers=2)
        job_id = service.submit(clip, model=SLOW)
        until(lambda: engine.pace.waiting == 2, "each host has a segment")
        engine.pace.release()
        job = service.until_status(job_id, "succeeded")
        report = service.http.get(f"/jobs/{job_id}/report").json()
        (tmp_path / "result.mp4").write_bytes(service.http.get(f"/jobs/{job_id}/result").content)

    assert {segment["worker"] for segment in report["segments"]} == {"alpha", "beta"}
    assert [segment["index"] for segment in report["segments"]] == list(range(SEGMENTS))
    assert job["output"]["frames"] == len(read_clip(tmp_path / "result.mp4")) == 12 * SEGMENTS
