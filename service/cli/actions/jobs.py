"""Does what the commands about jobs of a running service ask for, through the Python client."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from service.cli.interrupts import advising
from service.cli.output.jobs import (
    job_line,
    job_progress,
    print_jobs,
    print_report,
    print_report_table,
    print_result,
)
from service.cli.output.lines import say, say_json, say_json_line
from service.cli.output.progress import job_bar
from service.cli.output.units import data_size
from service.cli.results import failure, fetch
from service.client import Client, Job

MOST_PER_PAGE = 100


@dataclass(frozen=True)
class JobActions:
    """Asks a running service, and prints what it answers as text or as JSON."""

    url: str
    as_json: bool = False

    def status(self, job_id: str) -> None:
        """Prints how far a job is."""
        with Client(self.url) as client:
            job = client.job(job_id)
        self._say(job, job_line(job))

    def watch(self, job_id: str, timeout_s: float | None) -> None:
        """Follows a job to its end. Raises PipelineError when it ends without a result, WaitTimedOut."""
        advice = f"The job goes on; `cdvd watch {job_id}` follows it again."
        with advising(lambda: advice), Client(self.url) as client, job_bar(quiet=self.as_json) as bar:

            def show(job: Job) -> None:
                bar.job(job)
                if self.as_json:
                    say_json_line(asdict(job))

            job = client.wait(job_id, on_change=show, timeout_s=timeout_s)
        if not self.as_json:
            say(job_line(job))
        if job.status != "succeeded":
            raise failure(job)

    def list_jobs(self, limit: int, status: str | None) -> None:
        """Prints the newest jobs."""
        with Client(self.url) as client:
            jobs = list(islice(client.jobs(status=status, page_size=min(limit, MOST_PER_PAGE)), limit))
        say_json([asdict(job) for job in jobs]) if self.as_json else print_jobs(jobs)

    def cancel(self, job_id: str) -> None:
        """Asks the service to stop a job."""
        with Client(self.url) as client:
            job = client.cancel(job_id)
        self._say(job, f"Job {job_id} is asked to stop.")

    def retry(self, job_id: str) -> None:
        """Asks the service to go on with a job."""
        with Client(self.url) as client:
            job = client.retry(job_id)
        self._say(job, f"Job {job_id} goes on from {job_progress(job) or 'its beginning'}.")

    def delete(self, job_id: str) -> None:
        """Deletes a job and its files."""
        with Client(self.url) as client:
            client.delete(job_id)
        say_json({"deleted": job_id}) if self.as_json else say(f"Job {job_id} is deleted.")

    def result(self, job_id: str, output: Path, timeout_s: float | None, *, partial: bool) -> None:
        """Waits for the job and fetches its video; with ``partial``, also the beginning that a canceled job left.

        Raises PipelineError when there will be no video, WaitTimedOut.
        """
        advice = "The job and what has arrived of its video are kept; the same command goes on."
        with advising(lambda: advice), Client(self.url) as client, job_bar(quiet=self.as_json) as bar:
            job = client.wait(job_id, on_change=bar.job, timeout_s=timeout_s)
            fetch(client, job, output, bar, partial=partial)
        say_json({"output": str(output), "job": asdict(job)}) if self.as_json else print_result(job, output)

    def side_by_side(self, job_id: str, output: Path, timeout_s: float | None) -> None:
        """Waits for the job and fetches the video that shows its upload beside its result.

        Raises PipelineError when the job ends without a result, WaitTimedOut.
        """
        advice = "The service goes on; the same command fetches the video."
        with advising(lambda: advice), Client(self.url) as client, job_bar(quiet=self.as_json) as bar:
            job = client.wait(job_id, on_change=bar.job, timeout_s=timeout_s)
            if job.status != "succeeded":
                raise failure(job)
            client.download_side_by_side(job_id, output, on_made=bar.made, on_received=bar.received)
        if self.as_json:
            say_json({"output": str(output), "job": asdict(job)})
        else:
            say(f"Wrote {output}: {data_size(output.stat().st_size)}.")

    def default_output(self, job_id: str, *, side_by_side: bool = False) -> Path:
        """Returns a file in the current folder; another machine chose the name, so only its last part counts."""
        with Client(self.url) as client:
            job = client.job(job_id)
        stem = Path(job.filename).stem
        if side_by_side:
            return Path(f"{stem or job.id}_side_by_side.mp4")
        container = job.output.container if job.output else job.options.get("container", "mp4")
        return Path(f"{stem or job.id}_deblurred.{container}")

    def report(self, job_id: str) -> None:
        """Prints a job's fidelity report."""
        with Client(self.url) as client:
            report = client.report(job_id)
        if self.as_json:
            say_json(report)
        else:
            print_report(report)
            print_report_table(report)

    def _say(self, job: Job, text: str) -> None:
        say_json(asdict(job)) if self.as_json else say(text)
