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
class RestoredSegment(Segment):
    """A segment, and how it was restored."""

    memory_plan: int | None = None
    """The place of its plan among those of the job; None where memory did not decide, or nobody wrote it down."""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the bytes of a result, beside the software and the device that ran it."""

    model: Graph
    options: EncodeOptions
    excerpt: Excerpt | None
    segments: tuple[RestoredSegment, ...]
    window_frames: int
    """Output frames of one call of the engine, where memory did not decide."""
    source: FileDigest
    result: FileDigest
    engine: Engine = "onnx"
    """What restored it: runtimes round differently."""
    memory_plans: tuple[MemoryPlan, ...] = ()
    """How its windows were restored: a smaller one after each that ran out of memory."""

    def plan_of(self, segment: RestoredSegment) -> MemoryPlan | None:
        """Returns the plan that a segment was restored by, or the last where the report does not say.

        Raises PipelineError for a plan that the report does not have.
        """
        place = segment.memory_plan
        if place is None:
            return self.memory_plans[-1] if self.memory_plans else None
        if not 0 <= place < len(self.memory_plans):
            raise PipelineError(f"The report lacks the plan {place}, which segment {segment.index} names.")
        return self.memory_plans[place]


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
