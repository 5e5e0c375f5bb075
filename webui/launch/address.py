"""Where the page is served: reads the address from the flags early, takes the port, prints it.
Standard library only.
"""

from __future__ import annotations

import argparse
import errno
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from webui.launch.launch_error import LaunchError

_ANY = ("0.0.0.0", "::", "")


@dataclass(frozen=True)
class Address:
    """A host and a port; port 0 takes a free one."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The address to type into a browser on this machine."""
        host = "127.0.0.1" if self.host in _ANY else self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


def early_address(arguments: Sequence[str]) -> Address:
    """Host and port from the flags, read before the packages that parse flags are installed.

    An invalid port gives the default; the real parser complains about it later.
    """
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False, allow_abbrev=False)
    parser.add_argument("--host", default=os.environ.get("DARKROOM_HOST", "127.0.0.1"))
    parser.add_argument("--port", default=os.environ.get("DARKROOM_PORT", "7860"))
    try:
        found, _ = parser.parse_known_args(list(arguments))
        return Address(found.host, int(found.port))
    except (argparse.ArgumentError, ValueError):
        return Address("127.0.0.1", 7860)


def is_here(host: str) -> bool:
    """Whether a host is this machine's own, under which nobody on another machine can reach it."""
    return host.lower() in ("127.0.0.1", "localhost", "::1")


def take(address: Address) -> socket.socket:
    """A socket bound to the address, not yet listening, so that nobody connects to a page that is not there.

    Raises LaunchError if the port is taken or forbidden, or the host is not this machine's.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    if os.name == "posix":
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # not on Windows, where it lets two share a port
    try:
        taken.bind((address.host, address.port))
    except (OSError, OverflowError) as error:
        taken.close()
        raise _explain(error, address) from error
    return taken


def _explain(error: Exception, address: Address) -> LaunchError:
    number = error.errno if isinstance(error, OSError) else None
    if isinstance(error, socket.gaierror) or number == errno.EADDRNOTAVAIL:
        return LaunchError("host_unknown", host=address.host)
    kind = "port_forbidden" if number == errno.EACCES and address.port < 1024 else "port_in_use"
    return LaunchError(kind, host=address.host, port=address.port, free=free_port(address.port))


def free_port(beside: int) -> int:
    """A free port on this machine, close to the one that was wanted."""
    for port in range(max(beside + 1, 1024), min(beside + 50, 65536)):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    return 0
