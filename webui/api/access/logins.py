"""Who is who: passwords compared in constant time, and a signed cookie for those who came through the form.

The cookie names the user and when it ends, signed with a secret of the data folder and the user's password, so that a
login survives a restart and ends with a changed password. Nothing about it is kept on the server.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from pathlib import Path

from starlette.datastructures import Headers

from webui.storage.files import TEMPORARY

VALID_SECONDS = 30 * 24 * 3600
_SECRET_BYTES = 32
_MAX_COOKIE_CHARACTERS = 4096


class Logins:
    """The users of this run. Without any, nobody has to log in."""

    def __init__(self, passwords: Mapping[str, str], secret: bytes, cookie_name: str) -> None:
        """`passwords` by user; `secret` from `read_secret`; `cookie_name` tells apart what runs on other ports."""
        self._passwords = dict(passwords)
        self._secret = secret
        self.cookie_name = cookie_name

    @property
    def are_needed(self) -> bool:
        """Whether the app has logins at all."""
        return bool(self._passwords)

    def is_right(self, user: str, password: str) -> bool:
        """Whether they belong together; takes as long for a user who does not exist."""
        known = self._passwords.get(user)
        same = hmac.compare_digest(_digest(known or secrets.token_hex()), _digest(password))
        return same and known is not None

    def cookie(self, user: str, now: float | None = None) -> str:
        """The value to set for somebody who gave the right password."""
        expires = int((time.time() if now is None else now) + VALID_SECONDS)
        name = base64.urlsafe_b64encode(user.encode()).decode().rstrip("=")
        return f"{name}.{expires}.{self._signature(user, expires)}"

    def user_of(self, headers: Headers, now: float | None = None) -> str | None:
        """Whose valid cookie came along; None without one."""
        try:
            cookies = SimpleCookie(headers.get("cookie", "")[:_MAX_COOKIE_CHARACTERS])
            name, expires, signature = cookies[self.cookie_name].value.split(".")
            user = base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode()
            ends = int(expires)
        except (CookieError, KeyError, ValueError, binascii.Error):
            return None
        if user not in self._passwords or ends < (time.time() if now is None else now):
            return None
        return user if hmac.compare_digest(self._signature(user, ends).encode(), signature.encode()) else None

    def _signature(self, user: str, expires: int) -> str:
        message = "\0".join((user, str(expires), self._passwords[user]))
        return hmac.new(self._secret, message.encode(), hashlib.sha256).hexdigest()


def basic_login(headers: Headers) -> tuple[str, str] | None:
    """User and password of an HTTP Basic header; None when there is none that can be read."""
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (ValueError, binascii.Error):
        return None
    return (user, password) if colon else None


def read_secret(path: Path) -> bytes:
    """The data folder's secret, made on the first call, readable by its owner only."""
    if not path.exists():
        new = path.with_name(f"{TEMPORARY}{secrets.token_hex(8)}")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_SECRET_BYTES))
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    return path.read_bytes()


def _digest(password: str) -> bytes:
    return hashlib.sha256(password.encode("utf-8", "surrogatepass")).digest()
