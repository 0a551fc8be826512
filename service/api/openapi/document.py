"""Puts the OpenAPI document in a form from which generators make typed clients.

Every body and every enumeration is a component with a name, so that it becomes one class, not one for each call; what
may be null says so in its type, not as a union.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from service.api.access import COOKIE

Schema = dict[str, Any]

_SCHEMES = {
    "key": {
        "type": "http",
        "scheme": "bearer",
        "description": "`cdvd keys create` makes one; or an upload token.",
    },
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "Set by `POST /session`."},
}
_NULL = {"type": "null"}
_REFERENCE = "#/components/schemas/"


def operation_id(route: APIRoute) -> str:
    """Returns the name that generated clients give to a call: that of its function, such as ``create_job``."""
    return route.name


def describe(app: FastAPI) -> None:
    """Makes ``app`` publish its document with named bodies and enumerations, and with how a key is shown."""
    described = app.openapi

    def openapi() -> dict[str, Any]:
        return app.openapi_schema or _complete(described())

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to extend the document


def _complete(document: dict[str, Any]) -> dict[str, Any]:
    """Adds to the document and returns it. A key is needed nowhere where none was made."""
    document["security"] = [{}, *({name: []} for name in _SCHEMES)]
    parts = document.setdefault("components", {})
    parts["securitySchemes"] = _SCHEMES
    components = _Components(parts.setdefault("schemas", {}))
    for operation in _operations(document):
        for parameter in operation.get("parameters", ()):
            parameter["schema"] = _without_null(parameter["schema"])
            schema = parameter["schema"]
            components.name_enumeration(schema, schema.get("title", parameter["name"]))
        for content in operation.get("requestBody", {}).get("content", {}).values():
            content["schema"] = components.of_body(content["schema"])
    for schema in [*components.schemas.values()]:
        components.name_enumerations(schema)
    _fold_nulls(document)
    return document


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from path.values()


class _Components:
    """The schemas that have names."""

    def __init__(self, schemas: dict[str, Schema]) -> None:
        self.schemas = schemas

    def of_body(self, schema: Schema) -> Schema:
        """Returns a reference to a body that a route describes by itself, which becomes a component."""
        if "title" not in schema or "properties" not in schema:
            return schema
        for name, part in schema.pop("$defs", {}).items():
            self._add(name, _moved(part))
        return self._add(schema["title"], _moved(schema))

    def name_enumerations(self, schema: Schema) -> None:
        """Moves the enumerations among the properties of a schema to components, named by the properties."""
        for name, value in schema.get("properties", {}).items():
            for choice in (value, *value.get("anyOf", ())):
                self.name_enumeration(choice, str(value.get("title", name)))

    def name_enumeration(self, schema: Schema, title: str) -> None:
        """Moves the values of a schema to a component, if it is an enumeration: ``bit_depth`` gives ``BitDepth``."""
        if "enum" in schema:
            name = "".join(word[:1].upper() + word[1:] for word in re.split("[ _-]", title))
            values = {"type": schema.pop("type"), "enum": schema.pop("enum"), "title": name}
            schema.update(self._add(name, values))

    def _add(self, name: str, schema: Schema) -> Schema:
        known = self.schemas.setdefault(name, schema)
        if known != schema:
            raise ValueError(f"Two schemas are called {name}: give one of them another title.")
        return {"$ref": _REFERENCE + name}


def _moved(schema: Any) -> Any:
    """Returns a schema whose references within itself point to the components."""
    if isinstance(schema, dict):
        moved = {key: _moved(value) for key, value in schema.items()}
        if isinstance(moved.get("$ref"), str):
            moved["$ref"] = moved["$ref"].replace("#/$defs/", _REFERENCE)
        return moved
    return [_moved(one) for one in schema] if isinstance(schema, list) else schema


def _without_null(schema: Schema) -> Schema:
    """Returns the schema of a parameter: one that is left out is absent, never null."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != _NULL]
    if len(kinds) != 1:
        return schema
    return {**kinds[0], **{key: value for key, value in schema.items() if key != "anyOf"}}


def _fold_nulls(part: Any) -> None:
    """Writes ``anyOf: [{type: number}, {type: null}]`` as ``type: [number, null]``, everywhere in ``part``."""
    if isinstance(part, list):
        for one in part:
            _fold_nulls(one)
    if not isinstance(part, dict):
        return
    for value in part.values():
        _fold_nulls(value)
    kinds = part.get("anyOf")
    if isinstance(kinds, list) and len(kinds) == 2 and kinds[1] == _NULL and "type" in kinds[0]:
        del part["anyOf"]
        part.update(kinds[0] | part, type=[kinds[0]["type"], "null"])
