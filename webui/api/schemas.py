"""The shapes of answers, for OpenAPI and for checking that the routes keep to them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field


class Submitted(BaseModel):
    """A queued job. `position` counts from 1 among all that are waiting, and is 0 if the job is running already.
    `request` is what it was submitted with, with nothing left open; null if the same call made the job before and this
    version cannot read it.
    """

    id: str
    position: int
    request: dict[str, Any] | None


class PictureOut(BaseModel):
    """A finished picture; `url` is relative. The last four fields matter only with `keep_best`."""

    id: str
    url: str
    seed: int
    width: int
    height: int
    score: float | None = Field(
        None, description="how well it fits the prompt, from -1 to 1; compare it only within one prompt and one critic"
    )
    rank: int | None = Field(None, description="place by that score among the images of its job, 1 for the best")
    critic: str | None = Field(None, description="the CLIP model that judged: its path below the models folder")
    kept: bool = Field(True, description="false for a picture that fits less well and was set aside; it is still there")


class Kept(BaseModel):
    """Whether a picture is kept now."""

    id: str
    kept: bool


class ErrorOut(BaseModel):
    """What went wrong: `kind` for programs, sentences for people, in the language that they asked for."""

    kind: str
    message: str
    hint: str


class ErrorAnswer(BaseModel):
    """The body of every refusal except 422."""

    error: ErrorOut


class JobFailure(ErrorOut):
    """Why a job failed. `log_id` finds the traceback in the log."""

    log_id: str | None = None


class JobOut(BaseModel):
    """A job with its settled request, which is null if this version cannot read the job. `timings` in seconds."""

    id: str
    state: Literal["waiting", "running", "finished", "failed", "cancelled"]
    request: dict[str, Any] | None
    images: list[PictureOut]
    error: JobFailure | None
    timings: dict[str, float]
    created: float
    steps_kept: list[int] = Field(
        description="images (from 0) whose steps are still in the worker's memory; others are computed again if needed"
    )
    can_branch: bool = Field(
        description="whether another picture can branch off its steps; not if it is a style transfer or the eighth "
        "branch in a row, if its checkpoint is gone, or if the checkpoint's family cannot continue from a step"
    )


class Uploaded(BaseModel):
    """A stored picture, upright; `id` goes into a request's picture field."""

    id: str
    width: int
    height: int


class WordOut(BaseModel):
    """A word that a checkpoint knows, in English and Chinese, with its plural and measure word if it has them.

    `goes_with` names, for some kinds, the only English words of that kind that can go with this one.
    """

    en: str
    zh: str
    plural: str | None
    measure_zh: str | None
    goes_with: dict[str, list[str]]


class MadeForOut(BaseModel):
    """What a model of few steps was made for, as its makers say; `kind` is its name. `known_by` says how it is known:
    by its `header`, by its `metadata` (configs count), or by its `name` alone, which is a guess.
    """

    kind: str
    known_by: Literal["header", "metadata", "name"]
    steps: int
    guidance_scale: float
    scheduler: str
    sigmas: str


class QuickLoraOut(BaseModel):
    """A LoRA of few steps; `name` is what a prompt calls it."""

    name: str
    made_for: MadeForOut


class CheckpointOut(BaseModel):
    """A checkpoint that a request can name, and the values that it uses where the request leaves them open.

    `clip_layers` is the maximum of `clip_skip`, or null if that cannot be chosen. `critic` is the CLIP model that would
    choose its best pictures (`keep_best`), as a path below the models folder; null if there is none. `decoders` are the
    values that `decoder` can have, the default on this device first. `vocabulary` holds the words that a small
    checkpoint knows, by kind (place, hour, season, weather, style, thing, colour, number); empty if the checkpoint does
    not say. `made_for` is set for checkpoints of few steps, and is in `defaults` unless somebody chose others.
    `is_introductory` is true for the small one that Darkroom comes with. Where no GPU draws, `quick_lora` is a LoRA of
    few steps that fits an ordinary checkpoint.
    """

    id: str
    name: str
    family: str
    size_bytes: int
    clip_layers: int | None
    critic: str | None
    decoders: tuple[Literal["full", "tiny"], ...]
    is_introductory: bool
    defaults: dict[str, Any]
    made_for: MadeForOut | None
    quick_lora: QuickLoraOut | None = None
    vocabulary: dict[str, list[WordOut]]


class ModelOut(BaseModel):
    """Something in the folders of models. `place` names the other program's folder that it lies in, and is empty in our
    own; what lies elsewhere is `read_only`. What nobody knows is null.

    `hash` is the sha256 as pictures have it, once it was computed. `dtype` is the number type of most of the weights.
    `prompt_name`, `trigger_words` and `weight` say how a prompt uses a LoRA or an embedding. `picture_url` is the
    caller's first picture with this checkpoint, `preview_url` the picture that came with the model. `fits` says whether
    it is made for the checkpoint that was asked about, unless it cannot be used at all; `problem`, why it cannot.
    `made_for` is set for checkpoints and LoRAs of few steps.
    """

    id: str
    kind: str
    name: str
    family: str | None
    family_name: str | None
    size_bytes: int
    dtype: str | None
    hash: str | None
    license: str | None
    place: str
    read_only: bool
    defaults: dict[str, Any] | None
    made_for: MadeForOut | None
    is_introductory: bool
    trigger_words: list[str]
    weight: float | None
    prompt_name: str | None
    preview_url: str | None
    picture_url: str | None
    fits: bool | None
    problem: ErrorOut | None


class DeletedModel(BaseModel):
    """A model in the trash; `deleted` in seconds since 1970."""

    id: str
    kind: str
    name: str
    size_bytes: int
    deleted: float


class ModelPlace(BaseModel):
    """Another program's folder. One that `is_there` no longer may lie on a disk that was disconnected."""

    name: str
    path: str | None
    is_there: bool
    can_be_removed: bool


class ModelPlaces(BaseModel):
    """Where models lie, and how much room there is. `noticed` are folders of other programs in the usual places, which
    are not used yet."""

    is_operator: bool
    path: str | None
    free_bytes: int
    trash_bytes: int
    trash_count: int
    places: list[ModelPlace]
    noticed: list[str]


class ShownFolder(BaseModel):
    """Where the model lies, and whether a window was opened there."""

    path: str
    shown: bool


class SchedulerOut(BaseModel):
    """A scheduler; `aliases` are accepted as well."""

    id: str
    name: str
    aliases: list[str]


MAX_PICTURES_AT_ONCE = 500  # in one call about many; a page that means more calls again
PictureIds = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=100)]], Field(max_length=MAX_PICTURES_AT_ONCE)
]


class GalleryPicture(PictureOut):
    """A picture of the gallery. `created` in seconds since 1970; `boards` are ids."""

    thumbnail_url: str
    job: str
    request: dict[str, Any]
    created: float
    starred: bool
    boards: list[str]


class GalleryPage(BaseModel):
    """The newest pictures first. Pass `next` as `before` to get the next page; null on the last one. `total` counts all
    pages and comes with the first one only.
    """

    pictures: list[GalleryPicture]
    next: str | None
    total: int | None


class PicturesDone(BaseModel):
    """The pictures that existed, and so were changed."""

    ids: list[str]


class BoardOut(BaseModel):
    """Pictures under a name. `cover_url` is a thumbnail of the newest one; `created` is in seconds since 1970."""

    id: str
    name: str
    count: int
    cover_url: str | None
    created: float


ERRORS: dict[int | str, dict[str, Any]] = {"4XX": {"model": ErrorAnswer}, "503": {"model": ErrorAnswer}}
