"""The fidelity report of a result, as workers write it; the gateway hands the file over as it is."""

from __future__ import annotations

from pydantic import BaseModel, Field

from service.api.answers.finding_bodies import FindingBody
from service.api.answers.job_bodies import ColorBody
from service.options import EncodingOptions


class CopiedStreamBody(BaseModel):
    """A stream that was copied; equal hashes mean equal packets."""

    kind: str = Field(examples=["audio"])
    codec: str = Field(examples=["aac"])
    packets: int
    source_sha256: str
    result_sha256: str


class VersionsBody(BaseModel):
    """The software that made the result."""

    service: str
    ffmpeg: str
    pyav: str


class GraphBody(BaseModel):
    """The model that restored the video."""

    name: str = Field(examples=["cdvd_lite"])
    sha256: str = Field(description="Of the graph, in hex.")
    looks: int = Field(description="How many times every frame was restored; the result is the mean.")


class SourceBody(BaseModel):
    """The upload as it arrived."""

    filename: str
    bytes: int
    sha256: str


class ResultBody(BaseModel):
    bytes: int
    sha256: str


class ExcerptBody(BaseModel):
    """The part of the upload that was restored, in seconds."""

    start_s: float
    end_s: float | None


class MemoryPlanBody(BaseModel):
    """How windows were restored within the memory that there was."""

    window: int = Field(description="Frames of one call to the engine.")
    in_flight: int = Field(description="Windows at the engine at a time.")
    tile: int | None = Field(description="Most pixels of a tile's side; null restores whole frames.")
    bytes: int = Field(description="What a worker takes at its peak.")
    manner: str = Field(examples=["whole frames"])


class SegmentBody(BaseModel):
    """A run of frames that was restored in one step: `start <= frame < stop`."""

    index: int
    start: int
    stop: int
    worker: str | None
    device: str | None
    memory_plan: int | None = Field(None, description="Its place in `memory_plans`, counted from 0.")


class ReportBody(BaseModel):
    """What was kept, what was lost, and with what the result was made."""

    job: str
    model: GraphBody
    ran_on: list[str] = Field(description="A sentence for each place where a worker ran the model.")
    frames_in: int
    frames_out: int
    largest_timestamp_error_s: float = Field(
        description="Seconds at most between a frame's time in the result and in the upload."
    )
    timestamp_shift_s: float = Field(
        description="Seconds taken off every time, because the upload's clock does not begin at zero."
    )
    color_in: ColorBody
    color_out: ColorBody
    bit_depth_in: int
    bit_depth_out: int
    rotation_in: int
    rotation_out: int
    copies: list[CopiedStreamBody]
    findings: list[FindingBody]
    pieces: int = Field(description="Segments that were joined.")
    bytes: int
    codec: str
    options: EncodingOptions
    versions: VersionsBody
    losses: list[str] = Field(description="A sentence for each thing that the result lacks.")
    source: SourceBody
    result: ResultBody
    excerpt: ExcerptBody | None
    window_frames: int = Field(description="Frames of one call to the engine, by the last plan.")
    engine: str = Field(examples=["onnx"])
    memory_plans: list[MemoryPlanBody] = Field(
        [], description="The plan that was made first, and each smaller one after one ran out of memory."
    )
    segments: list[SegmentBody]
