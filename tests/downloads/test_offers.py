"""Offers: what ships is sound, what the Hub says is kept with its date, and a bundle comes as one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.downloads.conftest import Make, folder, hidden, listed, lora, wait, weights
from tests.downloads.small_hub import REVISION, Repo, SmallHub
from webui.checkpoints.families import FAMILIES
from webui.checkpoints.notes import Notes, apply_notes
from webui.downloads.bundles import FILE_NAME, checkpoint_note, read_offered
from webui.downloads.offers import Offers
from webui.downloads.options import DownloadOptions
from webui.downloads.setup import open_shop
from webui.downloads.sources import Asked
from webui.errors import OfferNotFound, SourceUnreachable
from webui.settings import ROOT

SHIPPED = read_offered(ROOT / "presets")


def a_bundle(id: str, **changes: Any) -> dict[str, Any]:
    bundle = json.loads((ROOT / "presets" / FILE_NAME).read_text("utf-8"))["bundles"][1]
    parts = [
        {"repository": "anna/sd", "role": "checkpoint"},
        {"repository": "anna/lcm", "role": "lora", "file": "pytorch_lora_weights.safetensors", "name": "lcm"},
        {"repository": "anna/taesd", "role": "tiny_decoder"},
    ]
    return bundle | {"id": id, "parts": parts} | changes


@pytest.fixture
def offering(hub: SmallHub, tmp_path: Path) -> SmallHub:
    """A Hub with two bundles over one checkpoint."""
    hub.repos["anna/sd"] = Repo(folder(), license="creativeml-openrail-m")
    hub.repos["anna/lcm"] = Repo({"pytorch_lora_weights.safetensors": lora()})
    hub.repos["anna/hyper"] = Repo({"a.safetensors": lora(1), "b.safetensors": lora(2)})
    tiny = {"config.json": b"{}", "diffusion_pytorch_model.safetensors": weights(4000, 7), "taesd.safetensors": lora(3)}
    hub.repos["anna/taesd"] = Repo(tiny)
    hyper = {"repository": "anna/hyper", "role": "lora", "file": "b.safetensors", "name": "hyper", "weight": 0.8}
    two = a_bundle("sd-hyper")
    two["parts"][1] = hyper
    own = {"bundles": [a_bundle("sd-lcm"), two], "first": ["sd-lcm"]}
    whole = json.loads((ROOT / "presets" / FILE_NAME).read_text("utf-8")) | own
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / FILE_NAME).write_text(json.dumps(whole), "utf-8")
    return hub


def offers(hub: SmallHub, tmp_path: Path) -> Offers:
    (tmp_path / "models").mkdir(exist_ok=True)
    options = DownloadOptions(hub=hub.url, loopback=(hub.url,))
    return open_shop(tmp_path / "models", tmp_path / "data", tmp_path / "presets", lambda: options).offers


def test_about_twenty_bundles_ship() -> None:
    assert 18 <= len(SHIPPED.bundles) <= 25
    for bundle in SHIPPED.bundles:
        assert bundle.family in FAMILIES, bundle.id
        assert re.search(r"[\u4e00-\u9fff]", bundle.purpose["zh-CN"])
        assert bundle.license.read or bundle.license.may_sell is None
        apply_notes(Notes.model_validate(checkpoint_note(bundle)), FAMILIES[bundle.family].defaults)
        assert all(re.fullmatch(r"[\w.-]+/[\w.-]+", part.repository) for part in bundle.parts)


def test_what_only_the_hub_knows_is_not_in_the_file() -> None:
    text = (ROOT / "presets" / FILE_NAME).read_text("utf-8")
    assert re.findall(r"[0-9a-f]{40}|bytes|\bGB\b|sha256|revision\":", text) == []


@pytest.mark.parametrize(
    "change",
    [
        {"parts": []},
        {"parts": [{"repository": "a/b", "role": "checkpoint"}, {"repository": "a/c", "role": "lora"}]},
        {"quality": 11},
        {"id": "Upper"},
        {"sha256": "0"},
        {"costs": {"network": "x", "text": "clip_l", "decoder": "vae_512"}},
    ],
)
def test_a_file_that_is_not_sound_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    whole = json.loads((ROOT / "presets" / FILE_NAME).read_text("utf-8"))
    whole |= {"bundles": [a_bundle("x") | change], "first": []}
    (tmp_path / FILE_NAME).write_text(json.dumps(whole), "utf-8")
    with pytest.raises(ValueError, match=r"."):
        read_offered(tmp_path)


def test_what_may_come_with_the_first_start_is_offered_and_says_under_which_licence(tmp_path: Path) -> None:
    assert all(bundle.license.name and bundle.license.read for bundle in SHIPPED.bundles if bundle.id in SHIPPED.first)
    assert SHIPPED.first[0] == "sd-turbo"
    whole = json.loads((ROOT / "presets" / FILE_NAME).read_text("utf-8")) | {"first": ["none"]}
    (tmp_path / FILE_NAME).write_text(json.dumps(whole), "utf-8")
    with pytest.raises(ValueError, match="not offered"):
        read_offered(tmp_path)


def test_a_bundle_comes_as_one(make: Make, offering: SmallHub, tmp_path: Path) -> None:
    downloads = make()
    view = wait(downloads, downloads.ask(Asked(offer="sd-lcm")).id)
    assert (view.state, view.places, view.revision) == ("finished", ("sd", "loras/lcm.safetensors"), REVISION)
    assert {"sd/tiny_vae/config.json", "sd/tiny_vae/diffusion_pytorch_model.safetensors"} <= listed(tmp_path / "models")
    note = json.loads((tmp_path / "models/sd/darkroom.json").read_text())
    assert (note["license"], "defaults" in note) == ("creativeml-openrail-m", False)


def test_what_two_bundles_share_is_fetched_and_placed_once(make: Make, offering: SmallHub, tmp_path: Path) -> None:
    downloads = make()
    wait(downloads, downloads.ask(Asked(offer="sd-lcm")).id)
    before = dict(offering.sent)
    second = downloads.ask(Asked(offer="sd-hyper")).id
    view = wait(downloads, second)
    assert view.places == ("sd", "loras/hyper.safetensors")
    fetched = {name for name, sent in offering.sent.items() if sent > before.get(name, 0)}
    assert {name for name in fetched if name.endswith(".safetensors")} == {"anna/hyper/b.safetensors"}
    assert (tmp_path / "models/loras/hyper.safetensors").read_bytes() == lora(2)
    assert hidden(tmp_path / "models") == set()


def test_a_cancelled_bundle_leaves_what_another_brought(make: Make, offering: SmallHub, tmp_path: Path) -> None:
    downloads = make()
    wait(downloads, downloads.ask(Asked(offer="sd-lcm")).id)
    offering.repos["anna/hyper"].files["b.safetensors"] = weights(200_000)
    offering.behaviour.bytes_per_second = 100_000
    second = downloads.ask(Asked(offer="sd-hyper")).id
    wait(downloads, second, "running")
    downloads.cancel(second)
    assert (tmp_path / "models/sd/model_index.json").is_file()
    assert not (tmp_path / "models/loras/hyper.safetensors").exists()


def test_facts_are_read_and_kept_with_their_date(offering: SmallHub, tmp_path: Path) -> None:
    first = offers(offering, tmp_path)
    assert first.facts() == {}
    first.read_all()
    facts = offers(offering, tmp_path).facts()["sd-lcm"]
    assert facts.size_bytes is not None
    assert facts.size_bytes > 200_000
    assert (facts.license, facts.gated) == ("creativeml-openrail-m", False)
    assert facts.revisions == dict.fromkeys(("anna/sd", "anna/lcm", "anna/taesd"), REVISION)
    assert facts.read > 1.7e9


def test_a_gated_bundle_is_known_without_its_size(offering: SmallHub, tmp_path: Path) -> None:
    offering.repos["anna/sd"].gated = True
    shop = offers(offering, tmp_path)
    shop.read_all()
    assert shop.facts()["sd-lcm"].gated
    assert shop.facts()["sd-lcm"].size_bytes is None


def test_a_hub_that_is_not_there_changes_nothing(offering: SmallHub, tmp_path: Path) -> None:
    shop = offers(offering, tmp_path)
    shop.read_all()
    known = shop.facts()
    offering.shutdown()
    offering.server_close()
    with pytest.raises(SourceUnreachable):
        shop.read_all()
    assert shop.facts() == known


def test_an_offer_that_is_not_there(offering: SmallHub, tmp_path: Path) -> None:
    with pytest.raises(OfferNotFound):
        offers(offering, tmp_path).plan("none")
