"""Reads small JSON bodies: after it is known who asks, which the framework's own reader does not wait for."""

from __future__ import annotations

from typing import TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from service.errors.upload import MalformedRequest

MAX_BODY_BYTES = 16 << 10

Model = TypeVar("Model", bound=BaseModel)


async def json_body(request: Request, model: type[Model]) -> Model:
    """Returns what the body of a request says. Raises MalformedRequest for a long one, and RequestValidationError."""
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > MAX_BODY_BYTES:
            raise MalformedRequest(f"A body in JSON has at most {MAX_BODY_BYTES} bytes.")
    try:
        return model.model_validate_json(bytes(data))
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_context=False)) from error
