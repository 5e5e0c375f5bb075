"""The line that offers a real checkpoint: for whom, where and how often it is said."""

from __future__ import annotations

from typing import Any

import pytest

from tests.modules.conftest import Modules, listed

SMALL, REAL = listed("starter", "sd15", is_introductory=True), listed("photos", "sdxl")
PICTURE = {"state": "finished", "pictures": [{}], "request": {"checkpoint": "starter"}}


def said(modules: Modules, checkpoints: list[dict[str, Any]], job: dict[str, Any], *, is_operator: bool = True) -> Any:
    """Whether the line is shown after the job, again after another page was opened, and after it was closed."""
    return modules.run(
        """const [found, job, is_operator] = given;
        await openForm(found);
        (await at("jobs/worker.js")).worker.isOperator = is_operator;
        const { emit } = await at("core/bus.js");
        const { mountIntroduction } = await at("stage/introduction.js");
        const line = document.body.appendChild(document.createElement("div"));
        line.hidden = true;
        mountIntroduction(line);
        emit("drawn", job);
        await nextTask();
        await nextTask();
        const seen = [!line.hidden, line.textContent];
        line.lastElementChild?.click();
        emit("drawn", job);
        await nextTask();
        await nextTask();
        return [...seen, !line.hidden, (await at("core/kept.js")).kept.get("introduced", false)];""",
        [checkpoints, job, is_operator],
    )


def test_it_is_said_once_and_closed(modules: Modules) -> None:
    text = "This is the small starter model.Get a real one×"
    assert said(modules, [SMALL], PICTURE) == [True, text, False, True]
    modules.page.reload()
    assert said(modules, [SMALL], PICTURE) == [False, "", False, True]


@pytest.mark.parametrize(
    ("checkpoints", "job", "is_operator"),
    [
        ([SMALL, REAL], PICTURE, True),
        ([{**SMALL, "is_introductory": False}], PICTURE, True),
        ([SMALL], {**PICTURE, "state": "running"}, True),
        ([SMALL], {**PICTURE, "pictures": []}, True),
        ([SMALL], {**PICTURE, "request": {}}, True),
        ([SMALL], PICTURE, False),
    ],
    ids=["a real one is there", "an ordinary one", "not finished", "no picture", "style transfer", "a guest"],
)
def test_it_is_said_to_nobody_else(
    modules: Modules, checkpoints: list[dict[str, Any]], job: dict[str, Any], is_operator: bool
) -> None:
    assert said(modules, checkpoints, job, is_operator=is_operator) == [False, "", False, False]
