"""The operations of the client, each written once, for both kinds of client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from service.errors import DownloadDamaged
from service.remote import model, sending, watching
from service.remote.answers import checked, document
from service.remote.fetching import Fetch
from service.remote.form import form_call
from service.remote.model import Description, Estimate, Job, Sharpness
from service.remote.patience import OUTAGE_S, Patience, patiently
from service.remote.sending import Submission
from service.remote.steps import Call, Emit, FilePart, Flow, Transferred, call, work


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
        return Job.from_json((yield from self._get(f"/jobs/{job_id}")))

    def jobs(self, status: str | None, page_size: int) -> Flow[None]:
        """Emits jobs, newest first; a page is asked for when its first job is."""
        query: dict[str, str | int] = {"limit": page_size} | ({"status": status} if status else {})
        while True:
            page = yield from self._get("/jobs", query)
            for job in page["jobs"]:
                yield Emit(Job.from_json(job))
            if not page.get("next_cursor"):
                return
            query = {**query, "cursor": page["next_cursor"]}

    def download(
        self, job_id: str, output: Path, on_received: Transferred | None, *, keep_part: bool
    ) -> Flow[Path]:
        path = f"/jobs/{job_id}/result"
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
        checked((yield from call(Call("DELETE", f"/jobs/{job_id}"))))

    def report(self, job_id: str) -> Flow[dict[str, Any]]:
        return self._get(f"/jobs/{job_id}/report")

    def preview(self, job_id: str, frame: int, view: str) -> Flow[bytes]:
        request = Call("GET", f"/jobs/{job_id}/preview/{frame}.jpg", query={"view": view})

        def attempt() -> Flow[bytes]:
            return checked((yield from call(request))).content

        return patiently(attempt, Patience(self.outage_s))

    def sharpness(self, job_id: str) -> Flow[Sharpness]:
        return model.read(Sharpness, (yield from self._get(f"/jobs/{job_id}/sharpness")))

    def models(self) -> Flow[list[dict[str, Any]]]:
        return list((yield from self._get("/models"))["models"])

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
            return model.read(Estimate, document((yield from call(request))))

        return patiently(attempt, Patience(self.outage_s))

    def _post(self, job_id: str, action: str) -> Flow[Job]:
        """Not repeated: the second time it would be refused, and nobody knows who had asked first."""
        return Job.from_json(document((yield from call(Call("POST", f"/jobs/{job_id}/{action}")))))

    def _get(self, path: str, query: Mapping[str, str | int] | None = None) -> Flow[dict[str, Any]]:
        def attempt() -> Flow[dict[str, Any]]:
            return document((yield from call(Call("GET", path, query=query or {}))))

        return patiently(attempt, Patience(self.outage_s))
