"""What the form says becomes a request that the API takes; what it refuses is said in words that name a control."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, cast

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from tests.modules.conftest import CHECKPOINTS, Modules
from webui.api.error_handlers import install_error_handlers
from webui.api.routes.generate import generate_routes
from webui.api.services import Services
from webui.errors import InvalidRequest, PromptError
from webui.requests import from_dict, to_dict
from webui.requests.diffusion import ImageToImage, TextToImage
from webui.requests.style_transfer import StyleTransfer
from webui.rules.branches import CHANGEABLE
from webui.schedulers import SCHEDULERS, SIGMAS
from webui.texts import Texts

REFERENCE = "sha256:" + "0" * 64
PICTURES = {"init_image": REFERENCE, "content_image": REFERENCE, "style_image": REFERENCE}
REQUESTS_OF = """const form = await openForm(given.checkpoints);
    const { requestOf } = await at("form/request.js");
    return given.changes.map((changes) => {
        form.set(given.start);
        form.set({ ...given.pictures, ...changes });
        const made = ["text_to_image", "image_to_image", "style_transfer"].map((task) => requestOf(form.values, task));
        return JSON.parse(JSON.stringify(made));
    });"""


def requests_of(modules: Modules, *changes: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """The requests of all three tasks, for each of these changes of the form."""
    start = modules.run("""return (await at("core/given.js")).given.start;""")
    given = {"checkpoints": CHECKPOINTS, "changes": changes, "pictures": PICTURES, "start": start}
    found: list[list[dict[str, Any]]] = modules.run(REQUESTS_OF, given)
    return found


def test_an_untouched_form_makes_requests_of_default_values(modules: Modules) -> None:
    ((written, redrawn, styled),) = requests_of(modules, {"prompt": "a lake"})
    text, image, style = from_dict(written), from_dict(redrawn), from_dict(styled)
    assert text == TextToImage(
        prompt="a lake", checkpoint="starter", width=256, height=192, steps=20, guidance_scale=5.0, scheduler="ddim",
    )  # fmt: skip
    assert isinstance(image, ImageToImage)
    assert (image.init_image, image.mask, image.denoising_strength) == (REFERENCE, None, 0.6)
    assert style == StyleTransfer(content_image=REFERENCE, style_image=REFERENCE)
    assert written.keys().isdisjoint({"seed", "sigmas"}), "DDIM has no other ones"


def test_every_combination_is_one_that_the_api_takes(modules: Modules) -> None:
    changes: list[dict[str, Any]] = [
        {"checkpoint": checkpoint, "scheduler": scheduler.id, "sigmas": sigmas}
        for checkpoint in ("starter", "large")
        for scheduler in SCHEDULERS
        for sigmas in SIGMAS
    ]
    changes += [
        {"prompt_dialect": dialect, "emphasis": emphasis, "guidance_scale": guidance, "eta": eta}
        for dialect in ("a1111", "compel")
        for emphasis in ("original", "no_norm")
        for guidance in (1, 5, 30)
        for eta in (0, 0.5, 1)
    ]
    changes += [
        {"mask": mask, "inpaint_area": area, "masked_content": "original", "outpaint_left": left, "keep_best": best,
         "num_images": 4, "variation_strength": strength, "soft_inpainting": left > 0}
        for mask in ("", REFERENCE)
        for area in ("whole_picture", "only_masked")
        for left in (0, 13, 64)
        for best in (0, 2)
        for strength in (0, 0.5)
    ]  # fmt: skip
    changes += [
        {"method": method, "init": init, "style_images": further, "layer_weights": weights, "seed": 5}
        for method in ("optimised", "instant")
        for init in ("content", "noise")
        for further in (None, [{"image": REFERENCE, "weight": 2}])
        for weights in (None, {"conv1_1": 0.5})
    ]
    made = [request for one in requests_of(modules, *changes) for request in one]
    assert len(made) == 3 * len(changes)
    for request in made:
        read = to_dict(from_dict(copy.deepcopy(request)))
        assert all(read[name] == value for name, value in request.items() if not isinstance(value, list | dict)), (
            request
        )


def test_what_has_no_effect_goes_out_as_if_nobody_had_set_it(modules: Modules) -> None:
    changes: dict[str, Any] = {
        "guidance_scale": 1, "guidance_rescale": 0.5, "prompt_dialect": "compel", "emphasis": "no_norm",
        "mask_blur": 9, "method": "instant", "iterations": 900, "seed": 5, "eta": 0,
    }  # fmt: skip
    ((written, redrawn, styled),) = requests_of(modules, changes)
    assert (written["guidance_rescale"], written["emphasis"]) == (0, "original")
    assert "eta" not in written, "the scheduler's own share"
    assert redrawn["mask_blur"] == 4
    assert (styled["iterations"], styled.get("seed")) == (200, None)
    assert written["seed"] == redrawn["seed"] == 5


def test_sides_go_out_in_steps_of_eight(modules: Modules) -> None:
    changes = [{"outpaint_left": pixels} for pixels in (3, 13, 64, None)]
    assert [made[1]["outpaint_left"] for made in requests_of(modules, *changes)] == [0, 16, 64, 0]


def test_sent_values_leave_the_form_as_it_is(modules: Modules) -> None:
    found = modules.run(
        """const form = await openForm(given);
        const { sentValues } = await at("form/request.js");
        form.set({ method: "instant", seed: 5, num_images: 4, keep_best: 2 });
        const before = form.values;
        const sent = ["style_transfer", "text_to_image"].map((task) => sentValues(form.values, task));
        form.set({ checkpoint: "large" });
        return [sent.map(({ seed, keep_best: best }) => [seed, best]), before.seed,
            sentValues({ ...form.values, keep_best: 2 }, "text_to_image").keep_best];""",
        CHECKPOINTS,
    )
    assert found == [[[None, 2], [5, 2]], 5, 0], "nobody judges beside the second checkpoint"


def test_lists_of_a_style_transfer(modules: Modules) -> None:
    lists = {"style_images": [{"image": REFERENCE, "weight": 2}], "layer_weights": {"conv1_1": 0.5}}
    styled = from_dict(requests_of(modules, lists)[0][2])
    assert isinstance(styled, StyleTransfer)
    assert [(style.image, style.weight) for style in styled.style_images] == [(REFERENCE, 2.0)]
    assert (styled.layer_weights.conv1_1, styled.layer_weights.conv5_1) == (0.5, 1.0)


def test_a_branch_says_all_that_it_may_have_otherwise(modules: Modules) -> None:
    found = modules.run(
        """const form = await openForm(given);
        const { branchOf, requestOf, addressOf } = await at("form/request.js");
        const armed = { job: "origin", image: 1, step: 7 };
        form.set({ prompt: "a lake", looks: ["ink"], seed: 5 });
        const seeded = branchOf(requestOf(), armed);
        form.set({ seed: null, looks: [], prompt: "" });
        return [seeded, branchOf(requestOf(), armed), addressOf("text_to_image")];""",
        CHECKPOINTS,
    )
    seeded, random, address = found
    assert seeded.keys() <= {"image", "step", *CHANGEABLE}
    assert (seeded["image"], seeded["step"], seeded["prompt"], seeded["looks"], seeded["seed"]) == (
        1, 7, "a lake", ["ink"], 5,
    )  # fmt: skip
    assert (random["seed"], random["looks"], random["prompt"], random["negative_prompt"]) == (-1, [], "", "")
    assert address == "/api/text-to-image"


@pytest.fixture(scope="module")
def api(files: dict[str, str]) -> Iterator[TestClient]:
    """The routes that take requests, which none gets past here, and two errors of the domain."""
    app = FastAPI()
    install_error_handlers(app, Texts())
    app.include_router(generate_routes(cast(Services, None)))

    @app.post("/rules")
    def break_a_rule() -> None:
        raise InvalidRequest(field="clip_skip", reason="clip_skip_too_deep")

    @app.post("/prompt")
    def break_a_prompt() -> None:
        raise PromptError(field="negative_prompt", problem="unclosed", position=3)

    with TestClient(app) as client:
        yield client


LONG = "x" * 10_001
COMPLAINTS = [
    ("/api/text-to-image", {"width": 100}, "width", "“Width” must be between 64 and 2048, in steps of 8."),
    ("/api/text-to-image", {"steps": 0}, "steps", "“Steps” must be between 1 and 150, in steps of 1."),
    ("/api/text-to-image", {"seed": 2**32}, "seed", "“Seed” must be between -1 and 4294967295, in steps of 1."),
    ("/api/text-to-image", {"seed": 1.5}, "seed", "“Seed” must be between -1 and 4294967295, in steps of 1."),
    ("/api/text-to-image", {"scheduler": "none"}, "scheduler", "“Scheduler” has an invalid value."),
    ("/api/text-to-image", {"prompt": LONG}, "prompt", "Prompt may have up to 10000 characters."),
    ("/api/image-to-image", {}, "init_image", "Input image: choose a picture first."),
    ("/api/style-transfer", {"content_image": REFERENCE}, "style_image", "Style image: choose a picture first."),
    ("/api/text-to-image", {"warmth": 1}, "", "This version of Darkroom does not know the field “warmth”."),
]
TOLD = """const { ApiError, api } = await at("core/api.js");
    const { complaintOf } = await at("form/request.js");
    answers["POST /x"] = given;
    try { await api("POST", "/x", {}); } catch (error) { return complaintOf(error); }"""


@pytest.mark.parametrize(("path", "body", "field", "sentence"), COMPLAINTS)
def test_a_wrong_value_is_named(
    api: TestClient, modules: Modules, path: str, body: dict[str, Any], field: str, sentence: str
) -> None:
    answer = api.post(path, json=body)
    assert answer.status_code == 422
    assert modules.run(TOLD, {"status": 422, "json": answer.json()}) == {"message": sentence, "field": field}


def test_a_refusal_of_the_rules_calls_the_control_by_its_label(api: TestClient, modules: Modules) -> None:
    said = modules.run(TOLD, {"status": 422, "json": api.post("/rules").json()})
    assert said["field"] == "clip_skip"
    assert said["message"].startswith("“Clip skip” cannot have this value: ")
    assert "text encoder" in said["message"]


def test_a_prompt_that_cannot_be_read_is_said_as_the_server_words_it(api: TestClient, modules: Modules) -> None:
    answer = api.post("/prompt")
    said = modules.run(TOLD, {"status": 422, "json": answer.json()})
    assert said == {"message": answer.json()["detail"][0]["msg"], "field": "negative_prompt"}


def test_what_is_no_complaint_about_a_field_is_said_as_it_is(modules: Modules) -> None:
    error = {"kind": "queue_full", "message": "Too many wait.", "hint": "Wait."}
    said = modules.run(TOLD, {"status": 429, "json": {"error": error}})
    assert said == {"message": "Too many wait.", "field": ""}


def test_a_wrong_value_is_named_in_chinese(api: TestClient, modules: Modules) -> None:
    modules.run("speakChinese();")
    answer = {"status": 422, "json": api.post("/api/image-to-image", json={}).json()}
    assert modules.run(TOLD, answer)["message"] == "请先选择图片：输入图片。"
    broken = api.post("/rules", headers={"Accept-Language": "zh-CN"}).json()
    assert "跳过 CLIP 层" in modules.run(TOLD, {"status": 422, "json": broken})["message"]
