"""Compares a result with its source on this machine, and prints what it kept."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from service.cli.exits import Exit
from service.cli.output.findings import print_table
from service.cli.output.lines import say, say_json
from service.cli.output.progress import job_bar
from service.findings import Kind, lost, sentence
from service.pipeline.comparison.verify import verify

_VERDICTS = {
    Kind.KEPT: (Exit.OK, "Everything is kept."),
    Kind.CHANGED: (Exit.CHANGED, "Everything is kept, some of it in another form."),
    Kind.LOST: (Exit.FAILED, "Something is lost."),
}


def verify_files(given: Path, result: Path, *, as_json: bool) -> Exit:
    """Prints the comparison. Returns what the worst of its findings means.

    Raises the kinds of VideoError and PipelineError.
    """
    with job_bar(quiet=as_json) as bar:
        findings = verify(given, result, bar.compared)
    worst = max((one.kind for one in findings), key=list(_VERDICTS).index)
    code, verdict = _VERDICTS[worst]
    listed = [{**asdict(one), "text": sentence(one)} for one in findings]
    if as_json:
        say_json({"worst": worst, "findings": listed, "losses": lost(findings)})
    else:
        print_table(listed)
        say(verdict)
    return code
