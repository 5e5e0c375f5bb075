"""What a family of checkpoints may be able to do, and what a field of a request may need from it. Knows neither."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Capability(StrEnum):
    """One thing that some families can do and others cannot."""

    NEGATIVE_PROMPT = "negative_prompt"
    PROMPT_SYNTAX = "prompt_syntax"  # weights, editing, embeddings; else prompts are read as they stand
    GUIDANCE_INTERVAL = "guidance_interval"
    GUIDANCE_RESCALE = "guidance_rescale"
    CLIP_SKIP = "clip_skip"
    VARIATIONS = "variations"
    TILING = "tiling"
    WALKS = "walks"
    BRANCHES = "branches"
    INPAINTING = "inpainting"  # a mask, and pixels added at the sides
    MASKED_CONTENT = "masked_content"  # a choice of what masked places start from
    SOFT_INPAINTING = "soft_inpainting"
    LATENT_UPSCALE = "latent_upscale"
    EXACT_START = "exact_start"  # a denoising strength between two whole numbers of steps
    NOISE_SOURCE = "noise_source"  # whose random numbers pictures are made of
    VAE = "vae"  # another one than the checkpoint's own
    FLOW = "flow"  # noise is mixed in along a line, and how soon can be shifted


# The sentence that says why a setting does nothing without it, by its code; all others have the last one.
_REASONS = {
    Capability.NEGATIVE_PROMPT: "no_negative_prompt",
    Capability.PROMPT_SYNTAX: "prompts_as_they_stand",
    Capability.INPAINTING: "no_inpainting",
    Capability.EXACT_START: "whole_steps_alone",
    Capability.FLOW: "only_flow",
}
_ONLY_UNET = "only_unet"


def reason_without(capability: Capability) -> str:
    """The code of the sentence for a family that lacks the capability."""
    return _REASONS.get(capability, _ONLY_UNET)


@dataclass(frozen=True)
class Needs:
    """A marker in a field's declaration: without these capabilities the field has no effect. The first missing one says
    why.

    If `is_refused`, a value other than the default is then an error; otherwise it is ignored.
    """

    capabilities: tuple[Capability, ...]
    is_refused: bool = True


def needs(*capabilities: Capability, is_refused: bool = True) -> Needs:
    """The marker for a field that needs all of these."""
    return Needs(capabilities, is_refused)
