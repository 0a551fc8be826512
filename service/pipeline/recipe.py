"""What a report says of how its result was made: enough to make the same bytes again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from service.errors.pipeline import PipelineError
from service.memory.plan import MemoryPlan
from service.types import EncodeOptions, Engine, Excerpt, Segment


@dataclass(frozen=True)
class Graph:
    """The model that restored a video, and how often it looked."""

    name: str
    sha256: str
    """Of the graph, in hex."""
    looks: int


@dataclass(frozen=True)
class FileDigest:
    """A file as it was. ``sha256`` is in hex."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the bytes of a result, beside the software and the device that ran it."""

    model: Graph
    options: EncodeOptions
    excerpt: Excerpt | None
    segments: tuple[Segment, ...]
    window_frames: int
    """Output frames of one call of the engine."""
    source: FileDigest
    result: FileDigest
    engine: Engine = "onnx"
    """What restored it: runtimes round differently."""
    memory_plans: tuple[MemoryPlan, ...] = ()
    """How its windows were restored; the last one holds for all, unless memory ran out in the midst."""


_RECIPE = TypeAdapter(Recipe)


def read_recipe(report: Path) -> Recipe:
    """Returns what a report in a file tells. Raises PipelineError for one that does not tell enough."""
    try:
        return _RECIPE.validate_json(report.read_bytes())
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"])) or "its form"
        raise PipelineError(
            f"This is no report that a result can be made from again; it lacks {place}: {fault['msg']}."
        ) from error
