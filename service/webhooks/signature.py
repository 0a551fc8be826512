"""Signs webhooks as Standard Webhooks specifies: HMAC-SHA256 over ``<id>.<timestamp>.<body>``, in three headers."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets

PREFIX = "whsec_"
SECRET_BYTES = range(24, 65)
"""The lengths of a secret, in bytes, that the specification allows."""


def new_secret() -> str:
    """Returns a random secret in the form that receivers' libraries take."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def secret_key(secret: str) -> bytes:
    """Returns the key in a ``whsec_...`` secret. Raises ValueError for a secret of another form."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(PREFIX) or len(key) not in SECRET_BYTES:
        raise ValueError(
            f"A webhook secret is {PREFIX} and the base64 of "
            f"{SECRET_BYTES.start} to {SECRET_BYTES.stop - 1} random bytes."
        )
    return key


def signed_headers(secret: str, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Returns the headers that sign ``body``.

    ``timestamp`` is that of the attempt, in unix seconds: receivers refuse old ones.
    """
    content = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(secret_key(secret), content, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
