"""Downloads as the page sees them: the ring in the header, and a prompt that waits for a model."""

from __future__ import annotations

from typing import Any

import pytest

from tests.modules.conftest import CHECKPOINTS, Modules

ONE = {
    "id": "d1", "name": "Large", "state": "running", "bytes_done": 340, "bytes_total": 1000, "seconds_left": 120.0,
    "places": ["large"], "error": None,
}  # fmt: skip
BUNDLE = {
    "id": "large",
    "name": "Large",
    "settings": {"width": 512, "height": 512, "steps": 4, "guidance_scale": 1.0, "scheduler": "lcm"},
    "prompt_suffix": " <lora:few:1>",
    "edits": False,
}
# `list` is what the server tells of downloads; `machine(counts)` is what it tells beside the machine's state.
PAGE = """
    let list = given.list;
    answers["GET /api/models/downloads"] = () => ({ json: list });
    answers["POST /api/text-to-image"] = { status: 202, json: { id: "job-1", position: 0 } };
    answers["POST /api/image-to-image"] = { status: 202, json: { id: "job-2", position: 0 } };
    const { emit, on } = await at("core/bus.js");
    const form = await openForm(given.checkpoints);
    const { stage } = await at("stage/state.js");
    await at("stage/waiting.js");
    const { lookAtDownloads } = await at("jobs/downloads.js");
    const { mountRing } = await at("header/ring.js");
    const machine = (downloads) => emit("machine", { downloads });
    const asked = () => calls.filter(({ call }) => call === "GET /api/models/downloads").length;
    const posts = () => calls.filter(({ call }) => call.startsWith("POST /api/") && call.endsWith("-image"));
    const box = document.body.appendChild(document.createElement("div"));
    const ring = document.body.appendChild(document.createElement("button"));
    Object.assign(box, { className: "stage-waits", hidden: true });
    stage.node = document.body;
    mountRing(ring);
    ring.hidden = true;
    const told = () => (box.hidden ? null : [...box.querySelectorAll("span")].map((one) => one.textContent));
    const noted = () => document.getElementById("note")?.firstElementChild.textContent;
    const getAndUse = () => emit("wait-for-model", { download: "d1", bundle: given.bundle });
"""


def given(*downloads: dict[str, Any], **values: Any) -> dict[str, Any]:
    return {"list": list(downloads), "checkpoints": CHECKPOINTS, "bundle": BUNDLE, **values}


def test_nobody_asks_where_nothing_is_downloaded(modules: Modules) -> None:
    found = modules.run(
        PAGE + "machine(null); machine({}); await nextTask(); await nextTask(); return [asked(), ring.hidden];",
        given(),
    )
    assert found == [0, True]


def test_the_ring_says_how_far_the_one_is_that_comes(modules: Modules) -> None:
    found = modules.run(
        PAGE
        + """const shown = () => [
            ring.hidden, ring.dataset.state, ring.getAttribute("aria-label"), ring.style.getPropertyValue("--done"),
        ];
        machine({ running: 1 });
        await until(() => ring.dataset.state);
        const seen = [shown()];
        for (const state of ["paused", "failed"]) {
            list = [{ ...list[0], state }];
            await lookAtDownloads();
            seen.push(shown());
        }
        list = [{ ...list[0], state: "finished" }];
        await lookAtDownloads();
        return [...seen, [ring.hidden, noted()]];""",
        given(ONE),
    )
    assert found == [
        [False, "running", "Downloading Large: 34 %, 2 min left", "0.34"],
        [False, "paused", "Paused: Large, 34 %", "0.34"],
        [False, "failed", "Could not be downloaded: Large", "0.34"],
        [True, "Large is here."],
    ]


def test_a_prompt_waits_and_is_drawn_once_with_the_bundles_settings(modules: Modules) -> None:
    found = modules.run(
        PAGE
        + """form.set({ prompt: "a lake", seed: 7 }, "person");
        getAndUse();
        await lookAtDownloads();
        const waiting = told();
        form.set({ prompt: "a wood", seed: 8 }, "person");
        list = [{ ...list[0], state: "finished" }];
        await lookAtDownloads();
        await until(() => posts().length);
        await lookAtDownloads();
        const { checkpoint, prompt, steps } = form.values;
        return [waiting, told(), posts(), [checkpoint, prompt, steps], localStorage.getItem("darkroom.waits")];""",
        given(ONE),
    )
    waiting, told, (post,), form, kept = found
    assert waiting == ["Your prompt waits for Large", "34 %, about 2 min left"]
    assert told is None
    body = post["body"]
    assert (body["prompt"], body["seed"], body["checkpoint"]) == ("a lake <lora:few:1>", 7, "large")
    assert (body["steps"], body["guidance_scale"], body["scheduler"], body["width"]) == (4, 1, "lcm", 512)
    assert form == ["large", "a wood <lora:few:1>", 4]
    assert kept == "null"


def test_what_somebody_has_chosen_meanwhile_stays(modules: Modules) -> None:
    found = modules.run(
        PAGE
        + """form.set({ checkpoint: "starter", prompt: "a lake" }, "person");
        getAndUse();
        form.set({ checkpoint: "other" }, "person");
        list = [{ ...list[0], state: "finished" }];
        await lookAtDownloads();
        await until(() => posts().length);
        return [form.values.checkpoint, form.values.prompt, posts()[0].body.checkpoint, noted()];""",
        given(ONE, checkpoints=[*CHECKPOINTS, {**CHECKPOINTS[0], "id": "other"}]),
    )
    assert found == ["other", "a lake", "large", "Large is here."]


@pytest.mark.parametrize(
    "changes",
    [
        {"prompt": "  "},
        {"prompt": "a lake", "task": "style_transfer"},
        {"prompt": "a lake", "task": "image_to_image"},
        {"prompt": "a lake", "edits": True},
    ],
    ids=["empty", "style", "without a picture", "one that edits"],
)
def test_where_nothing_can_be_drawn_it_is_only_used(modules: Modules, changes: dict[str, Any]) -> None:
    found = modules.run(
        PAGE
        + """form.setTask(given.changes.task ?? "text_to_image");
        form.set({ prompt: given.changes.prompt, init_image: null }, "person");
        given.bundle.edits = Boolean(given.changes.edits);
        getAndUse();
        const waiting = told()[0];
        list = [{ ...list[0], state: "finished" }];
        await lookAtDownloads();
        await until(() => form.values.checkpoint === "large");
        await nextTask();
        return [waiting, posts()];""",
        given(ONE, changes=changes),
    )
    assert found == ["Large is used as soon as it is here", []]


@pytest.mark.parametrize("gone", [[], [{**ONE, "state": "cancelled"}]], ids=["forgotten", "cancelled"])
def test_a_cancelled_download_is_said_and_leaves_the_prompt(modules: Modules, gone: list[dict[str, Any]]) -> None:
    found = modules.run(
        PAGE
        + """form.set({ prompt: "a lake" }, "person");
        getAndUse();
        list = given.gone;
        await lookAtDownloads();
        return [told(), noted(), form.values.prompt, posts()];""",
        given(ONE, gone=gone),
    )
    assert found == [None, "Large is not being downloaded any more. Your prompt is as it was.", "a lake", []]


def test_a_failure_stays_in_sight_and_can_be_tried_again(modules: Modules) -> None:
    found = modules.run(
        PAGE
        + """answers["POST /api/models/downloads/d1/resume"] = () => {
            list = [{ ...list[0], state: "running", error: null }];
            return { status: 202, json: {} };
        };
        form.set({ prompt: "a lake" }, "person");
        getAndUse();
        list = [{ ...list[0], state: "failed", error: { message: "The disk is full." } }];
        await lookAtDownloads();
        const failed = told();
        const [again] = box.querySelectorAll("button");
        again.click();
        await until(() => told()[0] !== failed[0]);
        return [failed, again.textContent, told()];""",
        given(ONE),
    )
    assert found == [
        ["Large could not be downloaded; your prompt still waits.", "The disk is full."],
        "Try again",
        ["Your prompt waits for Large", "34 %, about 2 min left"],
    ]


def test_it_waits_no_longer_if_one_says_so(modules: Modules) -> None:
    found = modules.run(
        PAGE
        + """form.set({ prompt: "a lake" }, "person");
        getAndUse();
        await lookAtDownloads();
        [...box.querySelectorAll("button")].at(-1).click();
        list = [{ ...list[0], state: "finished" }];
        await lookAtDownloads();
        await nextTask();
        return [told(), posts(), form.values.checkpoint];""",
        given(ONE),
    )
    assert found == [None, [], "starter"]


def test_what_came_while_the_page_was_closed_is_used_at_the_next_visit(modules: Modules) -> None:
    modules.run(PAGE + 'form.set({ prompt: "a lake" }, "person"); getAndUse();', given(ONE))
    modules.page.reload()
    found = modules.run(
        PAGE
        + """emit("prompt-waits"); // before the machine was asked
        answers["GET /api/models/downloads"] = { status: 0 };
        machine({});
        await until(() => asked() === 1);
        answers["GET /api/models/downloads"] = { json: list };
        machine({});
        await until(() => posts().length);
        machine({});
        await nextTask();
        return [posts()[0].body.prompt, asked()];""",
        given({**ONE, "state": "finished"}),
    )
    assert found == ["a lake <lora:few:1>", 2]


def test_a_guest_is_told_of_no_downloads_and_asks_for_none(modules: Modules) -> None:
    modules.run(PAGE + "getAndUse();", given(ONE))
    modules.page.reload()
    found = modules.run(PAGE + 'emit("prompt-waits"); machine(null); await nextTask(); return asked();', given(ONE))
    assert found == 0
