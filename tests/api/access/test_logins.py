"""Passwords and cookies."""

from __future__ import annotations

import base64
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from itsdangerous import base64_encode
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
def test_a_cookie_is_known_again_after_a_restart_until_it_ends(user: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    cookie = logins().cookie(user)
    monkeypatch.setattr(time, "time", lambda: 1000.0 + VALID_SECONDS - 1)
    assert logins().user_of(carrying(cookie)) == user
    monkeypatch.setattr(time, "time", lambda: 1000.0 + VALID_SECONDS + 1)
    assert logins().user_of(carrying(cookie)) is None


def test_a_cookie_ends_with_password_secret_and_user() -> None:
    cookie = carrying(logins().cookie("anna"))
    assert logins({**PASSWORDS, "anna": "another"}).user_of(cookie) is None
    assert logins(secret=b"t" * 32).user_of(cookie) is None
    assert logins({"雪": "battery:staple"}).user_of(cookie) is None


def test_the_same_password_does_not_make_one_user_another() -> None:
    same = logins({"anna": "p", "ben": "p"})
    name, made, sign = same.cookie("anna").split(".")
    assert same.user_of(carrying(f"{name}.{made}.{sign}")) == "anna"
    assert same.user_of(carrying(f"{base64_encode('ben').decode()}.{made}.{sign}")) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda name, made, sign: f"{name}.{base64_encode((int(time.time()) - 60).to_bytes(4)).decode()}.{sign}",
        lambda name, made, sign: f"{base64_encode('雪').decode()}.{made}.{sign}",
        lambda name, made, sign: f"{name}.{made}.{sign[:-1]}0",
        lambda name, made, sign: f"{name}.{made}.",
        lambda name, made, sign: f"{name}.{made}",
        lambda name, made, sign: f"{name}.{sign}",
        lambda name, made, sign: f"{name}.x.{sign}",
        lambda name, made, sign: f"!.{made}.{sign}",
        lambda name, made, sign: f"é.{made}.{sign}",
        lambda name, made, sign: f"_w.{made}.{sign}",  # no UTF-8
        lambda name, made, sign: f"{name}.{'9' * 5000}.{sign}",
        lambda name, made, sign: f"{name}.{'9' * 4000}.{sign}",
        lambda name, made, sign: "",
    ],
)
def test_a_forged_cookie_is_none(change: Callable[[str, str, str], str]) -> None:
    cookie = logins().cookie("anna")
    forged = change(*cookie.split("."))
    assert forged == cookie or logins().user_of(carrying(forged)) is None


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
