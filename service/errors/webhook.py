"""Errors about webhooks."""

from __future__ import annotations

from service.errors.base import ServiceError


class WebhookError(ServiceError):
    """Base of what goes wrong with webhooks."""

    code = "webhook_error"


class WebhookRefused(WebhookError):
    """The webhook's address is malformed or not public."""

    code = "webhook_refused"


class WebhookFailed(WebhookError):
    """The receiver of a webhook cannot be reached or does not answer."""

    code = "webhook_failed"


class DeliveryNotFound(WebhookError):
    """There is no such webhook delivery."""

    code = "delivery_not_found"
