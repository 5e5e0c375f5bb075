"""From whole files to their place: at once, complete, and whatever happens in between."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.downloads.conftest import Make, finished, folder, hidden, listed, lora, wait, weights
from tests.downloads.small_hub import Repo, SmallHub
from tests.downloads.test_existing import in_the_hubs_cache
from webui.checkpoints.catalogue import Catalogue
from webui.downloads.download import DownloadFiles, State
from webui.downloads.sources import Asked


def failing(*_: Any, **__: Any) -> None:
    raise OSError(errno.EPERM, "no such thing on this volume")


def test_where_there_are_no_hard_links_files_are_moved(
    make: Make, hub: SmallHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", failing)
    files = folder()
    files["vae/diffusion_pytorch_model.safetensors"] = files["unet/diffusion_pytorch_model.fp16.safetensors"]
    hub.repos["anna/sd"] = Repo(files)
    finished(make(), repository="anna/sd")
    for name in ("vae/diffusion_pytorch_model.safetensors", "unet/diffusion_pytorch_model.fp16.safetensors"):
        assert (tmp_path / "models/sd" / name).read_bytes() == files[name]
    assert hidden(tmp_path / "models") == set()


def test_where_there_are_no_hard_links_the_cache_is_linked_by_name(
    make: Make, hub: SmallHub, tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", failing)
    blob = in_the_hubs_cache(own_cache, "anna/one", "one.safetensors", weights())
    finished(make(), repository="anna/one")
    assert (tmp_path / "models/one.safetensors").readlink() == blob.resolve()
    assert hub.blobs() == 0


@pytest.mark.parametrize("renamed", [False, True])
def test_a_crash_around_the_renaming_of_a_folder(
    make: Make, hub: SmallHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renamed: bool
) -> None:
    hub.repos["anna/sd"] = Repo(folder())
    rename = os.rename

    def crash(source: Any, target: Any, **more: Any) -> None:
        if renamed:
            rename(source, target, **more)
        raise KeyboardInterrupt

    first, ended = make(), threading.Event()
    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", crash)
        patch.setattr("threading.excepthook", lambda *_: ended.set())
        id = first.ask(Asked(repository="anna/sd")).id
        assert ended.wait(30)
    (kept,) = DownloadFiles(tmp_path / "data" / "downloads").load()
    assert kept.places == {0: "sd"}
    assert ("sd/model_index.json" in listed(tmp_path / "models")) is renamed
    blobs = hub.blobs()
    assert wait(make(), id).places == ("sd",)
    assert hub.blobs() == blobs
    assert hidden(tmp_path / "models") == set()


def test_a_folder_of_another_model_under_the_name_is_left_alone(make: Make, hub: SmallHub, tmp_path: Path) -> None:
    hub.repos["anna/sd"] = Repo(folder())
    mine = tmp_path / "models" / "sd" / "model_index.json"
    mine.parent.mkdir(parents=True)
    mine.write_text("{}")
    assert finished(make(), repository="anna/sd").places == ("sd-2",)
    assert mine.read_text() == "{}"


def test_what_is_not_whole_is_never_in_the_catalogue(make: Make, hub: SmallHub, tmp_path: Path) -> None:
    hub.repos["anna/sd"] = Repo(folder(size=200_000))
    hub.behaviour.bytes_per_second = 1_000_000
    downloads = make()
    id = downloads.ask(Asked(repository="anna/sd")).id
    catalogue = Catalogue(tmp_path / "models")
    while downloads.get(id).state in (State.WAITING, State.RUNNING):
        seen = (*catalogue.list(), *catalogue.refused())
        assert not seen or (tmp_path / "models/sd/vae/diffusion_pytorch_model.safetensors").exists()
    assert downloads.get(id).state == "finished"


def test_bf16s_files_get_the_names_that_loaders_know(make: Make, hub: SmallHub, tmp_path: Path) -> None:
    files = {name.replace(".fp16.", ".bf16."): content for name, content in folder().items()}
    hub.repos["anna/bf"] = Repo(files)
    finished(make(), repository="anna/bf")
    placed = tmp_path / "models/bf/unet/diffusion_pytorch_model.safetensors"
    assert placed.read_bytes() == files["unet/diffusion_pytorch_model.bf16.safetensors"]


def test_several_files_of_one_repository_are_several_things(make: Make, hub: SmallHub) -> None:
    hub.repos["anna/many"] = Repo({"a.safetensors": lora(1), "b.safetensors": lora(2), "c.safetensors": lora(3)})
    view = finished(make(), repository="anna/many", files=("a.safetensors", "c.safetensors"))
    assert view.places == ("loras/a.safetensors", "loras/c.safetensors")
