"""What a result keeps, changes and lacks, as answers show it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from pydantic import BaseModel, Field

from service.findings import SHOWN, Code, Finding, Kind, sentence


class FindingBody(BaseModel):
    """What became of one property of the video, or of one of its streams."""

    kind: Kind = Field(
        description="`kept`: the result has it; `changed`: in another form; `lost`: not, and `strict` refuses it."
    )
    code: Code = Field(description="The property. A newer service may know more.")
    text: str = Field(
        examples=["The sound of stream 1 (pcm_mulaw) is stored as FLAC, sample by sample the same."],
        description="A sentence for people.",
    )
    stream: int | None = Field(
        description="The upload's stream that it is about; null is the video or the file."
    )
    count: int = Field(description="How many frames or places it is about; 0 is none in particular.")
    frames: list[int] = Field(description=f"Numbers of the first of these frames, at most {SHOWN}.")
    times_s: list[float] = Field(description="Seconds of the result at which they are.")
    phrase: str = Field(
        examples=["sound_stored"],
        description="Names the sentence, for whoever says it in another language; empty if it has no name.",
    )
    values: dict[str, str | int | float] = Field(
        description="What the sentence was made with; a value such as `part.exact` names a part of it."
    )


def finding_bodies(findings: Iterable[Finding]) -> list[FindingBody]:
    return [FindingBody(**{**asdict(finding), "text": sentence(finding)}) for finding in findings]
