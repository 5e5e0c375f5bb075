"""What a request leaves open is settled once."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.jobs.conftest import FixedCatalogue, House, catalogue, checkpoint
from tests.model_files import LORA_SD15, save
from tests.owners import ANN, BOB
from webui.checkpoints.addons import Addons
from webui.checkpoints.catalogue import Checkpoint
from webui.errors import CheckpointNotFound, InvalidRequest, NoCheckpoint, PictureNotFound, PromptError, TaskUnsupported
from webui.jobs.prompts import PromptRules
from webui.jobs.resolve import fitted_size, resolve
from webui.requests import Request, from_dict, to_dict
from webui.requests.diffusion import Branch, ImageToImage, LookText, ResolvedPrompt, TextToImage
from webui.requests.settled import Settled, as_asked
from webui.requests.style_transfer import StyleTransfer, WeightedStyle
from webui.rules.branches import branched
from webui.settings import ROOT

BASE64 = "data:image/png;base64," + "A" * 40


RULES = PromptRules(Addons(ROOT / "models"), ROOT / "presets")


def resolved(house: House, request: Request) -> Settled:
    return resolve(request, ANN, catalogue(), house.storage.uploads, RULES)


def test_the_starter_and_its_defaults(house: House) -> None:
    request = resolved(house, TextToImage(prompt="a lake"))
    assert isinstance(request, TextToImage)
    assert (request.checkpoint, request.scheduler, request.sigmas) == ("starter", "dpmpp_2m", "karras")
    assert (request.steps, request.guidance_scale, request.width, request.height) == (5, 4.0, 256, 256)


def test_what_is_said_stays_said(house: House) -> None:
    said = TextToImage(
        checkpoint="anime", scheduler="heun", sigmas="beta", steps=1, guidance_scale=0.0, seed=0, width=64, height=128,
        decoder="full",
    )  # fmt: skip
    assert as_asked(resolved(house, said)) == said


def test_another_scheduler_comes_without_the_defaults_sigmas(house: House) -> None:
    request = resolved(house, TextToImage(scheduler="euler"))
    assert isinstance(request, TextToImage)
    assert request.sigmas == "default"


@pytest.mark.parametrize(
    ("prompt", "values", "expected"),
    [
        ("a lake <lora:lcm-lora-sdv1-5:1>", {}, (4, 1.0, "lcm", "default")),
        ("a lake <lora:lcm-lora-sdv1-5:1>", {"steps": 8, "scheduler": "euler"}, (8, 1.0, "euler", "default")),
        ("a lake <lora:ink:1> <lora:Hyper-SD15-8steps-lora:0.9>", {}, (8, 1.0, "euler", "simple")),
        ("a lake <lora:lcm-lora-sdv1-5:0>", {}, (5, 4.0, "dpmpp_2m", "karras")),
        ("a lake # <lora:lcm-lora-sdv1-5:1>", {}, (5, 4.0, "dpmpp_2m", "karras")),
        ("a lake <lora:ink:1>", {}, (5, 4.0, "dpmpp_2m", "karras")),
    ],
)
def test_a_lora_of_few_steps_in_the_prompt_settles_what_is_open(
    house: House, tmp_path: Path, prompt: str, values: dict[str, Any], expected: tuple[int, float, str, str]
) -> None:
    for name in ("lcm-lora-sdv1-5", "Hyper-SD15-8steps-lora", "ink"):
        save(tmp_path / "loras" / f"{name}.safetensors", LORA_SD15)
    rules = PromptRules(Addons(tmp_path), ROOT / "presets")
    request = resolve(TextToImage(prompt=prompt, **values), ANN, catalogue(), house.storage.uploads, rules)
    assert isinstance(request, TextToImage)
    assert (request.steps, request.guidance_scale, request.scheduler, request.sigmas) == expected
    assert resolve(request, ANN, catalogue(), house.storage.uploads, rules) == request


def test_sigmas_that_a_scheduler_does_not_have_are_refused_before_they_wait(house: House) -> None:
    with pytest.raises(InvalidRequest) as caught:
        resolved(house, TextToImage(scheduler="ddim", sigmas="karras"))
    assert caught.value.details["field"] == "sigmas"


@pytest.mark.parametrize("seed", [None, -1])
def test_a_random_seed_is_fixed_once(house: House, seed: int | None) -> None:
    seeds = {resolved(house, TextToImage(seed=seed)).seed for _ in range(5)}
    assert len(seeds) == 5
    assert all(found is not None and 0 <= found < 2**32 for found in seeds)


@pytest.mark.parametrize("seed", [None, -1])
def test_only_an_instant_transfer_has_no_use_for_a_random_seed(house: House, seed: int | None) -> None:
    mine = house.storage.uploads.add(ANN, b"mine", 100, 100)
    for method, found in (("instant", {0}), ("optimised", None)):
        asked = StyleTransfer(content_image=mine, style_image=mine, method=method, seed=seed)
        seeds = {resolved(house, asked).seed for _ in range(5)}
        assert seeds == found if found else len(seeds) == 5
    said = StyleTransfer(content_image=mine, style_image=mine, method="instant", seed=5)
    assert resolved(house, said).seed == 5


def test_a_variation_without_a_seed_gets_one(house: House) -> None:
    for seed in (None, -1):
        request = resolved(house, TextToImage(variation_strength=0.1, variation_seed=seed))
        assert isinstance(request, TextToImage)
        assert request.variation_seed is not None
        assert request.variation_seed >= 0
    plain = resolved(house, TextToImage(variation_seed=5))
    assert isinstance(plain, TextToImage)
    assert plain.variation_seed is None  # nothing varies


def test_settings_that_cannot_go_together_are_refused_before_they_wait(house: House) -> None:
    with pytest.raises(InvalidRequest) as caught:
        resolved(house, TextToImage(guidance_start=0.8, guidance_end=0.2))
    assert caught.value.details["reason"] == "guidance_interval_empty"


def test_checkpoints_that_cannot(house: House) -> None:
    with pytest.raises(CheckpointNotFound):
        resolved(house, TextToImage(checkpoint="../../etc/passwd"))
    reference = house.storage.uploads.add(ANN, b"png", 100, 100)
    with pytest.raises(TaskUnsupported) as caught:
        resolved(house, ImageToImage(checkpoint="text only", init_image=reference))
    assert caught.value.details == {"checkpoint": "text only", "family": "sd15", "task": "image_to_image"}
    with pytest.raises(NoCheckpoint):
        resolve(TextToImage(), ANN, FixedCatalogue(), house.storage.uploads, RULES)


def test_pictures_have_to_be_stored_and_ones_own(house: House) -> None:
    with pytest.raises(InvalidRequest) as invalid:
        resolved(house, ImageToImage(init_image=BASE64))
    assert invalid.value.details["field"] == "init_image"
    theirs = house.storage.uploads.add(BOB, b"png", 100, 100)
    with pytest.raises(PictureNotFound):
        resolved(house, ImageToImage(init_image=theirs))
    mine = house.storage.uploads.add(ANN, b"mine", 100, 100)
    with pytest.raises(PictureNotFound):
        resolved(house, StyleTransfer(content_image=mine, style_image=theirs))
    more = (WeightedStyle(image=theirs),)
    with pytest.raises(PictureNotFound):
        resolved(house, StyleTransfer(content_image=mine, style_image=mine, style_images=more))
    assert resolved(house, StyleTransfer(content_image=mine, style_image=mine)).seed is not None


@pytest.mark.parametrize(
    ("picture", "asked", "size"),
    [
        ((4000, 3000), {}, (288, 216)),
        ((100, 50), {}, (128, 64)),
        ((1000, 10), {}, (2048, 64)),
        ((300, 200), {}, (304, 200)),
        ((512, 128), {}, (512, 128)),
        ((256, 256), {}, (256, 256)),
        ((4000, 3000), {"width": 512}, (512, 384)),
        ((3000, 4000), {"height": 512}, (384, 512)),
        ((4000, 3000), {"width": 64, "height": 64}, (64, 64)),
    ],
)
def test_the_size_of_a_redrawn_picture(
    house: House, picture: tuple[int, int], asked: dict[str, int], size: tuple[int, int]
) -> None:
    reference = house.storage.uploads.add(ANN, repr(picture).encode(), *picture)
    request = resolved(house, ImageToImage(init_image=reference, **asked))  # type: ignore[arg-type]
    assert isinstance(request, ImageToImage)
    assert (request.width, request.height) == size


@given(st.integers(1, 20_000), st.integers(1, 20_000), st.sampled_from([256 * 256, 512 * 512, 1024 * 1024]))
def test_a_fitted_size_is_always_allowed(width: int, height: int, max_pixels: int) -> None:
    fitted = fitted_size((width, height), max_pixels)
    assert all(side % 8 == 0 and 64 <= side <= 2048 for side in fitted)
    assert fitted[0] * fitted[1] <= max(max_pixels, 64 * 2048)
    if min(width, height) >= 128 and max(width, height) <= 2 * min(width, height):
        assert fitted[0] / fitted[1] == pytest.approx(width / height, rel=0.1)


def test_a_mask_has_its_picture_s_shape_or_is_refused_before_it_waits(house: House) -> None:
    uploads = house.storage.uploads
    picture, small, other = (
        uploads.add(ANN, bytes([n]), *size) for n, size in enumerate([(600, 400), (150, 100), (400, 400)])
    )
    request = resolved(house, ImageToImage(init_image=picture, mask=small))
    assert isinstance(request, ImageToImage)
    assert (request.width, request.height) == fitted_size((600, 400), 256 * 256)
    with pytest.raises(InvalidRequest) as caught:
        resolved(house, ImageToImage(init_image=picture, mask=other))
    assert caught.value.details == {"field": "mask", "reason": "mask_other_shape"}
    alone = resolved(house, ImageToImage(init_image=picture, mask=small, inpaint_area="only_masked"))
    assert isinstance(alone, ImageToImage)
    assert (alone.width, alone.height) == (256, 256)


def test_a_mask_of_somebody_else_is_none(house: House) -> None:
    picture = house.storage.uploads.add(ANN, b"picture", 64, 64)
    mask = house.storage.uploads.add(BOB, b"mask", 64, 64)
    with pytest.raises(PictureNotFound):
        resolved(house, ImageToImage(init_image=picture, mask=mask))


PROMPTS = st.one_of(
    st.sampled_from(["a lake", "{a|b} lake", "__colours__ fox", r"\{a\} # not {b}", "湖泊"]), st.text(max_size=12)
)


@given(
    prompt=PROMPTS,
    looks=st.lists(st.sampled_from(["ink", "watercolour"]), max_size=3),
    num_images=st.integers(1, 3),
    variation_strength=st.sampled_from([0.0, 0.5]),
    scheduler=st.sampled_from([None, "euler", "ddim"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_settled_request_stays_as_it_is(house: House, **values: Any) -> None:
    try:
        request = resolved(house, TextToImage(**values))
    except PromptError:  # a brace too many
        return
    for posted in (request, from_dict(json.loads(json.dumps(to_dict(request))))):
        assert resolved(house, posted) == request


def test_a_settled_branch_stays_as_it_is(house: House) -> None:
    origin = resolved(house, TextToImage(prompt="a {red|blue} fox", looks=("ink",), num_images=2))
    request = resolved(house, branched(origin, 1, 2, {"prompt": "a {green|grey} fox"}))
    assert isinstance(request, TextToImage)
    assert request.branch_from is not None
    assert request.branch_from.origin.resolved_prompts is None  # its own words, not what they were made of
    assert resolved(house, as_asked(request)) == request


def test_looks_are_settled_as_texts_and_stay_those(house: House) -> None:
    request = resolved(house, TextToImage(prompt="a lake", looks=("Watercolour", "ink"), num_images=2))
    assert isinstance(request, TextToImage)
    assert request.looks == tuple(look.name for look in request.look_texts) == ("watercolour", "ink")
    assert request.resolved_prompts is not None
    assert len(set(request.resolved_prompts)) == 1
    assert request.resolved_prompts[0].prompt.count("a lake") == 1
    older = dataclasses.replace(
        as_asked(request), look_texts=(LookText(name="watercolour", prompt="old {prompt}"), LookText(name="ink"))
    )
    again = resolved(house, older)
    assert isinstance(again, TextToImage)
    assert again.resolved_prompts == (ResolvedPrompt(prompt="old a lake"),) * 2


def test_words_that_are_changed_in_a_settled_request_count(house: House) -> None:
    request = as_asked(resolved(house, TextToImage(prompt="{a|b} lake", looks=("ink",), seed=1)))
    assert isinstance(request, TextToImage)
    for change in (
        {"prompt": "{c|d} hill"},
        {"seed": 2, "prompt": "{a|b|c|d|e} lake"},
        {"num_images": 3},
        {"looks": ()},
    ):
        changed = resolved(house, dataclasses.replace(request, **change))
        anew = {"look_texts": (), "resolved_prompts": None, "resolved_from": None}
        assert changed == resolved(house, dataclasses.replace(request, **anew | change)), change


@pytest.mark.parametrize("looks", [("nothing",), ("ink", "../ink")])
def test_a_look_that_is_not_there_is_refused(house: House, looks: tuple[str, ...]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        resolved(house, TextToImage(looks=looks))
    assert caught.value.details == {"field": "looks", "reason": "no_such_look", "name": looks[-1]}


def test_looks_that_make_a_prompt_too_long_are_refused(house: House) -> None:
    with pytest.raises(PromptError) as caught:
        resolved(house, TextToImage(prompt="a" * 9_990, looks=("ink",)))
    assert caught.value.details["reason"] == "prompt_settled_long"


def published(folder: Path, *, is_tiny: bool) -> Checkpoint:
    """A checkpoint with a VAE as large as published ones, and perhaps with a tiny decoder."""
    places = {"vae": {"block_out_channels": [128, 256, 512, 512]}, "tiny_vae": {"_class_name": "AutoencoderTiny"}}
    for place, config in places.items() if is_tiny else [("vae", places["vae"])]:
        (folder / place).mkdir(parents=True)
        (folder / place / "config.json").write_text(json.dumps(config | {"latent_channels": 4}), "utf-8")
        (folder / place / "diffusion_pytorch_model.safetensors").write_bytes(b"")
    return Checkpoint(**vars(checkpoint("starter")) | {"path": folder})


@pytest.mark.parametrize(
    ("is_tiny", "is_on_cpu", "asked", "decoder"),
    [
        (True, True, {}, "tiny"),
        (True, False, {}, "full"),
        (False, True, {}, "full"),
        (True, True, {"decoder": "full"}, "full"),
        (True, False, {"decoder": "tiny"}, "tiny"),
        (False, True, {"decoder": "tiny"}, None),
    ],
)
def test_an_open_decoder_is_the_tiny_one_on_a_processor_that_has_one(
    house: House, tmp_path: Path, is_tiny: bool, is_on_cpu: bool, asked: dict[str, Any], decoder: str | None
) -> None:
    catalogue = FixedCatalogue(published(tmp_path / "starter", is_tiny=is_tiny))
    prompts = PromptRules(Addons(tmp_path), tmp_path)

    def settled(request: TextToImage) -> Any:
        return resolve(request, ANN, catalogue, house.storage.uploads, prompts, is_on_cpu=is_on_cpu)

    request = TextToImage(prompt="a lake", **asked)
    if decoder is None:
        with pytest.raises(InvalidRequest) as raised:
            settled(request)
        assert (raised.value.details["field"], raised.value.details["reason"]) == ("decoder", "no_tiny_decoder")
        return
    found = settled(request)
    assert found.decoder == decoder
    branch = settled(TextToImage(seed=1, branch_from=Branch(origin=as_asked(found), step=2)))
    assert branch.decoder == decoder
    assert settled(as_asked(found)) == found
