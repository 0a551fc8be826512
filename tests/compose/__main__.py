"""``make compose-test``: the image for one machine, and the stack of docker-compose.yml, mistreated, on a real engine.

Needs a Docker engine with compose v2 and curl; uses the CPU variant unless ``--gpu`` is given. ``COMPOSE_TEST_EXEC``
is put in front of curl where the engine's ports are not this machine's. Everything it starts is gone when it ends.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from subprocess import CalledProcessError
from unittest.mock import patch

from service.client import Client
from service.embedded import EmbeddedOptions, EmbeddedStack
from tests.compose.engine import BASE_FILE, CPU_FILE, GATE_FILE, Stack, missing, run
from tests.compose.journal import Journal
from tests.compose.one_container import OneContainer, try_one_container
from tests.compose.scenario import MODEL, Clip, Scenario
from tests.support.clips import Clip as Drawn
from tests.support.clips import write_clip
from tests.support.models import write_model

SKIPPED = 77
"""What test runners take for 'skipped'."""
PARTS = ("one-container", "stack")
WIDTH, HEIGHT = 256, 192
SLEEP_S = 8
"""Per window: several times what the shipped model takes on two cores."""


def main() -> None:
    options = _options()
    parts = options.parts or (PARTS if options.engine == "model" else ("stack",))
    lack = missing()
    if lack:
        print(f"compose test skipped: {lack}")
        sys.exit(SKIPPED)
    files = (BASE_FILE, GATE_FILE) if options.gpu else (BASE_FILE, CPU_FILE, GATE_FILE)
    journal = Journal()
    with tempfile.TemporaryDirectory(prefix="cdvd-compose-") as folder:
        settings = {
            "CDVD_SEGMENT_FRAMES": str(options.segment_frames),
            "GATE_SIZE": f"{WIDTH}x{HEIGHT}",
            "CDVD_DEFAULT_QUALITY": "fast",  # as in the one container that it is compared with
            **_engine(options.engine, Path(folder)),
        }
        stack = Stack(files, settings, options.port)
        clip = _clip(Path(folder), options.segments, settings)
        journal.add("the embedded service, for comparison", f"restored {clip.frames} frames")
        try:
            if "one-container" in parts:
                try_one_container(OneContainer(options.port, settings), clip, Path(folder), journal)
            if "stack" in parts:
                run(["docker/secrets.sh"])
                Scenario(stack, clip, Path(folder), journal).run()
        except (AssertionError, CalledProcessError):
            print(stack.compose("logs", "--tail", "40"), file=sys.stderr)
            raise
        finally:
            _remove(stack, journal)
    print(f"\n{journal.table()}\n\ncompose test passed")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.compose", description=__doc__)
    parser.add_argument("--gpu", action="store_true", help="the stack as it is deployed, with a GPU")
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, help="what is tried; everything where the engine is the model"
    )
    parser.add_argument(
        "--engine",
        choices=("model", "instant", "sleeping"),
        default="model",
        help="what restores: the shipped model, or one that returns its frames at once or after a while",
    )
    parser.add_argument("--port", type=int, default=18080)
    parser.add_argument("--segments", type=int, default=10)
    parser.add_argument("--segment-frames", type=int, default=12)
    return parser.parse_args()


def _engine(kind: str, folder: Path) -> dict[str, str]:
    """Settings for an engine as fast as can be, or one that takes its time; none for the shipped model."""
    if kind == "model":
        return {}
    folder.chmod(0o755)  # the containers' user reads the repository
    write_model(folder / "models", MODEL)
    delay = {"GATE_DELAY_S": str(SLEEP_S)} if kind == "sleeping" else {}
    return {"CDVD_MODEL_REPOSITORY": str(folder / "models"), **delay}


def _clip(folder: Path, segments: int, settings: dict[str, str]) -> Clip:
    """A moving picture with sound, and the embedded service's result for it."""
    frames = segments * int(settings["CDVD_SEGMENT_FRAMES"])
    drawn = Drawn(frames=frames, width=WIDTH, height=HEIGHT, audio="aac")
    sent, expected = write_clip(folder / "sent.mp4", drawn), folder / "expected.mp4"
    with (
        patch.dict(os.environ, settings),
        EmbeddedStack(_embedded(folder, settings)) as embedded,
        Client(embedded.url) as client,
    ):
        job = client.wait(client.submit(sent, options={"model": MODEL}).id)
        assert job.status == "succeeded", job.error
        client.download(job.id, expected)
    return Clip(sent, expected, frames, segments)


def _embedded(folder: Path, settings: dict[str, str]) -> EmbeddedOptions:
    """With the same model as the containers, and their runtime: others round otherwise."""
    own = {"models": Path(settings["CDVD_MODEL_REPOSITORY"])} if "CDVD_MODEL_REPOSITORY" in settings else {}
    return EmbeddedOptions(data=folder / "data", engine="onnx", **own)


def _remove(stack: Stack, journal: Journal) -> None:
    stack.compose("down", "--volumes", "--remove-orphans")
    label = "label=com.docker.compose.project=cdvd-compose-test"
    left = [run(["docker", kind, "ls", "--quiet", "--filter", label]) for kind in ("volume", "network")]
    left.append(run(["docker", "ps", "--all", "--quiet", "--filter", label]))
    assert not "".join(left).strip(), left
    journal.add("`down --volumes`", "no container, volume or network is left")


if __name__ == "__main__":
    main()
