"""Texts of the command line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.cli.output.findings import print_table
from service.cli.output.jobs import job_progress, print_jobs
from service.cli.output.lines import complain
from service.cli.output.progress import JobBar, ProgressLog, ProgressState, job_bar
from service.cli.output.units import data_size, duration
from service.client import Job, Progress
from tests.unit.client.services import Clock


def job(status: str, progress: Progress) -> Job:
    return Job("j1", status, "cdvd_lite", "", progress, None, None, None)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (75, "1:15"), (3599.7, "1:00:00"), (3700, "1:01:40")]
)
def test_durations_read_like_clocks(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    "name", ["[b]clip[/b].mp4", "[/oops].mp4", "[link=https://other.example]a[/link] :smile:.mp4"]
)
def test_names_of_files_are_no_styles_in_a_table(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    one = replace(job("queued", Progress()), created_at="2026-01-01T00:00:00Z", filename=name)
    print_jobs([one])
    print_table(
        [{"code": "attachments", "kind": "kept", "text": f"Attachment of stream 1 ({name}) is copied."}]
    )
    shown = capsys.readouterr().out
    assert shown.count(name) == 2


def test_names_of_files_are_no_styles_in_a_progress_bar(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # a terminal, for rich
    monkeypatch.setenv("COLUMNS", "200")
    with job_bar() as bar:
        bar.title = "[b]clip[/b] [/oops].mp4: "
        bar.frames(1, 2)
    assert "[b]clip[/b] [/oops].mp4: Deblurring" in capsys.readouterr().err


def test_progress_tells_frames_speed_and_time_left() -> None:
    progress = Progress(12, 48, 0.25, 3.14159, 11.4)
    assert job_progress(job("running", progress)) == "12 of 48 frames, 3.1 frames/s, 0:11 left"


def test_progress_tells_that_the_disk_is_full() -> None:
    waiting = Progress(12, 48, 0.25, stage="waiting_for_space")
    assert (
        job_progress(job("running", waiting)) == "12 of 48 frames, waits for space on the disk of the service"
    )


def test_progress_tells_nothing_that_is_not_known() -> None:
    assert job_progress(job("queued", Progress())) == ""
    assert job_progress(job("running", Progress(0, 48))) == "0 of 48 frames"


@pytest.mark.parametrize(
    ("total", "text"), [(4 << 20, "1.5 MiB of 4.0 MiB fetched"), (None, "1.5 MiB fetched")]
)
def test_progress_tells_how_much_of_a_video_is_fetched(total: int | None, text: str) -> None:
    fetching = job("queued", Progress(stage="fetching", bytes_done=3 << 19, bytes_total=total))
    states: list[ProgressState] = []
    JobBar(states.append).job(fetching)

    assert job_progress(fetching) == text
    assert states[-1] == ProgressState("The service fetches the video", 3 << 19, total, text)


def test_a_finished_job_has_no_time_left() -> None:
    assert "left" not in job_progress(job("succeeded", Progress(48, 48, 1.0, 3.0, 0.0)))


def test_a_complaint_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    complain("first\n  second\n")
    assert capsys.readouterr().err == "cdvd: first second\n"


def test_without_a_terminal_progress_is_a_line_per_phase_and_now_and_then() -> None:
    lines: list[str] = []
    clock = Clock()
    log = ProgressLog(lines.append, clock.monotonic)
    log.show(ProgressState("Sending", 1, 9, "1 of 9"))
    log.show(ProgressState("Sending", 9, 9, "9 of 9"))
    for second in range(25):
        clock.now = second
        log.show(ProgressState("Deblurring", second, 25, f"{second} of 25"))
    assert lines == ["Sending: 1 of 9", "Deblurring: 0 of 25", "Deblurring: 10 of 25", "Deblurring: 20 of 25"]


def test_a_log_of_videos_that_take_turns_has_a_line_now_and_then_for_each() -> None:
    clock, lines = Clock(), list[str]()
    log = ProgressLog(lines.append, clock.monotonic)
    for second in range(12):
        clock.now = second
        log.show(ProgressState("a.mp4: Deblurring", second, 25))
        log.show(ProgressState("b.mp4: Deblurring", second, 25))
    assert lines == ["a.mp4: Deblurring", "b.mp4: Deblurring"] * 2


def test_sizes_have_the_unit_that_fits() -> None:
    sizes = [data_size(count) for count in (0, 50743, 1 << 20, 5 << 30)]
    assert sizes == ["0.0 KiB", "49.6 KiB", "1.0 MiB", "5.0 GiB"]


def test_lines_of_several_videos_name_each() -> None:
    shown: list[ProgressState] = []
    bar = JobBar(shown.append)
    bar.title = "[2/5] a.mp4: "
    bar.sent(1 << 20, 2 << 20)
    assert shown[-1] == ProgressState("[2/5] a.mp4: Sending", 1 << 20, 2 << 20, "1.0 MiB of 2.0 MiB")
