"""Jobs as the page knows them, by their events."""

from __future__ import annotations

from typing import Any

import pytest

from tests.modules.conftest import Modules

JOBS = """const j = await at("jobs/jobs.js"); const told = await heard("job", "jobs"); """


def step(index: int, image: int = 0, **more: Any) -> dict[str, Any]:
    return {"phase": "denoise", "index": index, "total": 4, "image": image, "preview": f"p{index}", **more}


def test_events_come_in_order_and_twice_at_no_harm(modules: Modules) -> None:
    found = modules.run(
        JOBS
        + """for (const [id, name, data] of given) j.happen("a", id, name, data);
        await until(() => told.length);
        const { state, step, total, previews, reached, pictures, seen } = j.jobs.get("a");
        return [state, step, total, previews.map(({ src }) => src), reached, pictures.map(({ id }) => id), seen];""",
        [
            [1, "queued", {"position": 2, "eta_seconds": 9}],
            [2, "started", {}],
            [3, "step", step(1, seconds=1)],
            [3, "step", step(1, seconds=1)],
            [5, "step", step(2, seconds=1)],
            [4, "step", step(1)],
            [6, "finished", {"images": [{"id": "x", "url": "/x"}], "seconds": 3}],
            [6, "finished", {"images": [], "seconds": 3}],
            [2, "started", {}],
        ],
    )
    assert found == ["finished", 4, 4, ["p1", "p2"], [2], ["x"], 6]


def test_how_a_job_stands_after_each_event(modules: Modules) -> None:
    found = modules.run(
        JOBS
        + """const seen = [];
        for (const [name, data] of given) {
            j.happen("a", seen.length + 1, name, data);
            const { state, position, eta, loading, phase, pace, error } = j.jobs.get("a");
            seen.push([state, position, eta, loading, phase, pace, error?.kind ?? null]);
        }
        return seen;""",
        [
            ["queued", {"position": 2, "eta_seconds": 9}],
            ["started", {}],
            ["loading", {"fraction": 0.5}],
            ["step", step(1, seconds=2)],
            ["step", step(2, seconds=1)],
            ["step", {"phase": "decode", "index": 1, "total": 1, "image": 0, "preview": None}],
            ["failed", {"kind": "out_of_memory", "message": "No."}],
        ],
    )
    assert found == [
        ["waiting", 2, 9, None, "", None, None],
        ["running", None, 9, None, "", None, None],
        ["running", None, 9, 0.5, "", None, None],
        ["running", None, 9, None, "denoise", 2, None],
        ["running", None, 9, None, "denoise", 1.7, None],
        ["running", None, 9, None, "decode", 1.7, None],
        ["failed", None, 9, None, "decode", None, "out_of_memory"],
    ]


def test_events_are_read_off_a_stream_however_it_is_cut(modules: Modules) -> None:
    found = modules.run(
        """const { readEvents } = await at("jobs/stream.js");
        const bytes = new TextEncoder().encode(given);
        window.fetch = async () => new Response(new ReadableStream({ start(controller) {
            for (let start = 0; start < bytes.length; start += 7) controller.enqueue(bytes.slice(start, start + 7));
            controller.close();
        } }), { headers: { "Content-Type": "text/event-stream" } });
        const events = [];
        await readEvents("/api/stream", undefined, (...event) => events.push(event));
        window.fetch = async () => new Response("{}", { status: 401 });
        let status = 0;
        try { await readEvents("/api/stream", undefined, () => {}); } catch (error) { status = error.status; }
        return [events, status];""",
        ': open\n\nid: 1\nevent: step\ndata: {"lake": "湖 a: b"}\n\n: still there\n\ndata: 2\n\nid: 3\ndata: {"cut',
    )
    assert found == [[["1", "step", {"lake": "湖 a: b"}], ["", "message", 2]], 401]


def test_many_events_are_told_once_a_frame_and_an_end_at_once(modules: Modules) -> None:
    found = modules.run(
        JOBS
        + """for (let id = 1; id <= 100; id += 1) j.happen("a", id, "started", {});
        const before = told.length;
        await until(() => told.length);
        const frame = told.map(([name]) => name);
        told.length = 0;
        j.happen("a", 101, "cancelled", {});
        return [before, frame, told.map(([name]) => name)];"""
    )
    assert found == [0, ["job", "jobs"], ["job", "jobs"]]


def test_the_picture_that_fills_the_stage_stays_when_another_goes(modules: Modules) -> None:
    found = modules.run(
        JOBS
        + """const [{ view, pictureOnStage }, { setDeleted }] = [await at("jobs/view.js"), await at("jobs/keeping.js")];
        j.happen("a", 1, "finished", { images: given, seconds: 1 });
        Object.assign(view, { shown: j.jobs.get("a"), enlarged: 2 });
        const seen = [pictureOnStage()];
        for (const [picture, isGone] of [[given[0], true], [given[0], false], [given[2], true]]) {
            setDeleted(picture, isGone);
            seen.push(pictureOnStage());
        }
        return [seen.map(({ id, image }) => `${id}${image}`), view.enlarged];""",
        [{"id": id, "url": f"/{id}", "image": image} for image, id in enumerate("abc")],
    )
    assert found == [["c2", "c2", "c2", "a0"], None]


def test_previews_are_thinned_and_those_of_old_jobs_are_let_go(modules: Modules) -> None:
    found = modules.run(
        JOBS
        + """for (let id = 1; id <= 401; id += 1) {
            j.happen("long", id, "step", { phase: "denoise", index: id, total: 500, image: 0, preview: `p${id}` });
        }
        const { previews } = j.jobs.get("long");
        const thinned = [previews.length, previews[0].src, previews.at(-1).src, j.jobs.get("long").latest];
        j.happen("long", 402, "cancelled", {});
        for (let job = 0; job < 8; job += 1) {
            j.happen(`job ${job}`, 1, "step", { phase: "denoise", index: 1, total: 2, image: 0, preview: "p" });
            j.happen(`job ${job}`, 2, "finished", { images: [{ id: `p${job}`, url: `/${job}` }] });
        }
        const left = ["long", "job 0"].map((id) => j.jobs.get(id).previews.length);
        return [thinned, left, j.jobsInOrder().map(({ id }) => id)];"""
    )
    thinned, left, order = found
    assert thinned == [201, "p1", "p401", ["p401"]]
    assert left == [0, 1]
    assert order == [*(f"job {number}" for number in reversed(range(8))), "long"]


# A page with our stream: `lines` are its connections; `say(job, id, event)` tells of a job on the last one; `see(true)`
# does what a browser does with a tab that goes into the background.
LINE = """
    document.documentElement.dataset.sound = given;
    const lines = [];
    const others = window.fetch;
    window.fetch = async (path, options = {}) => {
        if (!path.endsWith("/stream") && !path.endsWith("/events")) return others(path, options);
        let line;
        const body = new ReadableStream({ start(controller) { line = controller; } });
        options.signal?.addEventListener("abort", () => line.error(new DOMException("over", "AbortError")));
        if (path === "/api/stream") {
            lines.push({ line, signal: options.signal });
            send("hello", {});
        }
        return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
    };
    const send = (name, data) =>
        lines.at(-1).line.enqueue(new TextEncoder().encode(`event: ${name}\\ndata: ${JSON.stringify(data)}\\n\\n`));
    const say = (job, id, event, more = {}) => send(event, { job, id, event, ...more });
    const isOpen = () => lines.some(({ signal }) => !signal.aborted);
    let listed = [];
    answers["GET /api/jobs"] = () => ({ json: listed });
    const see = (isHidden) => {
        Object.defineProperty(document, "hidden", { get: () => isHidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    };
    const told = await heard("chime", "job", "caught-up");
    const chimes = () => told.filter(([name]) => name === "chime").length;
    const { emit } = await at("core/bus.js");
    const { happen, jobs } = await at("jobs/jobs.js");
    const { followLine } = await at("jobs/stream.js");
    followLine();
    await until(() => told.some(([name]) => name === "caught-up"));
"""


@pytest.mark.parametrize("end", ["finished", "failed"])
def test_a_hidden_tab_hears_that_its_job_has_ended(modules: Modules, end: str) -> None:
    found = modules.run(
        LINE
        + f"""say("a", 1, "started");
        await until(() => jobs.has("a"));
        see(true);
        const open = isOpen();
        say("a", 2, "{end}", {{ images: [] }});
        await until(chimes);
        await until(() => !isOpen());
        emit("job", jobs.get("a"));
        see(false);
        return [open, chimes(), lines.length];""",
        "yes",
    )
    assert found == [True, 1, 2]


def test_a_hidden_tab_has_no_line_where_no_sound_is_wanted_or_nothing_is_under_way(modules: Modules) -> None:
    script = (
        LINE
        + """if (given === "no") say("a", 1, "started");
        if (given === "no") await until(() => jobs.has("a"));
        see(true);
        return [isOpen(), chimes()];"""
    )
    assert modules.run(script, "no") == [False, 0]
    modules.page.reload()
    assert modules.run(script, "yes") == [False, 0]


def test_an_end_that_came_while_the_line_was_down_is_heard(modules: Modules) -> None:
    found = modules.run(
        LINE
        + """say("a", 1, "started");
        await until(() => jobs.has("a"));
        see(true);
        listed = [{ id: "a", state: "finished", request: {}, images: [] }];
        lines[0].line.close();
        await until(chimes);
        return [lines.length, chimes()];""",
        "yes",
    )
    assert found == [2, 1]


def test_a_job_that_ends_while_an_older_list_is_on_its_way_stays(modules: Modules) -> None:
    """What is not on the list has been deleted only if it was there before the list was asked for."""
    found = modules.run(
        LINE
        + """happen("old", 1, "finished", { images: [] });
        let answer;
        const before = calls.length;
        answers["GET /api/jobs"] = () => new Promise((resolve) => { answer = resolve; });
        see(true);
        see(false);
        await until(() => calls.length > before && answer);
        happen("new", 1, "finished", { images: [] });
        answer({ json: [] });
        await until(() => told.filter(([name]) => name === "caught-up").length === 2);
        return ["old", "new"].map((id) => Boolean(jobs.get(id).gone));""",
        "no",
    )
    assert found == [True, False]


def test_a_job_that_begins_in_a_hidden_tab_opens_the_line(modules: Modules) -> None:
    found = modules.run(
        LINE
        + """see(true);
        const before = isOpen();
        happen("a", 1, "queued", {});
        emit("accepted", { job: jobs.get("a") });
        await until(isOpen);
        say("a", 2, "finished", { images: [] });
        await until(chimes);
        return [before, chimes()];""",
        "yes",
    )
    assert found == [False, 1]


def test_who_looks_hears_nothing(modules: Modules) -> None:
    found = modules.run(
        LINE
        + """say("a", 1, "finished", { images: [] });
        await until(() => told.some(([name]) => name === "job"));
        return chimes();""",
        "yes",
    )
    assert found == 0


# `audio` stands for the browser's own: it runs once somebody has clicked.
SOUND = """
    window.audio = { state: given, currentTime: 1, destination: {}, wanted: 0 };
    const waiting = [];
    audio.resume = () => new Promise((done) => { audio.wanted += 1; waiting.push(done); });
    audio.click = () => { audio.state = "running"; for (const done of waiting) done(); };
    window.AudioContext = function () { return audio; };
    let notes = 0;
    const gain = { setValueAtTime() {}, linearRampToValueAtTime() {}, exponentialRampToValueAtTime() {} };
    window.GainNode = class { gain = gain; connect(next) { return next; } };
    window.OscillatorNode = class { connect(next) { return next; } start() { notes += 1; } stop() {} };
    const { emit } = await at("core/bus.js");
    await at("parts/chime.js");
"""


def test_what_nobody_could_hear_does_not_sound_at_the_next_click(modules: Modules) -> None:
    modules.page.clock.install()
    modules.run(SOUND + "window.notesNow = () => notes; emit('chime'); emit('chime');", "suspended")
    modules.page.clock.run_for(1100)
    found = modules.run(
        """await audio.click();
        for (let turn = 0; turn < 5; turn += 1) await null;
        return [audio.wanted, notesNow()];"""
    )
    assert found == [2, 0]


def test_jobs_that_end_together_make_one_sound(modules: Modules) -> None:
    found = modules.run(
        SOUND
        + """emit("chime"); emit("chime");
        await until(() => notes);
        await nextTask();
        const together = notes;
        audio.currentTime = 2;
        emit("chime");
        await until(() => notes > together);
        return [together, notes, audio.wanted];""",
        "running",
    )
    assert found == [2, 4, 0]
