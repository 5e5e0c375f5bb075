"""Requests that leave this machine: to public https addresses, and nowhere else.

A name is resolved once, every number that it leads to is checked, and it is one of these that is connected to, so that
nobody can answer the check with one number and the connection with another. Each redirect is an address like any other.
A login goes to the origin that it belongs to. Knows neither the Hub nor Civitai.
"""

from __future__ import annotations

import base64
import http.client
import logging
import socket
import ssl
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2

from webui.downloads.addresses import Address, as_ip, is_private_host, is_public, read_address
from webui.downloads.stopping import Stop
from webui.errors import AddressRefused, SourceUnreachable

CONNECT_SECONDS = 15.0
SILENCE_SECONDS = 30.0  # without a byte
MAX_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_USER_AGENT = "Darkroom"
_log = logging.getLogger(__name__)
Resolve = Callable[[str, int], Sequence[str]]


@dataclass(frozen=True)
class Login:
    """A token for one origin. It never shows in a text."""

    origin: str
    token: str

    def __repr__(self) -> str:
        return f"Login({self.origin!r})"


class Answer:
    """An answer of which the head has come; the body is read piece by piece. Must be closed."""

    def __init__(self, address: Address, response: http.client.HTTPResponse, used: socket.socket) -> None:
        self.address = address
        self.status = response.status
        self.headers = response.headers
        self._response = response
        self._socket = used

    def read_into(self, buffer: memoryview) -> int:
        """How many bytes came, as soon as any have; 0 at the end. Raises SourceUnreachable where the line breaks."""
        response = self._response
        try:
            if response.chunked or response.length is None:
                return response.readinto1(buffer)
            # Straight into the buffer: `readinto1` would make 4 MB of bytes first, which took as long as the rest.
            count = response.fp.readinto1(buffer[: response.length])
            response.length -= count
            return int(count)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise unreachable(self.address.host, error) from error

    def read(self, limit: int) -> bytes:
        """The whole body. Raises SourceUnreachable where the line breaks off or the body is longer than `limit`."""
        try:
            body = self._response.read(limit + 1)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise unreachable(self.address.host, error) from error
        if len(body) > limit:
            raise SourceUnreachable(host=self.address.host, reason="source_talks_too_much")
        return body

    def close(self) -> None:
        """Lets go of the connection."""
        self._response.close()
        self._socket.close()

    def __enter__(self) -> Answer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Web:
    """What may be asked, and how. Thread-safe."""

    def __init__(self, *, loopback: Sequence[str] = (), resolve: Resolve | None = None) -> None:
        """`loopback`: origins such as `http://127.0.0.1:8000` that are allowed although they are this machine's own;
        nothing that a person, a variable or a server says gets in there."""
        self._loopback = frozenset(loopback)
        self._resolve = resolve or _resolve
        self._tls = httpx2.create_ssl_context()  # the certificates that huggingface_hub trusts, too

    def get(
        self,
        address: Address,
        *,
        headers: Mapping[str, str] | None = None,
        login: Login | None = None,
        method: str = "GET",
        stop: Stop | None = None,
    ) -> Answer:
        """The answer at the end of all redirects. Raises AddressRefused, SourceUnreachable, Stopped."""
        for _ in range(MAX_REDIRECTS + 1):
            sent = dict(headers or {})
            if login is not None and login.origin == address.origin:
                sent["Authorization"] = f"Bearer {login.token}"
            answer = self.ask(method, address, sent, stop=stop)
            target = answer.headers.get("Location")
            if answer.status not in _REDIRECTS or target is None:
                return answer
            answer.close()
            address = read_address(target, address)
        raise SourceUnreachable(host=address.host, reason="source_goes_round")

    def ask(
        self,
        method: str,
        address: Address,
        headers: Mapping[str, str],
        body: bytes | None = None,
        stop: Stop | None = None,
    ) -> Answer:
        """One request and its answer, which may be a redirect. Raises as `get`."""
        stop = stop or Stop()
        self._check(address)
        try:
            used = self._connect(address, stop)
            try:
                connection = http.client.HTTPConnection(address.host, address.port)
                connection.auto_open = 0  # it uses this socket or none
                connection.default_port = 443 if address.scheme == "https" else 80
                connection.sock = used
                sent = {"User-Agent": _USER_AGENT, "Accept-Encoding": "identity", **headers, "Connection": "close"}
                connection.request(method, address.target, body, sent)
                return Answer(address, connection.getresponse(), used)
            except BaseException:
                used.close()
                raise
        except (OSError, http.client.HTTPException, ValueError) as error:
            stop.check()
            raise unreachable(address.host, error) from error

    def _check(self, address: Address) -> None:
        if address.origin in self._loopback:
            return
        if address.scheme != "https":
            raise AddressRefused(address=address.shown, reason="address_not_https")
        if is_private_host(address.host):
            raise AddressRefused(address=address.shown, reason="address_private")

    def _connect(self, address: Address, stop: Stop) -> socket.socket:
        is_own = address.origin in self._loopback
        proxy = None if is_own else _proxy_for(address)
        if proxy is None:
            used = _first_open(self._numbers(address), address.port, stop)
        else:
            used = _first_open([proxy.host], proxy.port, stop)
        try:
            stop.hold(used)
            used.settimeout(SILENCE_SECONDS)
            if proxy is not None:
                _tunnel(used, proxy, address)
            if address.scheme == "https":
                used = self._tls.wrap_socket(used, server_hostname=address.host)
                stop.hold(used)
        except BaseException:
            used.close()
            raise
        return used

    def _numbers(self, address: Address) -> Sequence[str]:
        """What the name leads to. Raises AddressRefused if any of it is not public."""
        numbers = self._resolve(address.host, address.port)
        if address.origin in self._loopback:
            return numbers
        for number in numbers:
            ip = as_ip(number.partition("%")[0])
            if ip is None or not is_public(ip):
                _log.warning("%s leads to %s, which is not public", address.host, number)
                raise AddressRefused(address=address.shown, reason="address_private")
        return numbers


@dataclass(frozen=True)
class _Proxy:
    host: str
    port: int
    login: str | None


def _proxy_for(address: Address) -> _Proxy | None:
    """The proxy that the system or `HTTPS_PROXY` names; it is the operator's, and it resolves names itself."""
    said = urllib.request.getproxies().get("https")
    if not said or urllib.request.proxy_bypass(address.host):
        return None
    whole = said if "://" in said else f"http://{said}"
    scheme, _, rest = whole.partition("://")
    login, _, place = rest.rstrip("/").rpartition("@")
    host, colon, port = place.rpartition(":")
    if scheme != "http" or not colon or not port.isdigit():
        raise SourceUnreachable(host=address.host, reason="proxy_unsupported")
    return _Proxy(host.strip("[]"), int(port), base64.b64encode(login.encode()).decode() if login else None)


def _tunnel(used: socket.socket, proxy: _Proxy, address: Address) -> None:
    lines = [f"CONNECT {address.host}:{address.port} HTTP/1.1", f"Host: {address.host}:{address.port}"]
    if proxy.login:
        lines.append(f"Proxy-Authorization: Basic {proxy.login}")
    used.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("ascii"))
    response = http.client.HTTPResponse(used, method="CONNECT")
    response.begin()
    if response.status != 200:
        raise OSError(f"the proxy answered {response.status}")


def _first_open(numbers: Sequence[str], port: int, stop: Stop) -> socket.socket:
    failure: OSError = OSError("the name leads nowhere")
    for number in numbers:
        stop.check()
        try:
            return socket.create_connection((number, port), CONNECT_SECONDS)
        except OSError as error:
            failure = error
    raise failure


def _resolve(host: str, port: int) -> Sequence[str]:
    found: list[Any] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def unreachable(host: str, error: Exception) -> SourceUnreachable:
    """What a broken line is for people; the log has the system's own words."""
    _log.info("%s cannot be reached: %s", host, error)
    match error:
        case socket.gaierror():
            return SourceUnreachable(host=host, reason="name_unknown")
        case ssl.SSLError():
            return SourceUnreachable(host=host, reason="tls_failed")
        case TimeoutError():
            return SourceUnreachable(host=host, reason="silence")
        case _:
            return SourceUnreachable(host=host, reason="line_broke")
