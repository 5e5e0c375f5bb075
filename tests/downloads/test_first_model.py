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
from webui.downloads.setup import Shop, open_shop
from webui.downloads.wish import keep_wish, read_wish
from webui.settings import ROOT

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
    eventually(lambda: not first._thread.is_alive(), 30)
    assert hub.requests
    assert read_wish(tmp_path / "data") is True
    hub.behaviour.status = None
    second = started(tmp_path, shop)
    eventually(lambda: len(shop.downloads.list()) == 1, 30)
    second.close()
    assert read_wish(tmp_path / "data") is None


@pytest.mark.parametrize("changes", [{}, {"convolution_flops": 1e9, "matmul_flops": 1e9}], ids=["not there", "slow"])
def test_what_cannot_be_had_is_said_and_not_asked_for_again(
    tmp_path: Path, shop: Shop, caplog: pytest.LogCaptureFixture, changes: dict[str, float]
) -> None:
    keep_wish(tmp_path / "data", True)
    first = started(tmp_path, shop, Measured(**changes))
    eventually(lambda: read_wish(tmp_path / "data") is None, 30)
    first.close()
    assert shop.downloads.list() == ()
    assert "no model" in caplog.text or "cannot be had" in caplog.text


def test_the_answer_is_plain_json(tmp_path: Path) -> None:
    keep_wish(tmp_path, True)
    assert json.loads((tmp_path / "first-model.json").read_text()) == {"wanted": True}
