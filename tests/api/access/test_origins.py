"""Names, origins and addresses, read off headers that anybody may have written."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from webui.api.access.origins import Caller, caller_of, host_name, is_foreign, is_path_plain


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("localhost:7860", "localhost"),
        ("LOCALHOST", "localhost"),
        ("[::1]:7860", "::1"),
        ("127.0.0.1", "127.0.0.1"),
        ("a.example.", "a.example"),
        ("", None),
        ("a/b", None),
        ("a b", None),
        ("user@a", None),
        ("a:b", None),
        ("a:123456", None),
        ("a#", None),
        ("ä.example", None),
    ],
)
def test_host_name(host: str, name: str | None) -> None:
    assert host_name(host) == name


@pytest.mark.parametrize(
    ("headers", "foreign"),
    [
        ({"host": "a:1"}, False),
        ({"host": "a:1", "origin": "http://a:1"}, False),
        ({"host": "A", "origin": "https://a"}, False),
        ({"host": "a:443", "origin": "https://a"}, False),
        ({"host": "a:80", "origin": "http://a"}, False),
        ({"host": "a:1", "origin": "http://a:2"}, True),
        ({"host": "a", "origin": "http://b"}, True),
        ({"host": "a", "origin": "http://a.b"}, True),
        ({"host": "a", "origin": "null"}, True),
        ({"host": "a", "origin": ""}, True),
        ({"host": "a", "origin": "file://"}, True),
        ({"host": "a", "origin": "chrome-extension://a"}, True),
        ({"host": "a", "origin": "http://b@a"}, True),
        ({"host": "a", "origin": "http://[a"}, True),
        ({"host": "a", "sec-fetch-site": "same-origin"}, False),
        ({"host": "a", "sec-fetch-site": "none"}, False),
        ({"host": "a", "sec-fetch-site": "same-site"}, True),
        ({"host": "a", "sec-fetch-site": "cross-site"}, True),
    ],
)
def test_is_foreign(headers: dict[str, str], foreign: bool) -> None:
    assert is_foreign(Headers(headers)) is foreign


@pytest.mark.parametrize(
    ("peer", "forwarded", "address", "is_forwarded"),
    [
        ("203.0.113.7", [], "203.0.113.7", False),
        ("203.0.113.7", ["198.51.100.1"], "203.0.113.7", False),
        ("192.168.1.7", ["198.51.100.1"], "192.168.1.7", False),
        ("127.0.0.1", ["198.51.100.1"], "198.51.100.1", True),
        ("::1", ["198.51.100.1"], "198.51.100.1", True),
        ("::ffff:127.0.0.1", ["198.51.100.1"], "198.51.100.1", True),
        ("127.0.0.1", ["6.6.6.6, 198.51.100.1"], "198.51.100.1", True),
        ("127.0.0.1", ["6.6.6.6", "198.51.100.1"], "198.51.100.1", True),
        ("127.0.0.1", ["2001:db8:1:2:3::4"], "2001:db8:1:2::/64", True),
        ("2001:db8:1:2:3::4", [], "2001:db8:1:2::/64", False),
        ("::ffff:203.0.113.7", [], "203.0.113.7", False),
        # where everybody calls from
        ("127.0.0.1", [], None, True),
        ("::1", [""], None, True),
        ("", [], None, True),
        ("127.0.0.1", ["198.51.100.1, 127.0.0.1"], None, True),
        ("127.0.0.1", ["198.51.100.1, 10.0.0.3"], None, True),
        ("127.0.0.1", ["fe80::1%eth0"], None, True),
        ("127.0.0.1", ["unknown"], None, True),
        ("127.0.0.1", ["x" * 500], None, True),
    ],
)
def test_caller(peer: str, forwarded: list[str], address: str | None, is_forwarded: bool) -> None:
    headers = Headers(raw=[(b"x-forwarded-for", value.encode()) for value in forwarded])
    assert caller_of({"client": (peer, 1)}, headers) == Caller(address, is_forwarded)


@pytest.mark.parametrize(
    ("path", "plain"),
    [("/", True), ("/api/images/x", True), ("/a.b/..c", True), ("//a", False), ("/a/../b", False), ("/a\\b", False),
     ("/a\0", False), ("a", False), ("", False), ("/./a", False)],
)  # fmt: skip
def test_is_path_plain(path: str, plain: bool) -> None:
    assert is_path_plain(path) is plain
