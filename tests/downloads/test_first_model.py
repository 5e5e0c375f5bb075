"""The model that was asked for at the first start: the quick one of this machine, once the program runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from tests.downloads.conftest import folder, weights
from tests.downloads.measured import MEASURED
from tests.downloads.small_hub import Repo, SmallHub
from tests.jobs.conftest import eventually
from webui.downloads import first_model as module
from webui.downloads.first_model import FirstModel
from webui.downloads.machine import Machine, SelfMeasurement
from webui.downloads.options import DownloadOptions
from webui.downloads.plan import Plan
from webui.downloads.setup import Shop, open_shop
from webui.downloads.sources import Asked, Sources
from webui.downloads.wish import keep_wish, read_wish
from webui.errors import DarkroomError, RepositoryGated, SourceUnreachable
from webui.settings import ROOT
from webui.texts import Language, Texts

ROOMY = (10**13, 10**13 - 1)


class Measured:
    """Knows the machine at once."""

    def __init__(self, **changes: float) -> None:
        self.machine = Machine.model_validate(MEASURED | changes)

    def wait(self) -> Machine:
        return self.machine


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOKS_SECONDS", 0.01)
    monkeypatch.setattr(module, "WAITS_SECONDS", (0.01, 0.01))


@pytest.fixture
def shop(hub: SmallHub, tmp_path: Path) -> Iterator[Shop]:
    (tmp_path / "models").mkdir()
    options = DownloadOptions(hub=hub.url, loopback=(hub.url,))
    shop = open_shop(tmp_path / "models", tmp_path / "data", ROOT / "presets", lambda: options, usage=lambda _: ROOMY)
    shop.downloads.start()
    yield shop
    shop.downloads.close()


def started(tmp_path: Path, shop: Shop, machine: Measured | None = None, ready: list[bool] | None = None) -> FirstModel:
    measurement = cast(SelfMeasurement, machine or Measured())
    first = FirstModel(tmp_path / "data", shop, measurement, lambda: (ready or [True])[-1])
    first.start()
    return first


def sells_turbo(hub: SmallHub) -> None:
    hub.repos["stabilityai/sd-turbo"] = Repo(folder())
    tiny = {"config.json": b"{}", "diffusion_pytorch_model.safetensors": weights(4000)}
    hub.repos["madebyollin/taesd"] = Repo(tiny)


def test_the_quick_one_comes_once_the_program_stands(tmp_path: Path, hub: SmallHub, shop: Shop) -> None:
    sells_turbo(hub)
    keep_wish(tmp_path / "data", True)
    ready = [False]
    first = started(tmp_path, shop, ready=ready)
    assert shop.downloads.list() == ()
    ready.append(True)
    eventually(lambda: [view.state for view in shop.downloads.list()] == ["finished"], 30)
    assert shop.downloads.list()[0].source == {"offer": "sd-turbo"}
    eventually(lambda: read_wish(tmp_path / "data") is None)
    first.close()


@pytest.mark.parametrize("wanted", [None, False])
def test_nothing_comes_where_nobody_wants_it(tmp_path: Path, shop: Shop, wanted: bool | None) -> None:
    if wanted is not None:
        keep_wish(tmp_path / "data", wanted)
    started(tmp_path, shop).close()
    assert shop.downloads.list() == ()
    assert read_wish(tmp_path / "data") is None


def test_a_hub_that_is_silent_is_asked_again_and_at_the_next_start(tmp_path: Path, hub: SmallHub, shop: Shop) -> None:
    sells_turbo(hub)
    hub.behaviour.status = 500
    keep_wish(tmp_path / "data", True)
    first = started(tmp_path, shop)
    eventually(lambda: not first.thread.is_alive(), 30)
    assert hub.requests
    assert read_wish(tmp_path / "data") is True
    assert refusal(shop)[0] == "SD-Turbo"
    hub.behaviour.status = None
    second = started(tmp_path, shop)
    eventually(lambda: [view.state for view in shop.downloads.list()] == ["finished"], 30)
    second.close()
    assert read_wish(tmp_path / "data") is None


def refusal(shop: Shop, language: Language = "en") -> tuple[str, str]:
    """The only download's name, and why it is not there."""
    (view,) = shop.downloads.list()
    assert view.state == "failed"
    assert view.error is not None
    return view.name, Texts().word(view.error.kind, view.error.details, language)[0]


@pytest.mark.parametrize(
    ("changes", "name", "said"),
    [
        ({}, "SD-Turbo", "does not exist"),
        ({"convolution_flops": 1e9, "matmul_flops": 1e9}, "SD-Turbo", "would be the quickest"),
        ({"device_memory_bytes": 10**9, "host_memory_bytes": 10**9}, "aMUSEd", "does not fit into this machine"),
    ],
    ids=["not there", "slow", "large"],
)
def test_what_cannot_be_had_stands_among_the_downloads_and_is_not_asked_for_again(
    tmp_path: Path, shop: Shop, changes: dict[str, float], name: str, said: str
) -> None:
    keep_wish(tmp_path / "data", True)
    first = started(tmp_path, shop, Measured(**changes))
    eventually(lambda: read_wish(tmp_path / "data") is None, 30)
    first.close()
    assert refusal(shop)[0].startswith(name)
    assert said in refusal(shop)[1]
    assert refusal(shop, "zh-CN")[1] != refusal(shop)[1]
    assert shop.downloads.counts() == {"failed": 1}, "the page shows it in its header"


def test_a_disk_without_room_and_closed_doors_are_told(tmp_path: Path, hub: SmallHub) -> None:
    sells_turbo(hub)
    (tmp_path / "models").mkdir()
    options = DownloadOptions(hub=hub.url, loopback=(hub.url,))
    small = (10**10, 10**9)
    full = open_shop(tmp_path / "models", tmp_path / "data", ROOT / "presets", lambda: options, usage=lambda _: small)
    full.downloads.start()
    keep_wish(tmp_path / "data", True)
    first = started(tmp_path, full)
    eventually(lambda: read_wish(tmp_path / "data") is None, 30)
    first.close()
    assert "There is no room for this" in refusal(full)[1]
    full.downloads.close()
    hub.repos["stabilityai/sd-turbo"].gated = True
    shop = open_shop(tmp_path / "models", tmp_path / "data", ROOT / "presets", lambda: options, usage=lambda _: ROOMY)
    shop.downloads.start()
    assert "There is no room for this" in refusal(shop)[1], "it is kept"
    with pytest.raises(RepositoryGated):
        shop.downloads.resume(shop.downloads.list()[0].id)
    assert "have agreed to its terms" in refusal(shop)[1]
    hub.repos["stabilityai/sd-turbo"].gated = False
    shop.downloads.resume(shop.downloads.list()[0].id)
    eventually(lambda: [view.state for view in shop.downloads.list()] == ["finished"], 30)
    shop.downloads.close()


def test_what_somebody_takes_off_the_list_is_not_asked_for_any_more(
    tmp_path: Path, hub: SmallHub, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAITS_SECONDS", (0.01,) * 10_000)
    sells_turbo(hub)
    hub.behaviour.status = 500
    keep_wish(tmp_path / "data", True)
    first = started(tmp_path, shop)
    eventually(lambda: shop.downloads.list() != (), 30)
    shop.downloads.cancel(shop.downloads.list()[0].id)
    assert read_wish(tmp_path / "data") is None
    assert shop.downloads.list() == ()
    eventually(lambda: not first.thread.is_alive(), 30)
    assert shop.downloads.list() == ()


def test_what_is_taken_off_before_it_is_asked_for_again_stays_away(tmp_path: Path, hub: SmallHub, shop: Shop) -> None:
    sells_turbo(hub)
    hub.behaviour.status = 500
    keep_wish(tmp_path / "data", True)
    first = started(tmp_path, shop)
    eventually(lambda: not first.thread.is_alive(), 30)
    hub.behaviour.status = None
    ready = [False]
    second = started(tmp_path, shop, ready=ready)
    shop.downloads.cancel(shop.downloads.list()[0].id)
    ready.append(True)
    eventually(lambda: not second.thread.is_alive(), 30)
    started(tmp_path, shop).close()
    assert (read_wish(tmp_path / "data"), shop.downloads.list()) == (None, ())


@pytest.mark.parametrize("status", [None, 500], ids=["the Hub has it", "the Hub is silent"])
def test_what_is_taken_off_while_the_hub_is_asked_stays_away(
    tmp_path: Path, hub: SmallHub, shop: Shop, monkeypatch: pytest.MonkeyPatch, status: int | None
) -> None:
    sells_turbo(hub)
    hub.behaviour.status = 500
    keep_wish(tmp_path / "data", True)
    first = started(tmp_path, shop)
    eventually(lambda: not first.thread.is_alive(), 30)
    refused = shop.downloads.list()[0].id
    hub.behaviour.status = status
    plan = Sources.plan

    def meanwhile(sources: Sources, asked: Asked) -> Plan:
        if shop.downloads.list():
            shop.downloads.cancel(refused)
        return plan(sources, asked)

    monkeypatch.setattr(Sources, "plan", meanwhile)
    second = started(tmp_path, shop)
    eventually(lambda: not second.thread.is_alive(), 30)
    assert (read_wish(tmp_path / "data"), shop.downloads.list()) == (None, ())


@pytest.mark.parametrize("status", [None, 500], ids=["the Hub has it", "the Hub is silent"])
def test_what_is_taken_off_while_it_is_resumed_stays_away(
    tmp_path: Path, hub: SmallHub, shop: Shop, monkeypatch: pytest.MonkeyPatch, status: int | None
) -> None:
    sells_turbo(hub)
    refused = shop.downloads.refuse(Asked(offer="sd-turbo"), "SD-Turbo", SourceUnreachable(source="hub")).id
    hub.behaviour.status = status
    plan = Sources.plan

    def meanwhile(sources: Sources, asked: Asked) -> Plan:
        shop.downloads.cancel(refused)
        return plan(sources, asked)

    monkeypatch.setattr(Sources, "plan", meanwhile)
    with pytest.raises(DarkroomError):
        shop.downloads.resume(refused)
    assert shop.downloads.list() == ()


def test_a_machine_that_cannot_be_measured_is_told_and_measured_again(tmp_path: Path, shop: Shop) -> None:
    unknown = Measured()
    unknown.wait = lambda: None  # type: ignore[method-assign, assignment, return-value]
    keep_wish(tmp_path / "data", True)
    first = started(tmp_path, shop, unknown)
    eventually(lambda: not first.thread.is_alive(), 30)
    assert "could not be measured" in refusal(shop)[1]
    assert read_wish(tmp_path / "data") is True


def test_the_answer_is_plain_json(tmp_path: Path) -> None:
    keep_wish(tmp_path, True)
    assert json.loads((tmp_path / "first-model.json").read_text()) == {"wanted": True}
