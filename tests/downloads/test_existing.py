"""Files that are here already are linked and not fetched."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from tests.downloads.conftest import Make, finished, folder, hidden, wait, weights
from tests.downloads.small_hub import REVISION, Repo, SmallHub
from tests.jobs.conftest import eventually
from webui.downloads.sources import Asked

LARGE = 1_200_000  # from a megabyte on they are looked for


def in_the_hubs_cache(cache: Path, id: str, name: str, content: bytes) -> Path:
    """As huggingface_hub lays its cache out."""
    repo = cache / f"models--{id.replace('/', '--')}"
    blob = repo / "blobs" / hashlib.sha256(content).hexdigest()
    link = repo / "snapshots" / REVISION / name
    for path in (blob, link):
        path.parent.mkdir(parents=True, exist_ok=True)
    blob.write_bytes(content)
    link.symlink_to(blob)
    return blob


def test_what_other_programs_have_downloaded_is_linked(
    make: Make, hub: SmallHub, tmp_path: Path, own_cache: Path
) -> None:
    blob = in_the_hubs_cache(own_cache, "anna/one", "one.safetensors", weights())
    view = finished(make(), repository="anna/one")
    assert hub.blobs() == 0
    assert [file.state for file in view.files] == ["linked"]
    assert os.path.samefile(blob, tmp_path / "models/one.safetensors")


def test_a_damaged_file_in_the_cache_is_not_used(make: Make, hub: SmallHub, tmp_path: Path, own_cache: Path) -> None:
    blob = in_the_hubs_cache(own_cache, "anna/one", "one.safetensors", weights())
    blob.write_bytes(b"x" * len(weights()))
    view = finished(make(), repository="anna/one")
    assert [file.state for file in view.files] == ["finished"]
    assert (tmp_path / "models/one.safetensors").read_bytes() == weights()


def test_parts_that_two_models_share_are_fetched_once(make: Make, hub: SmallHub, tmp_path: Path) -> None:
    hub.repos["anna/a"] = Repo(folder(size=LARGE))
    hub.repos["anna/b"] = Repo(
        {**folder(size=LARGE), "unet/diffusion_pytorch_model.fp16.safetensors": weights(LARGE, 99)}
    )
    downloads = make()
    finished(downloads, repository="anna/a")
    view = finished(downloads, repository="anna/b")
    linked = {file.name for file in view.files if file.state == "linked"}
    assert linked == {
        "text_encoder/model-00001-of-00002.safetensors",
        "text_encoder/model-00002-of-00002.safetensors",
        "vae/diffusion_pytorch_model.safetensors",
    }
    name = "vae/diffusion_pytorch_model.safetensors"
    assert os.path.samefile(tmp_path / "models/a" / name, tmp_path / "models/b" / name)


def test_a_file_that_a_person_put_there_is_found_by_its_bytes(make: Make, hub: SmallHub, tmp_path: Path) -> None:
    hub.repos["anna/one"] = Repo({"one.safetensors": weights(LARGE)})
    mine = tmp_path / "models" / "mine" / "renamed.safetensors"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(weights(LARGE))
    (tmp_path / "models" / "decoy.safetensors").write_bytes(weights(LARGE, seed=5))
    finished(make(), repository="anna/one")
    assert hub.blobs() == 0
    assert os.path.samefile(mine, tmp_path / "models/one.safetensors")


def test_two_downloads_of_one_file_share_its_part(make: Make, hub: SmallHub, tmp_path: Path) -> None:
    hub.repos["anna/copy"] = Repo({"copy.safetensors": weights(400_000)})
    hub.repos["anna/one"] = Repo({"one.safetensors": weights(400_000)})
    hub.behaviour.bytes_per_second = 400_000
    downloads = make()
    first = downloads.ask(Asked(repository="anna/one")).id
    eventually(lambda: downloads.get(first).bytes_done > 100_000)
    downloads.pause(first)
    hub.behaviour.bytes_per_second = None
    second = downloads.ask(Asked(repository="anna/copy")).id
    assert wait(downloads, second).state == "finished"
    assert hub.sent["anna/copy/copy.safetensors"] < 310_000
    downloads.resume(first)
    assert wait(downloads, first).state == "finished"
    assert (tmp_path / "models/one.safetensors").read_bytes() == weights(400_000)


def test_cancelling_one_leaves_the_part_of_the_other(make: Make, hub: SmallHub, tmp_path: Path) -> None:
    hub.repos["anna/copy"] = Repo({"copy.safetensors": weights()})
    hub.behaviour.bytes_per_second = 100_000
    downloads = make()
    first = downloads.ask(Asked(repository="anna/one")).id
    second = downloads.ask(Asked(repository="anna/copy")).id
    eventually(lambda: downloads.get(first).bytes_done > 10_000)
    downloads.cancel(first)
    assert downloads.get(second).bytes_done > 5_000
    downloads.cancel(second)
    assert hidden(tmp_path / "models") == set()


def test_not_every_file_of_the_same_size_is_hashed(make: Make, hub: SmallHub, tmp_path: Path) -> None:
    hub.repos["anna/one"] = Repo({"one.safetensors": weights(LARGE)})
    for number in range(6):
        other = tmp_path / "models" / f"a{number}" / ("one.safetensors" if number == 5 else "other.safetensors")
        other.parent.mkdir(parents=True)
        other.write_bytes(weights(LARGE, seed=0 if number in (4, 5) else 9))
    finished(make(), repository="anna/one")
    assert os.path.samefile(tmp_path / "models/a5/one.safetensors", tmp_path / "models/one.safetensors")
