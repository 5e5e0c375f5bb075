"""Jobs as the page knows them, by their events."""

from __future__ import annotations

from typing import Any

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
