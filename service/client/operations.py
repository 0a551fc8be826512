"""Lists the operations of the client, each written once for both kinds of client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from service.client.effects import Emit, Operation, call, work
from service.client.errors import DownloadDamaged
from service.client.http.answers import job_from, json_object, require_success
from service.client.http.calls import Answer, Call, FilePart, TransferCallback, job_path
from service.client.http.form import form_call
from service.client.jobs.download import Download
from service.client.jobs.elsewhere import submit_again, submit_url
from service.client.jobs.side_by_side import await_side_by_side
from service.client.jobs.submission import Submission, submit
from service.client.jobs.watching import follow_events, wait_for_end
from service.client.model import Description, Estimate, Job, Sharpness, from_json
from service.client.retry_policy import OUTAGE_S, RetryPolicy, retrying


@dataclass(frozen=True)
class Operations:
    """The operations at one service. ``outage_s`` is the longest outage, in seconds, that they wait out."""

    outage_s: float = OUTAGE_S

    def submit(self, submission: Submission) -> Operation[Job]:
        """Sends a video and returns its queued job."""
        return submit(submission, self.outage_s)

    def submit_url(
        self, input_url: str, options: Mapping[str, str | float | None], key: str
    ) -> Operation[Job]:
        """Asks the service to fetch a video, and returns its queued job."""
        return submit_url(input_url, options, key, self.outage_s)

    def submit_again(
        self, job_id: str, options: Mapping[str, str | float | None], key: str
    ) -> Operation[Job]:
        """Asks for another job with the video of a job, and returns it."""
        return submit_again(job_id, options, key, self.outage_s)

    def wait(
        self, job_id: str, on_change: Callable[[Job], None] | None, timeout_s: float | None
    ) -> Operation[Job]:
        """Returns a job once it has a final status."""
        return wait_for_end(job_id, on_change, timeout_s, self.outage_s)

    def events(self, job_id: str, after: str) -> Operation[None]:
        """Emits a job's events until it has ended."""
        return follow_events(job_id, after, self.outage_s)

    def job(self, job_id: str) -> Operation[Job]:
        """Returns a job as it is now."""
        return job_from((yield from self._get(job_path(job_id))))

    def jobs(self, status: str | None, page_size: int) -> Operation[None]:
        """Emits jobs, newest first; a page is requested when its first job is wanted."""
        query: dict[str, str | int] = {"limit": page_size} | ({"status": status} if status else {})
        while True:
            page = json_object((yield from self._get("/jobs", query)), "jobs")
            for job in page["jobs"]:
                yield Emit(Job.from_json(job))
            if not page.get("next_cursor"):
                return
            query = {**query, "cursor": page["next_cursor"]}

    def download(
        self, job_id: str, output: Path, on_received: TransferCallback | None, *, keep_part: bool
    ) -> Operation[Path]:
        """Fetches the result of a job into ``output``. Raises RequestRejected while there is none."""
        path = job_path(job_id, "result")
        job = yield from self.job(job_id)
        if job.output is None:
            require_success((yield from call(Call("GET", path, stream=True))))
            job = yield from self.job(job_id)  # it has just ended
        if job.output is None:
            raise DownloadDamaged(f"The service does not describe the result of job {job_id}.")
        yield from Download(path, output, job.output, on_received).run(self.outage_s, keep_part=keep_part)
        return output

    def download_side_by_side(
        self,
        job_id: str,
        output: Path,
        on_made: TransferCallback | None,
        on_received: TransferCallback | None,
    ) -> Operation[Path]:
        """Waits until upload and result are one video, and fetches it into ``output``."""
        path = job_path(job_id, "side-by-side.mp4")
        expected = yield from await_side_by_side(path, on_made, self.outage_s)
        yield from Download(path, output, expected, on_received).run(self.outage_s, keep_part=False)
        return output

    def cancel(self, job_id: str) -> Operation[Job]:
        """Asks the service to stop a job."""
        return self._post(job_id, "cancel")

    def retry(self, job_id: str) -> Operation[Job]:
        """Asks the service to go on with a job."""
        return self._post(job_id, "retry")

    def delete(self, job_id: str) -> Operation[None]:
        """Deletes a job and its files."""
        require_success((yield from call(Call("DELETE", job_path(job_id)))))

    def report(self, job_id: str) -> Operation[dict[str, Any]]:
        """Returns a job's fidelity report."""
        return json_object((yield from self._get(job_path(job_id, "report"))))

    def preview(self, job_id: str, frame: int, view: str) -> Operation[bytes]:
        """Returns a frame of a job as JPEG."""
        path = job_path(job_id, "preview", f"{frame}.jpg")
        return require_success((yield from self._get(path, {"view": view}))).content

    def sharpness(self, job_id: str) -> Operation[Sharpness]:
        """Returns how sharp every frame was and became."""
        return from_json(Sharpness, json_object((yield from self._get(job_path(job_id, "sharpness")))))

    def models(self) -> Operation[list[dict[str, Any]]]:
        """Returns the models that jobs may name."""
        return list(json_object((yield from self._get("/models")), "models")["models"])

    def estimate(self, video: Description) -> Operation[Estimate]:
        """Returns what a described video would take."""
        given = {name: value for name, value in asdict(video).items() if value is not None}
        return (yield from self._estimate(Call("POST", "/estimates", json=given)))

    def estimate_file(
        self, video: Path, fields: Mapping[str, str], on_sent: TransferCallback | None
    ) -> Operation[Estimate]:
        """Returns what a video file would take."""
        size = yield from work(lambda: video.stat().st_size)
        file = FilePart(video, size, on_sent=on_sent)
        return (yield from self._estimate(form_call("/estimates", fields, file)))

    def _estimate(self, request: Call) -> Operation[Estimate]:
        def attempt() -> Operation[Estimate]:
            return Estimate.from_json(json_object((yield from call(request)), "frames"))

        return retrying(attempt, RetryPolicy(self.outage_s))

    def _post(self, job_id: str, action: str) -> Operation[Job]:
        """Asks once: a second request would be refused, and nobody would know that the first had succeeded."""
        return job_from((yield from call(Call("POST", job_path(job_id, action)))))

    def _get(self, path: str, query: Mapping[str, str | int] | None = None) -> Operation[Answer]:
        """Returns the first successful answer. Raises ClientError."""

        def attempt() -> Operation[Answer]:
            return require_success((yield from call(Call("GET", path, query=query or {}))))

        return retrying(attempt, RetryPolicy(self.outage_s))
