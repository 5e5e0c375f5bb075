"""Noise: what pictures start from and what is added on the way, for each image, for variations and for walks.

Always drawn on the CPU, so that a seed means the same on any device. Knows no networks.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from webui.engine.pictures.latents import draw_noise, slerp
from webui.engine.sampling import Sampling


@dataclass(frozen=True)
class Between:
    """Noise at `share` of the way from one noise to the other: a variation, or a picture on a walk."""

    one: SeededNoise
    other: SeededNoise
    share: float


SeededNoise = torch.Generator | Between


@dataclass(frozen=True)
class NoiseSource:
    """What each image draws its noise from; all images mix in the same way."""

    noises: Sequence[SeededNoise]

    @classmethod
    def of(cls, asked: Sampling, indices: Sequence[int]) -> NoiseSource:
        """The sources of the images `indices`, each at the start of its seed's numbers. The ends of a walk are not
        mixed.
        """
        strength = asked.request.variation_strength
        if asked.walk_to is None:
            return cls([_seeded(asked.seed_of(index), asked.variation_seed_of(index), strength) for index in indices])
        start = _seeded(asked.request.seed, asked.request.variation_seed, strength)
        end = _seeded(asked.walk_to.seed, asked.walk_to.variation_seed, asked.walk_to.variation_strength)
        return cls([_between(start, end, asked.walked(index)) for index in indices])

    @property
    def generators(self) -> list[torch.Generator]:
        """The first generator of each image, for noise that is not mixed."""
        return [_leaves(noise)[0] for noise in self.noises]

    def initial(self, shape: Sequence[int], device: torch.device) -> Tensor:
        """(B, *shape): what each image starts from."""
        drawn = [[draw_noise(shape, [leaf], device) for leaf in _leaves(noise)] for noise in self.noises]
        return torch.cat([_mixed(noise, iter(rows)) for noise, rows in zip(self.noises, drawn, strict=True)])

    def step(self, scheduler: Any, prediction: Tensor, t: Tensor, latents: Tensor) -> Tensor:
        """What `scheduler` makes of the latents (B, C, h, w), float32, with fresh noise if it adds any."""
        if "generator" not in inspect.signature(scheduler.step).parameters:
            moved: Tensor = scheduler.step(prediction, t, latents, return_dict=False)[0]
            return moved
        if not isinstance(self.noises[0], Between):
            own: Tensor = scheduler.step(prediction, t, latents, return_dict=False, generator=self.generators)[0]
            return own
        return self._step_between(scheduler, prediction, t, latents)

    def _step_between(self, scheduler: Any, prediction: Tensor, t: Tensor, latents: Tensor) -> Tensor:
        """A step with noise that lies between the noises of several seeds.

        Schedulers draw noise themselves and add some multiple of it. So the step runs in one batch with the noise of
        each of the k seeds. The same noise is then drawn again from the generators' states, and the multiple is derived
        from the results.
        """
        leaves = [leaf for row in zip(*map(_leaves, self.noises), strict=True) for leaf in row]  # k after k, of B each
        states = [leaf.get_state() for leaf in leaves]
        k = len(leaves) // len(self.noises)
        stepped = scheduler.step(
            prediction.repeat(k, 1, 1, 1), t, latents.repeat(k, 1, 1, 1), return_dict=False, generator=leaves
        )[0]
        moved: Tensor = stepped.view(k, -1, *latents.shape[1:])  # (k, B, C, h, w)
        if torch.equal(states[0], leaves[0].get_state()):
            first: Tensor = moved[0]  # no noise was added
            return first
        again = [torch.Generator("cpu").set_state(state) for state in states]
        drawn = draw_noise(latents.shape[1:], again, latents.device).view(moved.shape)
        apart = drawn - drawn[0]  # nothing where seeds are the same, and then there is nothing to mix
        squares = apart.square().sum((0, 2, 3, 4)).clamp_min(1e-12)
        multiple = ((moved - moved[0]) * apart).sum((0, 2, 3, 4)) / squares  # (B,), by least squares
        mixed = torch.cat([_mixed(noise, iter(drawn[:, i : i + 1])) for i, noise in enumerate(self.noises)])
        between: Tensor = moved[0] + multiple.view(-1, 1, 1, 1) * (mixed - drawn[0])
        return between


def _seeded(seed: int, variation_seed: int | None, strength: float) -> SeededNoise:
    """A seed's noise, moved by `strength` towards that of another seed."""
    if variation_seed is None or strength == 0:
        return _generator(seed)
    return _between(_generator(seed), _generator(variation_seed), strength)


def _between(one: SeededNoise, other: SeededNoise, share: float) -> SeededNoise:
    if share in (0.0, 1.0):
        return other if share else one
    return Between(one, other, share)


def _leaves(noise: SeededNoise) -> list[torch.Generator]:
    return [*_leaves(noise.one), *_leaves(noise.other)] if isinstance(noise, Between) else [noise]


def _mixed(noise: SeededNoise, drawn: Iterator[Tensor]) -> Tensor:
    """(1, …): the mixture that `noise` describes, of what each generator has drawn, in their order."""
    if not isinstance(noise, Between):
        return next(drawn)
    one, other = _mixed(noise.one, drawn), _mixed(noise.other, drawn)
    return slerp(one, other, noise.share)


def _generator(seed: int) -> torch.Generator:
    return torch.Generator("cpu").manual_seed(seed)
