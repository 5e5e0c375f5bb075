"""The scripts of the gallery that do without its sheet."""

from __future__ import annotations

import pytest

from tests.modules.conftest import CHECKPOINTS, Modules, listed

# What stands below a picture, and its texts outside of any button.
TOOLS = """
    const { pictureTools } = await at("gallery/again.js");
    const tools = pictureTools(given);
    const texts = document.createTreeWalker(tools, NodeFilter.SHOW_TEXT);
    const bare = [];
    while (texts.nextNode()) if (!texts.currentNode.parentElement.closest("button")) bare.push(texts.currentNode.data);
    return [[...tools.querySelectorAll("button")].map((button) => button.textContent), bare];
"""
ALWAYS = ["Inspect", "Make again"]


@pytest.mark.parametrize(
    ("request_", "buttons"),
    [
        ({"task": "text_to_image", "decoder": "tiny"}, [*ALWAYS, "Finish sharp"]),
        ({"task": "text_to_image", "decoder": "full"}, ALWAYS),
        ({"task": "style_transfer"}, ALWAYS),
        (None, ALWAYS),
    ],
)
def test_below_a_picture_stand_buttons_and_no_stray_words(
    modules: Modules, request_: dict[str, str] | None, buttons: list[str]
) -> None:
    assert modules.run(TOOLS, {"url": "/api/images/x", "request": request_}) == [buttons, []]


SHARP = """
    await openForm(given.checkpoints);
    const request = { task: "text_to_image", checkpoint: given.checkpoint, prompt: "a lake", decoder: "tiny" };
    answers["GET /api/images/x/request"] = { json: request };
    answers["GET /api/jobs/a"] = given.answer;
    const accepted = { status: 202, json: { id: "b", position: 1, request: { ...request, decoder: "full" } } };
    for (const path of ["/api/text-to-image", "/api/jobs/a/keep"]) answers[`POST ${path}`] = accepted;
    const press = given.isOnStage ? async () => {
        const { finishSharp } = await at("jobs/sharp.js");
        await finishSharp({ id: "a", request }, 2);
        return document.querySelector("#note");
    } : async () => {
        const { pictureTools } = await at("gallery/again.js");
        const tools = pictureTools({ url: "/api/images/x", job: "a", image: 2, request });
        document.body.append(tools);
        [...tools.querySelectorAll("button")].at(-1).click();
        await until(() => tools.querySelector("[role=status]"));
        return tools.querySelector("[role=status]");
    };
    const said = (await press())?.textContent ?? "";
    return [said, calls.filter(({ call }) => call.startsWith("POST")).map(({ body }) => body)];
"""
GONE = "Its steps are not in memory: the picture is drawn again first."
NEVER = "Steps are not kept for this kind of checkpoint: the picture is drawn again first."


@pytest.mark.parametrize("is_on_stage", [True, False], ids=["stage", "gallery"])
@pytest.mark.parametrize(
    ("checkpoint", "status", "kept", "why"),
    [
        ("starter", 200, [0, 2], ""),
        ("starter", 200, [0, 1], GONE),
        ("starter", 404, [], GONE),
        ("starter", 503, [], ""),
        ("flow", 200, [], NEVER),
    ],
)
def test_finishing_sharp_says_why_a_picture_is_drawn_again(
    modules: Modules, is_on_stage: bool, checkpoint: str, status: int, kept: list[int], why: str
) -> None:
    given = {
        "checkpoints": [*CHECKPOINTS, listed("flow", "FluxPipeline")],
        "checkpoint": checkpoint,
        "answer": {"status": status, "json": {"steps_kept": kept}},
        "isOnStage": is_on_stage,
    }
    said, sent = modules.run(SHARP, given)
    assert len(sent) == 1
    if is_on_stage:
        assert (said, sent[0]) == (why, {"image": 2})
        return
    asked = "The full decoder is working on it; the sharp picture will be in the gallery."
    assert said == (f"{why} The sharp picture will be in the gallery." if why else asked)
    assert sent[0]["decoder"] == "full"
