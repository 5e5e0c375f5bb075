"""Who is who: passwords compared in constant time, and a signed cookie for people who used the form.

The cookie names the user and when it was made. It is signed with a secret of the data folder and the user's password,
so that a login survives a restart and ends when the password changes. The server stores nothing about it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from pathlib import Path

from itsdangerous import BadData, TimestampSigner, base64_decode, base64_encode
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

    def is_operator(self, user: str) -> bool:
        """Whether this is who runs the program: the first user, or everybody where there are no logins."""
        return not self._passwords or user == next(iter(self._passwords))

    def is_right(self, user: str, password: str) -> bool:
        """Whether user and password belong together; takes the same time for a user who does not exist."""
        known = self._passwords.get(user)
        same = hmac.compare_digest(_digest(known or secrets.token_hex()), _digest(password))
        return same and known is not None

    def cookie(self, user: str) -> str:
        """The cookie's value for somebody who gave the right password."""
        return self._signer(user).sign(base64_encode(user)).decode()

    def user_of(self, headers: Headers) -> str | None:
        """The user of a valid cookie in the headers; None without one."""
        try:
            cookie = SimpleCookie(headers.get("cookie", "")[:_MAX_COOKIE_CHARACTERS])[self.cookie_name].value
            user = base64_decode(cookie.partition(".")[0]).decode()
            self._signer(user).unsign(cookie, max_age=VALID_SECONDS)
        except (CookieError, KeyError, UnicodeDecodeError, BadData):
            return None
        return user

    def _signer(self, user: str) -> TimestampSigner:
        """Signs with a key made from the secret and the user's password. Raises KeyError for a user
        who does not exist.
        """
        password = self._passwords[user]
        return TimestampSigner(self._secret, salt=password, key_derivation="hmac", digest_method=hashlib.sha256)


def basic_login(headers: Headers) -> tuple[str, str] | None:
    """User and password of an HTTP Basic header; None if there is none that can be read."""
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (ValueError, binascii.Error):
        return None
    return (user, password) if colon else None


def read_secret(path: Path) -> bytes:
    """The data folder's secret, made on the first call and readable by its owner only."""
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
