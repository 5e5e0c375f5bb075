"""The guard around small apps: what happens to bugs, to callers who go, and to what Gradio says."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from pathlib import Path

import httpx
import pytest
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from webui.api.access.attempts import Attempts
from webui.api.access.guard import Guard
from webui.api.access.logins import Logins
from webui.api.access.our_routes import OurRoutes
from webui.api.access.passwords import Passwords
from webui.api.access.slowing import Slowing
from webui.settings import Settings
from webui.texts import Texts


def guarded(app: ASGIApp, **settings: object) -> Guard:
    made = Settings(**settings)
    routes = OurRoutes([Route("/api/x", app)])
    logins = Logins(made.logins, b"s", "c")
    passwords = Passwords(logins, Attempts(), Slowing())
    return Guard(app, routes=routes, settings=made, logins=logins, passwords=passwords, texts=Texts())


def ask(app: ASGIApp, path: str = "/api/x", **headers: str) -> httpx.Response:
    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(run())


def test_a_bug_becomes_a_sentence_with_the_log_s_number(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("a secret at /home/anna")

    with caplog.at_level(logging.ERROR):
        answer = ask(guarded(broken))
    assert answer.status_code == 500
    error = answer.json()["error"]
    assert error["kind"] == "internal"
    assert "secret" not in answer.text
    (record,) = caplog.records
    assert record.exc_info
    assert record.getMessage().split("(")[1].rstrip(")") in error["hint"]


@pytest.mark.parametrize("is_complete", [True, False])
def test_a_bug_after_the_answer_began_is_logged_once_too(caplog: pytest.LogCaptureFixture, is_complete: bool) -> None:
    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body", "body": b"x", "more_body": not is_complete})
        raise RuntimeError("late")

    sent: list[dict[str, object]] = []

    async def run() -> None:
        async def receive() -> dict[str, object]:
            return {"type": "http.request"}

        async def send(message: object) -> None:
            sent.append(message)  # type: ignore[arg-type]

        headers = [(b"host", b"127.0.0.1")]
        scope = {"type": "http", "method": "GET", "path": "/api/x", "headers": headers, "client": ("127.0.0.1", 1)}
        await guarded(late)(scope, receive, send)  # type: ignore[arg-type]

    asyncio.run(run())
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    (record,) = caplog.records
    assert record.exc_info


def test_whose_call_it_is_reaches_the_app() -> None:
    async def who(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["state"]["owner"].name.encode()})

    assert ask(guarded(who)).text == "local"
    assert ask(guarded(who, auth=("anna:x",)), authorization="Basic YW5uYTp4").text == "anna"


def test_gradios_invitations_are_taken_off_and_its_own_policies_kept() -> None:
    async def inviting(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"access-control-allow-origin", b"*"), (b"Access-Control-Allow-Credentials", b"true"),
                   (b"content-security-policy", b"sandbox")]  # fmt: skip
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    headers = ask(guarded(inviting)).headers
    assert not [name for name in headers if name.startswith("access-control")]
    assert headers["content-security-policy"] == "sandbox"
    assert headers["x-frame-options"] == "DENY"


def test_nothing_speaks_websocket() -> None:
    sent: list[object] = []

    async def never(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("reached")

    async def send(message: object) -> None:
        sent.append(message)

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    asyncio.run(guarded(never)({"type": "websocket", "path": "/", "headers": []}, receive, send))  # type: ignore[arg-type]
    assert sent == [{"type": "websocket.close", "code": 1008}]


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4"])
def test_any_name_but_only_with_a_login_where_others_can_reach_it(host: str) -> None:
    async def fine(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    app = guarded(fine, host=host, auth=("anna:x",))
    assert ask(app, host="studio.example").status_code == 401
    assert ask(app, host="studio.example", authorization="Basic YW5uYTp4").status_code == 204
    assert json.loads(ask(app, host="studio example").text)["error"]["kind"] == "foreign_host"


def test_the_guard_imports_no_gradio() -> None:
    for file in Path("webui/api").rglob("*.py"):
        assert re.search(r"^\s*(import|from) gradio\b", file.read_text("utf-8"), re.MULTILINE) is None, file
