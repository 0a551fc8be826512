"""What a submission must fulfil before it becomes a job: known options, an installed model, a video within limits."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from anyio.to_thread import run_sync

from service.encoding.choice import pixels_of
from service.errors.engine import ModelNotFound
from service.errors.outbound import AddressRefused
from service.errors.submission import InvalidOption
from service.errors.webhook import WebhookRefused
from service.estimates.workload import Workload
from service.fidelity import require_lossless
from service.jobs.job import JobSpec, Order, SourceFile
from service.logs import current_request
from service.memory.coding import coding
from service.options import JobOptions
from service.outbound.address import Reach, permitted_addresses, read_target
from service.quality import ModelChoice
from service.submission.chooser import Chooser
from service.submission.received import ReceivedUpload
from service.text import plural
from service.tracing import current_traceparent, span
from service.types import ColorTags, EncodeOptions, VideoInfo
from service.video.sandbox.probe import ProbeLimits, probe

PREVIEW_S = 5.0
"""Seconds of video that a preview may have: what goes before all others must be short."""

AWAITED = VideoInfo("", "", 0, 0, 0, 0.0, 0.0, False, 0, 8, ColorTags(2, 2, 2, False), (), ())
"""Stands for a video that is still to be fetched."""


@dataclass(frozen=True)
class SubmissionRules:
    """Checks submissions against the settings of this service."""

    chooser: Chooser
    probe_limits: ProbeLimits
    probe_slots: asyncio.Semaphore
    """Bounds how many files are probed at a time; the others wait their turn."""
    webhook_reach: Reach
    transfer_reach: Reach

    async def specify(self, received: ReceivedUpload) -> JobSpec:
        """Returns what the job is to do. Cheap checks come before the probe, which reads the video.

        Raises InvalidOption, NeedsMoreMemory, WebhookRefused, AddressRefused, VideoError, EmptyUpload and
        StorageUnavailable, and FidelityLost for a strict job whose result is bound to lack something.
        """
        options = JobOptions.from_text(received.fields)
        await run_sync(self.check, options)
        return await self.describe(received, options)

    def specify_order(self, order: Order, filename: str) -> JobSpec:
        """Returns what the job is to do once its video is fetched, as far as that is known before.

        Raises InvalidOption, WebhookRefused and AddressRefused.
        """
        options = JobOptions.from_text(order.fields)
        self.check(options)
        self.check_transfer("input_url", order.url)
        return JobSpec(
            model=self.chooser.check(options).name,
            options=EncodeOptions(),
            source=SourceFile(filename, 0, ""),
            video=AWAITED,
            webhook_url=options.webhook_url,
            output_url=options.output_url,
            request_id=current_request(),
            traceparent=current_traceparent(),
            strict=options.strict,
            preview=options.preview,
            order=order,
        )

    async def describe(self, received: ReceivedUpload, options: JobOptions) -> JobSpec:
        """Returns what the job is to do with a video, whose options were checked before.

        Raises as ``specify`` does.
        """
        with span("probe"):
            video = await self.look_at(received, options)
        if options.strict:
            require_lossless(video.findings)
        check_preview(options, video)
        choice = await run_sync(self.chooser.choose, options, video.width * video.height * video.fps)
        await run_sync(self.check_memory, choice, video, options.encode(video))
        return JobSpec(
            model=choice.model,
            looks=choice.looks,
            quality=choice.quality,
            cost=self.chooser.catalog.require(choice.model).cost,
            options=options.encode(video),
            source=SourceFile(received.filename, received.upload.size, received.sha256),
            video=video,
            webhook_url=options.webhook_url,
            output_url=options.output_url,
            request_id=current_request(),
            traceparent=current_traceparent(),
            strict=options.strict,
            preview=options.preview,
        )

    def check(self, options: JobOptions) -> None:
        """Checks options before their video is known. Raises InvalidOption, WebhookRefused and AddressRefused."""
        self.check_model(options)
        self.check_webhook(options.webhook_url)
        self.check_transfer("output_url", options.output_url)

    async def look_at(self, received: ReceivedUpload, options: JobOptions) -> VideoInfo:
        """Probes an upload when it is its turn. Raises VideoError, EmptyUpload and StorageUnavailable."""
        async with self.probe_slots:
            return await probe(received.upload.contents(), self.probe_limits, options.excerpt, options.asked)

    def check_model(self, options: JobOptions) -> None:
        """Raises InvalidOption unless the model is installed and has the stages that are asked for.

        A graph has its stages inside, so another number of them is another model.
        """
        try:
            model = self.chooser.check(options)
        except ModelNotFound as error:
            raise InvalidOption(str(error)) from error
        if options.stages in (None, model.stages):
            return
        cards = self.chooser.catalog.models()
        others = [card.name for card in cards if card.stages == options.stages]
        raise InvalidOption(
            f"The model {model.name} has {plural(model.stages, 'stage')}; "
            f"models with {options.stages}: {', '.join(others) or 'none'}."
        )

    def check_memory(self, choice: ModelChoice, video: VideoInfo, encode: EncodeOptions) -> None:
        """Raises NeedsMoreMemory if no plan for frames of this size fits the live workers."""
        how = coding(encode, pixels_of(video))
        workload = Workload(choice.model, video.width, video.height, video.frames, choice.looks, coding=how)
        self.chooser.estimator.memory_plan(workload, self.chooser.catalog.require(choice.model))

    def check_webhook(self, url: str | None) -> None:
        """Raises WebhookRefused; the address is looked up and checked again for every delivery."""
        try:
            if url is not None:
                _look_up(url, self.webhook_reach)
        except AddressRefused as error:
            raise WebhookRefused(f"The option webhook_url is refused: {error}") from error

    def check_transfer(self, option: str, url: str | None) -> None:
        """Raises AddressRefused; the address is looked up and checked again for every attempt."""
        try:
            if url is not None:
                _look_up(url, self.transfer_reach)
        except AddressRefused as error:
            raise AddressRefused(f"The option {option} is refused: {error}") from error


def _look_up(url: str, reach: Reach) -> None:
    target = read_target(url)
    try:
        permitted_addresses(target, reach)
    except (OSError, UnicodeError) as error:
        raise AddressRefused(f"The host {target.host} is not found: {error}.") from error


def check_preview(options: JobOptions, video: VideoInfo) -> None:
    """Raises InvalidOption for a preview of more than a few seconds."""
    if options.preview and video.duration_s > PREVIEW_S:
        raise InvalidOption(
            f"A preview has at most {PREVIEW_S:g} seconds, not {video.duration_s:.1f}; "
            "choose a part with start and end."
        )
