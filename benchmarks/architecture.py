"""``python -m benchmarks.architecture``: the picture in ``docs/architecture.md``, drawn from the code.

Rows are the layers that import-linter checks (``pyproject.toml``), boxes the packages that exist; the three ways below
them name real modules. The command ends with an error when a package has no description here, or a module is gone.
"""

from __future__ import annotations

import argparse
import math
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "architecture.svg"
MOST_IN_A_ROW = 7

PURPOSES = {
    "service.cli": "the cdvd command",
    "service.embedded": "everything on one machine",
    "service.api": "HTTP gateway (FastAPI)",
    "service.worker": "Celery worker",
    "service.client": "Python client (httpx)",
    "service.config": "settings, CDVD_...",
    "service.submission": "from an upload to a job",
    "service.estimates": "time, memory, disk of a job",
    "service.overview": "what operators see",
    "service.transfers": "input_url, output_url",
    "service.jobs": "jobs, steps, events, queue",
    "service.webhooks": "signed calls to receivers",
    "service.outbound": "calls to servers of others",
    "service.storage": "files: disk or S3",
    "service.pipeline": "segments, windows, join",
    "service.tenancy": "API keys and quotas",
    "service.artifacts": "curves, heat maps",
    "service.redis_state": "keys, scripts",
    "service.inference": "ONNX Runtime, OpenVINO, Triton",
    "service.video": "probe, decode, encode, remux",
    "service.local": "children, Redis",
    "service.devices": "names of devices",
    "service.logs": "log lines",
    "service.model_catalog": "model.json",
    "service.options": "of a job",
    "service.memory": "memory: plan, limit",
    "service.encoding": "codecs, containers, pixels of results",
    "service.distribution": "install advice",
    "service.settings": "of gateways",
    "service.quality": "fast, good, best",
    "service.text": "plurals, phrases",
    "service.window_limits": "sizes, memory",
    "service.findings": "kept and lost",
    "service.fidelity": "strict jobs",
    "service.metrics": "Prometheus",
    "service.tracing": "OpenTelemetry",
    "service.errors": "stable codes",
    "service.types": "shared values",
    "cascade.train": "command: training",
    "cascade.evaluate": "command: evaluation",
    "cascade.training": "recipes, losses, trainer",
    "cascade.figures": "pictures for people",
    "cascade.evaluation": "protocol, metrics, baselines",
    "cascade.data": "photographs, paired folders",
    "cascade.synthesis": "blur with exact flow",
    "cascade.network": "flow, prior, restoration",
}

WAYS = (
    (
        "An upload becomes a job",
        "#2563eb",
        (
            ("service.api.routes.jobs", "POST /jobs"),
            ("service.api.upload.receiving", "streams the file to storage"),
            ("service.submission.rules", "checks options and model"),
            ("service.video.sandbox.probe", "looks at it in a limited process"),
            ("service.submission.acceptance", "records the job"),
            ("service.jobs.queue", "enqueues its plan"),
        ),
    ),
    (
        "A segment is restored",
        "#b45309",
        (
            ("service.worker.tasks", "leases the step"),
            ("service.video.decode", "frames of the segment"),
            ("service.pipeline.windows", "windows of T + 4 frames"),
            ("service.inference.engine", "restores each window"),
            ("service.video.encoding.piece", "encodes the piece"),
            ("service.pipeline.finalize", "joins all pieces with the sound"),
        ),
    ),
    (
        "A checkpoint is served",
        "#15803d",
        (
            ("cascade.train", "trains on synthesized blur"),
            ("cascade.network.checkpoint", "saves weights and config"),
            ("export.onnx", "writes the graph"),
            ("export.verify", "compares it with PyTorch"),
            ("export.repository", "fills model_repository/"),
            ("service.inference.engine", "serves it"),
        ),
    ),
)

WIDTH, MARGIN, GAP = 1280, 20, 10
BOX_HEIGHT, ROW, HEAD = 46, 60, 46
SERVICE_WIDTH = 850
STEP_HEIGHT, WAY = 50, 96


@dataclass(frozen=True)
class Box:
    """A rectangle with a name and a line below it; lengths in pixels of the picture."""

    x: float
    y: float
    width: float
    height: float
    title: str
    line: str
    color: str

    def svg(self) -> str:
        middle = self.x + self.width / 2
        return (
            f'<rect x="{self.x:.0f}" y="{self.y:.0f}" width="{self.width:.0f}" height="{self.height}" rx="6" '
            f'fill="white" stroke="{self.color}" stroke-width="1.5"/>'
            f'<text x="{middle:.0f}" y="{self.y + 19:.0f}" class="name">{escape(self.title)}</text>'
            f'<text x="{middle:.0f}" y="{self.y + 36:.0f}" class="line">{escape(self.line)}</text>'
        )


def layers(package: str) -> list[list[str]]:
    """Returns the rows of ``package`` from top to bottom, each the full names of the packages in it."""
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = configuration["tool"]["importlinter"]["contracts"]
    rows = next(one["layers"] for one in contracts if one.get("containers") == [package])
    named = [[f"{package}.{name.strip()}" for name in row.split("|")] for row in rows]
    return [part for row in named for part in _parts(row)]


def _parts(row: list[str]) -> Iterator[list[str]]:
    """Yields a row in as many as their names need to fit; packages of one row do not import each other."""
    each = math.ceil(len(row) / math.ceil(len(row) / MOST_IN_A_ROW))
    return (row[first : first + each] for first in range(0, len(row), each))


def _short(name: str) -> str:
    """Returns a package's name without the side that its column stands for."""
    return name.partition(".")[2]


def _rows(package: str, x: float, width: float, top: float) -> Iterator[Box]:
    for index, names in enumerate(layers(package)):
        each = (width - GAP * (len(names) - 1)) / len(names)
        for place, name in enumerate(names):
            left = x + place * (each + GAP)
            yield Box(left, top + index * ROW, each, BOX_HEIGHT, _short(name), PURPOSES[name], "#64748b")


def _way(steps: Sequence[tuple[str, str]], color: str, top: float) -> Iterator[str]:
    each = (WIDTH - 2 * MARGIN - 22 * (len(steps) - 1)) / len(steps)
    for place, (module, line) in enumerate(steps):
        left = MARGIN + place * (each + 22)
        if place:
            yield (
                f'<path d="M{left - 20:.0f} {top + 25} h14 m-5 -4 l5 4 l-5 4" fill="none" stroke="{color}" '
                'stroke-width="1.8"/>'
            )
        yield Box(left, top, each, STEP_HEIGHT, module.removeprefix("service."), line, color).svg()


def picture() -> str:
    """Returns the whole picture, SVG."""
    top = MARGIN + HEAD
    training = SERVICE_WIDTH + 2 * MARGIN + 20
    width = WIDTH - training - MARGIN
    bottom = top + max(len(layers("service")), len(layers("cascade")) + 2) * ROW
    models = bottom - ROW
    boxes = [
        *_rows("service", MARGIN, SERVICE_WIDTH, top),
        Box(training, top, width, BOX_HEIGHT, "export", "checkpoint to verified ONNX graphs", "#64748b"),
        *_rows("cascade", training, width, top + ROW),
        Box(
            training,
            models,
            width,
            BOX_HEIGHT,
            "model_repository/",
            "all that one side sees of the other",
            "#15803d",
        ),
    ]
    parts = [
        f'<text x="{MARGIN}" y="{MARGIN + 18}" class="head">service/: no PyTorch</text>',
        f'<text x="{MARGIN}" y="{MARGIN + 36}" class="note">A package imports only from rows below its own.</text>',
        f'<text x="{training}" y="{MARGIN + 18}" class="head">cascade/: the paper, in PyTorch</text>',
        f'<text x="{training}" y="{MARGIN + 36}" class="note">Knows nothing of serving.</text>',
        *(box.svg() for box in boxes),
    ]
    for index, (title, color, steps) in enumerate(WAYS):
        y = bottom + 34 + index * WAY
        parts.append(f'<text x="{MARGIN}" y="{y - 10}" class="head" fill="{color}">{escape(title)}</text>')
        parts.extend(_way(steps, color, y))
    height = bottom + 34 + len(WAYS) * WAY - 20
    style = (
        "text{font-family:Helvetica,Arial,sans-serif;fill:#0f172a}.name{font-size:11.5px;font-weight:bold;"
        "text-anchor:middle}.line{font-size:11px;text-anchor:middle;fill:#475569}.head{font-size:16px;"
        "font-weight:bold}.note{font-size:12px;fill:#475569}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">'
        f'<style>{style}</style><rect width="100%" height="100%" fill="#f8fafc"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def missing() -> list[str]:
    """Returns what the tables above name and the code does not have, or the other way round."""
    packages = {name for side in ("service", "cascade") for row in layers(side) for name in row}
    modules = [module for _, _, steps in WAYS for module, _ in steps]
    gone = [module for module in modules if find_spec(module) is None]
    return [*sorted(packages ^ set(PURPOSES)), *gone]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.architecture", description=__doc__)
    parser.add_argument("--output", type=Path, default=PICTURE)
    output: Path = parser.parse_args().output
    if wrong := missing():
        print(f"architecture: not in both the code and this picture: {', '.join(wrong)}.", file=sys.stderr)
        return 1
    output.write_text(picture())
    return 0


if __name__ == "__main__":
    sys.exit(main())
