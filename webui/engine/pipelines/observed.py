"""A scheduler for one run that reports what each of its steps worked with. Knows no pipelines and no families."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from webui.engine.schedulers.make import denoised_estimate


@dataclass(frozen=True)
class SchedulerStep:
    """The input and output of a step: the network's guided prediction, and `result` in the form that the caller asked
    for.
    """

    scheduler: Any
    prediction: Tensor
    timestep: float | Tensor
    sample: Tensor
    result: Any

    def denoised(self) -> Tensor:
        """The clean latents that the step worked towards. A flow predicts (noise - clean), with noise at a share of
        sigma.
        """
        # of solvers that are no flow's by birth
        is_flow = self.scheduler.config.get("prediction_type") == "flow_prediction"
        if hasattr(self.scheduler, "alphas_cumprod") and not is_flow:
            return denoised_estimate(self.scheduler, self.sample, self.prediction, float(self.timestep))
        sigma = self.scheduler.sigmas[self.scheduler.step_index - 1]  # the step has moved on by one
        return self.sample.float() - float(sigma) * self.prediction.float()


def observed(scheduler: Any, on_step: Callable[[SchedulerStep], None]) -> Any:
    """A scheduler of the same class and in the same state, whose `step` also calls `on_step`.

    Its `step` has the same signature, from which pipelines tell whether it takes an eta and a generator.
    """
    kind = type(scheduler)
    signature = inspect.signature(kind.step)

    class Observed(kind):  # type: ignore[misc, valid-type]  # its class is known when it runs
        """`kind`, observed."""

        @functools.wraps(kind.step)
        def step(self, *args: Any, **kwargs: Any) -> Any:
            result = super().step(*args, **kwargs)
            told = signature.bind(self, *args, **kwargs).arguments
            on_step(SchedulerStep(self, told["model_output"], told["timestep"], told["sample"], result))
            return result

    found = Observed.__new__(Observed)
    found.__dict__.update(scheduler.__dict__)
    return found
