"""Scripts that come when they are first needed: once, with the event or the place that asked for them."""

from __future__ import annotations

import pytest

from tests.modules.conftest import Modules

# A script of the page stands for the one that comes; `run` is what main.js would import.
SETUP = """
    const { comesLater } = await at("core/later.js");
    const { emit, on } = await at("core/bus.js");
    const { canOpen, goTo } = await at("core/history.js");
    (await at("core/given.js")).given.later["sheet.js"] = ["a.js", "b.js"];
    const address = (name) => `GET ${new URL(`${files}/${name}`, location.href)}`;
    Object.assign(answers, { [address("a.js")]: { json: {} }, [address("b.js")]: { json: {} } });
    const told = [];
    let runs = 0;
    comesLater("sheet.js", async () => {
        runs += 1;
        on("open-sheet", (value) => told.push(["event", value]));
        canOpen("sheet", (detail) => told.push(["place", detail]));
    }, ["open-sheet"], ["sheet"]);
"""


def test_it_comes_once_and_hears_what_asked_for_it(modules: Modules) -> None:
    found = modules.run(
        f"""{SETUP}
        const before = [runs, calls.length];
        emit("open-sheet", 7);
        emit("open-sheet", 8);
        await until(() => told.length === 2);
        emit("open-sheet", 9);
        goTo("sheet", "one");
        return [before, told, runs, calls.length];"""
    )
    assert found == [[0, 0], [["event", 7], ["event", 8], ["event", 9], ["place", "one"]], 1, 2]


def test_an_address_brings_it_too(modules: Modules) -> None:
    found = modules.run(f"""{SETUP} goTo("sheet", "one"); await until(() => told.length); return [told, runs];""")
    assert found == [[["place", "one"]], 1]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (200, "This part of the page did not load. The connection may have broken off."),
        (404, "Darkroom has been updated. This page is still the old one."),  # the server has other scripts by now
    ],
)
def test_what_did_not_come_is_said_and_can_be_tried_again(modules: Modules, status: int, said: str) -> None:
    found = modules.run(
        f"""{SETUP}
        answers[`HEAD ${{new URL(`${{files}}/core/version.js`, location.href)}}`] = {{ status: given }};
        answers[address("b.js")] = {{ status: 503, json: {{}} }};
        emit("open-sheet", 7);
        await until(() => document.getElementById("note"));
        const [text, button] = [...document.getElementById("note").children].map((node) => node.textContent);
        answers[address("b.js")] = {{ json: {{}} }};
        document.querySelector("#note button").click();
        if (given === 200) await until(() => told.length);
        return [text, button, told, runs];""",
        status,
    )
    assert found == ([said, "Try again", [["event", 7]], 1] if status == 200 else [said, "Load again", [], 0])
