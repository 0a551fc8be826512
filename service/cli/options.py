"""Options and arguments that several commands share."""

from __future__ import annotations

import os
from collections.abc import Mapping
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.errors.submission import InvalidOption

if TYPE_CHECKING:
    from service.options import JobOptions

URL_VARIABLE = "CDVD_URL"
DEFAULT_URL = "http://127.0.0.1:8080"
DEFAULT_DATA = Path("cdvd-data")
"""The same as that of ``CDVD_DATA``."""
_COMPLETIONS = 20


def completed_job_ids(incomplete: str) -> list[tuple[str, str]]:
    """Returns the newest jobs for the shell's completion, if a service answers at once."""
    from itertools import islice

    from service.client import Client
    from service.errors.base import ServiceError

    try:
        with Client(os.environ.get(URL_VARIABLE, DEFAULT_URL), outage_s=0) as client:
            jobs = list(islice(client.jobs(page_size=_COMPLETIONS), _COMPLETIONS))
    except ServiceError:
        return []
    return [(job.id, f"{job.status} {job.filename}") for job in jobs if job.id.startswith(incomplete)]


Url = Annotated[str, typer.Option("--url", envvar=URL_VARIABLE, help="Address of a running service.")]
OwnUrl = Annotated[
    str | None,
    typer.Option(
        "--url", envvar=URL_VARIABLE, help="Address of a running service, instead of one started here."
    ),
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
JobId = Annotated[
    str,
    typer.Argument(metavar="JOB", help="Id of a job.", show_default=False, autocompletion=completed_job_ids),
]
VideoIn = Annotated[
    Path, typer.Argument(metavar="IN", help="A video.", exists=True, dir_okay=False, readable=True)
]


def is_url(text: str) -> bool:
    """Returns whether an argument names a video on another server."""
    return text.startswith(("http://", "https://"))


def matches(pattern: str) -> list[str]:
    """Returns the paths that a pattern like ``frames/*.png`` stands for, where no shell has put them in its place."""
    return sorted(glob(pattern, recursive=True))  # noqa: PTH207  # pathlib takes no absolute pattern


def path_or_url(text: str) -> str:
    if is_url(text):
        return text
    if not Path(text).exists():
        if matches(text):
            return text
        raise typer.BadParameter(f"{text} does not exist.")
    if not os.access(text, os.R_OK):
        raise typer.BadParameter(f"{text} is not readable.")
    return text


VideoOrUrl = Annotated[
    str | None,
    typer.Argument(
        metavar="IN",
        parser=path_or_url,
        help="A video, a directory of numbered pictures, or the http(s):// address from which the service fetches it.",
        show_default=False,
    ),
]
VideosIn = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="IN",
        parser=path_or_url,
        help="Videos, directories of them, numbered pictures, and http(s):// addresses of videos.",
        show_default=False,
    ),
]
Fps = Annotated[
    str | None,
    typer.Option(
        "--fps",
        metavar="RATE",
        help="Frames per second of pictures: 25, 23.976, 30000/1001. Without it, what fps.txt beside them says.",
    ),
]
JobsFile = Annotated[
    Path | None,
    typer.Option(
        "--jobs-file",
        metavar="FILE",
        allow_dash=True,
        help="Instead of IN: a JSON object with input, output and options on each line; - is stdin.",
    ),
]
Force = Annotated[bool, typer.Option("--force", "-f", help="Overwrite results that are there.")]
ModelName = Annotated[
    str | None, typer.Option("--model", help="Name of the model; `cdvd doctor` lists them.")
]
QualityName = Annotated[
    str | None,
    typer.Option(
        "--quality",
        metavar="fast|good|best",
        help="fast: the light model; good: the same with four looks; best: the heavy model with four looks.",
    ),
]
CodecChoice = Annotated[
    str | None,
    typer.Option("--codec", metavar="h264|hevc|av1|vp9|prores|ffv1", help="Codec of the result."),
]
LooksCount = Annotated[
    int | None,
    typer.Option(
        "--looks", metavar="1|2|4", help="Times that every frame is restored; the result is the mean."
    ),
]
Fields = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Set any other option of POST /jobs, such as crf=20."),
]
Models = Annotated[
    Path | None,
    typer.Option("--models", envvar="CDVD_MODELS", file_okay=False, help="Directory of the models."),
]


def _device(text: str) -> str:
    from service.devices.names import DeviceOrder
    from service.errors.engine import InvalidDevice

    try:
        return str(DeviceOrder.parse(text))
    except InvalidDevice as error:
        raise typer.BadParameter(str(error)) from error


DeviceName = Annotated[
    str | None,
    typer.Option(
        "--device",
        envvar="CDVD_DEVICE",
        metavar="NAME[,NAME...]",
        parser=_device,
        help="What restores: auto, cpu, cuda, cuda:1, openvino, coreml ... With commas, the next where one fails.",
    ),
]
Timeout = Annotated[
    float | None, typer.Option(help="Most seconds to wait; after them the exit code is 5.", min=0)
]


Start = Annotated[float | None, typer.Option(metavar="SECONDS", help="Restore from here on.", min=0)]
End = Annotated[float | None, typer.Option(metavar="SECONDS", help="Restore up to here.", min=0)]
Strict = Annotated[
    bool, typer.Option("--strict", help="Fail if the result would lack something of the video.")
]


def form_fields(named: Mapping[str, str | float | None], more: list[str] | None) -> dict[str, str]:
    """Returns the text parts of POST /jobs; None is an option that was not given.

    Raises BadParameter for what no job can be asked for, before anything is sent or started.
    """
    fields = {name: f"{value}" for name, value in named.items() if value is not None}
    for each in more or []:
        name, equals, value = each.partition("=")
        if not (name and equals):
            raise typer.BadParameter(f"{each!r} is not NAME=VALUE.", param_hint="'--set'")
        if fields.get(name, value) != value:
            raise typer.BadParameter(f"{name} is {fields[name]} and {value}.", param_hint="'--set'")
        fields[name] = value
    job_options(fields)
    return fields


def job_options(fields: Mapping[str, str]) -> JobOptions:
    """Returns what the text parts ask for. Raises BadParameter, which names the option and what it may be."""
    from service.options import JobOptions

    try:
        return JobOptions.from_text(fields)
    except InvalidOption as error:
        raise typer.BadParameter(str(error)) from error


def writable_output(output: Path, *, force: bool, made: str = "") -> Path:
    """Returns the output. Raises BadParameter for one that cannot work, before hours of computing are spent on it.

    ``made``: how a file was made that is there.
    """
    if not output.parent.is_dir():
        raise typer.BadParameter(f"There is no folder {output.parent}.", param_hint="'-o'")
    if not os.access(output.parent, os.W_OK):
        raise typer.BadParameter(f"{output.parent} is not writable.", param_hint="'-o'")
    if output.is_dir():
        raise typer.BadParameter(f"{output} is a folder.", param_hint="'-o'")
    if output.exists() and not force:
        exists = f"{output} exists, made {made}" if made else f"{output} exists"
        raise typer.BadParameter(f"{exists}; --force overwrites it.", param_hint="'-o'")
    return output
