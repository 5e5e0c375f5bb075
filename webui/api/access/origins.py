"""Whether a call comes from our own page, under our own name. Pure functions over ASGI scopes.

The path is always `scope["path"]`, never a URL built from headers: a forged `Host` can carry a path.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import Scope

_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:(?P<port>\d{1,5}))?")
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# This machine, private networks (RFC 1918 and 4193), carriers' (6598), and links (3927 and 4291).
_NOT_OF_ONE_CALLER = tuple(
    ipaddress.ip_network(network)
    for network in (
        "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16",
        "::1/128", "fc00::/7", "fe80::/10",
    )
)  # fmt: skip


def host_name(host: str) -> str | None:
    """The name in a `Host` header, in lower case, without port and brackets; None if the header is malformed.

    >>> host_name("[::1]:7860")
    '::1'
    """
    found = _HOST.fullmatch(host)
    return found["name"].strip("[]").lower().rstrip(".") if found else None


def allowed_names(host: str) -> frozenset[str]:
    """The names under which an app without logins answers: those of loopback, and the address it was bound to."""
    return frozenset({"localhost", "127.0.0.1", "::1", host.lower().strip("[]")})


def is_path_plain(path: str) -> bool:
    """Whether everybody reads a path in the same way: no NUL, no backslash, no empty or dotted parts."""
    if "\0" in path or "\\" in path or "//" in path or not path.startswith("/"):
        return False
    return not any(part in (".", "..") for part in path.split("/"))


def is_foreign(headers: Headers) -> bool:
    """Whether another site's page made the browser send this.

    Browsers send `Origin` with everything that changes something; `null` comes from sandboxes and files, and is
    foreign. The scheme is not compared, because TLS ends at a tunnel or proxy in front of us. A caller without `Origin`
    is not a page, unless `Sec-Fetch-Site` says so.
    """
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
    scheme, _, name = origin.partition("://")
    default = _DEFAULT_PORTS.get(scheme)
    host = headers.get("host", "")
    return default is None or _without_default_port(name, default) != _without_default_port(host, default)


def is_foreign_embedding(headers: Headers) -> bool:
    """Whether another site's page fetches this as a part of itself; following a link to us does not count."""
    return headers.get("sec-fetch-site") in ("cross-site", "same-site") and headers.get("sec-fetch-mode") != "navigate"


def _without_default_port(host: str, port: str) -> str:
    return host.lower().removesuffix(f":{port}")


@dataclass(frozen=True)
class Caller:
    """Where a call comes from.

    `address`: the one to count wrong passwords for; None if other people call from there, too. `is_forwarded`: the call
    came through a tunnel or proxy on this machine, as far as can be seen.
    """

    address: str | None
    is_forwarded: bool


def caller_of(scope: Scope, headers: Headers) -> Caller:
    """The caller of a request: the peer, or for IPv6 its /64, which is one household.

    Tunnels and local proxies connect from loopback; the caller is then the last entry of `X-Forwarded-For`, since the
    caller could have written the entries before it. If that entry is missing, or is a machine in a network of their own
    (the next proxy before them), everybody's calls come from there.
    """
    peer = _parsed(scope["client"][0] if scope.get("client") else "")
    if peer is not None and not peer.is_loopback:
        return Caller(_network(peer), is_forwarded=False)
    named = _parsed(",".join(headers.getlist("x-forwarded-for")).rpartition(",")[2].strip())
    is_shared = named is None or any(named in network for network in _NOT_OF_ONE_CALLER)
    return Caller(None if named is None or is_shared else _network(named), is_forwarded=True)


def is_at_this_machine(scope: Scope, headers: Headers) -> bool:
    """Whether the call seems to come from here and not through a tunnel. Good enough to choose what to show, not to
    allow anything."""
    peer = _parsed(scope["client"][0] if scope.get("client") else "")
    return peer is not None and peer.is_loopback and "x-forwarded-for" not in headers


def _parsed(address: str) -> _Address | None:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, ipaddress.IPv6Address) else parsed


def _network(address: _Address) -> str:
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def accepts_html(headers: Headers) -> bool:
    """Whether a person in a browser asks, so that a login form is a better answer than JSON."""
    return "text/html" in headers.get("accept", "")
