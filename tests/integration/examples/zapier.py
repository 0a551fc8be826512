"""Makes the requests of a Zapier integration: templates filled in as Zapier does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

_PLACE = re.compile(r"\{\{bundle\.(authData|inputData)\.(\w+)\}\}")


@dataclass(frozen=True)
class Integration:
    """A definition as ``zapier-platform-schema`` describes it, with an account."""

    definition: dict[str, Any]
    account: Mapping[str, str]

    def test(self) -> httpx.Response:
        """Ask what Zapier asks when somebody connects an account."""
        fields = {field["key"] for field in self.definition["authentication"]["fields"]}
        assert self.account.keys() == fields
        return self._request(self.definition["authentication"]["test"], {})

    def act(self, name: str, **given: str) -> httpx.Response:
        """Perform an action with what somebody filled in; what was not is at its default, or missing."""
        operation = self.definition["creates"][name]["operation"]
        fields = {field["key"]: field for field in operation["inputFields"]}
        assert given.keys() <= fields.keys()
        assert {key for key, field in fields.items() if field["required"]} <= given.keys()
        defaults = {key: field["default"] for key, field in fields.items() if "default" in field}
        return self._request(operation["perform"], {**defaults, **given})

    def _request(self, template: dict[str, Any], given: Mapping[str, str]) -> httpx.Response:
        data = {"authData": self.account, "inputData": given}

        def filled(value: str) -> str:
            return _PLACE.sub(lambda found: data[found[1]].get(found[2], ""), value)

        def every(values: Mapping[str, str]) -> dict[str, str]:
            return {name: filled(value) for name, value in values.items()}

        assert template.keys() <= {"method", "url", "params", "headers", "body", "removeMissingValuesFrom"}
        body = every(template.get("body", {}))
        if template.get("removeMissingValuesFrom", {}).get("body"):
            body = {name: value for name, value in body.items() if value}
        return httpx.request(
            template["method"],
            filled(template["url"]),
            params=every(template.get("params", {})),
            headers=every(template["headers"]),
            json=body or None,
            timeout=120,
            trust_env=False,
        )


def at(body: Any, field: str) -> object:
    """The value of an output field: ``a__b`` is ``b`` in ``a``."""
    for name in field.split("__"):
        if body is None:
            return None
        body = body[name]
    return body
