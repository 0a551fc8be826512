"""Which memory counts: the container's limit, of either version of control groups, or the machine's."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.memory.machine import memory_limit

GIB = 1 << 30


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path / "proc/meminfo", "MemTotal:       33554432 kB\nMemAvailable:   16777216 kB\n")
    return tmp_path


def test_without_a_container_the_free_memory_counts(root: Path) -> None:
    assert memory_limit(root) == 16 * GIB


@pytest.mark.parametrize("place", ["/", "/system.slice/cdvd.service"])
def test_a_group_of_version_2(root: Path, place: str) -> None:
    write(root / "proc/self/cgroup", f"0::{place}\n")
    write(root / f"sys/fs/cgroup{place}/memory.max", f"{4 * GIB}\n")

    assert memory_limit(root) == 4 * GIB


def test_the_least_limit_of_the_groups_around_counts(root: Path) -> None:
    write(root / "proc/self/cgroup", "0::/pod/container\n")
    write(root / "sys/fs/cgroup/pod/memory.max", f"{2 * GIB}\n")
    write(root / "sys/fs/cgroup/pod/container/memory.max", "max\n")

    assert memory_limit(root) == 2 * GIB


def test_a_group_of_version_1_whose_mount_is_its_own(root: Path) -> None:
    write(root / "proc/self/cgroup", "12:cpu,cpuacct:/docker/1f\n5:memory:/docker/1f\n")
    write(root / "sys/fs/cgroup/memory/memory.limit_in_bytes", f"{3 * GIB}\n")

    assert memory_limit(root) == 3 * GIB


def test_no_limit_in_version_1_is_a_very_large_number(root: Path) -> None:
    write(root / "proc/self/cgroup", "5:memory:/\n")
    write(root / "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")

    assert memory_limit(root) == 16 * GIB


def test_where_nothing_is_told_nothing_is_known(tmp_path: Path) -> None:
    assert memory_limit(tmp_path) is None
