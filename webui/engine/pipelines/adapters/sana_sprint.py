"""Sana-Sprint (Chen et al. 2025, arXiv 2503.09641): a continuous-time consistency model, which draws in one to four
steps by a rule of its own and is told of guidance.
"""

from __future__ import annotations

import copy
from typing import Any

from torch import Tensor

from webui.engine.pipelines.adapters.plain import PlainAdapter
from webui.engine.pipelines.observed import SchedulerStep
from webui.engine.sampling import Sampling
from webui.errors import InvalidRequest

BETWEEN_TWO_STEPS = 1.3  # radians from the picture towards noise: found by its authors, for two steps alone


class SanaSprintAdapter(PlainAdapter):
    """It has only its own scheduler, whose latents are as wide as the noise that it was trained with."""

    def scheduler(self, original: Any, asked: Sampling) -> Any:
        """The checkpoint's own. Raises InvalidRequest for any other."""
        if asked.request.scheduler != "scm":
            raise InvalidRequest(field="scheduler", reason="needs_scm")
        return copy.deepcopy(original)

    def arguments(self, pipeline: Any, asked: Sampling, index: int, size: tuple[int, int]) -> dict[str, Any]:
        """With the timestep between two steps; with more, the pipeline spaces them evenly."""
        told = super().arguments(pipeline, asked, index, size)
        return told | {"intermediate_timesteps": BETWEEN_TWO_STEPS if asked.request.steps == 2 else None}

    def denoised(self, step: SchedulerStep) -> Tensor:
        """What the rule itself found: the pipeline asks it for (next latents, clean latents)."""
        clean: Tensor = step.result[1].float() / step.scheduler.config.sigma_data
        return clean
