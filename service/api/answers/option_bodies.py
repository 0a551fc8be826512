"""Shows the options of a job."""

from __future__ import annotations

from dataclasses import asdict

from pydantic import Field

from service.jobs.job import JobSpec, Order
from service.options import EncodingOptions, JobOptions
from service.quality import Quality


class OptionsBody(EncodingOptions):
    """The options that a job has, those of its defaults included."""

    start: float | None = Field(description="Seconds; the part that is restored begins here.")
    end: float | None = Field(description="Seconds; the part ends before this.")
    strict: bool = Field(description="Whether the job fails where its result would not hold everything.")
    preview: bool = Field(description="Whether the job goes before all others.")
    quality: Quality | None = Field(description="The quality that chose model and looks, if one did.")
    looks: int = Field(description="How many times every frame is restored; the result is the mean.")


def options_body(spec: JobSpec) -> OptionsBody:
    if spec.order is not None:
        return _asked_body(spec.order)
    part = spec.video.excerpt
    start, end = (part.start_s, part.end_s) if part else (None, None)
    return OptionsBody(
        **asdict(spec.options),
        start=start,
        end=end,
        strict=spec.strict,
        preview=spec.preview,
        quality=spec.quality,
        looks=spec.looks,
    )


def _asked_body(order: Order) -> OptionsBody:
    """Returns the options of a job whose video is not here yet: as they were asked for."""
    asked = JobOptions.from_text(order.fields)
    encoding = {name: getattr(asked, name) for name in EncodingOptions.model_fields}
    return OptionsBody(
        **encoding,
        start=asked.start,
        end=asked.end,
        strict=asked.strict,
        preview=asked.preview,
        quality=asked.quality,
        looks=asked.looks or 1,
    )
