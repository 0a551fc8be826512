"""The life of jobs over HTTP, with real Redis, worker and files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.api.answers.report_body import ReportBody
from service.config import Settings
from service.distribution import installed
from tests.support.clips import Clip, read_frames, read_packets, write_clip
from tests.support.stack import QUICK, SLOW, PacedService, Service, paced_stack, until

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PacedService]:
    with paced_stack(
        tmp_path_factory.mktemp("jobs"), {"CDVD_SEGMENT_FRAMES": "12", "CDVD_WINDOW_FRAMES": "4"}
    ) as running:
        yield running


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """36 frames with sound: three segments."""
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", Clip(frames=36, audio="aac"))


@pytest.fixture(scope="module")
def finished(service: Service, clip: Path) -> str:
    """The id of a job that has succeeded."""
    answer = service.post(clip, filename="../Ferien im Süden.mp4", crf="20")
    job_id = str(answer.json()["id"])
    service.until_status(job_id, "succeeded")
    return job_id


def test_accepted_job_says_where_it_is_and_when_to_ask(service: Service, clip: Path) -> None:
    answer = service.post(clip)

    job = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == job["urls"]["self"] == f"/jobs/{job['id']}"
    assert int(answer.headers["retry-after"]) >= 1
    assert job["status"] == "queued"
    assert job["model"] == QUICK
    assert job["input"]["sha256"] == hashlib.sha256(clip.read_bytes()).hexdigest()
    assert (job["input"]["frames"], job["input"]["audio"]) == (36, ["aac"])


def test_finished_job_has_every_frame_and_the_sound(
    service: Service, finished: str, clip: Path, tmp_path: Path
) -> None:
    job = service.job(finished)
    result = tmp_path / "result.mp4"
    result.write_bytes(service.http.get(job["urls"]["result"]).content)

    assert [time for time, _ in read_frames(result)] == [time for time, _ in read_frames(clip)]
    assert read_packets(result, "audio") == read_packets(clip, "audio")
    assert job["output"]["sha256"] == hashlib.sha256(result.read_bytes()).hexdigest()
    assert job["output"]["bytes"] == result.stat().st_size
    assert job["progress"] == {**job["progress"], "frames_done": 36, "fraction": 1.0, "stage": "finished"}
    assert job["progress"]["frames_per_second"] > 0
    assert job["options"]["crf"] == 20
    assert job["created_at"] <= job["started_at"] <= job["finished_at"]


def test_pieces_are_gone_when_the_result_is_there(service: Service, finished: str) -> None:
    due = {f"jobs/{finished}", "source", "result.mp4", "report.json", "sharpness.json", "prior.zip"}

    def own() -> set[str]:
        return {path.removeprefix(f"jobs/{finished}/") for path in service.files() if finished in path}

    until(lambda: own() == due, f"only {due} are left")


def test_result_is_served_whole_in_parts_and_as_headers(service: Service, finished: str) -> None:
    url = f"/jobs/{finished}/result"
    whole = service.http.get(url)
    part = service.http.get(url, headers={"Range": "bytes=10-19"})
    head = service.http.head(url)

    assert whole.headers["content-type"] == "video/mp4"
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert (head.content, head.headers["content-length"]) == (b"", str(len(whole.content)))


def test_download_is_named_after_the_upload_without_its_path(service: Service, finished: str) -> None:
    disposition = service.http.head(f"/jobs/{finished}/result").headers["content-disposition"]

    assert disposition == "attachment; filename*=utf-8''Ferien%20im%20S%C3%BCden_deblurred.mp4"


def test_source_is_served_as_it_was_sent(service: Service, finished: str, clip: Path) -> None:
    answer = service.http.get(f"/jobs/{finished}/source", headers={"Range": "bytes=-100"})

    assert answer.status_code == 206
    assert answer.content == clip.read_bytes()[-100:]


def test_report_tells_the_model_and_what_was_kept(service: Service, finished: str) -> None:
    report = service.http.get(f"/jobs/{finished}/report").json()

    graph = service.data.parent / "models" / QUICK / "1" / "model.onnx"
    assert report["model"] == {
        "name": QUICK,
        "sha256": hashlib.sha256(graph.read_bytes()).hexdigest(),
        "looks": 1,
    }
    assert (report["frames_in"], report["frames_out"], report["pieces"]) == (36, 36, 3)
    assert set(report) == set(ReportBody.model_validate(report, extra="forbid").model_dump())


def test_unchanged_job_is_not_sent_again(service: Service, finished: str) -> None:
    tag = service.http.get(f"/jobs/{finished}").headers["etag"]

    answer = service.http.get(f"/jobs/{finished}", headers={"If-None-Match": tag})

    assert (answer.status_code, answer.content) == (304, b"")


def test_result_of_a_job_that_is_not_over_is_a_conflict(service: PacedService, clip: Path) -> None:
    job_id = service.submit_held(clip)

    answers = [service.http.get(f"/jobs/{job_id}/{file}") for file in ("result", "report")]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(409, "job_not_finished")}
    service.http.delete(f"/jobs/{job_id}")


@pytest.mark.parametrize("job_id", ["0" * 32, "nonsense", "..%2f..%2fetc"])
@pytest.mark.parametrize("path", ["", "/result", "/source", "/report", "/events"])
def test_unknown_job_is_not_found(service: Service, job_id: str, path: str) -> None:
    answer = service.http.get(f"/jobs/{job_id}{path}")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_jobs_are_listed_newest_first_page_by_page(service: Service, clip: Path) -> None:
    sent = [service.submit(clip) for _ in range(3)]
    for job_id in sent:
        service.until_status(job_id, "succeeded")

    first = service.http.get("/jobs", params={"limit": 2, "status": "succeeded"}).json()
    query = {"limit": 1, "status": "succeeded", "cursor": first["next_cursor"]}
    second = service.http.get("/jobs", params=query).json()

    assert [job["id"] for job in (*first["jobs"], *second["jobs"])] == sent[::-1]


def test_jobs_are_found_by_a_part_of_their_name(service: Service, clip: Path) -> None:
    for name in ("Beach morning.mp4", "beach evening.mp4", "forest.mp4"):
        service.until_status(service.submit(clip, filename=name), "succeeded")
    preview = service.submit(clip, filename="Beach noon.mp4", preview="true")

    def names(**query: str) -> list[str]:
        page = service.http.get("/jobs", params=query).json()
        return [job["input"]["filename"] for job in page["jobs"]]

    assert names(name="beach", preview="false") == ["beach evening.mp4", "Beach morning.mp4"]
    assert names(name="BEACH", preview="true") == ["Beach noon.mp4"]
    assert preview not in [job["id"] for job in service.http.get("/jobs?preview=false").json()["jobs"]]
    first = service.http.get("/jobs", params={"name": "beach", "limit": "1", "preview": "false"}).json()
    assert names(name="beach", preview="false", cursor=first["next_cursor"]) == ["Beach morning.mp4"]
    assert names(name="desert") == []


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 1000}, {"status": "odd"}, {"cursor": "[x"}])
def test_bad_query_is_a_problem_that_names_the_field(service: Service, query: dict[str, str]) -> None:
    answer = service.http.get("/jobs", params=query)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert next(iter(query)) in answer.json()["detail"]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("PUT", "/jobs", 405)])
def test_framework_errors_are_problems_too(service: Service, method: str, path: str, status: int) -> None:
    answer = service.http.request(method, path)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_events_tell_the_whole_story_and_end(service: Service, finished: str) -> None:
    events = _events(service.http.get(f"/jobs/{finished}/events").text)

    statuses = [data["status"] for _, kind, data in events if kind == "status"]
    done = [data["frames_done"] for _, kind, data in events if kind == "progress"]
    assert statuses == ["queued", "running", "succeeded"]
    assert done == sorted(done)
    assert done[-1] == 36


def test_events_go_on_after_the_last_one_seen(service: Service, finished: str) -> None:
    url = f"/jobs/{finished}/events"
    events = _events(service.http.get(url).text)

    rest = _events(service.http.get(url, headers={"Last-Event-ID": events[3][0]}).text)
    nothing = service.http.get(url, headers={"Last-Event-ID": events[-1][0]})

    assert rest == events[4:]
    assert nothing.status_code == 204


def test_events_arrive_while_the_job_runs(service: PacedService, clip: Path) -> None:
    job_id = service.submit_held(clip)
    service.pace.let(12)

    with service.http.stream("GET", f"/jobs/{job_id}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        assert any(line == "event: progress" for line in lines)
        assert service.job(job_id)["status"] == "running"
    service.http.delete(f"/jobs/{job_id}")


def test_the_first_window_is_told_of_and_shown_before_its_segment_is_done(
    service: PacedService, clip: Path
) -> None:
    job_id = service.submit_held(clip)
    service.pace.let(1)

    with service.http.stream("GET", f"/jobs/{job_id}/events") as answer:
        lines = answer.iter_lines()
        assert any(line == "event: progress" for line in lines)
        told = json.loads(next(lines).removeprefix("data: "))
    service.http.post(f"/jobs/{job_id}/cancel")

    assert told["frames_done"] == 4
    assert "newest_frame" in told
    assert _steps(service, job_id, "step_done") == ["plan"]


def test_cancel_stops_and_retry_goes_on_from_finished_segments(service: PacedService, clip: Path) -> None:
    job_id = service.submit_held(clip)
    service.let_frames(job_id, 12 + 1)

    canceled = service.http.post(f"/jobs/{job_id}/cancel")
    assert (canceled.status_code, canceled.json()["status"]) == (202, "canceled")
    assert service.http.post(f"/jobs/{job_id}/cancel").status_code == 202
    done = _steps(service, job_id, "step_done")

    service.pace.release()
    assert service.http.post(f"/jobs/{job_id}/retry").status_code == 202
    service.until_status(job_id, "succeeded")

    assert "segment:0" in done
    assert _steps(service, job_id, "step_started").count("segment:0") == 1


def test_cancel_and_retry_of_a_finished_job_are_conflicts(service: Service, finished: str) -> None:
    for action in ("cancel", "retry"):
        answer = service.http.post(f"/jobs/{finished}/{action}")
        assert (answer.status_code, answer.json()["code"]) == (409, "job_state_conflict")


def test_deleted_job_leaves_nothing(service: PacedService, clip: Path) -> None:
    before = service.files()
    job_id = service.submit_held(clip)
    service.let_frames(job_id, 1)

    deleted = service.http.delete(f"/jobs/{job_id}")
    assert (deleted.status_code, deleted.headers.get("content-type")) == (204, None)

    assert service.http.get(f"/jobs/{job_id}").status_code == 404
    _use_the_worker(service, clip)
    until(lambda: service.files() <= before, "nothing of it is left")


def test_models_and_readiness_say_what_is_served(service: Service) -> None:
    models = service.http.get("/models").json()["models"]
    ready = service.http.get("/readyz").json()

    assert [(model["name"], model["default"]) for model in models] == [(QUICK, True), (SLOW, False)]
    assert QUICK in ready["workers"][0]["ready"]
    assert service.http.get("/livez").json() == {"status": "alive"}
    assert service.http.get("/version").json()["version"] == installed().version


def test_limits_are_those_of_the_settings(service: Service) -> None:
    settings = Settings()

    limits = service.http.get("/limits").json()

    assert limits["max_upload_bytes"] == settings.max_upload_bytes
    assert limits["max_frame_pixels"] == settings.max_frame_pixels
    assert (limits["max_duration_s"], limits["max_frames"]) == (settings.max_duration_s, settings.max_frames)
    assert (limits["files_keep_s"], limits["upload_keep_s"]) == (settings.retention_s, settings.upload_keep_s)


def test_openapi_document_describes_the_upload(service: Service) -> None:
    document = service.http.get("/openapi.json").json()

    form = document["paths"]["/jobs"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form == {"$ref": "#/components/schemas/JobForm"}
    assert {"video", "upload", "model"} <= set(document["components"]["schemas"]["JobForm"]["properties"])


def test_page_is_served_with_a_strict_policy(service: Service) -> None:
    answer = service.http.get("/")

    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert service.http.get("/static/main.js").status_code == 200


def _use_the_worker(service: Service, clip: Path) -> None:
    """The one worker is done with what it did before when this returns."""
    job_id = service.submit(clip)
    service.until_status(job_id, "succeeded")
    service.http.delete(f"/jobs/{job_id}")


def _steps(service: Service, job_id: str, kind: str) -> list[str]:
    """Names of the steps in a job's events of one kind, so far."""
    if service.job(job_id)["status"] in ("queued", "running"):
        raise AssertionError("the events of a running job do not end")
    text = service.http.get(f"/jobs/{job_id}/events").text
    return [data["step"] for _, event, data in _events(text) if event == kind]


def _events(text: str) -> list[tuple[str, str, dict[str, object]]]:
    """(id, type, data) of each server-sent event."""
    blocks = [block.splitlines() for block in text.split("\n\n") if block.startswith("id: ")]
    return [(one[4:], two[7:], json.loads(three[6:])) for one, two, three in blocks]
