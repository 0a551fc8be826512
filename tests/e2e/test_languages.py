"""The page in each of its languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.stack import Service

pytestmark = pytest.mark.integration

WEB = Path(__file__).resolve().parents[2] / "service" / "web"
PLACEHOLDER = re.compile(r"\{(\w+)\}")
USED = re.compile(r"""\bt\(\s*"([\w.]+)"|\bdata-(?:text|label|tip|hint|alt)="([\w.]+)\"""")
"""Keys that scripts and markup name whole; those that are put together end in a prefix of PREFIXES."""
PREFIXES = ("problem.", "status.", "eta.")

TABLES = """async () => {
    const { LANGUAGES } = await import("./static/languages/language.js");
    const load = async (code) => [code, (await import(`./static/languages/${code}/table.js`)).table];
    return Object.fromEntries(await Promise.all(Object.keys(LANGUAGES).map(load)));
}"""


@pytest.fixture
def tables(page: Page) -> dict[str, dict[str, object]]:
    loaded: dict[str, dict[str, object]] = page.evaluate(TABLES)
    return loaded


def placeholders(entry: object) -> set[str]:
    texts = entry.values() if isinstance(entry, dict) else [entry]
    return {name for text in texts for name in PLACEHOLDER.findall(str(text))}


def test_all_languages_have_the_same_texts(tables: dict[str, dict[str, object]]) -> None:
    english = tables["en"]
    for code, table in tables.items():
        assert set(table) == set(english), code
        for key, entry in table.items():
            assert placeholders(entry) == placeholders(english[key]), f"{code}: {key}"


def test_the_page_uses_each_text_and_no_other(tables: dict[str, dict[str, object]]) -> None:
    files = [path for path in [*WEB.rglob("*.js"), *WEB.glob("*.html")] if "languages" not in path.parts]
    source = "\n".join(path.read_text("utf-8") for path in files)
    used = {key for pair in USED.findall(source) for key in pair if key}

    assert used - set(tables["en"]) == set()
    fixed = {key for key in tables["en"] if not key.startswith(PREFIXES)}
    assert {key for key in fixed if f'"{key}"' not in source} == set()


def test_the_browsers_language_is_spoken_and_another_can_be_chosen(
    browser: Browser, service: Service
) -> None:
    context = browser.new_context(locale="de-AT")
    page = context.new_page()
    page.goto(str(service.http.base_url))
    expect(page.get_by_role("heading", level=1)).to_have_text("Videos schärfen")
    expect(page.locator("html")).to_have_attribute("lang", "de")

    page.get_by_label("Sprache").select_option("English")
    expect(page.get_by_role("heading", level=1)).to_have_text("Video deblurring")
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    context.close()
