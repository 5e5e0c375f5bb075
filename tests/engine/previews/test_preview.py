"""Previews: the map from latents to colours, and events that stay in order."""

from __future__ import annotations

import io
import threading
import time
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL
from PIL import Image

from webui.engine.previews.preview import Previewer, fit_decoder, from_network, from_table, to_jpeg, to_network
from webui.errors import Cancelled
from webui.events import EngineEvent, Step


def vae(**changes: Any) -> AutoencoderKL:
    torch.manual_seed(0)
    config: dict[str, Any] = {
        "block_out_channels": (8, 8, 16),
        "norm_num_groups": 4,
        "latent_channels": 4,
        "down_block_types": ("DownEncoderBlock2D",) * 3,
        "up_block_types": ("UpDecoderBlock2D",) * 3,
    }
    return AutoencoderKL(**config | changes).eval()


class PlainVae(torch.nn.Module):
    """A VAE whose latents are four means of colour: the fit must find them exactly."""

    def __init__(self) -> None:
        super().__init__()
        self.config = vae().config
        self.device, self.dtype = torch.device("cpu"), torch.float32

    def encode(self, x: torch.Tensor) -> Any:
        small = torch.nn.functional.avg_pool2d(x, 4)
        mean = torch.cat([small, small.mean(1, keepdim=True)], dim=1)
        return type("Encoded", (), {"latent_dist": type("Posterior", (), {"mean": mean})()})()

    def decode(self, latents: torch.Tensor, return_dict: bool) -> tuple[torch.Tensor]:
        return (torch.nn.functional.interpolate(latents[:, :3], scale_factor=4),)


def test_a_linear_vae_is_fitted_exactly() -> None:
    decoder = fit_decoder(PlainVae(), lambda: None)
    picture = torch.rand(1, 3, 32, 48) * 1.6 - 0.8
    plain = PlainVae()
    latents = to_network(plain, plain.encode(picture).latent_dist.mean)
    wanted = (plain.decode(from_network(plain, latents), return_dict=False)[0][0] / 2 + 0.5) * 255
    got = decoder(latents[0])
    assert got.shape == (32, 48, 3)
    assert np.abs(got - wanted.permute(1, 2, 0).numpy()).mean() < 8


@pytest.mark.parametrize("changes", [{}, {"shift_factor": 0.2}, {"latents_mean": [0.1] * 4, "latents_std": [2.0] * 4}])
def test_latents_survive_the_way_there_and_back(changes: dict[str, Any]) -> None:
    latents = torch.randn(2, 4, 3, 3)
    there = to_network(vae(**changes), latents)
    assert torch.allclose(from_network(vae(**changes), there), latents, atol=1e-5)
    assert not torch.allclose(there, latents)


def test_a_fit_can_be_stopped() -> None:
    def stop() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        fit_decoder(vae(), stop)


def test_a_table_is_a_pixel_a_latent() -> None:
    decoder = from_table([(1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 0)], (0, 0, 0))
    pixels = decoder(torch.tensor([1.0, -1.0, 0.0, 9.0]).reshape(4, 1, 1).expand(4, 2, 3))
    assert pixels.shape == (2, 3, 3)
    assert pixels[0, 0].tolist() == [255, 0, 127]


def sent(total: int, is_watched: bool, seconds: float = 0.0) -> list[Step]:
    events: list[EngineEvent] = []
    with Previewer(events.append, lambda: is_watched) as previewer:
        for index in range(1, total + 1):
            time.sleep(seconds)
            previewer.step(index=index, total=total, phase="denoise", make=lambda: np.zeros((8, 8, 3), np.uint8))
    return [event for event in events if isinstance(event, Step)]


@pytest.mark.parametrize("total", [1, 2, 3, 4, 5, 7, 20, 150])
def test_no_step_is_left_out_and_four_have_previews(total: int) -> None:
    steps = sent(total, is_watched=False)
    assert [step.index for step in steps] == list(range(1, total + 1))
    shown = [step.index for step in steps if step.preview]
    assert len(shown) == min(4, total)
    assert shown[-1] == total


def test_who_watches_sees_more_but_at_most_five_a_second() -> None:
    watched = [step for step in sent(40, is_watched=True, seconds=0.02) if step.preview]
    assert 4 < len(watched) < 20


def test_events_stay_in_order_and_jpegs_are_made_elsewhere() -> None:
    threads: list[str] = []
    events: list[EngineEvent] = []

    def keep(event: EngineEvent) -> None:
        threads.append(threading.current_thread().name)
        events.append(event)

    large = np.random.default_rng(0).integers(0, 256, (700, 900, 3), dtype=np.uint8)
    with Previewer(keep, lambda: True) as previewer:
        for index in range(1, 9):
            previewer.step(index=index, total=8, phase="denoise", image=1, seconds=0.5, make=lambda: large)
    assert [event.index for event in events if isinstance(event, Step)] == list(range(1, 9))
    assert set(threads) == {"previews"}


def test_a_picture_is_made_on_the_spot_and_finished_elsewhere() -> None:
    events: list[EngineEvent] = []
    threads: list[str] = []

    def make() -> np.ndarray:
        threads.append(threading.current_thread().name)
        return np.zeros((8, 16, 3), np.uint8)

    def finish(picture: np.ndarray) -> Image.Image:
        threads.append(threading.current_thread().name)
        return Image.fromarray(picture).rotate(90, expand=True)

    with Previewer(events.append, lambda: False) as previewer:
        previewer.step(index=1, total=1, phase="denoise", make=make, finish=finish)
    assert threads == [threading.current_thread().name, "previews"]
    [step] = events
    assert isinstance(step, Step)
    assert step.preview is not None
    assert Image.open(io.BytesIO(step.preview)).size == (128, 256)


def test_what_waits_is_sent_even_after_an_error() -> None:
    events: list[EngineEvent] = []

    def stopped_after_a_step() -> None:
        with Previewer(events.append, lambda: True) as previewer:
            previewer.step(index=1, total=2, phase="denoise")
            raise Cancelled

    with pytest.raises(Cancelled):
        stopped_after_a_step()
    assert len(events) == 1


@pytest.mark.parametrize(("size", "wanted"), [((16, 16), (256, 256)), ((1024, 512), (256, 128)), ((3, 900), (1, 256))])
def test_a_jpeg_has_256_pixels_along_its_longer_side(size: tuple[int, int], wanted: tuple[int, int]) -> None:
    picture = Image.open(io.BytesIO(to_jpeg(Image.new("RGB", size))))
    assert (picture.format, picture.size) == ("JPEG", wanted)
