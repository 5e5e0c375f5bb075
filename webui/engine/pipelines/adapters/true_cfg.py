"""Pipelines whose `guidance_scale` is the distilled kind, an input of the network: FLUX.1 and Qwen-Image.

They call classifier-free guidance `true_cfg_scale`, and it needs some negative prompt.
"""

from __future__ import annotations

from typing import Any

from webui.engine.pipelines.adapters.packed import PackedAdapter
from webui.engine.sampling import Sampling
from webui.errors import InvalidRequest

EMPTY_PROMPT = " "  # of which they make the unconditional half; "" would count as none


class FluxDevAdapter(PackedAdapter):
    """FLUX.1 dev: its guidance is an input of the network and cannot use a negative prompt."""

    def guidance(self, asked: Sampling, negative_prompt: str) -> dict[str, Any]:
        """The network's own guidance. Raises InvalidRequest for a negative prompt, which would be ignored."""
        if negative_prompt:
            raise InvalidRequest(field="negative_prompt", reason="no_negative_prompt")
        return super().guidance(asked, negative_prompt)


class FluxSchnellAdapter(PackedAdapter):
    """FLUX.1 schnell: it has no distilled guidance left, so only classifier-free guidance works, above a scale of 1."""

    def guidance(self, asked: Sampling, negative_prompt: str) -> dict[str, Any]:
        """Classifier-free guidance alone."""
        return {"true_cfg_scale": asked.request.guidance_scale, "negative_prompt": negative_prompt or EMPTY_PROMPT}


class QwenImageAdapter(PackedAdapter):
    """Qwen-Image: its `guidance_scale` is for networks that have not been published."""

    def guidance(self, asked: Sampling, negative_prompt: str) -> dict[str, Any]:
        """Classifier-free guidance alone."""
        return {
            "guidance_scale": None,
            "true_cfg_scale": asked.request.guidance_scale,
            "negative_prompt": negative_prompt or EMPTY_PROMPT,
        }
