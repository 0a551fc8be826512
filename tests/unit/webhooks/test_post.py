from __future__ import annotations

import socket
from http.client import BadStatusLine
from urllib.parse import urlsplit

import pytest

from service.errors.webhook import WebhookFailed, WebhookRefused
from service.outbound.address import Reach
from service.outbound.connection import reason_of
from service.text import MOST_CHARACTERS
from service.webhooks.post import WebhookClient
from tests.support.dripping import dripping
from tests.support.receiver import receiver


def test_the_body_arrives_under_the_name_in_the_url():
    with receiver() as hook:
        port = urlsplit(hook.url).port
        client = WebhookClient(5.0, Reach(private=True), lambda _host, _port: ("127.0.0.1",))
        status = client.post(f"http://hooks.example.com:{port}/in?x=1", b"{}", {"webhook-id": "msg_1"})
    request = hook.received[0]
    assert (status, request.path, request.body) == (200, "/in?x=1", b"{}")
    assert request.headers["host"] == f"hooks.example.com:{port}"
    assert request.headers["webhook-id"] == "msg_1"


def test_redirects_are_not_followed():
    with receiver() as hook:
        hook.answers, hook.headers = [302], {"Location": hook.url}
        assert WebhookClient(5.0, Reach(private=True)).post(hook.url, b"{}", {}) == 302
    assert len(hook.received) == 1


def test_a_name_that_moved_to_a_private_address_is_not_connected_to():
    with receiver() as hook, pytest.raises(WebhookRefused):
        WebhookClient(5.0, Reach()).post(hook.url, b"{}", {})
    assert hook.received == []


def test_nobody_there_is_a_failure():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(WebhookFailed):
        WebhookClient(1.0, Reach(private=True)).post(f"http://127.0.0.1:{port}/", b"{}", {})


def test_a_receiver_that_answers_byte_by_byte_is_cut_off():
    with dripping() as hook, pytest.raises(WebhookFailed):
        WebhookClient(0.5, Reach(private=True)).post(f"http://127.0.0.1:{hook.port}/", b"{}", {})
    assert hook.sent < 100  # of one each 0.05 s: a pause of the whole machine does not count


def test_words_in_place_of_an_answer_are_short_and_printable():
    """They are kept with the delivery, and stand in the log."""
    assert reason_of(BadStatusLine("220 mail\r\n\x1b[2J")) == "220 mail   [2J"
    assert len(reason_of(BadStatusLine("x" * 60_000))) == MOST_CHARACTERS
    assert reason_of(TimeoutError()) == "TimeoutError"
