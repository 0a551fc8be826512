"""The operations of the client, each written once, for both kinds of client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from service.client import model, sending, watching
from service.client.answers import checked, document, job_in
from service.client.errors import DownloadDamaged
from service.client.fetching import Fetch
from service.client.form import form_call
from service.client.model import Description, Estimate, Job, Sharpness
from service.client.retry_policy import OUTAGE_S, Patience, patiently
from service.client.sending import Submission
from service.client.steps import Answer, Call, Emit, FilePart, Flow, Transferred, call, job_path, work


@dataclass(frozen=True)
class Flows:
    """``outage_s``: how long an outage in the middle of something is sat out."""

    outage_s: float = OUTAGE_S

    def submit(self, submission: Submission) -> Flow[Job]:
        return sending.submit(submission, self.outage_s)

    def wait(
        self, job_id: str, on_change: Callable[[Job], None] | None, timeout_s: float | None
    ) -> Flow[Job]:
        return watching.wait(job_id, on_change, timeout_s, self.outage_s)

    def events(self, job_id: str, after: str) -> Flow[None]:
        return watching.events(job_id, after, self.outage_s)

    def job(self, job_id: str) -> Flow[Job]:
        return job_in((yield from self._get(job_path(job_id))))

    def jobs(self, status: str | None, page_size: int) -> Flow[None]:
        """Emits jobs, newest first; a page is asked for when its first job is."""
        query: dict[str, str | int] = {"limit": page_size} | ({"status": status} if status else {})
        while True:
            page = document((yield from self._get("/jobs", query)), "jobs")
            for job in page["jobs"]:
                yield Emit(Job.from_json(job))
            if not page.get("next_cursor"):
                return
            query = {**query, "cursor": page["next_cursor"]}

    def download(
        self, job_id: str, output: Path, on_received: Transferred | None, *, keep_part: bool
    ) -> Flow[Path]:
        path = job_path(job_id, "result")
        job = yield from self.job(job_id)
        if job.output is None:
            checked((yield from call(Call("GET", path, stream=True))))
            job = yield from self.job(job_id)  # it has just come to its end
        if job.output is None:
            raise DownloadDamaged(f"the service does not say what the result of job {job_id} is")
        yield from Fetch(path, output, job.output, on_received).run(self.outage_s, keep_part=keep_part)
        return output

    def cancel(self, job_id: str) -> Flow[Job]:
        return self._post(job_id, "cancel")

    def retry(self, job_id: str) -> Flow[Job]:
        return self._post(job_id, "retry")

    def delete(self, job_id: str) -> Flow[None]:
        checked((yield from call(Call("DELETE", job_path(job_id)))))

    def report(self, job_id: str) -> Flow[dict[str, Any]]:
        return document((yield from self._get(job_path(job_id, "report"))))

    def preview(self, job_id: str, frame: int, view: str) -> Flow[bytes]:
        path = job_path(job_id, "preview", f"{frame}.jpg")
        return checked((yield from self._get(path, {"view": view}))).content

    def sharpness(self, job_id: str) -> Flow[Sharpness]:
        return model.read(Sharpness, document((yield from self._get(job_path(job_id, "sharpness")))))

    def models(self) -> Flow[list[dict[str, Any]]]:
        return list(document((yield from self._get("/models")), "models")["models"])

    def estimate(self, video: Description) -> Flow[Estimate]:
        known = {name: value for name, value in asdict(video).items() if value is not None}
        return (yield from self._estimate(Call("POST", "/estimates", json=known)))

    def estimate_file(
        self, video: Path, fields: Mapping[str, str], on_sent: Transferred | None
    ) -> Flow[Estimate]:
        size = yield from work(lambda: video.stat().st_size)
        file = FilePart(video, size, on_sent=on_sent)
        return (yield from self._estimate(form_call("/estimates", fields, file)))

    def _estimate(self, request: Call) -> Flow[Estimate]:
        def attempt() -> Flow[Estimate]:
            return model.read(Estimate, document((yield from call(request)), "frames"))

        return patiently(attempt, Patience(self.outage_s))

    def _post(self, job_id: str, action: str) -> Flow[Job]:
        """Not repeated: the second time it would be refused, and nobody knows who had asked first."""
        return job_in((yield from call(Call("POST", job_path(job_id, action)))))

    def _get(self, path: str, query: Mapping[str, str | int] | None = None) -> Flow[Answer]:
        """Any answer that is none of an error."""

        def attempt() -> Flow[Answer]:
            return checked((yield from call(Call("GET", path, query=query or {}))))

        return patiently(attempt, Patience(self.outage_s))
