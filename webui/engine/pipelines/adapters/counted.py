"""Older pipelines, which call back once a step and say neither how many steps there are nor which one it is."""

from __future__ import annotations

import itertools
from typing import Any

from webui.engine.pipelines.adapters.plain import OnStep, PlainAdapter, ScaledInputAdapter


class CountedAdapter(PlainAdapter):
    """Counts the steps itself."""

    def observation(self, on_step: OnStep, steps: int) -> dict[str, Any]:
        """diffusers' older callback, which is called after each step and not after each call of the network."""
        counter = itertools.count(1)

        def callback(_step: int, _timestep: Any, _latents: Any) -> None:
            on_step(next(counter), steps)

        return {"callback": callback, "callback_steps": 1}


class PixArtAdapter(CountedAdapter, ScaledInputAdapter):
    """PixArt-α and PixArt-Σ."""
