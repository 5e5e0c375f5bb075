"""The guard in front of everything, including Gradio's mount: nothing reaches a route without passing here.

Pure ASGI, and every decision is made on `scope["path"]`. It writes whose call it is into `scope["state"]["owner"]`,
and whether it is the operator's into `"is_operator"`.
Knows no job, no picture and no page.
"""

from __future__ import annotations

import logging
import secrets
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from webui.api import http_errors
from webui.api.access import gradio_routes, origins, private_mode
from webui.api.access.audience import Audience
from webui.api.access.logins import Logins, basic_login
from webui.api.access.our_routes import OurRoutes
from webui.api.access.outgoing import Outgoing
from webui.api.access.passwords import Passwords
from webui.api.bodies import limits as bodies
from webui.errors import DarkroomError
from webui.settings import LOOPBACK, Settings
from webui.storage.owners import LOCAL, Owner
from webui.texts import Texts, language_of

_SAFE_METHODS = ("GET", "HEAD")
_log = logging.getLogger(__name__)


class Guard:
    """Wraps the whole app."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        routes: OurRoutes,
        settings: Settings,
        logins: Logins,
        passwords: Passwords,
        texts: Texts,
    ) -> None:
        """`routes`: what of `app` is ours; of all else only what the page needs of Gradio is open."""
        self._app = app
        self._routes = routes
        self._port = settings.port
        self._logins = logins
        self._passwords = passwords
        self._texts = texts
        checks_names = settings.host in LOOPBACK and not logins.are_needed
        self._names = origins.allowed_names(settings.host) if checks_names else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Guards HTTP calls, and passes on the server's own lifespan messages; other kinds of connection are closed."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._guard(scope, receive, Outgoing(send, scope["path"], is_public=not self._logins.are_needed))
        else:  # nothing of ours or Gradio's page speaks WebSocket
            await send({"type": "websocket.close", "code": 1008})

    async def _guard(self, scope: Scope, receive: Receive, send: Outgoing) -> None:
        """1. our own name 2. our own page 3. somebody's login 4. an open address 5. the operator, where only they may
        6. a body not too long or slow."""
        headers = Headers(scope=scope)
        path = scope["path"]
        try:
            self._check_name(headers)
            self._check_origin(scope["method"], headers, path)
            audience = self._routes.audience(scope)
            owner = private_mode.owner_in(await self._login(audience, scope, headers), headers, self._port)
            self._check_address(scope)
            is_operator = self._logins.is_operator(owner.name)
            if audience is Audience.OPERATOR and not is_operator:
                raise http_errors.OperatorOnly()
            limit = self._routes.limit_megabytes(scope)
            bodies.check_announced(headers, limit)
            scope.setdefault("state", {}).update(owner=owner, is_operator=is_operator)
            await self._app(scope, bodies.limited(receive, limit), send)
        except DarkroomError as error:
            await self._refuse(error, scope, headers, receive, send)
        except ClientDisconnect:
            _log.debug("%s %s: the caller disconnected", scope["method"], path)
        except Exception:  # noqa: BLE001  (the last place where a bug becomes an answer and a line in the log)
            log_id = secrets.token_hex(4)
            _log.exception("%s %s failed (%s)", scope["method"], path, log_id)
            await self._refuse(http_errors.Internal(log_id=log_id), scope, headers, receive, send)

    def _check_name(self, headers: Headers) -> None:
        """Refuses names other than ours (DNS rebinding), and malformed ones."""
        host = headers.get("host", "")
        name = origins.host_name(host)
        if name is None or (self._names is not None and name not in self._names):
            raise http_errors.ForeignHost(host=host[:100], port=self._port)

    def _check_origin(self, method: str, headers: Headers, path: str) -> None:
        """Other sites may link to us; they may not change anything, nor read our answers."""
        if method not in _SAFE_METHODS and origins.is_foreign(headers):
            raise http_errors.ForeignOrigin()
        if path != "/healthz" and origins.is_foreign_embedding(headers):
            raise http_errors.ForeignOrigin()

    async def _login(self, audience: Audience, scope: Scope, headers: Headers) -> Owner:
        """Whose call this is. Raises LoginNeeded, LoginWrong, TooManyAttempts."""
        if not self._logins.are_needed or audience is Audience.ANYBODY:
            return LOCAL
        if user := self._logins.user_of(headers):
            return Owner(user)
        if (given := basic_login(headers)) is None:
            raise http_errors.LoginNeeded()
        await self._passwords.check(origins.caller_of(scope, headers), *given)
        return Owner(given[0])

    def _check_address(self, scope: Scope) -> None:
        """Refuses the parts of Gradio that the page does not need, and addresses that nobody serves."""
        path = scope["path"]
        is_open = self._routes.answer(scope) or gradio_routes.is_needed(path)
        if not is_open and gradio_routes.is_gradios(path):
            raise http_errors.Forbidden()
        if not is_open or not origins.is_path_plain(path):
            raise http_errors.NotFound()

    async def _refuse(
        self, error: DarkroomError, scope: Scope, headers: Headers, receive: Receive, send: Outgoing
    ) -> None:
        if send.has_started:
            return  # too late for another answer: if this one is not complete, the server cuts the connection
        await self._answer(error, scope, headers)(scope, receive, send)

    def _answer(self, error: DarkroomError, scope: Scope, headers: Headers) -> Response:
        path = scope["path"]
        is_person = scope["method"] in _SAFE_METHODS and origins.accepts_html(headers) and not path.startswith("/api/")
        if isinstance(error, http_errors.LoginNeeded) and is_person:
            return RedirectResponse(f"/login?next={quote(path)}", 303, {"Cache-Control": "no-store"})
        answer = http_errors.refuse(error, self._texts, language_of(headers.get("accept-language")))
        if answer.status_code == 401 and "sec-fetch-mode" not in headers:  # a browser would open a dialog of its own
            answer.headers["WWW-Authenticate"] = 'Basic realm="Darkroom", charset="UTF-8"'
        return answer
