"""The form's store, and what follows from a change of it."""

from __future__ import annotations

import json
from typing import Any

from tests.modules.conftest import CHECKPOINTS, Modules

STORE = """const { form } = await at("form/store.js"); const told = await heard("values"); """


def kept_before(modules: Modules, **values: Any) -> None:
    """As if an earlier visit had kept this."""
    for key, value in values.items():
        modules.run("localStorage.setItem(`darkroom.${given[0]}`, given[1]);", [key, json.dumps(value)])


def form_with(modules: Modules, body: str) -> Any:
    """What `body` returns, with `form` and `told`, the checkpoints known."""
    return modules.run(
        f"""const form = await openForm(given); const told = await heard("values"); {body}""", CHECKPOINTS
    )


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
        {"prompt": "x", "looks": [], "sigmas": "default"},
        {"prompt": "x", "looks": ["ink"], "sigmas": "karras"},
        {"task": "nothing"},
        {"prompt": "x", "layer_weights": None, "looks": [], "sigma_range": "timesteps"},
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


def test_proportions_and_sides_follow_each_other(modules: Modules) -> None:
    found = form_with(
        modules,
        """const now = () => [form.values.ratio, form.values.width, form.values.height];
        const seen = [now()];
        const changes = [{ ratio: "1:1" }, { height: 320 }, { ratio: "16:9" }, { width: 168, height: 296 },
            { ratio: "4:3" }, { width: 192, height: 256 }, { ratio: null, width: 640, height: 640 }];
        for (const change of changes) {
            form.set(change, "person");
            seen.push(now());
        }
        return seen;""",
    )
    assert found == [
        ["4:3", 256, 192],
        ["1:1", 224, 224],
        [None, 224, 320],
        ["16:9", 168, 296],
        ["16:9", 168, 296],
        ["4:3", 192, 256],
        ["4:3", 192, 256],
        [None, 640, 640],
    ]


def test_quality_and_steps_follow_each_other(modules: Modules) -> None:
    found = form_with(
        modules,
        """const seen = [];
        const changes = [{ quality: "fine" }, { steps: 21 }, { quality: "draft" }, { steps: 10 },
            { quality: "normal" }];
        for (const change of changes) {
            form.set(change, "person");
            seen.push([form.values.quality, form.values.steps]);
        }
        return [...seen, [...form.untouched].includes("steps")];""",
    )
    assert found == [["fine", 35], [None, 21], ["draft", 10], ["draft", 10], ["normal", 20], False]


def test_a_checkpoint_brings_its_defaults_for_what_nobody_touched(modules: Modules) -> None:
    found = form_with(
        modules,
        """form.set({ guidance_scale: 3 }, "person");
        form.set({ checkpoint: "large" }, "person");
        const { width, height, steps, scheduler, guidance_scale, ratio } = form.values;
        const { asked, changed } = told.at(-1)[1];
        const said = document.querySelector("#note span").textContent;
        document.querySelector("#note button").click();
        return [[width, height, steps, scheduler, guidance_scale], asked, changed.includes("steps"), said,
            form.values.checkpoint, form.values.steps, form.values.scheduler];""",
    )
    assert found[:3] == [[1024, 1024, 30, "euler", 3], ["checkpoint"], True]
    assert "Steps 30" in found[3]
    assert found[4:] == ["starter", 20, "ddim"]


def test_the_interval_of_guidance_is_never_empty(modules: Modules) -> None:
    found = form_with(
        modules,
        """const seen = [];
        const changes = [{ guidance_start: 0.5 }, { guidance_end: 0.3 }, { guidance_end: 0 }, { guidance_start: 1 }];
        for (const change of changes) {
            form.set(change, "person");
            seen.push([form.values.guidance_start, form.values.guidance_end]);
        }
        return [seen, (await at("form/validity.js")).limitsOf("guidance_start").step];""",
    )
    seen, step = found
    assert seen[0] == [0.5, 1]
    assert [start < end for start, end in seen] == [True] * 4
    assert seen[1:] == [[round(0.3 - step, 6), 0.3], [0, step], [round(1 - step, 6), 1]]


def test_what_would_be_refused_is_mended(modules: Modules) -> None:
    found = form_with(
        modules,
        """form.set({ num_images: 4, keep_best: 2 }, "person");
        const kept = form.values.keep_best;
        form.set({ num_images: 2 }, "person");
        const fewer = form.values.keep_best;
        form.set({ num_images: 4, keep_best: 1, clip_skip: 12 }, "person");
        form.set({ checkpoint: "large" }, "person");
        return [kept, fewer, form.values.keep_best, form.values.clip_skip];""",
    )
    assert found[:3] == [2, 0, 0], "two of two are no choice; and nobody judges beside the second checkpoint"
    assert found[3] <= 12


def test_another_picture_takes_its_belongings_along(modules: Modules) -> None:
    found = form_with(
        modules,
        """const size = { status: 404, json: { error: { kind: "x", message: "no", hint: "" } } };
        for (const name of "ab") answers[`GET /api/images/${name}/fitted-size?checkpoint=starter`] = size;
        const now = () => ["init_image", "mask", "outpaint_left", "inpaint_area"].map((name) => form.values[name]);
        form.set({ init_image: "a" });
        form.set({ mask: "m", outpaint_left: 64, inpaint_area: "only_masked" }, "person");
        const seen = [now()];
        form.set({ init_image: "b" });
        seen.push(now());
        document.querySelector("#note button").click();
        seen.push(now());
        const { maskGoesWith } = await at("form/belongings.js");
        maskGoesWith("m", "b");
        form.set({ init_image: "b" });
        seen.push(now());
        form.set({ init_image: "" });
        return [...seen, now()];""",
    )
    assert found == [
        ["a", "m", 64, "only_masked"],
        ["b", "", 0, "whole_picture"],
        ["a", "m", 64, "only_masked"],
        ["b", "m", 64, "only_masked"],
        ["", "", 0, "whole_picture"],
    ]


def test_a_mask_stays_with_its_picture_over_a_reload(modules: Modules) -> None:
    form_with(modules, """form.set({ init_image: "a" }); form.set({ mask: "m" });""")
    modules.page.reload()
    found = form_with(modules, """form.set({ seed: 1 }); return [form.values.init_image, form.values.mask];""")
    assert found == ["a", "m"]


def test_sizes_by_proportions(modules: Modules) -> None:
    found = modules.run(
        """await openForm(given);
        const s = await at("form/size.js");
        const upright = { checkpoint: "large", width: 8, height: 16 };
        const sized = (width, height) => ({ checkpoint: "large", width, height });
        return [s.sizeFor("16:9", { checkpoint: "large" }), s.sizeFor("16:9", upright),
            s.sizeFor("1:1", { checkpoint: "?" }), s.ratioOf(sized(1024, 1024)), s.ratioOf(sized(8, 8)),
            s.hasRatio("16:9", sized(768, 1368)),
            ["draft", "normal", "fine"].map((quality) => s.stepsFor(quality, { checkpoint: "large" })),
            [64, 512, 768, 1024, 2048, 600].map(s.smallerSide)];""",
        CHECKPOINTS,
    )
    wide, tall, plain, ratio, none, is_wide, steps, smaller = found
    assert (wide["width"], wide["height"]) == (tall["height"], tall["width"]) == (1368, 768)
    assert (plain, ratio, none, is_wide) == ({"width": 512, "height": 512}, "1:1", None, True)
    assert (steps, smaller) == ([15, 30, 53], [64, 384, 576, 768, 1536, 448])


def test_how_long_a_request_takes_is_learnt(modules: Modules) -> None:
    found = modules.run(
        """const w = await at("form/work.js");
        const request = { task: "text_to_image", checkpoint: "x", steps: 10, width: 1000, height: 1000, num_images: 2 };
        const redrawn = { ...request, task: "image_to_image", denoising_strength: 0.5 };
        const styled = { task: "style_transfer", method: "optimised", iterations: 100, size: 1000 };
        const instant = { ...styled, method: "instant" };
        const wider = { ...redrawn, outpaint_left: 1000 };
        const works = [request, { ...request, only_image: 1 }, redrawn, styled, instant, wider].map(w.workOf);
        const before = w.estimatedSeconds(request);
        w.learnPace(request, 40);
        return [works, before, w.estimatedSeconds({ ...request, steps: 5 }), w.estimatedSeconds(redrawn),
            w.estimatedSeconds({ ...request, checkpoint: "y" }),
            [request, { only_image: 0, num_images: 3 }, {}].map(w.requestImages)];"""
    )
    assert found == [[20, 10, 10, 100, 1, 40], 0, 20, 0, 0, [2, 1, 1]]
