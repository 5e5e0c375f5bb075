"""What can be said about a family of checkpoints. Knows no particular one, and no torch: both processes read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from webui.capabilities import Capability, Needs


@dataclass(frozen=True, kw_only=True)
class Defaults:
    """The values that a checkpoint uses where the request leaves them open. Sizes in pixels."""

    width: int
    height: int
    steps: int
    guidance_scale: float
    scheduler: str
    sigmas: str
    prediction_type: str | None = None  # epsilon, v_prediction, sample; None where the pipeline knows by itself


@dataclass(frozen=True)
class LatentToRgb:
    """A linear map from latents, as the network sees them, to RGB in [-1, 1]: the cheapest preview there is."""

    weights: tuple[tuple[float, float, float], ...]  # a row (R, G, B) for each channel of the latents
    bias: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class TokenizerSource:
    """A published tokenizer: CLIP's `vocab.json` and `merges.txt` in `folder` of the Hub's `repository`, at a fixed
    revision.

    `pad_token` fills a prompt up to its 77 tokens.
    """

    repository: str
    revision: str  # 40 hex digits
    folder: str
    pad_token: str


@dataclass(frozen=True, kw_only=True)
class Family:
    """One architecture. `components` and `tokenizers` are set if single files can be read."""

    id: str
    name: str
    defaults: Defaults
    adapter: str | None = None  # how its diffusers pipelines are called; None where our own denoising loop draws it
    pipeline: str | None = None  # diffusers' class for text to image; None where our own loop draws
    image_pipeline: str | None = None  # diffusers' class for image to image; None where there is none
    inpaint_pipeline: str | None = None  # diffusers' class that redraws what is masked; our own loop needs none
    # What the denoiser's config says, where families share a pipeline; of those that fit, the first row counts.
    denoiser_config: Mapping[str, Any] = field(default_factory=dict)
    capabilities: frozenset[Capability] = frozenset()
    schedulers: tuple[str, ...] | None = None  # that it can be followed by; None where its own noise decides
    has_inpainting_form: bool = False  # a network with more input channels: the masked picture's, and the mask
    # (component, tokens): the longest prompt that its encoder reads, without its own marks; the first that is there
    # counts. diffusers' pipelines cut what is longer. Empty where nothing is cut, or nobody has looked.
    reads: tuple[tuple[str, int], ...] = ()
    # Languages that its text encoders read as published, by their codes (ISO 639-1); None where nobody has looked.
    languages: tuple[str, ...] | None = None
    guided_above: float = 1.0  # the guidance scale from which on a negative prompt counts
    size_multiple: int = 16  # pixels; what the network's patches ask for
    latent_to_rgb: LatentToRgb | None = None
    align_your_steps: tuple[float, ...] | None = None  # sigmas of ten steps and the last one, which becomes zero
    components: Path | None = None  # diffusers configs, no weights
    tokenizers: Mapping[str, TokenizerSource] | None = None  # by component: tokenizer, tokenizer_2

    def lacks(self, needed: Needs) -> Capability | None:
        """The first of the needed capabilities that it does not have; None if it has all of them."""
        return next((one for one in needed.capabilities if one not in self.capabilities), None)

    @property
    def pipelines(self) -> frozenset[str]:
        """The diffusers classes that a folder may name; all work on the same parts."""
        return frozenset(name for name in (self.pipeline, self.image_pipeline, self.inpaint_pipeline) if name)

    @property
    def tasks(self) -> frozenset[str]:
        """The tasks that it can do."""
        return frozenset({"text_to_image", "image_to_image"} if self.image_pipeline else {"text_to_image"})

    def components_for(self, is_inpainting: bool) -> Path | None:
        """The configs for the plain form, or for the one with nine input channels."""
        if self.components is None or not is_inpainting:
            return self.components
        return self.components.with_name(f"{self.components.name}_inpaint")
