"""What the options of the training command make of a timed training, and which of them do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cascade import train
from cascade.network import checkpoint
from cascade.network.cascade import Cascade
from cascade.network.config import BASE, LITE
from cascade.training.command.arguments import make_parser
from cascade.training.command.timed_run import TimedRun
from cascade.training.errors import TrainingError
from cascade.training.phase import Phase
from cascade.training.recipes import GPU
from cascade.training.schedule import timed_rate


def _run(*options: str) -> TimedRun:
    common = ["--recipe", "gpu", "--photos", "photos", "--minutes", "1"]
    return TimedRun.of(GPU, make_parser(None).parse_args([*common, *options]))


def test_rates_are_low_for_networks_that_are_trained() -> None:
    starts = _run("--preset", "lite", "--preset", "base").starts
    assert [(start.preset, start.init, start.rate) for start in starts] == [
        ("lite", None, 6e-4),
        ("base", None, 1e-3),
    ]
    (start,) = _run("--init", "a.pt", "--rate", "2e-4").starts
    assert (start.preset, start.init, start.rate) == ("lite", Path("a.pt"), 2e-4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--preset", "lite", "--preset", "base", "--init", "a.pt"], "one --init for each --preset"),
        (["--preset", "lite", "--preset", "base", "--rate", "1e-3"], "so of --rate"),
        (["--preset", "lite", "--preset", "lite"], "can be trained once"),
        (["--pairs", "videos"], "does not take --pairs"),
        (["--minutes", "0"], "say how long with --minutes"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: list[str], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        _run(*options)


def test_other_recipes_refuse_the_options_of_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="Only the recipe gpu takes --minutes, --widen"):
        train.main(["--recipe", "smoke", "--minutes", "1", "--widen", "--device", "cpu"])
    with pytest.raises(SystemExit, match="takes one --init"):
        train.main(["--recipe", "smoke", "--init", "a.pt", "--init", "b.pt", "--device", "cpu"])


def test_a_smaller_network_is_widened_only_where_asked(tmp_path: Path) -> None:
    torch.manual_seed(0)
    small = Cascade(LITE)
    checkpoint.save(tmp_path / "lite.pt", small)
    options = ["--preset", "base", "--init", str(tmp_path / "lite.pt")]
    refusing = _run(*options)
    with pytest.raises(TrainingError, match="--widen starts from it"):
        refusing.cascade(refusing.starts[0])
    widening = _run(*options, "--widen")
    large = widening.cascade(widening.starts[0])
    assert large.config == BASE
    first, old = large.stage.flow.pyramid.levels[0][0][0], small.stage.flow.pyramid.levels[0][0][0]  # type: ignore[index]
    assert torch.equal(first.weight[:16], old.weight)


def test_the_rate_falls_with_time_to_the_end() -> None:
    phase = Phase("cascade", 0, 1, frames=5, crop=64, rate=1.0, final_rate=0.1, warmup=4)
    assert timed_rate(phase, 0.9, step=0, share=0.0) == pytest.approx(0.9 / 4)
    assert timed_rate(phase, 0.9, step=9, share=0.0) == pytest.approx(0.9)
    assert timed_rate(phase, 0.9, step=99, share=0.5) == pytest.approx(0.5)
    assert timed_rate(phase, 0.9, step=99, share=1.2) == pytest.approx(0.1)
