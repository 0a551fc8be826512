"""A table of how much work each part of the service carries, and which one is full first."""

from __future__ import annotations

from dataclasses import dataclass

SEGMENT_FRAMES = 64
"""Frames of a segment: the service's own default."""
BYTES_PER_FRAME_720P = 40_000
"""Bytes of a frame in an upload of 8 Mbit/s at 25 frames/s."""
POLL_S = 2.0
"""Seconds from one question of a waiting client for its job to the next."""


@dataclass(frozen=True)
class Measurements:
    """The figures of a run on one machine."""

    cores: int
    others_load: float
    """Processes of others that wanted a core when the run began: figures are worth little beside many."""
    upload_bytes_per_s: float
    polls_per_s: float
    redis_commands_per_s: float
    redis_commands_per_segment: float
    redis_commands_idle: float
    """Per second, by a worker that waits."""
    redis_bytes_per_job: float
    segment_overhead_s: float
    coding_fps_720p: float
    """Frames/s of a worker whose network costs nothing: decoding, coding, copying."""
    model_fps_360p: float
    """Frames/s of a worker with the shipped model on the CPU."""


@dataclass(frozen=True)
class Row:
    """A part of the service and the 720p frames/s of work that one of it carries."""

    part: str
    figure: str
    frames_per_s: float
    measured: bool = True


def rows(measurements: Measurements, gpu_fps: float) -> tuple[Row, ...]:
    """Returns a row per part; ``gpu_fps`` is the rate in 720p frames/s that is assumed of a GPU node."""
    per_segment = measurements.redis_commands_per_segment
    coding = measurements.coding_fps_720p
    return (
        Row(
            "gateway, uploads",
            f"{measurements.upload_bytes_per_s / 1e6:.0f} MB/s",
            measurements.upload_bytes_per_s / BYTES_PER_FRAME_720P,
        ),
        Row(
            "Redis",
            f"{measurements.redis_commands_per_s:,.0f} writes/s, {per_segment:.0f} commands per segment",
            measurements.redis_commands_per_s / per_segment * SEGMENT_FRAMES,
        ),
        Row(
            "worker without a network",
            f"{coding:.0f} frames/s decoded, coded, copied",
            SEGMENT_FRAMES / (SEGMENT_FRAMES / coding + measurements.segment_overhead_s),
        ),
        Row(
            "worker with the model on its CPU",
            f"{measurements.model_fps_360p:.2f} frames/s at 360p",
            measurements.model_fps_360p / 4,
        ),
        Row("GPU node", "assumed, NOT MEASURED", gpu_fps, measured=False),
    )


def report(measurements: Measurements, gpu_fps: float) -> str:
    """Formats the table in Markdown, and what follows from it."""
    table = rows(measurements, gpu_fps)
    lines = [
        f"Measured on {measurements.cores} cores that all parts and the clients shared, beside a load of "
        f"{measurements.others_load:.1f} from others.",
        "",
        "| one | figure | 720p frames/s that it carries | GPU nodes that it keeps busy |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {row.part} | {row.figure} | {row.frames_per_s:,.1f}{'' if row.measured else ' (planned)'} "
        f"| {row.frames_per_s / gpu_fps:,.2f} |"
        for row in table
    ]
    narrow = min((row for row in table if row.measured), key=lambda row: row.frames_per_s)
    shared = min(table[:2], key=lambda row: row.frames_per_s)
    return "\n".join([*lines, "", *_remarks(measurements, narrow, shared, gpu_fps)])


def _remarks(measurements: Measurements, narrow: Row, shared: Row, gpu_fps: float) -> list[str]:
    workers = gpu_fps / rows(measurements, gpu_fps)[2].frames_per_s
    return [
        f"- Full first: {narrow.part}. Workers and GPU nodes are added one by one; of what there is one, "
        f"{shared.part} is full first, at {shared.frames_per_s / gpu_fps:,.0f} GPU nodes.",
        f"- A GPU node of the assumed {gpu_fps:g} frames/s needs {workers:.1f} workers on machines like this one.",
        f"- Polls: {measurements.polls_per_s:,.0f} per second, "
        f"so {measurements.polls_per_s * POLL_S:,.0f} clients that wait.",
        f"- A segment costs {measurements.segment_overhead_s * 1e3:.0f} ms beside its frames.",
        f"- A worker that waits sends Redis {measurements.redis_commands_idle:.1f} commands/s; "
        f"a finished job keeps {measurements.redis_bytes_per_job / 1e3:.0f} kB there.",
    ]
