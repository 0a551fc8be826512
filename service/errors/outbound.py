"""Errors of calls to servers of others: for a video, with a result, with a webhook."""

from __future__ import annotations

from service.errors.base import ServiceError


class OutboundError(ServiceError):
    """Base of what goes wrong when the service calls a server of others."""

    code = "outbound_error"


class AddressRefused(OutboundError):
    """The address is malformed, or leads where the service does not go."""

    code = "address_refused"


class FetchRefused(OutboundError):
    """The server of ``input_url`` will not give the video, however often it is asked."""

    code = "fetch_refused"


class FetchFailed(OutboundError):
    """The server of ``input_url`` cannot be reached or breaks off; it may do better later."""

    code = "fetch_failed"


class SendFailed(OutboundError):
    """The server of ``output_url`` cannot be reached, or does not take the result; it may do so later."""

    code = "send_failed"
