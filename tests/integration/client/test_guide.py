"""The lines of docs/client.md, run as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.animations import picture_bytes
from tests.support.clips import Clip, moving_picture, write_clip
from tests.support.origin import Origin, origin
from tests.support.stack import Service, running_stack, until

pytestmark = pytest.mark.integration

GUIDE = Path(__file__).parents[3] / "docs" / "client.md"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    settings = {"CDVD_TRANSFER_ALLOW_PRIVATE": "true"}
    with running_stack(tmp_path_factory.mktemp("guide"), settings) as running:
        yield running


@pytest.fixture
def media(folder: Path) -> Iterator[Origin]:
    with origin() as running:
        running.files["/shaky.mp4"] = (folder / "shaky.mp4").read_bytes()
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "clips").mkdir()
    write_clip(tmp_path / "shaky.mp4", Clip(frames=6))
    write_clip(tmp_path / "clips" / "other.mp4", Clip(frames=5))
    (tmp_path / "frames").mkdir()
    for number in range(3):
        picture = picture_bytes(moving_picture(number), "png")
        (tmp_path / "frames" / f"{number:04}.png").write_bytes(picture)
    return tmp_path


def lines(language: str, service: Service, media: Origin) -> list[str]:
    found = re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert found
    others = {"http://127.0.0.1:8080": service.url, "https://media.example.org": media.url}
    for stated, here in others.items():
        found = [text.replace(stated, here) for text in found]
    return found


def run(*command: str, folder: Path, **more: str) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env={**os.environ, **more},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_lines_for_a_shell(
    service: Service, folder: Path, media: Origin, tmp_path_factory: pytest.TempPathFactory
) -> None:
    commands = tmp_path_factory.mktemp("bin")
    (commands / "cdvd").write_text(f'#!/bin/sh\nexec {sys.executable} -m service.cli "$@"\n')
    (commands / "cdvd").chmod(0o755)
    path = f"{commands}{os.pathsep}{os.environ['PATH']}"
    (script,) = lines("bash", service, media)
    run("bash", "-eu", "-c", script, folder=folder, CDVD_URL=service.url, PATH=path)
    made = {str(found.relative_to(folder)) for found in folder.rglob("*.mp4")} - {
        "shaky.mp4",
        "clips/other.mp4",
    }
    assert made == {
        "sharp.mp4",
        "listed.mp4",
        "frames.mp4",
        "again.mp4",
        "both.mp4",
        "far.mp4",
        "restored/shaky_deblurred.mp4",
        "restored/other_deblurred.mp4",
    }


def test_the_lines_for_python(service: Service, folder: Path, media: Origin) -> None:
    for script in lines("python", service, media):
        run(sys.executable, "-W", "error", "-c", script, folder=folder)
    made = [found for found in folder.glob("*.mp4") if found.name != "shaky.mp4"]
    assert len(made) == 4
    assert (folder / "both.mp4") in made
    until(lambda: media.of("PUT", "/sharp.mp4?signature=..."), "the result is sent")
