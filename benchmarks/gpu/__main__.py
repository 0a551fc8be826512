"""Measures the models on a device of this machine: ``python -m benchmarks.gpu``.

For every model, precision and size: whether the device computes what the model should (PSNR to its reference in dB),
the frames per second that a worker gets, the time of the device alone and the part of it that the convolutions would
need by themselves, how fast they are beside a convolution that suits the device, memory, the copies between device and
processor, and how many nodes each provider took, of those that the graph for any size has. Every case runs in a process
of its own; one that fails says why, and a window that memory does not hold is halved. Options of the provider, such as
another layout, can be tried:

    python -m benchmarks.gpu --sizes 1280x720 --set prefer_nhwc=1 --set cudnn_conv_algo_search=EXHAUSTIVE
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from benchmarks.gpu.measuring import Case, Figures, measure
from service.config import default_models
from service.devices.names import Device
from service.inference.card import read_card
from service.inference.devices.offers import offers
from service.inference.devices.placing import candidates
from service.inference.devices.runtime import ort, short_name

SIZES = ("640x360", "1280x720", "1920x1080", "3840x2160")
GIB = 1 << 30
HEAD = (
    f"{'model':12}{'':6}{'size':>10}{'T':>4}{'PSNR':>7}{'frames/s':>10}{'ms/frame':>10}{'conv':>6}{'TFLOP/s':>9}"
    f"{'peak':>7}{'memory':>10}{'copies':>8}  nodes"
)


def main() -> None:
    chosen = _parser().parse_args()
    device = str(candidates(Device.parse(chosen.device), offers())[0].device)
    print(f"ONNX Runtime {ort.__version__} on {device}\n{HEAD}")
    results = []
    for case, figures in run(_cases(chosen, device)):
        print(figures if isinstance(figures, str) else line(case, figures), flush=True)
        if not isinstance(figures, str):
            results.append(
                {**asdict(case), "model": case.model.name, **asdict(figures), "share": figures.share}
            )
    if chosen.json:
        chosen.json.write_text(json.dumps({"runtime": ort.__version__, "rows": results}, indent=2) + "\n")


def run(cases: Iterator[Case]) -> Iterator[tuple[Case, Figures | str]]:
    """Measures each case, with the longest window that works; yields a sentence for one that does not work at all."""
    for first in cases:
        case = first
        found = _apart(case)
        while isinstance(found, str) and case.frames > 1:
            case = replace(case, frames=case.frames // 2)
            found = _apart(case)
        yield case, f"{_name(case)} fails: {found}" if isinstance(found, str) else found


def _apart(case: Case, work: Callable[[Case], Figures] = measure) -> Figures | str:
    """Measures in a new process; returns what went wrong, if something did."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(work, case).result()
        except BrokenProcessPool:
            return "the process died, most likely for lack of memory"
        except Exception as error:  # noqa: BLE001  # whatever it is, the next case may do
            return f"{error}".splitlines()[0]


def line(case: Case, figures: Figures) -> str:
    """Returns one row of the table."""
    exact = "" if figures.psnr is None else f"{figures.psnr:.1f}"
    nodes = ", ".join(f"{count} {short_name(provider)}" for provider, count in figures.nodes)
    speeds = f"{figures.frames_per_second:10.1f}{figures.frame_ms:10.2f}{figures.share:6.0%}"
    rates = f"{figures.convolutions_teraflops:9.2f}{figures.peak_teraflops:7.2f}"
    held = f"{figures.memory / GIB:6.1f} GiB{figures.copies:8}  {nodes} (of {figures.nodes_of_any_size})"
    return f"{_name(case)}{exact:>7}{speeds}{rates}{held}"


def _name(case: Case) -> str:
    return f"{case.model.name:12}{'fp16' if case.half else 'fp32':6}{f'{case.width}x{case.height}':>10}{case.frames:4}"


def _cases(chosen: argparse.Namespace, device: str) -> Iterator[Case]:
    options = tuple(tuple(text.split("=", 1)) for text in chosen.set)
    for model in chosen.models:
        half = read_card(model).fp16
        graphs = {"fp32": "model.onnx", **({"fp16": half.file} if half else {})}
        for precision in chosen.precision:
            for size in chosen.sizes if precision in graphs else ():
                width, height = size
                graph = graphs[precision]
                yield Case(model, graph, device, height, width, chosen.frames, chosen.rounds, options)


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    return int(width), int(height)


def _option(text: str) -> str:
    if "=" not in text:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE.")
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    shipped = [default_models() / name for name in ("cdvd_lite", "cdvd_base")]
    add: Callable[..., Any] = parser.add_argument
    add("--device", default="auto", help="as CDVD_DEVICE; auto is the best that is here")
    add("--models", type=Path, nargs="+", default=shipped, help="their directories")
    add("--precision", nargs="+", choices=("fp16", "fp32"), default=("fp16", "fp32"))
    add("--sizes", type=_size, nargs="+", default=[_size(text) for text in SIZES], metavar="WIDTHxHEIGHT")
    add("--frames", type=int, default=12, help="restored by one call at most, as CDVD_WINDOW_FRAMES")
    add("--rounds", type=int, default=10, help="runs that a median is taken of")
    add(
        "--set",
        type=_option,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="option of the provider",
    )
    add("--json", type=Path, help="where the figures are written as JSON as well")
    return parser


if __name__ == "__main__":
    main()
