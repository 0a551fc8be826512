"""What the doctor says about machines and model repositories that lack something."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from service.cli.actions import checks
from service.cli.actions.checks import Finding
from service.cli.actions.doctor import healthy, memory, print_report, repository, triton
from service.config import Settings, default_models
from service.distribution import build_command
from tests.support.models import write_model


@pytest.fixture
def models(tmp_path: Path) -> Path:
    write_model(tmp_path, "good")
    return tmp_path


def test_a_model_with_the_digest_of_its_description_is_found(models: Path) -> None:
    (finding,) = repository(models, "good")
    assert finding.found
    assert "digest verified" in finding.detail


def test_a_changed_graph_is_not_taken_for_the_described_one(models: Path) -> None:
    with (models / "good" / "1" / "model.onnx").open("ab") as file:
        file.write(b"\0")
    (finding,) = repository(models, "good")
    assert (finding.found, finding.required) == (False, True)
    assert "not the file" in finding.detail
    assert finding.remedy


@pytest.mark.parametrize("lost", ["model.json", "1/model.onnx"])
def test_half_a_model_is_missing(models: Path, lost: str) -> None:
    (models / "good" / lost).unlink()
    (finding,) = repository(models, "good")
    assert not finding.found


def test_only_the_default_model_is_required(models: Path) -> None:
    (models / "broken").mkdir()
    findings = list(repository(models, "good"))
    assert [finding.found for finding in findings] == [False, True]
    assert healthy(findings)


def test_a_default_model_that_is_nowhere_is_missing(tmp_path: Path) -> None:
    (finding,) = repository(tmp_path / "absent", "cdvd_lite")
    assert not healthy([finding])
    assert "cdvd_lite" in finding.detail


@pytest.mark.parametrize(("gib", "found"), [(0.5, False), (2, True), (4, True)])
def test_the_memory_for_the_smallest_frames_is_required(gib: float, found: bool) -> None:
    settings = Settings(memory_limit=int(gib * checks.GIB))
    (finding,) = memory(settings, default_models())

    assert finding.found is found
    assert ("restores frames of up to" in finding.detail) is found
    assert ("1920x1080" in finding.remedy) is not found


def test_4_gib_are_enough_for_8k() -> None:
    (finding,) = memory(Settings(memory_limit=4 * checks.GIB), default_models())

    assert "cdvd_lite restores frames of up to 7680x4320" in finding.detail


def test_two_builds_of_one_runtime_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    metadata = tmp_path / "onnxruntime_gpu-1.31.1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: onnxruntime-gpu\nVersion: 1.31.1\n")
    (metadata / "RECORD").write_text("onnxruntime/__init__.py,,\n")
    (metadata / "top_level.txt").write_text("onnxruntime\n")
    assert checks.onnxruntime().found

    monkeypatch.syspath_prepend(tmp_path)
    finding = checks.onnxruntime()
    assert (finding.found, finding.required) == (False, True)
    assert finding.detail == "onnxruntime and onnxruntime-gpu are the same files"
    assert finding.remedy == build_command("gpu")


def test_the_device_is_tried_with_the_model_that_jobs_use() -> None:
    assert checks.device(Settings(device="cpu"), default_models()).detail.startswith(
        "cdvd_lite runs on cpu in fp32: "
    )
    finding = checks.device(Settings(device="directml"), default_models())
    assert (finding.found, finding.required) == (False, True)
    assert "directml cannot be used" in finding.detail


def test_without_its_model_no_device_is_tried(tmp_path: Path) -> None:
    finding = checks.device(Settings(device="cpu"), tmp_path)
    assert (finding.found, finding.required) == (False, False)
    assert "not tried without" in finding.detail


def test_a_machine_without_redis_is_told_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("service.local.redis_server.find_spec", lambda _name: None)
    finding = checks.redis()
    assert not healthy([finding])
    assert "redis-server" in finding.remedy


def test_a_redis_that_does_not_run_is_not_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    server = tmp_path / "redis-server"
    server.write_text("#!/bin/sh\necho 'missing library' >&2\nexit 1\n")
    server.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    finding = checks.redis()
    assert not finding.found
    assert "missing library" in finding.detail


def test_too_little_disk_space_is_told_for_a_folder_that_is_yet_to_be_made(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "yet"
    assert checks.disk(folder, needed=1).found
    assert not checks.disk(folder, needed=1 << 60).found


def test_a_triton_that_windows_go_to_is_required_and_its_address_is_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("CDVD_ENGINE", "triton")
    monkeypatch.setenv("CDVD_TRITON_URLS", f"127.0.0.1:{port}")
    client, server = triton(Settings())
    assert client.found
    assert (server.found, server.required) == (False, True)
    assert f"127.0.0.1:{port}" in server.detail


def test_without_a_triton_nothing_of_it_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CDVD_ENGINE", raising=False)
    assert healthy(list(triton(Settings())))


def test_the_report_names_what_is_missing_and_its_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    print_report([Finding("Redis", False, "no server", "install it")], as_json=False)
    printed = capsys.readouterr().out
    assert "missing" in printed
    assert "install it" in printed
    assert "Something required is missing." in printed
