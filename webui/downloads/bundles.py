"""What is offered: bundles of a checkpoint, perhaps a LoRA for few steps, and a tiny decoder, as `presets/models.json`
has them.

The file says what is for whom and what was read on public pages; sizes, hashes, revisions, licences and gating are read
from the Hub (`webui/downloads/offers.py`).
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from webui.texts import Language

FILE_NAME = "models.json"
_CONFIG = ConfigDict(frozen=True, extra="forbid")


class Cost(BaseModel):
    """TFLOP of one call."""

    model_config = _CONFIG

    convolution: float
    matmul: float


class BundleCosts(BaseModel):
    """Names of costs: one evaluation of the network, the text encoders, and decoding a picture."""

    model_config = _CONFIG

    network: str
    text: str
    decoder: str
    tiny_decoder: str | None = None


class Part(BaseModel):
    """One repository of the Hub. A LoRA is one `file` of it, is called `name` here and has a `weight` in the prompt."""

    model_config = _CONFIG

    repository: str
    role: Literal["checkpoint", "lora", "tiny_decoder"]
    file: str | None = None
    name: str | None = None
    weight: float = 1.0


class Page(BaseModel):
    """A public page, and when it was read."""

    model_config = _CONFIG

    url: str
    date: date


class License(BaseModel):
    """What public pages say. `may_sell` is None where they name conditions, or say nothing."""

    model_config = _CONFIG

    name: str | None
    may_sell: bool | None
    read: tuple[Page, ...] = ()


class BundleSettings(BaseModel):
    """What a request takes with it."""

    model_config = _CONFIG

    width: int
    height: int
    steps: int
    guidance_scale: float
    scheduler: str | None = None
    sigmas: str | None = None


class Bundle(BaseModel):
    """One offer. `edits`: it is for changing pictures. `quality` is an editor's rank, 10 for the best."""

    model_config = _CONFIG

    id: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    name: str
    purpose: dict[Language, str]
    family: str
    parts: tuple[Part, ...]
    settings: BundleSettings
    languages: tuple[str, ...]
    edits: bool
    quality: Annotated[int, Field(ge=1, le=10)]
    license: License
    costs: BundleCosts
    parameters_billion: float
    largest_part_billion: float

    @property
    def checkpoint(self) -> Part:
        """The part that all others belong to."""
        return next(part for part in self.parts if part.role == "checkpoint")

    @property
    def loras(self) -> tuple[Part, ...]:
        """For the prompt."""
        return tuple(part for part in self.parts if part.role == "lora")

    @property
    def prompt_suffix(self) -> str:
        """What stands behind every prompt, so that the LoRAs are used."""
        return "".join(f" <lora:{part.name}:{part.weight:g}>" for part in self.loras)

    @property
    def evaluations(self) -> int:
        """Of the network for a picture: guidance above 1 takes two a step."""
        return self.settings.steps * (2 if self.settings.guidance_scale > 1 else 1)


class Offered(BaseModel):
    """The whole file. `first` are ids of those that may come with the first start; the page that asks names them and
    their licences (`webui/launch/first_model.py`)."""

    model_config = _CONFIG

    about: str
    costs_about: str
    costs: dict[str, Cost]
    first: tuple[str, ...] = ()
    bundles: tuple[Bundle, ...]

    @model_validator(mode="after")
    def _is_sound(self) -> Offered:
        ids = [bundle.id for bundle in self.bundles]
        named = {name for bundle in self.bundles for name in bundle.costs.model_dump().values() if name}
        if len(set(ids)) < len(ids) or not named <= self.costs.keys():
            raise ValueError("an id stands twice, or a cost is not there")
        if not set(self.first) <= set(ids):
            raise ValueError("one that may come with the first start is not offered")
        for bundle in self.bundles:
            if [part.role for part in bundle.parts].count("checkpoint") != 1:
                raise ValueError(f"{bundle.id} needs one checkpoint")
            if any(part.file is None or part.name is None for part in bundle.loras):
                raise ValueError(f"a LoRA of {bundle.id} has no file or no name")
        return self

    def bundle(self, id: str) -> Bundle | None:
        """The one with this id."""
        return next((bundle for bundle in self.bundles if bundle.id == id), None)


def read_offered(presets_dir: Path) -> Offered:
    """What the folder offers; nothing where there is no such file. Raises ValueError for one that is not sound."""
    path = presets_dir / FILE_NAME
    if not path.is_file():
        return Offered(about="", costs_about="", costs={}, bundles=())
    return Offered.model_validate_json(path.read_bytes())


def checkpoint_note(bundle: Bundle) -> dict[str, Any]:
    """For the small file beside the checkpoint. With a LoRA, the settings are only for prompts that name it."""
    settings = bundle.settings.model_dump(exclude_none=True)
    return {} if bundle.loras else {"defaults": settings}
