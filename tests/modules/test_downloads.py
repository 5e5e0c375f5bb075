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
    const { addWait } = await at("jobs/waits.js");
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
    const getAndUse = (download = "d1", bundle = given.bundle) => {
        const { task, values, untouched } = form;
        addWait(download, bundle, { task, values, untouched });
        emit("prompt-waits");
        emit("downloads-changed");
    };
    const keptWaits = () => JSON.parse(localStorage.getItem("darkroom.waits") ?? "[]").map(({ download }) => download);
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
        await until(() => ring.hidden && noted());
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
        return [waiting, told(), posts(), [checkpoint, prompt, steps], keptWaits()];""",
        given(ONE),
    )
    waiting, told, (post,), form, kept = found
    assert waiting == ["Your prompt waits for Large", "34 %, about 2 min left"]
    assert told is None
    body = post["body"]
    assert (body["prompt"], body["seed"], body["checkpoint"]) == ("a lake <lora:few:1>", 7, "large")
    assert (body["steps"], body["guidance_scale"], body["scheduler"], body["width"]) == (4, 1, "lcm", 512)
    assert form == ["large", "a wood <lora:few:1>", 4]
    assert kept == []


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
    assert found == ["Large will be used as soon as it has been downloaded", []]


@pytest.mark.parametrize("gone", [[], [{**ONE, "state": "cancelled"}]], ids=["forgotten", "cancelled"])
def test_a_cancelled_download_is_said_and_leaves_the_prompt(modules: Modules, gone: list[dict[str, Any]]) -> None:
    found = modules.run(
        PAGE
        + """form.set({ prompt: "a lake" }, "person");
        getAndUse();
        list = given.gone;
        await lookAtDownloads();
        await until(noted);
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
        await until(() => box.querySelectorAll("button").length === 2);
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


OTHER = {**ONE, "id": "d2", "name": "Quick", "places": ["quick"]}
QUICK = {**BUNDLE, "id": "quick", "name": "Quick", "prompt_suffix": ""}


def test_two_prompts_wait_and_each_is_drawn_when_its_own_model_is_here(modules: Modules) -> None:
    found = modules.run(
        PAGE
        + """form.set({ prompt: "a lake" }, "person");
        getAndUse();
        getAndUse(); // a second click asks for nothing more
        form.set({ prompt: "a wood" }, "person");
        getAndUse("d2", given.quick);
        await lookAtDownloads();
        const waiting = [...box.querySelectorAll("[role=status]")].map((one) => one.textContent);
        list = [{ ...list[0], state: "finished" }, list[1]];
        await lookAtDownloads();
        await until(() => posts().length === 1);
        const left = [told()[0], keptWaits(), form.values.checkpoint];
        list = list.map((one) => ({ ...one, state: "finished" }));
        await lookAtDownloads();
        await until(() => posts().length === 2);
        const drawn = posts().map(({ body }) => [body.prompt, body.checkpoint]);
        return [waiting, left, drawn, told(), form.values.checkpoint];""",
        given(ONE, OTHER, quick=QUICK),
    )
    waiting, left, drawn, told, checkpoint = found
    assert waiting == ["Your prompt waits for Large", "Your prompt waits for Quick"]
    assert left == ["Your prompt waits for Quick", ["d2"], "large"]
    assert drawn == [["a lake <lora:few:1>", "large"], ["a wood", "quick"]]
    assert told is None
    assert checkpoint == "quick", "it was asked for last"


def test_what_was_asked_for_last_stays_chosen_when_an_earlier_one_comes(modules: Modules) -> None:
    found = modules.run(
        PAGE
        + """form.set({ prompt: "a lake" }, "person");
        getAndUse();
        getAndUse("d2", given.quick);
        list = [list[0], { ...list[1], state: "finished" }];
        await lookAtDownloads();
        await until(() => posts().length === 1);
        list = list.map((one) => ({ ...one, state: "finished" }));
        await lookAtDownloads();
        await until(() => posts().length === 2);
        return [posts().map(({ body }) => body.checkpoint), form.values.checkpoint];""",
        given(ONE, OTHER, quick=QUICK),
    )
    assert found == [["quick", "large"], "quick"]


def test_prompts_of_two_tabs_wait_beside_each_other(modules: Modules) -> None:
    modules.run(PAGE + 'form.set({ prompt: "a lake" }, "person"); getAndUse();', given(ONE, OTHER))
    other = modules.context.new_page()
    other.goto(modules.page.url)
    seen = other.evaluate(
        f"""async (given) => {{ {PAGE}
        form.set({{ prompt: "a wood" }}, "person");
        getAndUse("d2", given.quick);
        return keptWaits(); }}""",
        given(ONE, OTHER, quick=QUICK),
    )
    assert seen == ["d1", "d2"]
    left = modules.run(
        """const { lookAtDownloads } = await at("jobs/downloads.js");
        answers["GET /api/models/downloads"] = { json: given };
        await lookAtDownloads();
        await until(() => calls.some(({ call }) => call === "POST /api/text-to-image"));
        return JSON.parse(localStorage.getItem("darkroom.waits")).map(({ download }) => download);""",
        [{**ONE, "state": "finished"}, OTHER],
    )
    assert left == ["d2"]


def test_a_prompt_waits_until_it_is_kept_to_go_out(modules: Modules) -> None:
    key = modules.run(
        PAGE
        + """form.set({ prompt: "a lake" }, "person");
        getAndUse();
        list = [{ ...list[0], state: "finished" }];
        answers["GET /api/checkpoints"] = { status: 0 }; // the server goes away at that moment
        await lookAtDownloads();
        await until(() => calls.filter(({ call }) => call === "GET /api/checkpoints").length > 1);
        const [{ key }] = JSON.parse(localStorage.getItem("darkroom.waits"));
        return posts().length ? null : key;""",
        given(ONE),
    )
    assert key
    modules.page.reload()
    found = modules.run(
        PAGE
        + """answers["POST /api/text-to-image"] = { status: 0 };
        machine({});
        await until(() => posts().length);
        return [keptWaits(), JSON.parse(localStorage.getItem("darkroom.outbox")).map(({ key }) => key)];""",
        given({**ONE, "state": "finished"}),
    )
    assert found == [[], [key]]


@pytest.mark.parametrize("status", [0, 503])
def test_a_look_that_fails_is_made_again(modules: Modules, status: int) -> None:
    found = modules.run(
        PAGE
        + """const answer = answers["GET /api/models/downloads"];
        form.set({ prompt: "a lake" }, "person");
        answers["GET /api/models/downloads"] = { status: given.status, json: {} };
        getAndUse();
        machine({ running: 1 });
        await until(asked);
        answers["GET /api/models/downloads"] = answer;
        await until(() => !ring.hidden && told()[1]);
        return [ring.dataset.state, told()];""",
        given(ONE, status=status),
    )
    assert found == ["running", ["Your prompt waits for Large", "34 %, about 2 min left"]]


def test_nobody_who_may_not_asks_again(modules: Modules) -> None:
    modules.page.clock.install()
    modules.run(
        PAGE
        + """answers["GET /api/models/downloads"] = { status: 403, json: {} };
        await lookAtDownloads();
        window.asked = asked;""",
        given(ONE),
    )
    modules.page.clock.run_for(60_000)
    assert modules.run("return asked();") == 1


def test_a_model_that_was_taken_off_the_list_after_it_had_come_is_used(modules: Modules) -> None:
    found = modules.run(
        PAGE
        + """let answer = { status: 503, json: {} };
        answers["GET /api/models/downloads/d1"] = () => answer;
        form.set({ prompt: "a lake" }, "person");
        getAndUse();
        const one = list.pop(); // in another tab
        await lookAtDownloads();
        await until(() => calls.some(({ call }) => call.endsWith("/d1")));
        const still = told()[0];
        answer = { json: { ...one, state: "running" } }; // too new for the list
        await lookAtDownloads();
        await nextTask();
        const running = told()[0];
        answer = { json: { ...one, state: "finished" } };
        await until(() => posts().length);
        return [still, running, told(), posts()[0].body.checkpoint];""",
        given(ONE),
    )
    assert found == ["Your prompt waits for Large", "Your prompt waits for Large", None, "large"]


OFFER = {
    **BUNDLE, "purpose": "For a test.", "size_bytes": 1, "read": 1.0, "license": None, "may_sell": None,
    "must_agree": False, "license_pages": [], "languages": ["en"], "seconds_here": 1.0, "slow": False,
    "memory_bytes": 1, "fits": True, "recommended": ["quick"], "download": None, "state": None, "places": [],
}  # fmt: skip


def test_a_prompt_is_kept_as_it_was_at_the_click_as_soon_as_its_download_is_known(modules: Modules) -> None:
    found = modules.run(
        PAGE
        + """const { models } = await at("models/state.js");
        models.places = { is_operator: true };
        answers["GET /api/models/offers"] = { json: [given.offer] };
        const sheet = document.body.appendChild(document.createElement("div"));
        (await at("models/get.js")).drawGet(sheet, () => {});
        const button = () => [...sheet.querySelectorAll("button")].find((one) => one.textContent === "Get and use");
        await until(button);
        answers["GET /api/models/offers"] = () => new Promise(() => {}); // is never answered
        let reply;
        answers["POST /api/models/downloads"] = () => new Promise((resolve) => { reply = resolve; });
        form.set({ prompt: "a lake" }, "person");
        button().click();
        await until(() => reply);
        form.set({ prompt: "a wood" }, "person");
        reply({ status: 202, json: { id: "d1", state: "waiting", position: 1 } });
        await until(() => keptWaits().length);
        const [{ download, values }] = JSON.parse(localStorage.getItem("darkroom.waits"));
        return [download, values.prompt];""",
        given(ONE, offer=OFFER),
    )
    assert found == ["d1", "a lake"]


@pytest.mark.parametrize(
    ("chosen", "size"),
    [
        ({}, (512, 512)),
        ({"ratio": "16:9"}, (680, 384)),
        ({"ratio": None, "width": 320, "height": 640}, (360, 728)),
        ({"ratio": None, "width": 640, "height": 320}, (728, 360)),
    ],
    ids=["nothing", "a ratio", "upright", "lying"],
)
def test_the_proportions_stay_as_they_were_chosen(
    modules: Modules, chosen: dict[str, Any], size: tuple[int, int]
) -> None:
    found = modules.run(
        PAGE
        + """form.set({ prompt: "a lake" }, "person");
        form.set(given.chosen, "person");
        getAndUse();
        list = [{ ...list[0], state: "finished" }];
        await lookAtDownloads();
        await until(() => posts().length);
        const [{ body }] = posts();
        return [[body.width, body.height], [form.values.width, form.values.height]];""",
        given(ONE, chosen=chosen),
    )
    assert found == [list(size)] * 2
