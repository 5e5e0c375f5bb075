"""Pictures by a tiny decoder, and the same pictures finished with the full one, through the engine on toys."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from diffusers import AutoencoderTiny, UNet2DConditionModel
from PIL import Image
from torch.nn.modules.module import register_module_forward_pre_hook

from tests import toy_families
from tests.engine.test_engine import REFERENCE
from tests.settling import settle
from tests.toys import save_sd15, save_tiny_vae
from webui.engine.context import Context
from webui.engine.engine import Engine
from webui.engine.unet import diffusion
from webui.errors import InvalidRequest, ModelUnusable
from webui.events import EngineEvent
from webui.requests import Request
from webui.requests.diffusion import ImageToImage, TextToImage
from webui.requests.settled import Settled
from webui.rules.branches import branched, finished_sharp, step_kept
from webui.settings import Settings
from webui.worker.messages import RawImage

MASK = "sha256:" + "1" * 64
pytestmark = pytest.mark.filterwarnings("ignore:The config attributes:UserWarning")


class Studio:
    """An engine, with shorthands; `calls` counts those of the U-Net."""

    def __init__(self, models: Path) -> None:
        self.models = models
        self.calls = 0
        self.fresh()

    def fresh(self) -> None:
        """A new engine, which remembers no steps."""
        self.engine = Engine(Settings(models_dir=self.models, device="cpu", precision="fp32"))

    def settled(self, request: Request) -> Settled:
        return settle(request, self.engine.catalogue)

    def draw(self, request: Settled) -> RawImage:
        (image,) = self.engine.run(request, context())
        return image

    def counted(self, request: Settled) -> RawImage:
        """The same, with `calls` as many as it took."""
        self.calls = 0
        hook = register_module_forward_pre_hook(self._count)
        try:
            return self.draw(request)
        finally:
            hook.remove()

    def _count(self, module: torch.nn.Module, _values: Any) -> None:
        self.calls += isinstance(module, UNet2DConditionModel)


def context() -> Context:
    events: list[EngineEvent] = []
    pictures = {}
    for reference, picture in ((REFERENCE, Image.linear_gradient("L")), (MASK, mask())):
        buffer = io.BytesIO()
        picture.resize((64, 64)).convert("RGB").save(buffer, "PNG")
        pictures[reference] = buffer.getvalue()
    return Context(events.append, lambda: None, lambda: False, pictures.__getitem__)


def mask() -> Image.Image:
    return Image.linear_gradient("L").point(lambda level: 255 * (level > 127))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    models = tmp_path_factory.mktemp("decoders") / "models"
    save_tiny_vae(save_sd15(models / "toy"))
    return models


@pytest.fixture
def studio(models: Path) -> Studio:
    return Studio(models)


def asked(**values: Any) -> TextToImage:
    return TextToImage(**{"prompt": "a cat", "checkpoint": "toy", "seed": 1, "steps": 3, "decoder": "tiny"} | values)


def over(**values: Any) -> ImageToImage:
    known = {"prompt": "a cat", "checkpoint": "toy", "seed": 1, "steps": 4, "decoder": "tiny", "init_image": REFERENCE}
    return ImageToImage(**known | values)


def test_it_draws_what_the_network_makes_of_the_latents(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[torch.Tensor] = []
    real = diffusion.decode

    def decode(vae: Any, latents: torch.Tensor, **settings: Any) -> torch.Tensor:
        seen.append(latents.clone())
        return real(vae, latents, **settings)

    monkeypatch.setattr(diffusion, "decode", decode)
    drawn = studio.draw(studio.settled(asked()))
    tiny = cast(AutoencoderTiny, AutoencoderTiny.from_pretrained(studio.models / "toy" / "tiny_vae"))
    with torch.no_grad():
        wanted = tiny.decode(seen[0]).sample[0]
    pixels = ((wanted / 2 + 0.5).clamp(0, 1) * 255).round().permute(1, 2, 0).numpy()
    assert np.abs(np.frombuffer(drawn.rgb, np.uint8).reshape(64, 64, 3) - pixels).max() <= 1


REQUESTS: dict[str, Callable[[], Request]] = {
    "text": asked,
    "one of several": lambda: asked(num_images=3, only_image=1),
    "a picture": lambda: over(denoising_strength=0.6),
    "a part of it": lambda: over(mask=MASK, denoising_strength=0.8),
    "more around it": lambda: over(outpaint_left=64),
    "tiling": lambda: asked(tiling="both"),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_finishing_sharp_only_decodes_and_gives_the_full_decoder_s_picture(studio: Studio, name: str) -> None:
    request = studio.settled(REQUESTS[name]())
    tiny = studio.counted(request)
    assert studio.calls > 0
    sharp = finished_sharp(request, 0)
    finished = studio.counted(cast(Settled, sharp))
    assert studio.calls == 0
    studio.fresh()
    from_nothing = studio.counted(cast(Settled, sharp))
    assert studio.calls > 0
    assert finished.rgb == from_nothing.rgb != tiny.rgb
    assert finished.info == from_nothing.info


def test_kept_steps_and_branches_are_finished_as_well(studio: Studio) -> None:
    origin = studio.settled(asked(steps=4))
    studio.draw(origin)
    kept = cast(Settled, step_kept(origin, 0, 2))
    branch = studio.settled(branched(origin, 0, 2, {"prompt": "a dog"}))
    for request in (kept, branch):
        soft = studio.draw(request)
        sharp = cast(Settled, finished_sharp(request, 0))
        finished = studio.counted(sharp)
        assert studio.calls == 0
        assert finished.rgb != soft.rgb
        other = Studio(studio.models)
        assert other.draw(sharp).rgb == finished.rgb


def test_both_decoders_share_the_steps(studio: Studio) -> None:
    full = studio.settled(asked(decoder="full"))
    drawn = studio.counted(full)
    studio.counted(studio.settled(asked()))
    assert studio.calls == 0  # a quick look at a picture that was drawn in full, too
    assert studio.draw(full).rgb == drawn.rgb


def test_what_was_decoded_in_full_is_not_finished_again(studio: Studio) -> None:
    with pytest.raises(InvalidRequest) as raised:
        finished_sharp(studio.settled(asked(decoder="full")), 0)
    assert (raised.value.details["field"], raised.value.details["reason"]) == ("decoder", "decoded_in_full")


def test_without_one_the_engine_refuses_as_well(tmp_path: Path) -> None:
    save_sd15(tmp_path / "toy")
    studio = Studio(tmp_path)
    with pytest.raises(InvalidRequest) as refused:
        studio.settled(asked())
    assert refused.value.details["reason"] == "no_tiny_decoder"
    folder = save_tiny_vae(tmp_path / "toy")
    request = studio.settled(asked())
    for file in folder.iterdir():
        file.unlink()
    with pytest.raises(InvalidRequest) as gone:
        studio.draw(request)
    assert gone.value.details["reason"] == "no_tiny_decoder"


def test_one_for_previews_alone_is_none(tmp_path: Path) -> None:
    save_tiny_vae(save_sd15(tmp_path / "toy"), levels=3)  # half the pixels along each side
    with pytest.raises(InvalidRequest):
        Studio(tmp_path).settled(asked())


def test_one_that_is_cut_off_is_named(tmp_path: Path) -> None:
    folder = save_tiny_vae(save_sd15(tmp_path / "toy"))
    weights = folder / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    studio = Studio(tmp_path)
    with pytest.raises(ModelUnusable) as raised:
        studio.draw(studio.settled(asked()))
    assert (raised.value.details["model"], raised.value.details["reason"]) == ("toy/tiny_vae", "truncated")


def test_families_that_run_through_pipelines_have_it_too(tmp_path: Path) -> None:
    toy = toy_families.save_flux(tmp_path / "toy", is_dev=False)
    config = json.loads((toy / "vae" / "config.json").read_text("utf-8"))
    save_tiny_vae(toy, latent_channels=config["latent_channels"], levels=len(config["block_out_channels"]))
    studio = Studio(tmp_path)
    for make in (asked, over):
        soft = studio.settled(make(guidance_scale=0.0))
        sharp = cast(Settled, finished_sharp(soft, 0))
        assert studio.draw(soft).rgb != studio.draw(sharp).rgb
        other = Studio(tmp_path)
        assert other.draw(sharp).rgb == studio.draw(sharp).rgb
        assert other.draw(soft).rgb == studio.draw(soft).rgb
