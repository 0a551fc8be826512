"""Shows the service at work (``make demo``): a blurred clip with sound in, a sharper one out.

It renders the clip from a photograph by our own blur synthesis, runs the whole service on this machine, sends the
clip as any client would, and compares what comes back with the truth. It exits with 1 when something is not as it
should be.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import numpy as np
from numpy.typing import NDArray
from skimage.data import coffee

from benchmarks.clip import frame_times, read_clip, sound_packets, write_clip
from cascade.data.image_file import write_image
from cascade.evaluation.metrics import Quality, measure
from cascade.figures.comparison import LabeledImage, most_changed_region, side_by_side
from cascade.synthesis.demo_clip import FPS, render_demo_clip
from service.cli.output.progress import job_bar
from service.client import Client, Job
from service.embedded import EmbeddedOptions, EmbeddedStack
from service.errors.base import ServiceError
from service.errors.pipeline import PipelineError

Frames = NDArray[np.uint8]

STEADY_PSNR = 34.0
"""PSNR in dB above which a frame of the sent clip counts as steady. There the color resolution of H.264 and a second
coding are all the difference, so only the other frames decide whether deblurring helped."""


@dataclass(frozen=True)
class Files:
    """The files that the demo leaves behind."""

    folder: Path

    @property
    def blurred(self) -> Path:
        return self.folder / "blurred.mp4"

    @property
    def restored(self) -> Path:
        return self.folder / "restored.mp4"

    @property
    def picture(self) -> Path:
        return self.folder / "side_by_side.png"


def main() -> int:
    options = _parser().parse_args()
    files = Files(options.output)
    files.folder.mkdir(parents=True, exist_ok=True)
    try:
        return _run(files, options)
    except (ServiceError, OSError) as error:
        print(f"demo: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("demo: Interrupted.", file=sys.stderr)
    return 1


def _run(files: Files, options: argparse.Namespace) -> int:
    start = time.monotonic()
    print("Rendering a hand-held clip from a photograph ...")
    frames, truth = render_demo_clip(coffee())
    write_clip(files.blurred, frames, round(FPS))
    _deblur(files, options)
    blurred, restored = read_clip(files.blurred), read_clip(files.restored)
    faults = _compare_packets(files)
    if not faults:
        faults = _compare_pictures(files, blurred, restored, truth)
    for fault in faults:
        print(f"demo: {fault}", file=sys.stderr)
    print(f"Done in {time.monotonic() - start:.0f} s.")
    return 1 if faults else 0


def _deblur(files: Files, options: argparse.Namespace) -> None:
    """Starts the service, sends the clip, waits, fetches the result, stops the service."""
    base = EmbeddedOptions()
    with ExitStack() as stack:
        data = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cdvd-demo-")))
        print("Starting Redis, a worker and the gateway on this machine ...")
        service = stack.enter_context(
            EmbeddedStack(
                EmbeddedOptions(
                    data=data, models=options.models or base.models, model=options.model or base.model
                )
            )
        )
        client = stack.enter_context(Client(service.url))
        print(f"POST {service.url}/jobs ({files.blurred})")
        start = time.monotonic()
        with job_bar() as bar:
            job = client.submit(files.blurred, on_sent=bar.sent)
            job = client.wait(job.id, on_change=bar.job)
            if job.status != "succeeded":
                raise PipelineError(_reason(job))
            client.download(job.id, files.restored, on_received=bar.received)
        seconds = time.monotonic() - start
        print(f"Job {job.id}: {job.progress.frames_total} frames in {seconds:.1f} s by {job.model}")


def _reason(job: Job) -> str:
    return f"The job {job.status}: {job.error.detail}" if job.error else f"The job was {job.status}."


def _compare_packets(files: Files) -> list[str]:
    """Returns what a restored video must share with its source, and does not."""
    same_sound = sound_packets(files.blurred) == sound_packets(files.restored)
    same_times = frame_times(files.blurred) == frame_times(files.restored)
    print(f"Sound packets identical: {_yes(same_sound)}. Every frame at its time: {_yes(same_times)}.")
    faults = {
        "The sound is not the source's, packet for packet.": same_sound,
        "Frames are lost or moved in time.": same_times,
    }
    return [fault for fault, fine in faults.items() if not fine]


def _compare_pictures(files: Files, blurred: Frames, restored: Frames, truth: Frames) -> list[str]:
    """Prints how far both are from the truth and draws the picture; returns a fault if deblurring did not help."""
    before, after = _qualities(blurred, truth), _qualities(restored, truth)
    shaken = [index for index, quality in enumerate(before) if quality.psnr < STEADY_PSNR]
    print("                            PSNR: blurred  restored          SSIM: blurred  restored")
    _print_means(f"all {len(before)} frames", before, after)
    gain = _print_means(
        f"{len(shaken)} blurred frames", *([side[i] for i in shaken] for side in (before, after))
    )
    worst = min(shaken, key=lambda index: before[index].psnr)
    columns = (
        LabeledImage(f"blurred, frame {worst}: {before[worst].psnr:.2f} dB", blurred[worst]),
        LabeledImage(f"restored: {after[worst].psnr:.2f} dB", restored[worst]),
        LabeledImage("truth", truth[worst]),
    )
    write_image(files.picture, side_by_side(columns, most_changed_region(blurred[worst], truth[worst])))
    print(f"Before:       {files.blurred}\nAfter:        {files.restored}\nSide by side: {files.picture}")
    return [] if gain > 0 else ["The restored frames are no closer to the truth than the blurred ones."]


def _print_means(name: str, before: list[Quality], after: list[Quality]) -> float:
    """Prints one row and returns the gain in dB."""
    (psnr_before, ssim_before), (psnr_after, ssim_after) = _means(before), _means(after)
    gain = psnr_after - psnr_before
    psnr = f"{psnr_before:13.2f} {psnr_after:9.2f} dB ({gain:+.2f})"
    print(f"{name:<22} {psnr} {ssim_before:13.4f} {ssim_after:9.4f} ({ssim_after - ssim_before:+.4f})")
    return gain


def _qualities(frames: Frames, truth: Frames) -> list[Quality]:
    return [measure(frame, sharp) for frame, sharp in zip(frames, truth, strict=True)]


def _means(qualities: list[Quality]) -> tuple[float, float]:
    """Returns the mean PSNR in dB and the mean SSIM."""
    return mean(quality.psnr for quality in qualities), mean(quality.ssim for quality in qualities)


def _yes(fact: bool) -> str:
    return "yes" if fact else "NO"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.demo", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("demo"), help="folder for the files")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the service's data and logs in DIR")
    parser.add_argument("--models", type=Path, help="use this model repository instead of the shipped one")
    parser.add_argument("--model", help="use this model instead of the default one")
    return parser


if __name__ == "__main__":
    sys.exit(main())
