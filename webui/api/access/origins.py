"""Whether a call comes from our own page, under our own name. Pure functions over ASGI scopes.

The path is always `scope["path"]`, never a URL put together from headers: a forged `Host` can carry a path.
"""

from __future__ import annotations

import ipaddress
import re

from starlette.datastructures import Headers
from starlette.types import Scope

_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:(?P<port>\d{1,5}))?")
_DEFAULT_PORTS = {"http": "80", "https": "443"}


def host_name(host: str) -> str | None:
    """The name in a `Host` header, in lower case, without port and brackets; None when the header is malformed.

    >>> host_name("[::1]:7860")
    '::1'
    """
    found = _HOST.fullmatch(host)
    return found["name"].strip("[]").lower().rstrip(".") if found else None


def allowed_names(host: str) -> frozenset[str]:
    """The names under which an app without a login answers: loopback's, and the address it was bound to."""
    return frozenset({"localhost", "127.0.0.1", "::1", host.lower().strip("[]")})


def is_path_plain(path: str) -> bool:
    """Whether a path means the same to everybody: no NUL, no backslash, no empty or dotted parts."""
    if "\0" in path or "\\" in path or "//" in path or not path.startswith("/"):
        return False
    return not any(part in (".", "..") for part in path.split("/"))


def is_foreign(headers: Headers) -> bool:
    """Whether another site's page made the browser send this.

    Browsers put `Origin` on everything that changes something; `null` stands for sandboxes and files, and is foreign.
    The scheme is not compared, because TLS ends at a tunnel or proxy in front of us. A caller without `Origin` is no
    page, unless `Sec-Fetch-Site` says otherwise.
    """
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
    scheme, _, name = origin.partition("://")
    default = _DEFAULT_PORTS.get(scheme)
    host = headers.get("host", "")
    return default is None or _without_default_port(name, default) != _without_default_port(host, default)


def is_foreign_embedding(headers: Headers) -> bool:
    """Whether another site's page fetches this as a part of itself; following a link to us is not meant."""
    return headers.get("sec-fetch-site") in ("cross-site", "same-site") and headers.get("sec-fetch-mode") != "navigate"


def _without_default_port(host: str, port: str) -> str:
    return host.lower().removesuffix(f":{port}")


def client_address(scope: Scope, headers: Headers) -> str:
    """Whom to hold wrong passwords against: the peer, an IPv6 one by its /64, which is one household.

    Tunnel and local proxy connect from loopback; then it is whom they name last in `X-Forwarded-For`. What stands
    before that, the caller wrote themselves.
    """
    peer = scope["client"][0] if scope.get("client") else ""
    forwarded = headers.getlist("x-forwarded-for")
    if forwarded and _is_loopback(peer):
        peer = forwarded[-1].rpartition(",")[2].strip()
    return _network(peer)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:100]
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


def accepts_html(headers: Headers) -> bool:
    """Whether a person in a browser asks, and a login form is a better answer than JSON."""
    return "text/html" in headers.get("accept", "")
