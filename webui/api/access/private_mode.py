"""Who is in private mode: a session cookie that the browser sends with every call, and a second one that scripts can
read.

The cookie names no person and is worth nothing without their login. A page in private mode says so in a header, and its
call is refused if private mode is over, so that nothing reaches the disk by mistake.
"""

from __future__ import annotations

import re
import secrets
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers
from starlette.responses import Response

from webui.errors import PrivateOver
from webui.storage.owners import Owner, PrivateOwner

HEADER = "darkroom-private"
SEEN_BY_SCRIPTS = "darkroom-is-private"
_COOKIE = "darkroom-private"
_SESSION = re.compile(r"[A-Za-z0-9_-]{20,64}")
_MAX_COOKIE_CHARACTERS = 4096


def owner_in(owner: Owner, headers: Headers, port: int) -> Owner:
    """The owner of the call, once the login is known. Raises PrivateOver."""
    session = _session_of(headers, port)
    if session is not None:
        return PrivateOwner(owner.name, session)
    if headers.get(HEADER):
        raise PrivateOver
    return owner


def begin(response: Response, port: int, *, is_secure: bool) -> None:
    """Makes the browser a new owner until it is closed, or until `end`."""
    for name, value, is_hidden in (
        (f"{_COOKIE}-{port}", secrets.token_urlsafe(24), True),
        (f"{SEEN_BY_SCRIPTS}-{port}", "yes", False),
    ):
        response.set_cookie(name, value, path="/", httponly=is_hidden, samesite="strict", secure=is_secure)


def end(response: Response, port: int) -> None:
    """Undoes `begin`."""
    for name in (_COOKIE, SEEN_BY_SCRIPTS):
        response.delete_cookie(f"{name}-{port}", path="/", samesite="strict")


def _session_of(headers: Headers, port: int) -> str | None:
    try:
        cookies = SimpleCookie(headers.get("cookie", "")[:_MAX_COOKIE_CHARACTERS])
        value = cookies[f"{_COOKIE}-{port}"].value
    except (CookieError, KeyError):
        return None
    return value if _SESSION.fullmatch(value) else None
