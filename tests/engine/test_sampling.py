"""What a settled request comes to."""

from __future__ import annotations

from tests.settled_requests import stored
from webui.engine.sampling import Sampling
from webui.requests.settled import SettledDiffusion, settled_from_dict


def sampling_of(**values: object) -> Sampling:
    request = settled_from_dict(stored(**values))
    assert isinstance(request, SettledDiffusion)
    return Sampling.of(request)


def test_the_values_are_the_requests() -> None:
    asked = sampling_of(seed=5, steps=9, guidance_scale=0.0, sigmas="karras", width=256, height=128)
    assert (asked.width, asked.height, asked.request.steps, asked.request.guidance_scale) == (256, 128, 9, 0.0)
    assert (asked.request.scheduler, asked.request.sigmas, asked.denoising_strength) == ("euler", "karras", 1.0)
    assert [asked.seed_of(index) for index in (0, 2)] == [5, 7]


def test_a_picture_is_left_as_far_as_it_says() -> None:
    picture = "sha256:" + "0" * 64
    asked = sampling_of(task="image_to_image", init_image=picture, denoising_strength=0.3)
    assert (asked.request.task, asked.denoising_strength) == ("image_to_image", 0.3)
