"""The page on the port while packages install."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request

import pytest

from webui.launch.address import Address, free_port, take
from webui.launch.launch_error import LaunchError
from webui.launch.progress import ProgressMeter
from webui.launch.waiting_page import WaitingPage


@pytest.fixture
def address() -> Address:
    return Address("127.0.0.1", free_port(18000))


def refused(url: str) -> tuple[int, str, str]:
    """Status, type and text of an answer that is not 200."""
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(url, timeout=5)
    with raised.value as answer:
        return answer.code, answer.headers["Content-Type"], answer.read().decode()


def test_it_says_how_far_it_is(address: Address) -> None:
    meter = ProgressMeter(100, with_tests=False)
    with WaitingPage(address, meter):
        meter.enter("torch")
        meter.feed("Downloading torch-2.13.0.whl")
        with urllib.request.urlopen(address.url + "/progress", timeout=5) as answer:
            told = json.load(answer)
    assert told["stage"] == "torch"
    assert told["file"] == "torch-2.13.0.whl"
    assert {"fraction", "bytes_per_second", "seconds_left", "fetched_bytes"} <= set(told)


def test_nobody_takes_it_for_the_app(address: Address) -> None:
    with WaitingPage(address, ProgressMeter(1, with_tests=False)):
        assert refused(address.url + "/healthz")[0] == 503
        code, kind, text = refused(address.url + "/")
    assert code == 503
    assert kind.startswith("text/html")
    assert "/healthz" in text, "it asks for the app"
    assert "正在准备" in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert "https://" not in text


def test_it_lets_go_of_the_port(address: Address) -> None:
    with WaitingPage(address, ProgressMeter(1, with_tests=False)):
        refused(address.url + "/")
    with take(address) as taken:
        taken.listen()


def test_a_taken_port_is_told_of_before_anything_is_installed(address: Address) -> None:
    with socket.create_server((address.host, address.port)), pytest.raises(LaunchError) as raised:
        WaitingPage(address, ProgressMeter(1, with_tests=False)).__enter__()
    assert raised.value.kind == "port_in_use"
