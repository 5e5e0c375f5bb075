"""What follows from a change of the form: sizes, steps, a checkpoint's defaults, what belongs to a picture."""

from __future__ import annotations

from typing import Any

from tests.modules.conftest import CHECKPOINTS, Modules


def form_with(modules: Modules, body: str) -> Any:
    """What `body` returns, with `form` and `told`, the checkpoints known."""
    return modules.run(
        f"""const form = await openForm(given); const told = await heard("values"); {body}""", CHECKPOINTS
    )


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


def test_a_checkpoint_of_few_steps_sets_what_it_was_made_for_also_where_somebody_set_something(
    modules: Modules,
) -> None:
    found = form_with(
        modules,
        """form.set({ steps: 33, guidance_scale: 3 }, "person");
        const now = () => ["steps", "guidance_scale", "scheduler", "sigmas"].map((name) => form.values[name]);
        form.set({ checkpoint: "quick" }, "person");
        const [quick, said] = [now(), document.querySelector("#note span").textContent];
        document.querySelector("#note button").click();
        const undone = [form.values.checkpoint, ...now()];
        form.set({ checkpoint: "quick" }, "person");
        form.set({ checkpoint: "large" }, "person");
        const ordinary = now();
        form.set({ checkpoint: "quick", steps: 33 });
        return [quick, said, undone, ordinary, now()];""",
    )
    quick, said, undone, ordinary, given_back = found
    assert quick == [4, 1, "euler", "sgm_uniform"]
    kind = "SDXL Lightning, made for 4 steps without guidance"
    assert said == f"Judging by its name, this is {kind}. These settings were applied."
    assert undone == ["starter", 33, 3, "ddim", "default"]
    assert ordinary == [30, 5, "euler", "default"], "what it brought goes with it"
    assert given_back[0] == 33, "the settings of a picture are those of that picture"


def test_where_no_gpu_draws_a_lora_that_makes_a_checkpoint_quick_is_offered(modules: Modules) -> None:
    found = form_with(
        modules,
        """const now = () => ["checkpoint", "prompt", "steps", "scheduler"].map((name) => form.values[name]);
        const said = () => [...document.querySelectorAll("#note > *")].map((node) => node.textContent);
        form.set({ prompt: "a lake", steps: 33 }, "person");
        form.set({ checkpoint: "slow" }, "person");
        const offered = said();
        document.querySelector("#note button:last-child").click();
        const [quick, added] = [now(), said()];
        document.querySelector("#note button").click();
        const undone = now();
        form.set({ checkpoint: "starter" }, "person");
        form.set({ checkpoint: "slow", prompt: "a lake <lora:fast:0.5>" }, "person");
        return [offered, quick, added, undone, document.querySelectorAll("#note:not([hidden]) button").length];""",
    )
    offered, quick, added, undone, buttons_again = found
    assert offered == ["Without a GPU, the LoRA “fast” makes it fast: 4 steps without guidance.", "Use it"]
    assert quick == ["slow", "a lake <lora:fast:1>", 4, "euler"]
    assert added[0].startswith("“fast” is in the prompt. Judging by its name, this is SDXL Lightning, made for 4 steps")
    assert undone == ["slow", "a lake", 33, "ddim"]
    assert buttons_again == 0, "it is there already"


def test_a_lora_of_few_steps_sets_them_too_once_and_undo_takes_all_back(modules: Modules) -> None:
    found = form_with(
        modules,
        """const { use } = await at("models/use.js");
        const settings = { steps: 4, guidance_scale: 1, scheduler: "tcd", sigmas: "default" };
        const made_for = { kind: "TCD", known_by: "metadata", ...settings };
        const lora = { kind: "lora", name: "fast", prompt_name: "fast", made_for };
        const now = () => ["prompt", "steps", "guidance_scale", "scheduler"].map((name) => form.values[name]);
        const said = () => document.querySelector("#note span").textContent;
        form.set({ prompt: "a lake", steps: 33 }, "person");
        use(lora);
        const added = [now(), said()];
        document.querySelector("#note button").click();
        const undone = now();
        use(lora);
        form.set({ steps: 6 }, "person");
        use(lora, 0.5);
        const again = [now(), said()];
        form.set({ prompt: "a lake" }, "person");
        return [added, undone, again, now()];""",
    )
    added, undone, again, removed = found
    assert added[0] == ["a lake <lora:fast:1>", 4, 1, "tcd"]
    assert (
        added[1] == "“fast” is in the prompt. TCD is made for 4 steps without guidance, so these settings were applied."
    )
    assert undone == ["a lake", 33, 5, "ddim"]
    assert again == [["a lake <lora:fast:0.5>", 6, 1, "tcd"], "“fast” is in the prompt."]
    assert removed == ["a lake", 6, 1, "tcd"]


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
