from __future__ import annotations

import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from service.webhooks.signature import new_secret, secret_key, signed_headers


def test_the_public_library_accepts_our_signature():
    secret, body = new_secret(), '{"type": "job.succeeded", "näme": 1}'.encode()
    headers = signed_headers(secret, "msg_1", int(time.time()), body)
    assert Webhook(secret).verify(body, headers) == {"type": "job.succeeded", "näme": 1}


def test_the_public_library_refuses_another_body_and_another_secret():
    secret = new_secret()
    headers = signed_headers(secret, "msg_1", int(time.time()), b"{}")
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(b'{"a": 1}', headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(b"{}", headers)


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_!!", new_secret().removeprefix("whsec_")]
)
def test_secrets_of_another_form_are_refused(secret):
    with pytest.raises(ValueError, match="whsec_"):
        secret_key(secret)
