"""The page in each of its languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from service.text import PHRASES
from tests.e2e.conftest import PATIENCE_MS, open_job
from tests.support.clips import Clip, write_clip
from tests.support.stack import QUICK, Service

pytestmark = pytest.mark.integration

WEB = Path(__file__).resolve().parents[2] / "service" / "web"
PLACEHOLDER = re.compile(r"\{(\w+)(?::[^}]*)?\}")
FINDING = "finding."
"""The sentences of findings; English has none, since the service's own are shown."""
USED = re.compile(r"""\bt\(\s*"([\w.]+)"|\bdata-(?:text|label|tip|hint|alt)="([\w.]+)\"""")
"""Keys that scripts and markup name whole; those that are put together end in a prefix of PREFIXES."""
PREFIXES = ("problem.", "status.", "eta.", FINDING)

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
    texts = entry.values() if isinstance(entry, dict) else entry if isinstance(entry, tuple) else [entry]
    return {name for text in texts for name in PLACEHOLDER.findall(str(text))}


def without_findings(table: dict[str, object]) -> dict[str, object]:
    return {key: entry for key, entry in table.items() if not key.startswith(FINDING)}


def test_all_languages_have_the_same_texts(tables: dict[str, dict[str, object]]) -> None:
    english = tables["en"]
    for code, table in tables.items():
        assert set(without_findings(table)) == set(english), code
        for key, entry in without_findings(table).items():
            assert placeholders(entry) == placeholders(english[key]), f"{code}: {key}"


def test_other_languages_say_each_sentence_of_the_services_findings(
    tables: dict[str, dict[str, object]],
) -> None:
    phrases = {FINDING + name: text for name, text in PHRASES.items()}
    for code in set(tables) - {"en"}:
        table = {key: entry for key, entry in tables[code].items() if key.startswith(FINDING)}
        assert set(table) == set(phrases), code
        for key, entry in table.items():
            assert placeholders(entry) == placeholders(phrases[key]), f"{code}: {key}"
            assert isinstance(entry, dict) == isinstance(phrases[key], tuple), f"{code}: {key}"


def test_findings_are_said_in_the_language_of_the_page(
    browser: Browser, service: Service, tmp_path: Path
) -> None:
    clip = write_clip(tmp_path / "laut.mp4", Clip(pix_fmt="yuv444p", audio="aac"))
    job_id = service.submit(clip, model=QUICK, sound="none")
    service.until_status(job_id, "succeeded")
    context = browser.new_context(locale="de-DE")
    page = context.new_page()
    page.goto(str(service.http.base_url))
    open_job(page, job_id)
    items = page.locator("#findings-lists").get_by_role("listitem")
    said = "Die Farbauflösung sinkt von 4:4:4 auf 4:2:0, wie H.264 es hier hat."
    expect(items.filter(has_text=said)).to_be_visible(timeout=PATIENCE_MS)
    expect(items.filter(has_text="Ton von Datenstrom 1 (aac): weggelassen, wie verlangt.")).to_be_visible()
    expect(items.filter(has_text="12 Bilder, so viele wie im Original.")).to_be_visible()
    context.close()


def test_places_of_findings_and_unknown_sentences(browser: Browser, service: Service) -> None:
    context = browser.new_context(locale="de-DE")
    page = context.new_page()
    page.goto(str(service.http.base_url))
    held = {"phrase": "frame_held", "values": {}, "text": "", "count": 4, "times_s": [0.5, 1, 1.25, 2]}
    newer = {"phrase": "from_a_newer_service", "values": {}, "text": "It is new.", "count": 0, "times_s": []}
    spoken = page.evaluate(
        """async (findings) => {
            const { sentence } = await import("./static/lib/findings.js");
            return findings.map(sentence);
        }""",
        [held, newer],
    )
    assert spoken[0]["text"].endswith("das benachbarte: 4-mal, bei 0,50 s, 1 s, 1,25 s ….")
    assert spoken[1] == {"text": "It is new.", "lang": "en"}
    context.close()


def test_errors_are_explained_in_the_language_of_the_page(browser: Browser, service: Service) -> None:
    context = browser.new_context(locale="de-DE")
    page = context.new_page()
    page.goto(str(service.http.base_url))
    codes = ("empty_upload", "rate_limited", "from_a_newer_service")
    said = page.evaluate(
        """async (problems) => {
            const { explained } = await import("./static/lib/problems.js");
            return problems.map((problem) => explained(problem, 400));
        }""",
        [{"code": code, "detail": "In English."} for code in codes],
    )
    assert said == ["Die Datei ist leer.", "Zu viele Anfragen in kurzer Zeit. In English.", "In English."]
    context.close()


def test_an_empty_file_is_refused_at_once(page: Page, tmp_path: Path) -> None:
    empty = tmp_path / "empty.mp4"
    empty.touch()
    page.locator("#file").set_input_files(empty)
    expect(page.get_by_role("alert").filter(has_text="empty.mp4: The file is empty.")).to_be_visible()
    expect(page.locator("#choose")).to_be_hidden()


def test_the_page_uses_each_text_and_no_other(tables: dict[str, dict[str, object]]) -> None:
    files = [path for path in [*WEB.rglob("*.js"), *WEB.rglob("*.html")] if "languages" not in path.parts]
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
