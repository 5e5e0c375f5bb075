"""Every family that is no U-Net and has a row of its own, at toy size, from its folder through the engine."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests import toy_families
from tests.settling import SettlingEngine, settle
from tests.toys import save_sd3
from webui.capabilities import Capability
from webui.checkpoints.families import FAMILIES
from webui.engine.context import Context
from webui.engine.engine import Engine
from webui.errors import Cancelled, InvalidRequest
from webui.events import Step
from webui.requests import from_dict
from webui.requests.diffusion import ImageToImage, TextToImage
from webui.rules.sampling import schedulers_for, sigmas_for
from webui.settings import Settings
from webui.ui.declared_controls import controlled_fields, field_defaults
from webui.worker.messages import RawImage

TOYS: dict[str, Callable[[Path], Path]] = {
    "StableDiffusion3Pipeline": save_sd3,
    "FluxPipeline": toy_families.save_flux,
    "FluxSchnell": lambda folder: toy_families.save_flux(folder, is_dev=False),
    "ZImagePipeline": toy_families.save_z_image,
    "QwenImagePipeline": toy_families.save_qwen_image,
    "SanaPipeline": toy_families.save_sana,
    "SanaSprintPipeline": toy_families.save_sana_sprint,
    "PixArtSigmaPipeline": toy_families.save_pixart_sigma,
    "AmusedPipeline": toy_families.save_amused,
}
REFERENCE, MASK = "sha256:" + "0" * 64, "sha256:" + "1" * 64  # a gradient downwards; its lower half


@dataclass
class _Watcher:
    steps: list[Step] = field(default_factory=list)
    check: Callable[[], None] = lambda: None

    def context(self) -> Context:
        buffer = io.BytesIO()
        Image.linear_gradient("L").resize((64, 64)).convert("RGB").save(buffer, "PNG")
        mask = io.BytesIO()
        Image.linear_gradient("L").resize((64, 64)).point(lambda level: 255 * (level > 127)).save(mask, "PNG")
        pictures = {REFERENCE: buffer.getvalue(), MASK: mask.getvalue()}

        def on_event(event: Any) -> None:
            if isinstance(event, Step):
                self.steps.append(event)

        return Context(on_event, lambda: self.check(), lambda: True, pictures.__getitem__)


@pytest.fixture(scope="module", params=list(TOYS))
def family(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def engine(family: str, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    models = tmp_path_factory.mktemp("models")
    TOYS[family](models / "toy")
    return SettlingEngine(Settings(models_dir=models, device="cpu", precision="fp32"))


def run(engine: Engine, request: TextToImage | ImageToImage, watcher: _Watcher | None = None) -> RawImage:
    (image,) = engine.run(request, (watcher or _Watcher()).context())
    assert len(set(image.rgb)) > 2
    return image


def asked(**values: Any) -> TextToImage:
    options: dict[str, Any] = {"prompt": "a red cat", "seed": 7, "steps": 4, "width": 64, "height": 64}
    return TextToImage(checkpoint="toy", **options | values)


def _away(one: RawImage, other: RawImage) -> int:
    pixels = [np.frombuffer(image.rgb, np.uint8).astype(int) for image in (one, other)]
    return int(np.abs(pixels[0] - pixels[1]).max())


def test_a_prompt_becomes_a_picture_step_by_step(engine: Engine, family: str) -> None:
    assert engine.catalogue.get("toy").family == family
    watcher = _Watcher()
    image = run(engine, asked(), watcher)
    assert (image.width, image.height, image.info["steps"]) == (64, 64, 4)
    denoise = [step for step in watcher.steps if step.phase == "denoise"]
    assert [(step.index, step.total) for step in denoise] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert len({step.preview for step in denoise} - {None}) == 4
    assert run(engine, asked()).rgb == image.rgb
    assert run(engine, asked(seed=8)).rgb != image.rgb


def test_what_the_page_sends_is_settled_and_drawn(engine: Engine, family: str) -> None:
    """From the controls' values to the picture, with nothing said but the prompt, a look and less work."""
    less = {"task": "text_to_image", "width": 64, "height": 64, "steps": 2}
    controls = {name: value for name, value in field_defaults().items() if name in controlled_fields("text_to_image")}
    values = controls | less | {"prompt": "a {cat|cat} # mine", "looks": ["watercolour"], "checkpoint": "toy"}
    row, own = FAMILIES[family], engine.catalogue.get("toy").defaults
    settled = settle(from_dict(values), engine.catalogue)
    assert isinstance(settled, TextToImage)
    assert (settled.scheduler, settled.guidance_scale) == (own.scheduler, own.guidance_scale)
    assert "{cat|cat}" in settled.prompt
    (told,) = settled.resolved_prompts or ()
    assert told.prompt.startswith("a cat")
    assert "watercolour" in told.prompt
    assert bool(told.negative_prompt) is (Capability.NEGATIVE_PROMPT in row.capabilities)
    image = run(engine, settled)
    assert (image.width, image.height, image.seed) == (64, 64, settled.seed)


def test_a_size_between_its_multiples_is_given(engine: Engine) -> None:
    image = run(engine, asked(width=72, height=104, steps=2))
    assert (image.width, image.height) == (72, 104)


def test_a_picture_is_redrawn_where_diffusers_can(engine: Engine, family: str) -> None:
    values: dict[str, Any] = {"prompt": "a cat", "seed": 7, "steps": 4, "width": 64, "height": 64}
    if FAMILIES[family].image_pipeline is None:
        assert "image_to_image" not in engine.catalogue.get("toy").tasks
        return
    watcher = _Watcher()
    run(engine, ImageToImage(checkpoint="toy", init_image=REFERENCE, denoising_strength=0.5, **values), watcher)
    denoise = [step for step in watcher.steps if step.phase == "denoise"]
    assert [(step.index, step.total) for step in denoise] == [(1, 2), (2, 2)]


@pytest.mark.parametrize("values", [{"mask": MASK, "denoising_strength": 0.5}, {"outpaint_bottom": 32}])
def test_a_part_is_redrawn_where_diffusers_can(engine: Engine, family: str, values: dict[str, Any]) -> None:
    if FAMILIES[family].image_pipeline is None:
        return
    fields = {"prompt": "a cat", "seed": 7, "steps": 4, "width": 64, "height": 64, "mask_blur": 0}
    image = run(engine, ImageToImage(checkpoint="toy", init_image=REFERENCE, **fields | values))
    found = np.frombuffer(image.rgb, np.uint8).reshape(image.height, image.width, 3)
    kept = np.asarray(Image.linear_gradient("L").resize((64, 64)).convert("RGB"))
    rows = 32 if "mask" in values else 64
    assert np.array_equal(found[:rows], kept[:rows])
    assert image.height == (64 if "mask" in values else 96)
    assert found[rows + 8 :].std(axis=1).mean() > 0.5  # not the gradient, whose rows are even


def test_guidance_and_negative_prompt_count_or_are_refused(engine: Engine, family: str) -> None:
    weak, strong = (run(engine, asked(guidance_scale=g)) for g in (1.5, 9.0))
    assert _away(weak, strong) > 0
    if Capability.NEGATIVE_PROMPT not in FAMILIES[family].capabilities:
        with pytest.raises(InvalidRequest) as caught:
            run(engine, asked(negative_prompt="a dog"))
        assert caught.value.details["field"] == "negative_prompt"
    else:
        assert _away(strong, run(engine, asked(guidance_scale=9.0, negative_prompt="a blue lake, at night"))) > 0


def test_every_scheduler_of_the_table_runs_and_no_other_does(engine: Engine, family: str) -> None:
    row = FAMILIES[family]
    for scheduler in ("euler", "dpmpp_2m", "ddim", "unmasking", "scm"):
        if scheduler in schedulers_for(row) and (family, scheduler) != ("SanaPipeline", "euler"):
            for sigmas in sigmas_for(scheduler, row)[:2]:
                run(engine, asked(scheduler=scheduler, sigmas=sigmas, steps=2))
        else:  # for Sana's Euler there are other folders
            with pytest.raises(InvalidRequest) as caught:
                run(engine, asked(scheduler=scheduler, steps=2))
            assert caught.value.details["field"] == "scheduler"


def test_what_only_our_own_loop_does_is_refused(engine: Engine) -> None:
    with pytest.raises(InvalidRequest) as caught:
        run(engine, asked(tiling="both"))
    assert caught.value.details == {"field": "tiling", "reason": "only_unet"}


def test_a_stop_is_heard_between_two_steps(engine: Engine) -> None:
    watcher = _Watcher()

    def check() -> None:
        if any(step.phase == "denoise" for step in watcher.steps):
            raise Cancelled

    watcher.check = check
    with pytest.raises(Cancelled):
        run(engine, asked(steps=50), watcher)
    assert len([step for step in watcher.steps if step.phase == "denoise"]) < 10


def test_any_step_can_be_kept(engine: Engine) -> None:
    """The last one is the picture itself, but for rounding in the VAE's type."""
    asked = TextToImage(prompt="a red cat", checkpoint="toy", seed=5, steps=4)
    watcher = _Watcher()
    whole, last = run(engine, asked), run(engine, replace(asked, stop_after=4))
    early = run(engine, replace(asked, stop_after=2), watcher)
    assert np.abs(_pixels(whole) - _pixels(last)).max() <= 2
    assert (early.info["steps"], early.rgb == whole.rgb) == (2, False)
    denoised = [(step.index, step.total) for step in watcher.steps if step.phase == "denoise"]
    assert denoised == [(1, 4), (2, 4)]
    assert run(engine, asked).rgb == whole.rgb  # the pipeline is none the worse for it


def _pixels(image: RawImage) -> np.ndarray:
    return np.frombuffer(image.rgb, np.uint8).astype(int)
