"""The form's store: what is set is completed, kept and told once."""

from __future__ import annotations

import json
from typing import Any

from tests.modules.conftest import Modules

STORE = """const { form } = await at("form/store.js"); const told = await heard("values"); """


def kept_before(modules: Modules, **values: Any) -> None:
    """As if an earlier visit had kept this."""
    for key, value in values.items():
        modules.run("localStorage.setItem(`darkroom.${given[0]}`, given[1]);", [key, json.dumps(value)])


def test_a_change_is_merged_kept_and_told_once(modules: Modules) -> None:
    found = modules.run(
        STORE
        + """form.set({ prompt: "a lake", seed: 7, nonsense: 1, steps: undefined }, "person");
        form.set({ prompt: "a lake" });
        const [[, { before, changed, by, asked }]] = told;
        const kept = JSON.parse(localStorage.getItem("darkroom.controls"));
        return [told.length, before.prompt, changed, by, asked, kept.prompt, kept.seed, Object.isFrozen(form.values),
            "nonsense" in form.values];"""
    )
    assert found == [1, "", ["prompt", "seed"], "person", ["prompt", "seed"], "a lake", 7, True, False]


def test_what_follows_is_asked_for_until_there_is_no_more(modules: Modules) -> None:
    found = modules.run(
        STORE
        + """form.derive((now, last) => (now.seed !== last.seed ? { steps: now.seed + 1 } : {}));
        form.derive((now, last) => (now.steps !== last.steps ? { prompt: `${now.steps} steps` } : {}));
        form.set({ seed: 4 });
        const [[, { changed, asked }]] = told;
        return [form.values.steps, form.values.prompt, changed.sort(), asked, told.length];"""
    )
    assert found == [5, "5 steps", ["prompt", "seed", "steps"], ["seed"], 1]


def test_what_never_comes_to_rest_changes_nothing(modules: Modules) -> None:
    found = modules.run(
        STORE
        + """form.derive((now) => (now.seed === null ? {} : { seed: now.seed + 1 }));
        let said = "";
        try { form.set({ seed: 1 }); } catch (error) { said = error.message; }
        return [said, form.values.seed, told.length];"""
    )
    assert found == ["the form does not come to rest", None, 0]


def test_what_somebody_touched_is_remembered(modules: Modules) -> None:
    script = """const { form } = await at("form/store.js"); """
    before = modules.run(script + """const all = [...form.untouched]; form.touch("steps", "eta"); return all;""")
    assert {"width", "height", "steps", "guidance_scale", "scheduler", "sigmas", "eta"} == {*before}
    modules.page.reload()
    assert {*modules.run(script + "return [...form.untouched];")} == {*before} - {"steps", "eta"}
    modules.run(script + """form.setUntouched(["steps"]);""")
    modules.page.reload()
    assert modules.run(script + "return [...form.untouched];") == ["steps"]
    kept_before(modules, controls={"prompt": "from before eta had a control", "looks": []})
    modules.page.reload()
    assert modules.run(script + "return [...form.untouched];") == ["steps", "eta"]


def test_the_tab_is_kept_and_told(modules: Modules) -> None:
    found = modules.run(
        """const told = await heard("task");
        const { form } = await at("form/store.js");
        const first = form.task;
        for (const task of ["style_transfer", "style_transfer", "image_to_image"]) form.setTask(task);
        return [first, told, form.task];"""
    )
    assert found == ["text_to_image", [["task", "style_transfer"], ["task", "image_to_image"]], "image_to_image"]
    modules.page.reload()
    assert modules.run("""return (await at("form/store.js")).form.task;""") == "image_to_image"


def test_values_of_version_1_draw_the_same(modules: Modules) -> None:
    saved = {"prompt": "a lake", "look": "ink", "sigmas": "karras", "layer_weights": '{"conv1_1": 0.5}',
             "style_images": "[{", "gone": 1}  # fmt: skip
    kept_before(modules, controls=saved)
    now = modules.run("""return (await at("form/store.js")).form.values;""")
    assert (now["prompt"], now["looks"], now["sigmas"], now["sigma_range"]) == (
        "a lake",
        ["ink"],
        "karras",
        "timesteps",
    )
    assert (now["layer_weights"], now["style_images"]) == ({"conv1_1": 0.5}, None)
    assert now.keys().isdisjoint({"look", "gone"})


def test_values_of_now_are_taken_as_they_are(modules: Modules) -> None:
    upgraded = modules.run(
        """const { upgradedValues } = await at("form/store.js");
        return given.map(upgradedValues);""",
        [
            {"prompt": "x", "look": "", "sigmas": "default"},
            {"prompt": "x", "looks": ["ink"], "sigmas": "karras"},
            {"task": "nothing"},
            {"prompt": "x", "layer_weights": ""},
        ],
    )
    assert upgraded == [
        {"prompt": "x", "looks": [], "sigmas": "default", "denoising_start": "whole_step"},
        {"prompt": "x", "looks": ["ink"], "sigmas": "karras"},
        {"task": "nothing"},
        {
            "prompt": "x",
            "layer_weights": None,
            "looks": [],
            "sigma_range": "timesteps",
            "denoising_start": "whole_step",
        },
    ]


def test_what_a_listener_sets_is_told_after_everybody_has_heard_of_the_first(modules: Modules) -> None:
    found = modules.run(
        """const { on } = await at("core/bus.js");
        const { form } = await at("form/store.js");
        const order = [];
        on("values", ({ changed, before }) => {
            order.push(["first", ...changed, before.seed, before.prompt]);
            if (changed.includes("seed")) form.set({ prompt: "nested" });
            order.push(["first is done", form.values.prompt]);
        });
        on("values", ({ changed }) => order.push(["second", ...changed]));
        form.set({ seed: 1 });
        return order;"""
    )
    assert found == [
        ["first", "seed", None, ""],
        ["first is done", "nested"],
        ["second", "seed"],
        ["first", "prompt", 1, ""],
        ["first is done", "nested"],
        ["second", "prompt"],
    ]
