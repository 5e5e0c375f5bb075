"""Passwords and cookies."""

from __future__ import annotations

import base64
import stat
import sys
from pathlib import Path

import pytest
from starlette.datastructures import Headers

from webui.api.access.logins import VALID_SECONDS, Logins, basic_login, read_secret

PASSWORDS = {"anna": "correct horse", "雪": "battery:staple"}
SECRET = b"s" * 32


def logins(passwords: dict[str, str] = PASSWORDS, secret: bytes = SECRET) -> Logins:
    return Logins(passwords, secret, cookie_name="darkroom-7860")


def carrying(cookie: str) -> Headers:
    return Headers({"cookie": f"other=1; darkroom-7860={cookie}; last=2"})


@pytest.mark.parametrize("user", PASSWORDS)
def test_the_right_password_and_no_other(user: str) -> None:
    assert logins().is_right(user, PASSWORDS[user])
    for wrong in ("", PASSWORDS[user] + " ", PASSWORDS[user].upper(), "\ud800", "x" * 100_000):
        assert not logins().is_right(user, wrong)
    assert not logins().is_right("nobody", PASSWORDS[user])


@pytest.mark.parametrize("user", PASSWORDS)
def test_a_cookie_is_known_again_after_a_restart_until_it_ends(user: str) -> None:
    cookie = logins().cookie(user, now=1000)
    assert logins().user_of(carrying(cookie), now=1000 + VALID_SECONDS - 1) == user
    assert logins().user_of(carrying(cookie), now=1000 + VALID_SECONDS + 1) is None


def test_a_cookie_ends_with_password_secret_and_user() -> None:
    cookie = carrying(logins().cookie("anna"))
    assert logins({**PASSWORDS, "anna": "another"}).user_of(cookie) is None
    assert logins(secret=b"t" * 32).user_of(cookie) is None
    assert logins({"雪": "battery:staple"}).user_of(cookie) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda name, expires, sign: f"{name}.{int(expires) + 1}.{sign}",
        lambda name, expires, sign: f"{base64.urlsafe_b64encode('雪'.encode()).decode()}.{expires}.{sign}",
        lambda name, expires, sign: f"{name}.{expires}.{sign[:-1]}0",
        lambda name, expires, sign: f"{name}.{expires}.",
        lambda name, expires, sign: f"{name}.{expires}",
        lambda name, expires, sign: f"{name}.x.{sign}",
        lambda name, expires, sign: f"!.{expires}.{sign}",
        lambda name, expires, sign: f"{name}.{'9' * 5000}.{sign}",
        lambda name, expires, sign: "",
    ],
)
def test_a_forged_cookie_is_none(change: object) -> None:
    parts = logins().cookie("anna").split(".")
    forged = change(*parts)  # type: ignore[operator]
    assert forged == logins().cookie("anna") or logins().user_of(carrying(forged)) is None


@pytest.mark.parametrize("cookie", ["", ";;;", "a" * 100_000, "darkroom-7860", "darkroom-7860=é", '"'])
def test_a_strange_cookie_header_is_none(cookie: str) -> None:
    assert logins().user_of(Headers(raw=[(b"cookie", cookie.encode("latin-1", "replace"))])) is None


def test_basic_keeps_colons_in_the_password_and_knows_utf8() -> None:
    encoded = base64.b64encode("雪:battery:staple".encode()).decode()
    assert basic_login(Headers({"authorization": f"Basic {encoded}"})) == ("雪", "battery:staple")
    assert basic_login(Headers({})) is None


def test_the_secret_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    secret = read_secret(path)
    assert len(secret) == 32
    assert read_secret(path) == secret
    assert read_secret(tmp_path / "other") != secret
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(file.name for file in tmp_path.iterdir()) == ["other", "secret"]
