from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from contextvars import copy_context

import pytest

from service.logs import RecurringWarning, configure_logging, current_request, log_context


@pytest.fixture(autouse=True)
def _root() -> Iterator[None]:
    before = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:], logging.root.level = before


def test_ids_of_the_context_are_in_every_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("json", "INFO")
    with log_context(request="r1", job=None), log_context(step="plan"):
        logging.getLogger("x").info("inside", extra={"job": "j1"})
        assert current_request() == "r1"
    logging.getLogger("x").info("outside")

    inside, outside = map(json.loads, capsys.readouterr().err.splitlines())
    assert {name: inside[name] for name in ("request", "step", "job")} == {
        "request": "r1",
        "step": "plan",
        "job": "j1",
    }
    assert "request" not in outside


def test_threads_that_are_given_the_context_name_its_ids(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("text", "INFO")
    with log_context(request="r2"):
        work = copy_context().run
        thread = threading.Thread(target=work, args=(logging.getLogger("x").info, "there"))
        thread.start()
        thread.join()

    assert capsys.readouterr().err.rstrip().endswith("x: there [request=r2]")


def test_warning_of_what_lasts_comes_again_when_it_changes_or_after_a_while(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    warning = RecurringWarning(logging.getLogger("x"))
    for number in (1, 1, 2, 2, 1):
        warning.say("No room: %d", number)
    monkeypatch.setattr(RecurringWarning, "PERIOD_S", 0.0)
    warning.say("No room: %d", 3)
    warning.say("No room: %d", 3)

    assert [record.getMessage() for record in caplog.records] == [f"No room: {n}" for n in (1, 2, 1, 3, 3)]
