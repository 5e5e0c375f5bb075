"""What is connected to: public addresses over https and nothing else, and no login goes astray."""

from __future__ import annotations

import ipaddress
import logging
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.downloads.conftest import Make, finished, listed, wait, weights
from tests.downloads.small_hub import Repo, SmallHub, small_hub
from webui.downloads.addresses import is_public, read_address
from webui.downloads.options import DownloadOptions
from webui.downloads.sources import Asked
from webui.downloads.web import Login, Web
from webui.errors import AddressRefused, DarkroomError, SourceUnreachable

PRIVATE = ["127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "::1",
           "::", "fe80::1", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "224.0.0.1", "ff02::1",
           "240.0.0.1", "255.255.255.255"]  # fmt: skip


@pytest.mark.parametrize("number", PRIVATE)
def test_private_numbers_are_known(number: str) -> None:
    assert not is_public(ipaddress.ip_address(number))


@pytest.mark.parametrize("number", ["8.8.8.8", "2606:4700:4700::1111", "2002:808:808::1"])
def test_public_numbers_are_known(number: str) -> None:
    assert is_public(ipaddress.ip_address(number))


@pytest.mark.parametrize("number", PRIVATE)
def test_nothing_private_is_connected_to_under_any_name(number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "create_connection", lambda *_: pytest.fail("it connected"))
    web = Web(resolve=lambda host, port: ["8.8.8.8", number])
    with pytest.raises(AddressRefused):
        web.get(read_address("https://models.example/x"))
    host = f"[{number}]" if ":" in number else number
    with pytest.raises(AddressRefused):
        Web().get(read_address(f"https://{host}/x"))


def test_the_number_that_was_checked_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([["8.8.8.8"], ["127.0.0.1"]])
    connected: list[str] = []

    def connect(place: tuple[str, int], timeout: float) -> socket.socket:
        connected.append(place[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(SourceUnreachable):
        Web(resolve=lambda host, port: next(answers)).get(read_address("https://models.example/x"))
    assert connected == ["8.8.8.8"]


NO_HTTPS = ["http://models.example/x", "ftp://models.example/x", "file:///etc/passwd", "x", "//x",
            "javascript:alert(1)", "https://a:b@models.example/", "https:///x", "https://exa mple/", "https://a\n.b/",
            "https://models.example:99999/", "https://" + "a" * 9000]  # fmt: skip


@pytest.mark.parametrize("url", NO_HTTPS)
def test_addresses_that_are_none_of_https(url: str) -> None:
    with pytest.raises(AddressRefused):
        Web(resolve=lambda host, port: pytest.fail("it resolved")).get(read_address(url))


def test_a_redirect_is_checked_like_any_other_address(make: Make, hub: SmallHub, tmp_path: Path) -> None:
    with small_hub() as inside:
        inside.repos["anna/one"] = Repo({"one.safetensors": weights()})
        for target in (f"{inside.url}/anna/one/resolve/main/one.safetensors", "https://169.254.169.254/latest"):
            hub.behaviour.redirect_to = target
            downloads = make()
            view = wait(downloads, downloads.ask(Asked(repository="anna/one")).id)
            assert view.error is not None
            assert view.error.kind == "address_refused"
        assert inside.requests == []
    assert listed(tmp_path / "models") == set()


def test_a_redirect_that_goes_round_ends(make: Make, hub: SmallHub) -> None:
    hub.behaviour.redirect_to = "/anna/one/resolve/main/one.safetensors"
    downloads = make()
    view = wait(downloads, downloads.ask(Asked(repository="anna/one")).id)
    assert view.error is not None
    assert view.error.details["reason"] == "source_goes_round"


def test_a_login_goes_to_its_own_origin_alone(make: Make, hub: SmallHub, tmp_path: Path) -> None:
    with small_hub() as elsewhere:
        elsewhere.repos["anna/one"] = Repo({"one.safetensors": weights()})
        hub.behaviour.redirect_to = f"{elsewhere.url}/anna/one/resolve/main/one.safetensors?signature=x"
        downloads = make(hub_token="hf_right", loopback=(hub.url, elsewhere.url))
        finished(downloads, repository="anna/one")
        assert {request.headers.get("Authorization") for request in hub.requests} == {"Bearer hf_right"}
        assert [request.headers.get("Authorization") for request in elsewhere.requests] == [None]


def test_a_token_is_in_no_text(make: Make, hub: SmallHub, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    hub.behaviour.breaks = 1
    finished(make(hub_token="hf_right"), repository="anna/one")
    options = DownloadOptions(hub_token="hf_right", civitai_token="civ_right")
    shown = f"{caplog.text}{options!r}{options}{Login('https://huggingface.co:443', 'hf_right')!r}"
    kept = "".join(path.read_text("utf-8", "replace") for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert "_right" not in shown + kept


def test_a_query_with_a_signature_is_in_no_error() -> None:
    with pytest.raises(AddressRefused) as caught:
        Web().get(read_address("http://models.example/x?signature=secret"))
    assert "secret" not in str(caught.value)


def test_huggingface_hub_asks_through_the_same_checks(make: Make) -> None:
    with pytest.raises(AddressRefused):
        make(hub="https://127.0.0.1:9", loopback=()).ask(Asked(repository="anna/one"))


def test_a_proxy_of_the_system_is_used_and_resolves_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[tuple[str, int]] = []

    def connect(place: tuple[str, int], timeout: float) -> socket.socket:
        connected.append(place)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:7890")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:7890")
    monkeypatch.setenv("no_proxy", "")

    def resolve(host: str, port: int) -> Sequence[str]:
        raise AssertionError("the proxy resolves")

    with pytest.raises(SourceUnreachable):
        Web(resolve=resolve).get(read_address("https://huggingface.co/x"))
    with pytest.raises(AddressRefused):
        Web(resolve=resolve).get(read_address("https://10.0.0.1/x"))
    assert connected == [("127.0.0.1", 7890)]


def authorizations(hub: SmallHub) -> set[str | None]:
    """What was sent as a login, or None."""
    return {request.headers.get("Authorization") for request in hub.requests}


def test_a_mirror_gets_no_token_and_is_asked_as_soon_as_it_is_chosen(make: Make, hub: SmallHub) -> None:
    with small_hub() as mirror:
        mirror.repos["anna/two"] = Repo({"two.safetensors": weights(seed=2)})
        said = {"hub": hub.url, "loopback": (hub.url, mirror.url), "hub_token": "hf_right"}
        now = [DownloadOptions(**said)]
        downloads = make(now=lambda: now[0])
        finished(downloads, repository="anna/one")
        assert authorizations(hub) == {"Bearer hf_right"}
        now[0] = DownloadOptions(**said, mirror=mirror.url)
        finished(downloads, repository="anna/two")
        assert authorizations(mirror) == {None}
        mirror.requests.clear()
        mirror.repos["anna/three"] = Repo({"three.safetensors": weights(seed=3)})
        now[0] = DownloadOptions(**said, mirror=mirror.url, mirror_gets_token=True)
        finished(downloads, repository="anna/three")
        assert authorizations(mirror) == {"Bearer hf_right"}


NOBODYS = ["https://evil.example/anna/one", "http://huggingface.co.evil.example/a/b", "x", "", "https://huggingface.co/",
           "https://huggingface.co/datasets/a/b", "https://huggingface.co/a/b/tree", "https://civitai.com/models/1",
           "\x00"]  # fmt: skip


@pytest.mark.parametrize("url", NOBODYS)
def test_addresses_of_nobody(make: Make, url: str) -> None:
    with pytest.raises(DarkroomError) as caught:
        make().ask(Asked(url=url))
    assert caught.value.kind in ("invalid_request", "address_refused")
