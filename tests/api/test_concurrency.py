"""How many calls of a route may be under way at once, as the route declares it."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request

from webui.api.concurrency import at_once, at_once_per_person, unless_left
from webui.api.error_handlers import install_error_handlers
from webui.storage.owners import Owner
from webui.texts import Texts


async def most_at_once(limit: Any, *people: str) -> tuple[int, list[int]]:
    """How many calls were under way together, and all answers, when these people call at the same moment."""
    app = FastAPI()
    install_error_handlers(app, Texts())
    now = most = 0

    @app.get("/{name}", dependencies=[limit])
    async def slow(name: str) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.05)
        now -= 1

    async def named(scope: Any, receive: Any, send: Any) -> None:
        scope.setdefault("state", {})["owner"] = Owner(scope["path"][1:])
        await app(scope, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(named), base_url="http://x") as client:
        answers = await asyncio.gather(*(client.get(f"/{name}") for name in people))
        again = await client.get(f"/{people[0]}")
    assert again.status_code == 200, "there is room again"
    return most, [answer.status_code for answer in answers]


def test_calls_above_the_limit_wait() -> None:
    assert asyncio.run(most_at_once(at_once(2), *("anna",) * 5)) == (2, [200] * 5)


def test_one_persons_calls_above_the_limit_are_refused_and_nobody_elses() -> None:
    most, answers = asyncio.run(most_at_once(at_once_per_person(2), "anna", "anna", "anna", "ben"))
    assert (most, sorted(answers[:3]), answers[3]) == (3, [200, 200, 429], 200)


def test_work_goes_on_until_its_caller_leaves() -> None:
    ended: list[str] = []

    async def work() -> str:
        try:
            await asyncio.sleep(0.05)
            return "done"
        finally:
            ended.append("ended")

    async def called(*, leaves: bool) -> str | None:
        async def receive() -> dict[str, str]:
            await asyncio.sleep(0 if leaves else 9)
            return {"type": "http.disconnect"}

        return await unless_left(Request({"type": "http"}, receive), work)

    assert asyncio.run(called(leaves=False)) == "done"
    assert asyncio.run(called(leaves=True)) is None
    assert ended == ["ended", "ended"]


def test_what_the_work_raises_is_raised_as_it_is() -> None:
    async def work() -> None:
        raise ValueError("no")

    async def receive() -> dict[str, str]:
        await asyncio.sleep(9)
        return {"type": "http.disconnect"}

    with pytest.raises(ValueError, match="no"):
        asyncio.run(unless_left(Request({"type": "http"}, receive), work))
