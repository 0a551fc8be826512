"""Runs a workflow of n8n: the nodes that our example has, with real requests. What it does not know fails."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

_EXPRESSION = re.compile(r"\{\{\s*(.+?)\s*\}\}")
_REFERENCE = re.compile(r"\$(?:json|\('([^']+)'\)\.item\.json|(execution))((?:\??\.\w+)+)(?: \?\? '(.*)')?")


class WorkflowStoppedError(Exception):
    """The workflow ended with its own error."""


@dataclass
class Item:
    """What flows from node to node: JSON, and files by the names of their fields."""

    json: Any = None
    binary: dict[str, tuple[str, bytes]] = field(default_factory=dict)


class Workflow:
    """A workflow as n8n exports it, with its credentials and with other settings than it comes with."""

    def __init__(
        self, exported: dict[str, Any], credentials: dict[str, dict[str, str]], **settings: str
    ) -> None:
        self._nodes = {node["name"]: node for node in exported["nodes"]}
        self._connections = exported["connections"]
        self._credentials = credentials
        self._settings = settings
        self._items: dict[str, Item] = {}
        self._execution = uuid.uuid4().hex
        self.requests: list[str] = []
        self._kinds: dict[tuple[str, float], Callable[[dict[str, Any], Item], tuple[int, Item]]] = {
            ("manualTrigger", 1): lambda _node, item: (0, item),
            ("wait", 1.1): self._wait,
            ("set", 3.5): self._set,
            ("httpRequest", 4.5): self._request,
            ("if", 2.3): self._if,
            ("stopAndError", 1): self._stop,
        }

    def run(self) -> Item:
        """Returns what the last node yields. Raises WorkflowStoppedError."""
        targets = {
            hop["node"] for ends in self._connections.values() for hops in ends["main"] for hop in hops
        }
        assert targets <= self._nodes.keys()
        (name,) = self._nodes.keys() - targets
        item = Item({})
        while True:
            node = self._nodes[name]
            kind = node["type"].removeprefix("n8n-nodes-base."), node["typeVersion"]
            output, item = self._kinds[kind](node["parameters"] | {"node": node}, item)
            self._items[name] = item
            following = self._connections.get(name, {"main": []})["main"]
            if not following:
                return item
            ((hop,),) = (following[output],)
            name = hop["node"]

    def _wait(self, parameters: dict[str, Any], item: Item) -> tuple[int, Item]:
        assert parameters["unit"] == "seconds"
        assert parameters["amount"] > 0
        time.sleep(0.1)  # a test has less patience
        return 0, item

    def _set(self, parameters: dict[str, Any], item: Item) -> tuple[int, Item]:
        given = {one["name"]: one["value"] for one in parameters["assignments"]["assignments"]}
        assert self._settings.keys() <= given.keys()
        return 0, Item({**given, **self._settings}, item.binary)

    def _request(self, parameters: dict[str, Any], item: Item) -> tuple[int, Item]:
        method, url = parameters["method"], self._value(parameters["url"], item)
        headers = {
            one["name"]: self._value(one["value"], item)
            for one in parameters.get("headerParameters", {}).get("parameters", ())
        }
        if parameters.get("authentication") == "genericCredentialType":
            named = parameters["node"]["credentials"][parameters["genericAuthType"]]["name"]
            headers |= self._credentials[named]
        self.requests.append(f"{method} {httpx.URL(url).path}")
        form = self._form(parameters, item) if parameters.get("sendBody") else None
        answer = httpx.request(method, url, headers=headers, files=form, timeout=120, trust_env=False)
        assert answer.is_success, f"{method} {url}: {answer.status_code} {answer.text[:500]}"
        response = parameters["options"].get("response", {}).get("response", {})
        if response.get("responseFormat") == "file":
            name = url.rpartition("/")[2]
            return 0, Item(item.json, {response["outputPropertyName"]: (name, answer.content)})
        return 0, Item(answer.json())

    def _form(self, parameters: dict[str, Any], item: Item) -> list[tuple[str, Any]]:
        assert parameters["contentType"] == "multipart-form-data"
        form: list[tuple[str, Any]] = []
        for one in parameters["bodyParameters"]["parameters"]:
            if one["parameterType"] == "formBinaryData":
                form.append((one["name"], item.binary[one["inputDataFieldName"]]))
            else:
                form.append((one["name"], (None, self._value(one["value"], item))))
        return form

    def _if(self, parameters: dict[str, Any], item: Item) -> tuple[int, Item]:
        wanted = parameters["conditions"]
        assert wanted["combinator"] == "or"
        assert all(one["operator"]["operation"] == "equals" for one in wanted["conditions"])
        met = any(self._value(one["leftValue"], item) == one["rightValue"] for one in wanted["conditions"])
        return (0 if met else 1), item

    def _stop(self, parameters: dict[str, Any], item: Item) -> tuple[int, Item]:
        raise WorkflowStoppedError(self._value(parameters["errorMessage"], item))

    def _value(self, text: str, item: Item) -> str:
        """What a parameter is: text as it stands, or after ``=`` with references in braces."""
        if not text.startswith("="):
            return text
        return _EXPRESSION.sub(lambda found: str(self._referred(found[1], item)), text[1:])

    def _referred(self, expression: str, item: Item) -> object:
        found = _REFERENCE.fullmatch(expression)
        assert found is not None, expression
        node, execution, path, otherwise = found.groups()
        value: Any = {"id": self._execution} if execution else self._items[node].json if node else item.json
        for question, name in re.findall(r"(\??)\.(\w+)", path):
            value = None if question and value is None else value[name]
        return otherwise if value is None and otherwise is not None else value
