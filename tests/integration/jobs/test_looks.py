"""Jobs that look several times, and what the qualities stand for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.support.clips import Clip, read_frames, write_clip
from tests.support.graphs import following_graph
from tests.support.graphs import write_model as write_graph
from tests.support.stack import QUICK, PacedService, Service, paced_stack, running_stack, write_models

pytestmark = pytest.mark.integration
NEXT = "next"
CLIP = Clip(frames=24, encoder={"crf": "8", "g": "10"})
SETTINGS = {"CDVD_SEGMENT_FRAMES": "12", "CDVD_BEST_MODEL": NEXT}
PACED_SETTINGS = {"CDVD_SEGMENT_FRAMES": "12", "CDVD_DEFAULT_QUALITY": "auto"}


def with_next(root: Path) -> Path:
    """The models of the tests, and one that gives the following frame."""
    models = write_models(root / "models")
    write_graph(models, following_graph(), NEXT)
    card = json.loads((models / QUICK / "model.json").read_text())
    (models / NEXT / "model.json").write_text(json.dumps({**card, "name": NEXT}))
    return root


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_stack(with_next(tmp_path_factory.mktemp("looks")), SETTINGS) as running:
        yield running


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clips") / "hand.mp4", CLIP)


def pictures(path: Path) -> np.ndarray:
    """The frames of a video, float32 [N, H, W, 3]."""
    return np.stack([frame.to_ndarray(format="rgb24") for _, frame in read_frames(path)]).astype(np.float32)


def restored(service: Service, path: Path, target: Path, **fields: str) -> np.ndarray:
    """The frames of a finished job, float32 [N, H, W, 3]."""
    job_id = service.submit(path, crf="1", **fields)
    service.until_status(job_id, "succeeded")
    target.write_bytes(service.http.get(f"/jobs/{job_id}/result").content)
    return pictures(target)


def test_four_looks_give_the_mean_of_what_each_sees(service: Service, path: Path, tmp_path: Path) -> None:
    once = restored(service, path, tmp_path / "once.mp4", model=NEXT)
    four = restored(service, path, tmp_path / "four.mp4", model=NEXT, looks="4")

    # Half of the looks run backwards in time, where the following frame is the frame before.
    source = pictures(path)
    inner = slice(1, -1)
    before_and_after = (source[:-2] + source[2:]) / 2
    assert np.abs(once[inner] - source[2:]).mean() < 2
    assert np.abs(four[inner] - before_and_after).mean() < 2
    assert np.abs(before_and_after - source[2:]).mean() > 6


def test_a_job_says_how_it_looked(service: Service, path: Path) -> None:
    job_id = service.submit(path, quality="good")
    job = service.until_status(job_id, "succeeded")

    assert (job["model"], job["options"]["looks"], job["options"]["quality"]) == (QUICK, 4, "good")
    assert service.http.get(f"/jobs/{job_id}/report").json()["model"]["looks"] == 4


def test_qualities_are_listed_chosen_and_estimated(service: Service, path: Path) -> None:
    listed = service.http.get("/models").json()["qualities"]
    assert [(one["name"], one["model"], one["looks"], one["available"]) for one in listed] == [
        ("fast", QUICK, 1, True),
        ("good", QUICK, 4, True),
        ("best", NEXT, 4, True),
    ]
    service.until_status(service.submit(path, quality="fast"), "succeeded")

    figures = {"width": 640, "height": 360, "frames": 240, "fps": 24}
    fast, good = (
        service.http.post("/estimates", json={**figures, "quality": name}).json() for name in ("fast", "good")
    )
    assert (fast["model"], fast["looks"], good["looks"], good["quality"]) == (QUICK, 1, 4, "good")
    assert good["restoring_s"] == pytest.approx(4 * fast["restoring_s"], rel=0.05)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"looks": "3"}, "one of 1, 2, 4"),
        ({"quality": "great"}, "one of fast, good, best"),
        ({"quality": "best", "looks": "2"}, "either"),
        ({"quality": "good", "model": QUICK}, "either"),
    ],
)
def test_what_cannot_be_is_refused(service: Service, path: Path, fields: dict[str, str], words: str) -> None:
    answer = service.post(path, **fields)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_option")
    assert words in answer.json()["detail"]


def test_a_quality_whose_model_is_missing_says_so(tmp_path: Path, path: Path) -> None:
    with running_stack(tmp_path, {"CDVD_BEST_MODEL": "cdvd_base"}) as service:
        answer = service.post(path, quality="best")
        assert (
            answer.json()["detail"] == "The quality best needs the model 'cdvd_base', which is not installed."
        )
        asked = service.http.post(
            "/estimates", json={"width": 64, "height": 64, "frames": 9, "quality": "best"}
        )
        assert (asked.status_code, asked.json()["code"]) == (404, "model_not_found")
        assert [one["available"] for one in service.http.get("/models").json()["qualities"]] == [
            True,
            True,
            False,
        ]


@pytest.fixture(scope="module")
def paced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PacedService]:
    with paced_stack(tmp_path_factory.mktemp("paced"), PACED_SETTINGS) as running:
        yield running


def test_servers_that_keep_up_with_the_video_choose_the_default(paced: PacedService, tmp_path: Path) -> None:
    """Nothing is measured for the first job; then any machine is faster than this small video of one frame a minute."""
    path = write_clip(tmp_path / "slow.mp4", Clip(frames=4, time_base=Fraction(60)))
    first = paced.submit(path)
    paced.until_status(first, "succeeded")
    second = paced.submit(path)
    paced.until_status(second, "succeeded")

    assert [paced.job(one)["options"]["quality"] for one in (first, second)] == ["fast", "good"]


def test_the_bytes_are_the_same_on_both_engines(service: Service, paced: PacedService, path: Path) -> None:
    digests = set()
    for host in (service, paced):
        job_id = host.submit(path, model=QUICK, looks="4")
        digests.add(host.until_status(job_id, "succeeded")["output"]["sha256"])

    assert len(digests) == 1


def newest_worker() -> psutil.Process:
    """The worker of the service that was started last."""
    workers = [one for one in psutil.Process().children() if "service.worker" in one.cmdline()]
    return max(workers, key=lambda one: one.create_time())


def test_a_job_that_was_interrupted_gives_the_same_bytes(paced: PacedService, path: Path) -> None:
    undisturbed = paced.submit(path, model=QUICK, looks="4")
    wanted = paced.until_status(undisturbed, "succeeded")["output"]["sha256"]
    job_id = paced.submit_held(path, looks="4")
    paced.until_held()
    newest_worker().kill()
    paced.pace.release()

    assert paced.until_status(job_id, "succeeded")["output"]["sha256"] == wanted
