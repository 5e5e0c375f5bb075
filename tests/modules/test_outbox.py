"""How a submission goes out: once, whatever the line does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.modules.conftest import Modules

OpenModules = Callable[..., Modules]
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


def test_private_submissions_outlive_no_reload(open_modules: OpenModules) -> None:
    port = open_modules().run("""return (await at("core/given.js")).given.port;""")
    private = open_modules("/", **{f"darkroom-is-private-{port}": "yes"})
    script = OUTBOX + "answers[ADDRESS] = LOST; send(); await until(() => posts().length); return keptKeys();"
    assert private.run(script) == []
