"""Wrong keys in a row, and pages of others."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from service.redis_state.connection import connect
from service.tenancy.api_keys import KeyRing
from tests.support.api_keys import new_key, redis_url, refused
from tests.support.stack import Service, running_stack

pytestmark = pytest.mark.integration

FRIEND, STRANGER = "https://app.example.org", "https://elsewhere.example.org"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    settings = {"CDVD_WRONG_KEYS_PER_MINUTE": "2", "CDVD_CORS_ORIGINS": f'["{FRIEND}"]'}
    with running_stack(tmp_path_factory.mktemp("strangers"), settings) as running:
        yield running


@pytest.fixture(scope="module")
def key(service: Service) -> dict[str, str]:
    with connect(redis_url(service)) as client:
        return new_key(KeyRing(client))


def test_wrong_keys_are_slowed_down_and_right_ones_are_not(service: Service, key: dict[str, str]) -> None:
    wrong = {"Authorization": "Bearer cdvd_000000000000_" + "x" * 43}
    answers = [service.http.get("/jobs", headers=wrong) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 429, 429]
    refused(answers[-1], 429, "rate_limited")
    assert int(answers[-1].headers["retry-after"]) <= 30
    refused(service.http.post("/session", headers=wrong), 429, "rate_limited")
    assert service.http.get("/jobs", headers=key).status_code == 200


def preflight(service: Service, origin: str) -> httpx.Response:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "Authorization"}
    return service.http.options("/jobs", headers={"Origin": origin, **asked})


def test_a_page_that_was_allowed_may_use_the_api_with_a_key(service: Service, key: dict[str, str]) -> None:
    assert preflight(service, FRIEND).headers["access-control-allow-origin"] == FRIEND
    answer = service.http.get("/jobs", headers={**key, "Origin": FRIEND})
    assert answer.headers["access-control-allow-origin"] == FRIEND
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "access-control-allow-credentials" not in answer.headers
    changed = service.http.post("/jobs/" + "0" * 32 + "/cancel", headers={**key, "Origin": FRIEND})
    refused(changed, 404, "job_not_found")


def test_other_pages_may_not(service: Service, key: dict[str, str]) -> None:
    assert "access-control-allow-origin" not in preflight(service, STRANGER).headers
    answer = service.http.get("/jobs", headers={**key, "Origin": STRANGER})
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    refused(service.http.post("/jobs", headers={**key, "Origin": STRANGER}), 403, "forbidden")
