"""From measured figures to a table: how much work each part carries, and which one is full first."""

from __future__ import annotations

from dataclasses import dataclass

SEGMENT_FRAMES = 64
"""The service's own default."""
BYTES_PER_FRAME_720P = 40_000
"""An upload of 8 Mbit/s at 25 frames/s."""
POLL_S = 2.0
"""How often a client that waits asks for its job."""


@dataclass(frozen=True)
class Measured:
    """What a run on one machine gave."""

    cores: int
    others_load: float
    """Processes of others that wanted a core when it began: figures are worth little beside many."""
    upload_bytes_per_s: float
    polls_per_s: float
    redis_commands_per_s: float
    redis_commands_per_segment: float
    redis_commands_idle: float
    """Per second, of a worker that waits."""
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


def rows(found: Measured, gpu_fps: float) -> tuple[Row, ...]:
    """``gpu_fps``: 720p frames/s assumed of a GPU node."""
    per_segment = found.redis_commands_per_segment
    coding = found.coding_fps_720p
    return (
        Row(
            "gateway, uploads",
            f"{found.upload_bytes_per_s / 1e6:.0f} MB/s",
            found.upload_bytes_per_s / BYTES_PER_FRAME_720P,
        ),
        Row(
            "Redis",
            f"{found.redis_commands_per_s:,.0f} writes/s, {per_segment:.0f} commands per segment",
            found.redis_commands_per_s / per_segment * SEGMENT_FRAMES,
        ),
        Row(
            "worker without a network",
            f"{coding:.0f} frames/s decoded, coded, copied",
            SEGMENT_FRAMES / (SEGMENT_FRAMES / coding + found.segment_overhead_s),
        ),
        Row(
            "worker with the model on its CPU",
            f"{found.model_fps_360p:.2f} frames/s at 360p",
            found.model_fps_360p / 4,
        ),
        Row("GPU node", "assumed, NOT MEASURED", gpu_fps, measured=False),
    )


def report(found: Measured, gpu_fps: float) -> str:
    """The table in Markdown, and what follows from it."""
    table = rows(found, gpu_fps)
    lines = [
        f"Measured on {found.cores} cores that all parts and the clients shared, beside a load of "
        f"{found.others_load:.1f} from others.",
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
    return "\n".join([*lines, "", *_remarks(found, narrow, shared, gpu_fps)])


def _remarks(found: Measured, narrow: Row, shared: Row, gpu_fps: float) -> list[str]:
    workers = gpu_fps / rows(found, gpu_fps)[2].frames_per_s
    return [
        f"- Full first: {narrow.part}. Workers and GPU nodes are added one by one; of what there is one, "
        f"{shared.part} is full first, at {shared.frames_per_s / gpu_fps:,.0f} GPU nodes.",
        f"- A GPU node of the assumed {gpu_fps:g} frames/s needs {workers:.1f} workers on machines like this one.",
        f"- Polls: {found.polls_per_s:,.0f} per second, so {found.polls_per_s * POLL_S:,.0f} clients that wait.",
        f"- A segment costs {found.segment_overhead_s * 1e3:.0f} ms beside its frames.",
        f"- A worker that waits sends Redis {found.redis_commands_idle:.1f} commands/s; "
        f"a finished job keeps {found.redis_bytes_per_job / 1e3:.0f} kB there.",
    ]
