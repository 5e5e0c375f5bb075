"""The names in A1111's line of settings: those of fields, which are part of their declarations, and all others.

A field that A1111 has no name for has the name of an extension, or our own. Knows no field and no syntax.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


@dataclass(frozen=True)
class InfotextName:
    """A marker in a field's declaration: the line contains this field as `name`, unless it has its default.

    `values` are the words for its values, if these are not written as they are. `aliases` are further names under which
    it is read, and `read_as` further words for its values. `always`: it is written even at its default.
    """

    name: str
    values: Mapping[Any, str] = field(default_factory=dict, hash=False)
    aliases: tuple[str, ...] = ()
    read_as: Mapping[str, Any] = field(default_factory=dict, hash=False)
    always: bool = False

    def written(self, value: Any) -> Any:
        """The word for one of our values, or the value itself."""
        return self.values.get(value, value)

    def read(self, said: str) -> Any:
        """The value that a word means, whatever its case; None if it is not one of these words."""
        words = {**{word.casefold(): ours for ours, word in self.values.items()}, **self.read_as}
        return words.get(said.casefold())


def infotext(name: str, *, always: bool = False) -> InfotextName:
    """The marker for a field whose values are written as they are."""
    return InfotextName(name, always=always)


DECODER = InfotextName("VAE Decoder", {"full": "Full", "tiny": "TAESD"})
PROMPT_DIALECT = InfotextName("Prompt dialect", {"compel": "Compel"})
EMPHASIS = InfotextName("Emphasis", {"original": "Original", "no_norm": "No norm"})
ETA_DDIM = "Eta DDIM"  # which A1111 has for this sampler alone
ETA = InfotextName("Eta", aliases=(ETA_DDIM,))
NOISE_SOURCE = InfotextName("RNG", {"cpu": "CPU", "nv": "NV"}, read_as={"gpu": "nv"}, always=True)
GUIDANCE_RESCALE = InfotextName("CFG Rescale", aliases=("CFG Rescale phi",))
RESIZE_MODE = InfotextName(
    "Resize mode",
    {
        "just_resize": "Just resize",
        "crop_and_resize": "Crop and resize",
        "resize_and_fill": "Resize and fill",
        "latent_upscale": "Just resize (latent upscale)",
    },
)
MASK_MODE = InfotextName("Mask mode", {"masked": "Inpaint masked", "not_masked": "Inpaint not masked"})
MASKED_CONTENT = InfotextName(
    "Masked content",
    {"fill": "fill", "original": "original", "latent_noise": "latent noise", "latent_nothing": "latent nothing"},
)
DENOISING_START = InfotextName("Denoising start", {"exact": "Exact", "whole_step": "Whole step"})
INPAINT_AREA = InfotextName("Inpaint area", {"whole_picture": "Whole picture", "only_masked": "Only masked"})
SOFT_INPAINTING = InfotextName("Soft inpainting enabled", {True: "True", False: "False"})


NEGATIVE_PROMPT = "Negative prompt"  # begins a line, as the next two do in SD.Next's
TEMPLATE = "Template"  # prompts before their wildcards were settled, as Dynamic Prompts writes them
NEGATIVE_TEMPLATE = "Negative Template"
SCHEDULER = "Scheduler"  # Fooocus' word for the schedule type, and that of nodes which save A1111's line from ComfyUI
FIRST_PASS_SIZE = "First pass size"  # of hires fix before A1111 1.0; 0x0 left it to the program


class Composed(StrEnum):
    """Parts of a request that have a syntax of their own in the line, or take several pairs."""

    SAMPLER = "Sampler"
    SCHEDULE_TYPE = "Schedule type"
    SIZE = "Size"
    MODEL = "Model"
    MODEL_HASH = "Model hash"
    TILING = "Tiling"
    TILE_X = "Tile X"  # this and the next: of the extension Asymmetric Tiling
    TILE_Y = "Tile Y"


class Fact(StrEnum):
    """What is said about the file or about what happened, and that no request could ask for."""

    VERSION = "Version"
    APP = "App"
    VAE_HASH = "VAE hash"
    LORA_HASHES = "Lora hashes"
    PICTURE_SIZE = "Picture size"
    STEPS_RUN = "Steps run"
    FALLBACK = "Fallback"
    BRANCH = "Branch"
    BEST_OF = "Best of"
    BEST_OF_SCORE = "Best of score"
    BEST_OF_CRITIC = "Best of critic"
