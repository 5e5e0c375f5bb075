"""Jobs as the page knows them, and how a submission goes out: once, whatever the line does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.modules.conftest import Modules

JOBS = """const j = await at("jobs/jobs.js"); const told = await heard("job", "jobs"); """
# `send()` submits; `posts()` are the calls so far; `LOST` is a broken line, `DONE` an answer.
OUTBOX = """
    const told = await heard("submitted", "accepted", "refused");
    const { emit } = await at("core/bus.js");
    const { jobs } = await at("jobs/jobs.js");
    const outbox = await at("jobs/outbox.js");
    const ADDRESS = "POST /api/text-to-image";
    const LOST = { status: 0 };
    const REQUEST = { task: "text_to_image", prompt: "a lake" };
    const DONE = { status: 202, json: { id: "job-1", position: 0, request: { ...REQUEST, seed: 7 } } };
    const inTurn = (...list) => () => (list.length > 1 ? list.shift() : list[0]);
    const send = (options) => outbox.submit("/api/text-to-image", { prompt: "a lake" }, REQUEST, options);
    const posts = () => calls.filter(({ call }) => call.startsWith("POST"));
    const shown = () => [...jobs.values()].map(({ id, state, isUnsent, isDelayed, error }) =>
        ({ id, state, isUnsent, isDelayed, error: error?.message }));
    const keptKeys = () => JSON.parse(localStorage.getItem("darkroom.outbox") ?? "[]").map(({ key }) => key);
"""
PROXY = {"status": 502, "json": {}}
STARTING = {"status": 503, "json": {"error": {"kind": "internal", "message": "not yet", "hint": ""}}}
FULL = {"status": 503, "json": {"error": {"kind": "queue_full", "message": "Too many wait.", "hint": "Wait a bit."}}}


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


def test_a_submission_has_a_key_and_becomes_its_job(modules: Modules) -> None:
    found = modules.run(
        OUTBOX
        + """let reply;
        answers[ADDRESS] = () => new Promise((resolve) => { reply = () => resolve(DONE); });
        const sent = send();
        await until(() => reply);
        const underWay = [shown(), keptKeys()];
        reply();
        const answer = await sent;
        const { request } = jobs.get("job-1");
        return [underWay, answer, shown(), keptKeys(), posts(), told.map(([name]) => name), request];"""
    )
    (under_way, keys), answer, shown, kept, posts, told, request = found
    assert [(job["state"], job["isUnsent"]) for job in under_way] == [("waiting", True)]
    assert (len(keys), kept, answer["id"]) == (1, [], "job-1")
    assert [job["id"] for job in shown] == ["job-1"]
    assert posts == [{"call": "POST /api/text-to-image", "key": keys[0], "body": {"prompt": "a lake"}}]
    assert (told, request["seed"]) == (["submitted", "accepted"], 7)


@pytest.mark.parametrize("failure", [{"status": 0}, PROXY, STARTING], ids=["lost", "proxy", "starting"])
def test_a_bad_line_makes_one_job_with_one_key(modules: Modules, failure: dict[str, Any]) -> None:
    found = modules.run(
        OUTBOX
        + """answers[ADDRESS] = inTurn(given, given, DONE);
        const sent = send();
        await until(() => shown()[0].isDelayed);
        emit("connected");
        await until(() => posts().length === 2);
        const answer = await sent;
        return [answer.id, posts().map(({ key }) => key), shown(), keptKeys()];""",
        failure,
    )
    id, keys, shown, kept = found
    assert (id, len(keys), len({*keys}), kept) == ("job-1", 3, 1, [])
    assert [job["id"] for job in shown] == ["job-1"]


def test_a_refusal_is_said_in_the_job_s_place(modules: Modules) -> None:
    found = modules.run(
        OUTBOX
        + """answers[ADDRESS] = given;
        const answer = await send();
        const said = [shown(), keptKeys()];
        const aside = await send({ isAside: true });
        return [answer, said, aside, shown().length, document.querySelector("#note span").textContent, posts().length,
            told.map(([name]) => name)];""",
        FULL,
    )
    answer, (shown, kept), aside, count, note, posts, told = found
    assert (answer, aside, kept, posts) == (None, None, [], 2)
    assert [(job["state"], job["error"]) for job in shown] == [("failed", "Too many wait.")]
    assert (count, note) == (1, "Too many wait. Wait a bit.")
    assert told == ["submitted", "refused"]


def test_what_is_withdrawn_before_it_is_answered_is_cancelled_then(modules: Modules) -> None:
    found = modules.run(
        OUTBOX
        + """let reply;
        answers[ADDRESS] = () => new Promise((resolve) => { reply = () => resolve(DONE); });
        answers["DELETE /api/jobs/job-1"] = { status: 202, json: { id: "job-1" } };
        const sent = send();
        await until(() => reply);
        const [id] = jobs.keys();
        const was = [outbox.withdraw(id), outbox.withdraw(id), shown(), keptKeys()];
        reply();
        const answer = await sent;
        await until(() => calls.some(({ call }) => call.startsWith("DELETE")));
        return [was, answer, shown(), calls.at(-1).call];"""
    )
    assert found == [[True, False, [], []], None, [], "DELETE /api/jobs/job-1"]


def test_what_is_withdrawn_while_the_line_is_bad_never_goes_out(modules: Modules) -> None:
    found = modules.run(
        OUTBOX
        + """answers[ADDRESS] = inTurn(LOST, DONE);
        const sent = send();
        await until(() => shown()[0]?.isDelayed);
        outbox.withdraw(shown()[0].id);
        emit("connected");
        return [await sent, posts().length, shown(), keptKeys()];"""
    )
    assert found == [None, 1, [], []]


def test_what_nobody_answered_goes_out_after_a_reload_with_its_key(modules: Modules) -> None:
    (key,) = modules.run(
        OUTBOX + "answers[ADDRESS] = LOST; send(); await until(() => posts().length); return keptKeys();"
    )
    modules.page.reload()
    found = modules.run(
        OUTBOX
        + """answers[ADDRESS] = DONE;
        outbox.sendWaiting();
        outbox.sendWaiting();
        const before = shown();
        await until(() => jobs.has("job-1"));
        return [before.map(({ isUnsent }) => isUnsent), posts(), shown().map(({ id }) => id), keptKeys()];"""
    )
    body = {"prompt": "a lake"}
    assert found == [[True], [{"call": "POST /api/text-to-image", "key": key, "body": body}], ["job-1"], []]


def test_a_login_that_ended_loads_the_page_anew_and_keeps_what_was_to_go_out(modules: Modules) -> None:
    script = OUTBOX + """window.isOld = true; answers[ADDRESS] = { status: 401, json: {} }; send(); return null;"""
    with modules.page.expect_navigation():
        modules.run(script)
    assert modules.run("return [window.isOld, JSON.parse(localStorage.getItem('darkroom.outbox')).length];") == [
        None,
        1,
    ]


def test_two_submissions_have_two_keys(modules: Modules) -> None:
    found = modules.run(
        OUTBOX
        + """let number = 0;
        answers[ADDRESS] = () => ({ status: 202, json: { ...DONE.json, id: `job-${number += 1}` } });
        await Promise.all([send(), send()]);
        return [shown().map(({ id }) => id), posts().map(({ key }) => key)];"""
    )
    ids, keys = found
    assert (ids, len({*keys})) == (["job-1", "job-2"], 2)
    assert all(len(key) == 32 for key in keys)


OpenModules = Callable[..., Modules]


def test_private_submissions_outlive_no_reload(open_modules: OpenModules) -> None:
    port = open_modules().run("""return (await at("core/given.js")).given.port;""")
    private = open_modules("/", **{f"darkroom-is-private-{port}": "yes"})
    script = OUTBOX + "answers[ADDRESS] = LOST; send(); await until(() => posts().length); return keptKeys();"
    assert private.run(script) == []
