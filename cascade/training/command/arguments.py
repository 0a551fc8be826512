"""The options of the training command."""

from __future__ import annotations

import argparse
from pathlib import Path

from cascade.network.config import PRESETS, Prior
from cascade.training.recipes import RECIPES


def make_parser(description: str | None) -> argparse.ArgumentParser:
    """Makes the parser of ``python -m cascade.train``."""
    parser = argparse.ArgumentParser(prog="python -m cascade.train", description=description)
    parser.add_argument(
        "--recipe",
        choices=sorted(RECIPES),
        default="lite-cpu",
        help="what is trained, in which order, how long",
    )
    parser.add_argument("--photos", type=Path, nargs="+", default=[], help="folders of sharp photographs")
    parser.add_argument(
        "--pairs", type=Path, nargs="+", default=[], help="folders of blurred and sharp videos"
    )
    parser.add_argument(
        "--output", type=Path, help="folder for checkpoints, log and pictures of this run; else runs/RECIPE"
    )
    parser.add_argument("--validation", type=Path, help="paired folder: blur/<video>/*.png, gt/<video>/*.png")
    parser.add_argument(
        "--init",
        type=Path,
        action="append",
        default=[],
        help="start from this checkpoint's weights, ours or a released one; one for each --preset",
    )
    parser.add_argument(
        "--init-flow", type=Path, help="take the flow network's weights from this checkpoint or PWC-Net"
    )
    parser.add_argument("--resume", action="store_true", help="continue from OUTPUT/checkpoint.pt")
    parser.add_argument(
        "--seed", type=int, default=0, help="of the random numbers; --resume needs the same one"
    )
    _add_variations(parser.add_argument_group("changes to the recipe"))
    _add_timed(parser.add_argument_group("the recipe gpu, which trains for a time"))
    _add_machine(parser.add_argument_group("machine"))
    return parser


def _add_variations(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--stages", type=int, help="how many times the stage is applied")
    group.add_argument("--prior", type=Prior, choices=list(Prior), help="how the sharpness prior is computed")
    group.add_argument(
        "--no-flow", action="store_true", help="take neighbors as they are, without aligning them"
    )
    group.add_argument(
        "--stage-wise",
        action="store_true",
        help="train one stage first, then all without gradients between them",
    )
    group.add_argument("--phases", nargs="+", default=[], metavar="NAME", help="run only these phases")
    group.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PHASE.FIELD=VALUE",
        help="change a setting, as in cascade.steps=1000",
    )


def _add_timed(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--minutes", type=float, help="how long the training takes, until its last save begins"
    )
    group.add_argument("--steps", type=int, help="how many steps it has, instead of minutes or at most")
    group.add_argument(
        "--preset",
        choices=sorted({*PRESETS} - {"paper"}),
        action="append",
        default=[],
        help="network to train; several are trained side by side on the same samples",
    )
    group.add_argument(
        "--widen",
        action="store_true",
        help="start from the weights of smaller networks, whose function is kept",
    )
    group.add_argument(
        "--rate", type=float, action="append", default=[], help="highest rate for each --preset"
    )
    group.add_argument(
        "--ring", type=int, default=5000, help="samples kept on the device, as far as its memory suffices"
    )
    group.add_argument(
        "--compile",
        action=argparse.BooleanOptionalAction,
        help="compile the parts of the networks whose gradients stay right; only on CUDA unless this says otherwise",
    )
    group.add_argument("--profile", action="store_true", help="print the kernels of a step by their time")


def _add_machine(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="where to train; auto is a GPU where there is one",
    )
    group.add_argument("--float32", action="store_true", help="do not mix precisions")
    group.add_argument("--threads", type=int, default=0, help="threads of torch; 0 leaves the choice to it")
    group.add_argument(
        "--workers",
        type=int,
        help="processes that make samples; 0 makes them in this one; unless this says otherwise 1, or for the recipe "
        "gpu one for each core but one",
    )
    group.add_argument("--save-minutes", type=float, default=2, help="time from one save to the next")
    group.add_argument(
        "--validate-minutes", type=float, default=10, help="time from one validation to the next"
    )
