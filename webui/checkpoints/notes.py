"""The small file beside a checkpoint that says what its weights do not: name, defaults, prediction type.

It is `darkroom.json` in a diffusers folder, and `<name>.json` beside `<name>.safetensors`. Every part is optional;
unknown keys are ignored, so a note may contain more than we read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Le, MultipleOf
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from webui.checkpoints.family import Defaults
from webui.checkpoints.refusals import Broken
from webui.schedulers import canonical_scheduler, canonical_sigmas, has_sigmas

MAX_NOTES_BYTES = 2**20
_CONFIG = ConfigDict(frozen=True, extra="ignore")
_Pixels = Annotated[int, Ge(64), Le(2048), MultipleOf(8)]


class DefaultsNotes(BaseModel):
    """Some of the defaults; None keeps the checkpoint's own."""

    model_config = _CONFIG

    width: _Pixels | None = None
    height: _Pixels | None = None
    steps: Annotated[int, Ge(1), Le(150)] | None = None
    guidance_scale: Annotated[float, Ge(0), Le(30)] | None = None
    scheduler: str | None = None
    sigmas: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _split_combined_name(cls, data: Any) -> Any:
        """`DPM++ 2M Karras` says the sigmas too."""
        said = data.get("scheduler") if isinstance(data, dict) else None
        found = canonical_scheduler(said) if isinstance(said, str) else None
        if found is None or found[1] is None or data.get("sigmas") is not None:
            return data
        return {**data, "sigmas": found[1]}

    @field_validator("scheduler")
    @classmethod
    def _our_scheduler(cls, value: str | None) -> str | None:
        found = canonical_scheduler(value) if value is not None else ("", None)
        if found is None:
            raise ValueError("unknown scheduler")
        return found[0] or None

    @field_validator("sigmas")
    @classmethod
    def _our_sigmas(cls, value: str | None) -> str | None:
        if value is not None and canonical_sigmas(value) is None:
            raise ValueError("unknown sigmas")
        return canonical_sigmas(value) if value is not None else None


class ExampleNotes(BaseModel):
    """A prompt worth trying. `picture` is a file below the checkpoint's own folder."""

    model_config = _CONFIG

    prompt: Annotated[str, Field(max_length=1000)]
    prompt_zh: Annotated[str, Field(max_length=1000)] = ""
    seed: Annotated[int, Ge(0), Le(2**32 - 1)] | None = None
    picture: str | None = None


_Phrase = Annotated[str, Field(min_length=1, max_length=100)]
WordKind = Literal["place", "hour", "season", "weather", "style", "thing", "colour", "number"]


class WordNotes(BaseModel):
    """A word that the checkpoint knows. English words may have a plural, Chinese ones a measure word.

    `goes_with` names, for some kinds, the only English words of that kind that can go with this one; for other kinds,
    all words can.
    """

    model_config = _CONFIG

    en: _Phrase
    zh: _Phrase
    plural: _Phrase | None = None
    measure_zh: _Phrase | None = None
    goes_with: dict[WordKind, tuple[_Phrase, ...]] = Field(default_factory=dict)


class Notes(BaseModel):
    """Everything that the file can say."""

    model_config = _CONFIG

    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    is_introductory: bool = False  # a small checkpoint to begin with, that a real one should follow
    defaults: DefaultsNotes = DefaultsNotes()
    prediction_type: Literal["epsilon", "v_prediction", "sample"] | None = None
    examples: tuple[ExampleNotes, ...] = ()
    vocabulary: dict[WordKind, tuple[WordNotes, ...]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _words_go_with_known_ones(self) -> Notes:
        known = {kind: {word.en for word in words} for kind, words in self.vocabulary.items()}
        for word in (word for words in self.vocabulary.values() for word in words):
            for kind, others in word.goes_with.items():
                if not known.get(kind, set()) >= set(others):
                    raise ValueError("a word goes with one that is not there")
        return self


def read_notes(path: Path) -> Notes:
    """The notes in `path`; empty if there is no such file. Raises Broken."""
    try:
        if not path.is_file():
            return Notes()
        with path.open("rb") as file:
            text = file.read(MAX_NOTES_BYTES + 1)
        if len(text) > MAX_NOTES_BYTES:
            raise Broken("notes")
        return Notes.model_validate_json(text)
    except (ValidationError, OSError) as error:
        raise Broken("notes") from error


def apply_notes(notes: Notes, defaults: Defaults) -> Defaults:
    """The checkpoint's own defaults, with the changes in the notes. Raises Broken for sigmas that the
    scheduler does not have.
    """
    said = {name: value for name, value in notes.defaults.model_dump().items() if value is not None}
    if "scheduler" in said:  # its own sigmas belong to its own scheduler
        said.setdefault("sigmas", "default")
    if notes.prediction_type is not None:
        said["prediction_type"] = notes.prediction_type
    applied = Defaults(**{**_as_dict(defaults), **said})
    if applied.sigmas != "default" and not has_sigmas(applied.scheduler):
        raise Broken("notes")
    return applied


def _as_dict(defaults: Defaults) -> dict[str, object]:
    return {name: getattr(defaults, name) for name in defaults.__dataclass_fields__}
