"""The denoising loop by itself, with a network that knows nothing: steps, calls, and where it ends."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from tests.engine.run_contexts import CPU
from webui.engine.schedulers.make import make_scheduler
from webui.engine.unet.denoising import Conditioning, DenoisingLoop
from webui.engine.unet.noise import NoiseSource
from webui.errors import InvalidRequest, NotFinite

CONFIG = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
STEPS = 4


class Network:
    """Predicts `value` everywhere, and counts how often it is asked."""

    dtype = torch.float32

    def __init__(self, value: float = 0.0) -> None:
        self.value = value
        self.calls = 0

    def __call__(self, latents: Tensor, _timestep: Tensor, **_told: Any) -> tuple[Tensor]:
        self.calls += 1
        return (torch.full_like(latents, self.value),)


def loop_of(network: Network, scheduler: str = "euler", **values: Any) -> DenoisingLoop:
    made = make_scheduler(CONFIG, scheduler, steps=STEPS)
    told = Conditioning(embeds=torch.zeros(1, 77, 4), guidance_scale=1.0, is_guided=False)
    return DenoisingLoop(
        unet=network,
        scheduler=made,
        timesteps=made.timesteps,
        latents=torch.ones(1, 4, 8, 8) * made.init_noise_sigma,
        conditionings=[told] * STEPS,
        noise=NoiseSource([torch.Generator().manual_seed(0)]),
        device=CPU,
        **({"check": lambda: None} | values),
    )


@pytest.mark.parametrize(("scheduler", "calls"), [("euler", 4), ("heun", 7), ("dpm2", 7), ("pndm", 5)])
def test_each_step_counts_once_however_often_the_network_is_called(scheduler: str, calls: int) -> None:
    network = Network()
    loop = loop_of(network, scheduler)
    done = [loop.step() for _ in range(STEPS)]
    assert [(step.index, step.total) for step in done] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert network.calls == calls
    assert len(loop.timesteps) == 0
    with pytest.raises(InvalidRequest):
        loop.step()


def test_the_estimate_of_a_step_stays_that_steps() -> None:
    loop = loop_of(Network(0.5))
    first = loop.step()
    estimate = first.estimate()
    loop.step()
    assert torch.equal(first.estimate(), estimate)


def test_it_goes_on_by_another_scheduler() -> None:
    loop = loop_of(Network())
    loop.step()
    other = make_scheduler(CONFIG, "ddim", steps=STEPS)
    loop.begin(other, other.timesteps[1:])
    assert [loop.step().index for _ in range(3)] == [2, 3, 4]


def test_what_is_kept_back_is_put_back_after_each_step() -> None:
    seen: list[int] = []

    def constrain(_scheduler: Any, latents: Tensor, done: int) -> Tensor:
        seen.append(done)
        return torch.zeros_like(latents)

    loop = loop_of(Network(), "heun", constrain=constrain)
    loop.step()
    loop.step()
    assert seen == [1, 2]
    loop.check_finite()
    assert not loop.latents.any()


def test_a_stop_ends_it_before_the_network_is_called() -> None:
    def stop() -> None:
        raise KeyError

    network = Network()
    with pytest.raises(KeyError):
        loop_of(network, check=stop).step()
    assert network.calls == 0


def test_numbers_that_are_none_are_found() -> None:
    loop = loop_of(Network(float("nan")))
    loop.step()
    with pytest.raises(NotFinite):
        loop.check_finite()
