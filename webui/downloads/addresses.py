"""Addresses on the network: read strictly, and told apart by whether anything may be fetched from them.

Https only. Knows no DNS: `webui/downloads/web.py` checks where a name leads.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

from webui.errors import AddressRefused

_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*\.?")
_MAX_CHARACTERS = 8192
_AS_IT_STANDS = "/%:@!$&'()*+,;=~?-._"  # of a path and a query, what needs no escape or is one
_SHORT_IPV4 = re.compile(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+)){0,3}")  # such as 127.1, or one large number
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Address:
    """One address: `target` is its path with its query, as it goes over the line."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def origin(self) -> str:
        """Scheme, host and port: whose a login is."""
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def shown(self) -> str:
        """For people and logs: without the query, in which signatures and tokens may stand."""
        return f"{self.scheme}://{self.host}{self.target.partition('?')[0]}"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.target}"


def read_address(text: str, base: Address | None = None) -> Address:
    """An address, perhaps relative to another one. Raises AddressRefused."""
    whole = urljoin(str(base), text) if base is not None else text
    if len(whole) > _MAX_CHARACTERS or not whole.isprintable():
        raise AddressRefused(address=whole.partition("?")[0][:60], reason="address_unreadable")
    try:
        parts = urlsplit(whole.strip())
        host, port = (parts.hostname or "").rstrip("."), parts.port
        host = host if ":" in host else host.encode("idna").decode("ascii")
    except ValueError as error:
        raise AddressRefused(address=whole.partition("?")[0][:60], reason="address_unreadable") from error
    if parts.scheme not in ("http", "https") or parts.username is not None or not _is_host(host):
        reason = "address_not_https" if host and parts.username is None else "address_unreadable"
        raise AddressRefused(address=whole.partition("?")[0][:200], reason=reason)
    target = quote(parts.path or "/", safe=_AS_IT_STANDS) + (
        f"?{quote(parts.query, safe=_AS_IT_STANDS)}" if parts.query else ""
    )
    return Address(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), target)


def _is_host(host: str) -> bool:
    return _HOST.fullmatch(host) is not None or as_ip(host) is not None


def as_ip(host: str) -> IpAddress | None:
    """The number that a host is written as, if it is one; also in the short forms that the system understands.

    >>> [str(as_ip(host)) for host in ("10.0.0.1", "127.1", "0x7f000001", "hf-mirror.com")]
    ['10.0.0.1', '127.0.0.1', '127.0.0.1', 'None']
    """
    with suppress(ValueError):
        return ipaddress.ip_address(host)
    with suppress(OSError):
        return ipaddress.IPv4Address(socket.inet_aton(host)) if _SHORT_IPV4.fullmatch(host) else None
    return None


def is_private_host(host: str) -> bool:
    """Whether a host, as it is written, leads into a private network or to this machine. A name may do so as well; that
    shows when it is looked up.

    >>> [is_private_host(host) for host in ("10.0.0.1", "localhost", "8.8.8.8", "hf-mirror.com")]
    [True, True, False, False]
    """
    if host == "localhost" or host.endswith(".localhost"):  # RFC 6761
        return True
    ip = as_ip(host)
    return ip is not None and not is_public(ip)


def is_public(ip: IpAddress) -> bool:
    """Whether a number leads out to the network at large, also where one number is packed into another.

    >>> [is_public(ipaddress.ip_address(ip)) for ip in ("8.8.8.8", "10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::a00:1")]
    [True, False, False, False]
    """
    inner = _packed(ip)
    return ip.is_global and not ip.is_multicast and not ip.is_reserved if inner is None else is_public(inner)


def _packed(ip: IpAddress) -> IpAddress | None:
    """The IPv4 number inside an IPv6 one."""
    if not isinstance(ip, ipaddress.IPv6Address):
        return None
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
