"""Refuses names that the OpenAPI document does not hold, on every route alike: what is misspelled is not passed over.

Query parameters are looked at before anything else is done for a request. Fields of a JSON body are found by the model
that reads it, and named here; those of a form by ``JobOptions.from_text``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import Request

from service.api.upload.body import RequestBody
from service.errors.submission import UnknownParameter, unknown_parameter

_JSON = "application/json"


class KnownNames:
    """The names in an OpenAPI document, by route."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document

    def refuse_others(self, request: Request) -> None:
        """Raises UnknownParameter for a query parameter that the route does not have; pages are no routes."""
        operation = self._operation(request)
        if operation is None:
            return
        known = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"]
        for name in request.query_params:
            if name not in known:
                raise unknown_parameter(name, known, "query parameter")

    def refusal_of_field(self, request: Request, where: tuple[int | str, ...]) -> UnknownParameter:
        """Returns the refusal of a field of the JSON body that the model of the route does not have."""
        operation = self._operation(request) or {}
        content = operation.get("requestBody", {}).get("content", {})
        known = self._properties(content.get(_JSON, {}).get("schema", {}))
        for name in where[:-1]:
            known = self._properties(known.get(str(name), {}))
        return unknown_parameter(str(where[-1]), list(known), "field")

    def _properties(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """Returns the fields of an object, also where it may be null, or stands among the common schemas."""
        for one in (schema, *schema.get("anyOf", ())):
            name = one.get("$ref", "").rpartition("/")[2]
            found = (self._document["components"]["schemas"][name] if name else one).get("properties")
            if found:
                return dict(found)
        return {}

    def _operation(self, request: Request) -> Mapping[str, Any] | None:
        """Returns what the document says of the route; HEAD is GET where nothing else is said."""
        methods = self._document["paths"].get(request.scope["route"].path, {})
        method = request.method.lower()
        return methods.get(method) or (methods.get("get") if method == "head" else None)


async def refuse_unknown(request: Request) -> None:
    """Raises UnknownParameter for a query parameter that the route does not have, before the body is read."""
    known: KnownNames = request.app.state.known_names
    try:
        known.refuse_others(request)
    except UnknownParameter:
        await RequestBody(request).drain()
        raise
