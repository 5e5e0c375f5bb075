"""`/login` and `/logout`: the form for people; programs use HTTP Basic."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from webui.api.access import origins
from webui.api.access.login_page import CONTENT_SECURITY_POLICY, LoginPage, safe_next
from webui.api.access.logins import VALID_SECONDS, Logins
from webui.api.access.passwords import Passwords
from webui.api.bodies.media_types import BodyRoute
from webui.api.http_errors import LoginWrong, TooManyAttempts, status_of
from webui.api.services import language_asked
from webui.texts import Texts

_HEADERS = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Cache-Control": "no-store"}
_Field = Annotated[str, Form(max_length=1000)]


def login_routes(logins: Logins, passwords: Passwords, texts: Texts) -> APIRouter:
    """The form, its answer, and the way out. Without logins they all lead to the page."""
    router = APIRouter(include_in_schema=False, route_class=BodyRoute)
    page = LoginPage(texts)

    @router.get("/login")
    async def show_form(call: Request, next: str = "/") -> Response:
        if not logins.are_needed or logins.user_of(call.headers) is not None:
            return RedirectResponse(safe_next(next), 303)
        return HTMLResponse(page.html(language_asked(call), next=safe_next(next)), headers=_HEADERS)

    @router.post("/login")
    async def log_in(call: Request, user: _Field = "", password: _Field = "", next: _Field = "/") -> Response:
        if not logins.are_needed:
            return RedirectResponse("/", 303)
        try:
            await passwords.check(origins.caller_of(call.scope, call.headers), user, password)
        except (LoginWrong, TooManyAttempts) as problem:
            html = page.html(language_asked(call), next=safe_next(next), user=user, problem=problem)
            waits = {"Retry-After": str(problem.details["retry_after_seconds"])} if problem.details else {}
            return HTMLResponse(html, status_of(problem), headers={**_HEADERS, **waits})
        answer = RedirectResponse(safe_next(next), 303, headers={"Cache-Control": "no-store"})
        answer.set_cookie(
            logins.cookie_name,
            logins.cookie(user),
            max_age=VALID_SECONDS,
            httponly=True,
            samesite="lax",
            secure=is_https(call),
        )
        return answer

    @router.api_route("/logout", methods=["GET", "POST"])
    async def log_out(call: Request) -> Response:
        answer = RedirectResponse("/login", 303, headers={"Cache-Control": "no-store"})
        answer.delete_cookie(logins.cookie_name, httponly=True, samesite="lax", secure=is_https(call))
        return answer

    return router


def is_https(call: Request) -> bool:
    """Whether the browser uses TLS, to us or to the tunnel in front. A forged header harms only the caller."""
    return call.url.scheme == "https" or call.headers.get("x-forwarded-proto", "").strip().lower() == "https"
