"""The OpenAPI document is one from which generators make a client that people want to use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import validate

from service.api.answers.problems import MEDIA_TYPE
from service.api.app import create_app
from service.config import Settings

DOCUMENT: dict[str, Any] = create_app(Settings()).openapi()
SCHEMAS = DOCUMENT["components"]["schemas"]
CALLS = {
    f"{method.upper()} {path}": call
    for path, methods in DOCUMENT["paths"].items()
    for method, call in methods.items()
}


def parts(part: Any) -> Iterator[dict[str, Any]]:
    """Every object in a part of the document."""
    if isinstance(part, dict):
        yield part
        for value in part.values():
            yield from parts(value)
    elif isinstance(part, list):
        for value in part:
            yield from parts(value)


def bodies(content: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for media_type, value in content.items():
        if media_type == "text/event-stream":
            continue  # a schema would be that of one event, which OpenAPI 3.1 cannot say
        assert "schema" in value, f"{media_type} has no schema"
        yield media_type, value["schema"]


def test_document_is_valid() -> None:
    validate(DOCUMENT)


def test_another_application_publishes_the_same() -> None:
    assert create_app(Settings()).openapi() == DOCUMENT


def test_names_of_calls_are_functions_of_a_client() -> None:
    names = [call["operationId"] for call in CALLS.values()]
    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)+", name)] == []


@pytest.mark.parametrize("name", CALLS)
def test_call_says_what_it_is_for_and_how_it_fails(name: str) -> None:
    call = CALLS[name]
    assert call["summary"]
    assert call["description"].endswith(".")
    assert len(call["tags"]) == 1
    failures = {status: answer for status, answer in call["responses"].items() if status >= "400"}
    assert {"401", "403", "429", "500", "503"} <= set(failures)
    for answer in failures.values():
        for media_type, schema in bodies(answer["content"]):
            assert media_type == MEDIA_TYPE or schema == {"type": "string"}


@pytest.mark.parametrize("name", CALLS)
def test_bodies_have_types(name: str) -> None:
    call = CALLS[name]
    contents = [answer.get("content", {}) for status, answer in call["responses"].items() if status < "400"]
    contents.append(call.get("requestBody", {}).get("content", {}))
    for content in contents:
        for media_type, schema in bodies(content):
            if media_type in ("application/json", "multipart/form-data"):
                assert set(schema) == {"$ref"}
            else:
                assert schema["type"] == "string"


@pytest.mark.parametrize("name", SCHEMAS)
def test_component_is_a_class_with_fields_or_an_enumeration(name: str) -> None:
    schema = SCHEMAS[name]
    assert "properties" in schema or "enum" in schema
    inside = [part for key in ("properties", "anyOf", "oneOf") for part in parts(schema.get(key))]
    assert [part for part in inside if "enum" in part] == [], "an enumeration without a name"
    objects = [part for part in inside if part.get("type") == "object"]
    maps = [
        part for part in objects if isinstance(part.get("additionalProperties"), dict)
    ]  # generators make classes
    assert [part for part in objects if part not in maps] == [], "an object without a class"
    assert not {"anyOf", "oneOf"} & set(schema) or "discriminator" in schema


def test_null_is_no_class_of_a_union() -> None:
    null = {"type": "null"}
    for part in parts(DOCUMENT):
        kinds = part.get("anyOf", [])
        assert null not in kinds or "$ref" in kinds[0]


def test_every_call_belongs_to_a_group_that_is_described() -> None:
    described = {(tag["name"],) for tag in DOCUMENT["tags"] if tag["description"]}

    assert {tuple(call["tags"]) for call in CALLS.values()} == described


def test_the_document_names_the_service_that_it_is_from() -> None:
    assert [server["url"] for server in DOCUMENT["servers"]] == ["/"]
