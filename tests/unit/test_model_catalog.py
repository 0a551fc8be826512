from __future__ import annotations

import json
from pathlib import Path

import pytest

from service.errors.engine import ModelNotFound
from service.model_catalog import ModelCatalog

CARD = {
    "name": "lite",
    "preset": "lite",
    "stages": 2,
    "precision": "fp32",
    "opset": 17,
    "parameters": 1,
    "licence": "Apache-2.0",
    "sha256": "0" * 64,
    "description": "",
}


def model(repository: Path, name: str, card: str | None) -> None:
    (repository / name / "1").mkdir(parents=True)
    (repository / name / "1" / "model.onnx").touch()
    if card is not None:
        (repository / name / "model.json").write_text(card)


def test_only_complete_models_are_listed(tmp_path: Path) -> None:
    model(tmp_path, "lite", json.dumps(CARD))
    model(tmp_path, "undescribed", None)
    model(tmp_path, "broken", "{")
    model(tmp_path, "incomplete", json.dumps({"name": "incomplete"}))
    model(tmp_path, "misnamed", json.dumps(CARD))
    (tmp_path / "empty").mkdir()

    assert [card.name for card in ModelCatalog(tmp_path).models()] == ["lite"]


def test_unknown_keys_of_a_newer_export_do_no_harm(tmp_path: Path) -> None:
    model(tmp_path, "lite", json.dumps({**CARD, "metrics": {"psnr": 30}}))

    assert ModelCatalog(tmp_path).require("lite").stages == 2


def test_unknown_model_is_an_error_that_names_the_known(tmp_path: Path) -> None:
    model(tmp_path, "lite", json.dumps(CARD))

    with pytest.raises(ModelNotFound, match="lite"):
        ModelCatalog(tmp_path).require("../lite")
