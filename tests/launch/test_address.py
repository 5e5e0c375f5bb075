"""Taking the port, and what is said when it cannot be had."""

from __future__ import annotations

import socket

import pytest

from webui.launch.address import Address, early_address, free_port, take
from webui.launch.launch_error import LaunchError


@pytest.mark.parametrize(
    ("arguments", "address"),
    [
        ([], Address("127.0.0.1", 7860)),
        (["--port", "9000", "--share"], Address("127.0.0.1", 9000)),
        (["--host=0.0.0.0", "--port=1"], Address("0.0.0.0", 1)),
        (["--port", "many"], Address("127.0.0.1", 7860)),
        (["--port"], Address("127.0.0.1", 7860)),
    ],
)
def test_host_and_port_are_read_early(arguments: list[str], address: Address) -> None:
    assert early_address(arguments) == address


def test_variables_count_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_PORT", "9001")
    assert early_address([]) == Address("127.0.0.1", 9001)
    assert early_address(["--port", "9002"]).port == 9002


@pytest.mark.parametrize(
    ("host", "url"),
    [("127.0.0.1", "http://127.0.0.1:80"), ("0.0.0.0", "http://127.0.0.1:80"), ("::1", "http://[::1]:80")],
)
def test_the_address_to_type(host: str, url: str) -> None:
    assert Address(host, 80).url == url


def test_a_taken_port_is_told_of_with_a_free_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(LaunchError) as raised:
            take(Address("127.0.0.1", port))
    assert raised.value.kind == "port_in_use"
    assert raised.value.details["port"] == port
    assert raised.value.details["free"] != port


def test_a_host_that_is_not_this_machines_is_told_of() -> None:
    with pytest.raises(LaunchError) as raised:
        take(Address("192.0.2.1", 0))
    assert raised.value.kind == "host_unknown"


def test_nobody_connects_before_the_page_is_there() -> None:
    with take(Address("127.0.0.1", 0)) as taken, pytest.raises(ConnectionRefusedError):
        socket.create_connection(taken.getsockname(), timeout=5)


def test_a_free_port_can_be_had() -> None:
    port = free_port(7860)
    assert port > 7860
    take(Address("127.0.0.1", port)).close()
