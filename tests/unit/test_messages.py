"""Messages to users, read from the source: sentences, without paths of the server, with the right plurals."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import pytest

import service
import service.errors
from service.api.answers.problems import title_of
from service.errors.base import ServiceError

ROOT = Path(service.__file__).parent
HOLE = "\N{OBJECT REPLACEMENT CHARACTER}"
"""Stands for a value in an f-string."""
COUNTED = (
    "attempts? bytes? characters? fields? files? frames? jobs? keys? models? packets? parts? pixels? seconds? "
    "segments? stages? steps? streams? times? windows? workers? pieces? results? videos? entries uploads? bits?"
).replace(" ", "|")
PLACES = {"path", "directory", "folder", "root", "file", "data", "socket", "target"}
"""Names of values that may be a path."""
OPERATORS_OWN = ("cli", "client", "local", "embedded.py", "config.py")
"""Parts whose messages go to whoever runs them, on their own machine: they may name its files."""
INTERNAL = {
    "AssertionError",
    "TritonModelException",
    "_refusal",
    "LookupError",
    "KeyError",
    "StopIteration",
    "SystemExit",
    "NotImplementedError",
    "Exit",
}
"""Raised with a value, never shown, or in the words of the C++ backend of Triton."""


def _subclasses(kind: type[ServiceError]) -> Iterator[type[ServiceError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _subclasses(child)


def _error_classes() -> list[type[ServiceError]]:
    for module in pkgutil.iter_modules(service.errors.__path__, "service.errors."):
        importlib.import_module(module.name)
    importlib.import_module("service.client.errors")
    own = (kind for kind in _subclasses(ServiceError) if kind.__module__.startswith("service."))
    return sorted({ServiceError, *own}, key=lambda kind: kind.__name__)


ERRORS = _error_classes()
NAMES = {kind.__name__ for kind in ERRORS}


@dataclass(frozen=True)
class Message:
    """The text of an error as far as it is written in the source; values are holes."""

    where: str
    text: str
    values: tuple[ast.expr, ...]

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


def _text(node: ast.expr) -> tuple[str, tuple[ast.expr, ...]] | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value, ()
    if isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else HOLE for part in node.values]
        values = tuple(part.value for part in node.values if isinstance(part, ast.FormattedValue))
        return "".join(map(str, parts)), values
    return None


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def _messages() -> Iterator[Message]:
    for path in sorted(ROOT.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        raised = {id(node.exc) for node in ast.walk(tree) if isinstance(node, ast.Raise)}
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = _called(node)
            if (id(node) in raised and name not in INTERNAL) or name in NAMES:
                found = _text(node.args[0])
                if found:
                    yield Message(f"{path.relative_to(ROOT)}:{node.lineno}", *found)


MESSAGES = list(_messages())


def _last_name(value: ast.expr) -> str:
    return value.attr if isinstance(value, ast.Attribute) else getattr(value, "id", "")


def test_there_are_messages_to_check() -> None:
    assert len(MESSAGES) > 150
    assert len(ERRORS) > 50


def test_a_message_begins_with_a_capital_or_a_value() -> None:
    wrong = [str(each) for each in MESSAGES if re.match(r"[a-z]", each.text)]
    assert wrong == []


def test_a_message_ends_with_a_full_stop_or_with_another_message() -> None:
    ending = re.compile(rf"([.?!]|:\s{HOLE}|\.\n{HOLE}|^{HOLE}+)$")
    wrong = [str(each) for each in MESSAGES if not ending.search(each.text)]
    assert wrong == []


def test_no_second_sentence_begins_in_lower_case() -> None:
    wrong = [str(each) for each in MESSAGES if re.search(r"(?<!e\.g)(?<!i\.e)[.!?] [a-z]", each.text)]
    assert wrong == []


def test_counts_have_the_right_plural() -> None:
    """``service.text.plural`` makes it; a constant, in capitals, needs no help."""
    wrong = []
    for each in MESSAGES:
        for hole in re.finditer(rf"{HOLE}(?= ({COUNTED})\b)", each.text):
            value = each.values[each.text[: hole.start()].count(HOLE)]
            side = each.text[: hole.start()].endswith(" x ")  # as in 640 x 360 pixels
            if not side and not _last_name(value).isupper():
                wrong.append(str(each))
    assert wrong == []


def test_no_message_of_the_service_names_a_path_of_its_machine() -> None:
    served = [each for each in MESSAGES if not each.where.startswith(OPERATORS_OWN)]
    wrong = [str(each) for each in served if any(_last_name(value) in PLACES for value in each.values)]
    wrong += [
        str(each) for each in served if re.search(r"(?<![\w<>])/(tmp|var|home|etc|data|proc)\b", each.text)
    ]
    assert wrong == []


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_an_error_class_says_what_it_means(kind: type[ServiceError]) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", kind.code)
    assert re.match(r"[A-Z`]", kind.__doc__ or ""), "its docstring is a sentence"
    assert "." in (kind.__doc__ or "")


def test_codes_are_unique() -> None:
    codes = [kind.code for kind in ERRORS if "code" in vars(kind)]
    assert sorted(codes) == sorted(set(codes))


@pytest.mark.parametrize(
    "code",
    [
        *sorted({kind.code for kind in ERRORS}),
        *("forbidden", "invalid_request", "not_ready"),
        *(status.name.lower() for status in HTTPStatus if status >= 400),
    ],
)
def test_the_title_of_a_problem_begins_with_a_capital_and_has_no_underscore(code: str) -> None:
    assert re.fullmatch(r"[A-Z][a-z]*( [a-z]+)*", title_of(code))
