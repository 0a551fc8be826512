"""Examines this machine: what it has for the service, what is missing, and how to get it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from service.cli.actions import checks
from service.cli.actions.checks import Finding
from service.cli.output.lines import say_json
from service.config import Settings
from service.model_catalog import ModelCard, ModelCatalog

_MODEL_REMEDY = "restore its folder from the release, or export it: python -m export --help"


def examine(models: Path | None) -> list[Finding]:
    """Checks every part, with the settings that ``cdvd up`` would run with."""
    settings = Settings()
    return [
        checks.python(),
        checks.machine(),
        *memory(settings, models or settings.models),
        checks.redis(),
        checks.ffmpeg(),
        checks.x264(),
        checks.hardware_encoders(),
        checks.onnxruntime(),
        *(
            [checks.device(settings, models or settings.models)]
            if settings.engine in ("auto", "onnx")
            else []
        ),
        *runtime(settings, models),
        *triton(settings),
        *repository(models or settings.models, settings.model),
        checks.disk(settings.data, settings.min_free_bytes),
    ]


def runtime(settings: Settings, models: Path | None) -> Iterator[Finding]:
    """Reports what ``cdvd up`` measured, unless CDVD_ENGINE names the engine."""
    if "engine" not in settings.model_fields_set or settings.engine == "auto":
        yield checks.runtime(settings.model_copy(update={"models": models or settings.models}))


def memory(settings: Settings, models: Path) -> Iterator[Finding]:
    """Checks the memory for the default model, unless servers of models have their own."""
    if settings.engine != "triton":
        cards = {card.name: card for card in ModelCatalog(models).models()}
        yield checks.memory(settings, cards.get(settings.model))


def triton(settings: Settings) -> Iterator[Finding]:
    """Checks the client and the servers of Triton, which are required only where CDVD_ENGINE chooses it."""
    chosen = settings.engine == "triton"
    client = checks.triton_client(required=chosen)
    yield client
    if not chosen or "triton_urls" not in settings.model_fields_set:
        yield checks.local_triton(required=chosen)
    elif client.found:
        yield checks.triton(settings.triton_urls, settings.model)


def repository(folder: Path, default: str) -> Iterator[Finding]:
    """Checks every model; ``default``, which jobs use when they name none, is required."""
    cards = {card.name: card for card in ModelCatalog(folder).models()}
    folders = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    if default not in folders:
        detail = f"{default}, the default, is not in {folder}"
        yield Finding("Model", False, detail, _MODEL_REMEDY)
    for name in folders:
        yield _model(folder / name, cards.get(name), required=name == default)


def _model(folder: Path, card: ModelCard | None, *, required: bool) -> Finding:
    if card is None:
        detail = f"{folder.name}: 1/model.onnx or model.json is missing or damaged in {folder}"
        return Finding("Model", False, detail, _MODEL_REMEDY, required)
    with (folder / "1" / "model.onnx").open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != card.sha256:
        detail = f"{folder.name}: model.onnx is not the file that model.json describes"
        return Finding("Model", False, detail, _MODEL_REMEDY, required)
    detail = f"{card.name}: {card.precision}, {card.parameters:,} parameters, {card.licence}, digest verified"
    return Finding("Model", True, detail, required=required)


def print_report(findings: list[Finding], *, as_json: bool) -> None:
    """Prints a table of the findings, or JSON."""
    if as_json:
        say_json({"ok": healthy(findings), "findings": [asdict(finding) for finding in findings]})
        return
    table = Table("", "Part", "Found", box=None, pad_edge=False, show_header=False)
    for finding in findings:
        detail = Text(finding.detail)
        if finding.remedy:
            detail.append(f"\n-> {finding.remedy}", style="bold" if finding.required else "dim")
        table.add_row(_mark(finding), finding.name, detail)
    console = Console()
    console.print(table)
    summary = "Everything required is here." if healthy(findings) else "Something required is missing."
    console.print(summary, style="green" if healthy(findings) else "red")


def healthy(findings: list[Finding]) -> bool:
    """Returns whether everything required is here."""
    return all(finding.found for finding in findings if finding.required)


def _mark(finding: Finding) -> Text:
    if finding.found:
        return Text("ok", style="green")
    return Text("missing", style="red") if finding.required else Text("no", style="yellow")
