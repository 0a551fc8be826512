"""The options of a job, whoever sends them: a form, the JSON of an estimate, a command line.

Limits are written here once; the OpenAPI document and the sentences that refuse a value are made from them.
Another option is another field: of ``EncodingOptions`` if a worker needs it to encode, else of ``JobOptions``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from service.encoding.choice import Asked, ImpossibleEncodingError, check, resolve
from service.encoding.codecs import CodecName, ContainerName, EncodeQuality, EncoderKind
from service.errors.submission import InvalidOption, unknown_parameter
from service.quality import ModelChoice, Quality, QualityModels
from service.types import EncodeOptions, Excerpt, Interlacing, Sound, VideoInfo

UNIT = "x-unit"
"""The key of a field's unit in its JSON schema."""
_SHOWN = 64
"""Characters of a refused value that the answer repeats."""


def _written_as(pattern: str) -> BeforeValidator:
    """Refuses text that Python would read but nobody should send, such as ``1_0``, ``1e3`` or ``yes``."""

    def check(value: object) -> object:
        if isinstance(value, str) and not re.fullmatch(pattern, value):
            raise ValueError("The text has another form.")
        return value

    return BeforeValidator(check)


def _number_of_text(value: object) -> object:
    """Returns the number that the text of a form writes, since a choice among numbers takes no text."""
    return int(value) if isinstance(value, str) and re.fullmatch("[0-9]{1,2}", value) else value


_WHOLE = _written_as("[0-9]{1,9}")
Seconds = Annotated[
    float,
    Field(ge=0, lt=1e9, examples=[12.5], json_schema_extra={UNIT: "seconds"}),
    _written_as(r"[0-9]{1,9}(\.[0-9]*)?"),
]
Flag = Annotated[bool, _written_as("[Tt]rue|[Ff]alse")]
"""Generated clients for Python send what ``str(True)`` gives."""
Looks = Annotated[Literal[1, 2, 4], BeforeValidator(_number_of_text)]
BitDepth = Annotated[Literal[8, 10, 12, 16], BeforeValidator(_number_of_text)]


class EncodingOptions(BaseModel):
    """How a result is encoded."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    codec: Literal["auto", CodecName] = Field(
        "auto",
        description="Names the video codec of the result; `auto` takes one that plays everywhere and keeps the bit "
        "depth, for ProRes, FFV1 and transparency one that keeps these.",
    )
    container: Literal["auto", ContainerName] = Field(
        "auto", description="Names the file format of the result; `auto` is the family of the upload's."
    )
    crf: Annotated[int, Field(ge=0, le=63), _WHOLE] | None = Field(
        None,
        examples=[18],
        description="Sets the quality on the codec's own scale, 0 the best: up to 51 for H.264 and HEVC, up to 63 for "
        "AV1 and VP9. ProRes and FFV1 have none.",
    )
    encode_quality: EncodeQuality | None = Field(
        None,
        description="Sets the quality in words, in place of `crf`; `high` unless the codec is always lossless.",
    )
    encoder: EncoderKind = Field(
        "software",
        description="Where the result is encoded: `hardware` needs workers with a GPU that encodes the codec, and the "
        "same video then has other bytes on other hardware.",
    )
    bit_depth: BitDepth | None = Field(
        None,
        description="Bits per sample of the result; the source's where players of the codec cope with them.",
    )
    chroma: Literal["420", "422", "444"] | None = Field(
        None, description="Resolution of chroma; the source's where players of the codec cope with it."
    )
    deinterlace: Interlacing = Field(
        "auto",
        description="`auto` deinterlaces every frame that says that it is interlaced; `keep` leaves it interlaced and "
        "restores its fields each by itself; `off` takes all frames for progressive, for videos that say so wrongly.",
    )
    sound: Sound = Field(
        "auto",
        description="`auto` copies sound where the container and its players take it, and else codes it anew, without "
        "loss where it came so; `compatible` makes it AAC (Opus in WebM); `copy` never codes it anew; `none` leaves it "
        "out, which is no loss since it was asked for.",
    )


class EncodingRequest(EncodingOptions):
    """How a result is to be encoded, as far as it was asked for."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        check(self.asked)
        return self

    @property
    def asked(self) -> Asked:
        """The same as plain values, with None for what is left to the service."""
        given = {name: getattr(self, name) for name in EncodingOptions.model_fields}
        return Asked(**{name: None if value == "auto" else value for name, value in given.items()})

    def encode(self, video: VideoInfo | None = None) -> EncodeOptions:
        """Returns how the result of ``video`` is encoded. Raises InvalidOption where that video makes it impossible."""
        try:
            return resolve(self.asked, video)
        except ImpossibleEncodingError as error:
            raise InvalidOption(str(error)) from error


class RestorationOptions(BaseModel):
    """What restores a video; None leaves the choice to the service."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    quality: Quality | None = Field(
        None,
        description="Chooses model and looks: `fast` is the light model, `good` the light model with four looks, "
        "`best` the heavy model with four looks.",
    )
    model: str | None = Field(None, examples=["cdvd_lite"], description="Names a model of `GET /models`.")
    looks: Looks | None = Field(
        None,
        description="Restores every frame this many times, mirrored and backwards in time, and takes the mean: "
        "sharper, for as many times the work.",
    )

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        if self.quality is not None and (self.model is not None or self.looks is not None):
            raise ValueError("The option quality chooses model and looks; give either it or them.")
        return self

    def choice(self, models: QualityModels, usual: Quality) -> ModelChoice:
        """Returns what restores the video: ``usual`` if nothing was asked for."""
        if self.model is None and self.looks is None:
            return models.choice(self.quality or usual)
        return ModelChoice(self.model or models.light, self.looks or 1)


class JobOptions(EncodingRequest, RestorationOptions):
    """Everything that a job can be asked for beside its video; None leaves the choice to the service."""

    stages: Annotated[int, Field(ge=1, le=9), _WHOLE] | None = Field(
        None, description="Refuses the job unless the model has as many stages."
    )
    start: Seconds | None = Field(None, description="Restores the video from here on, in seconds.")
    end: Seconds | None = Field(None, description="Restores what comes before, in seconds.")
    strict: Flag = Field(False, description="Fails the job where its result would not hold everything.")
    preview: Flag = Field(
        False,
        description="Goes before all other jobs; for an excerpt of a few seconds that somebody waits for.",
    )
    webhook_url: str | None = Field(
        None, description="Is told when the job ends.", json_schema_extra={"format": "uri"}
    )
    output_url: str | None = Field(
        None,
        description="Is sent the result with one PUT, such as a presigned address of an object store.",
        json_schema_extra={"format": "uri"},
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end is not None and self.end <= (self.start or 0):
            raise ValueError(f"The end ({self.end:g} s) must come after the start ({self.start or 0:g} s).")
        return self

    @property
    def excerpt(self) -> Excerpt | None:
        """The part from ``start`` to ``end``; None is the whole video."""
        if self.start is None and self.end is None:
            return None
        return Excerpt(self.start or 0.0, self.end)

    def of_result(self) -> dict[str, Any]:
        """Returns what was asked for as JSON, without what leaves the result the same: its turn, and who is told."""
        return self.model_dump(
            mode="json", exclude={"preview", "webhook_url", "output_url"}, exclude_defaults=True
        )

    @classmethod
    def from_text(cls, texts: Mapping[str, str]) -> Self:
        """Reads the text fields of a form; one that may be left out may also be empty.

        Raises InvalidOption, naming the option and what is allowed.
        """
        for name in texts:
            if name not in cls.model_fields:
                raise unknown_parameter(name, cls.model_fields, "option")
        given = {name: text for name, text in texts.items() if text or not _optional(cls, name)}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise InvalidOption(_sentence(cls, error)) from error


def form_fields(model: type[BaseModel]) -> dict[str, dict[str, Any]]:
    """Returns the JSON schema of each field as a form has it: absent where JSON has null."""
    return {name: _without_null(schema) for name, schema in model.model_json_schema()["properties"].items()}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key not in ("anyOf", "title")}
    if not kinds:
        return rest
    del rest["default"]
    return {**kinds[0], **rest}


def _optional(model: type[BaseModel], name: str) -> bool:
    return model.model_fields[name].default is None


def _sentence(model: type[BaseModel], error: ValidationError) -> str:
    fault = error.errors()[0]
    if not fault["loc"]:
        return str(fault["ctx"]["error"])
    name = str(fault["loc"][0])
    return f"The option {name} is {_allowed(form_fields(model)[name])}, not {str(fault['input'])[:_SHOWN]!r}."


def _allowed(schema: Mapping[str, Any]) -> str:
    """Says what a field takes: ``a whole number from 0 to 51``."""
    choices = [schema["const"]] if "const" in schema else schema.get("enum")
    if choices:
        return f"one of {', '.join(map(str, choices))}"
    if schema["type"] == "integer":
        return f"a whole number from {schema['minimum']} to {schema['maximum']}"
    if schema["type"] == "number":
        unit = f" of {schema[UNIT]}" if UNIT in schema else ""
        return f"a number{unit} like {schema['examples'][0]}"
    return "true or false"
