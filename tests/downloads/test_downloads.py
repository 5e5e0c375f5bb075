"""Downloads from the first word to the file in its place."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from tests.downloads.conftest import Make, finished, folder, hidden, listed, lora, wait, weights
from tests.downloads.small_hub import REVISION, Repo, SmallHub
from tests.jobs.conftest import eventually
from webui.downloads.files import RemoteFile
from webui.downloads.placing import Chosen, Placing
from webui.downloads.plan import Item
from webui.downloads.sources import Asked
from webui.errors import DiskFull, DownloadNotFound


def test_a_file_of_weights_comes_whole(make: Make, hub: SmallHub, tmp_path: Path) -> None:
    view = finished(make(), repository="anna/one")
    assert (view.places, view.revision, view.license) == (("one.safetensors",), REVISION, "apache-2.0")
    assert view.bytes_done == view.bytes_total == len(weights())
    assert (tmp_path / "models/one.safetensors").read_bytes() == weights()
    note = json.loads((tmp_path / "models/one.json").read_text())
    source = {"repository": "anna/one", "revision": REVISION, "file": "one.safetensors"}
    assert note == {"source": source, "license": "apache-2.0"}
    assert hidden(tmp_path / "models") == set()


def test_of_a_folder_comes_what_it_needs_and_nothing_else(make: Make, hub: SmallHub, tmp_path: Path) -> None:
    hub.repos["anna/sd"] = Repo(folder())
    finished(make(), repository="anna/sd")
    wanted = {
        "darkroom.json", "model_index.json", "scheduler/scheduler_config.json", "text_encoder/config.json",
        "text_encoder/model.safetensors.index.json", "text_encoder/model-00001-of-00002.safetensors",
        "text_encoder/model-00002-of-00002.safetensors", "tokenizer/vocab.json", "tokenizer/merges.txt",
        "unet/config.json", "unet/diffusion_pytorch_model.fp16.safetensors", "vae/config.json",
        "vae/diffusion_pytorch_model.safetensors",
    }  # fmt: skip
    assert listed(tmp_path / "models") == {f"sd/{name}" for name in wanted}
    for name in wanted - {"darkroom.json"}:
        assert (tmp_path / "models/sd" / name).read_bytes() == hub.repos["anna/sd"].files[name]


def test_a_lora_goes_where_loras_are(make: Make, hub: SmallHub, tmp_path: Path) -> None:
    hub.repos["anna/style"] = Repo({"pytorch_lora_weights.safetensors": lora()})
    assert finished(make(), repository="anna/style").places == ("loras/style.safetensors",)


def test_one_runs_and_the_others_wait(make: Make, hub: SmallHub) -> None:
    for number in range(3):
        hub.repos[f"anna/m{number}"] = Repo({f"m{number}.safetensors": weights(seed=number)})
    hub.behaviour.bytes_per_second = 400_000
    downloads = make()
    ids = [downloads.ask(Asked(repository=f"anna/m{number}")).id for number in range(3)]
    eventually(lambda: downloads.get(ids[0]).state == "running")
    states = [(view.state, view.position) for view in downloads.list()]
    assert states == [("running", 0), ("waiting", 1), ("waiting", 2)]
    for id in ids:
        assert wait(downloads, id).state == "finished"
    assert [view.finished for view in downloads.list()] == sorted(view.finished or 0 for view in downloads.list())


def test_speed_and_time_left_are_told_and_a_limit_is_kept(make: Make, hub: SmallHub) -> None:
    hub.repos["anna/one"] = Repo({"one.safetensors": weights(1_000_000)})
    downloads = make(bytes_per_second=500_000)
    id = downloads.ask(Asked(repository="anna/one")).id
    eventually(lambda: (downloads.get(id).seconds_left or 99) < 1.5)
    view = downloads.get(id)
    assert view.bytes_per_second is not None
    assert 250_000 < view.bytes_per_second < 750_000
    downloads.pace.set_limit(None)
    assert wait(downloads, id).state == "finished"


def test_a_download_is_paused_and_goes_on_without_fetching_anything_twice(
    make: Make, hub: SmallHub, tmp_path: Path
) -> None:
    hub.repos["anna/one"] = Repo({"one.safetensors": weights(400_000)})
    hub.behaviour.bytes_per_second = 400_000
    downloads = make()
    id = downloads.ask(Asked(repository="anna/one")).id
    eventually(lambda: downloads.get(id).bytes_done > 50_000)
    assert downloads.pause(id).state == "paused"
    eventually(lambda: hub.requests[-1].path.endswith("one.safetensors"))
    here = downloads.get(id).bytes_done
    assert listed(tmp_path / "models") == set()
    assert downloads.pause(id).state == "paused"
    hub.behaviour.bytes_per_second = None
    downloads.resume(id)
    assert wait(downloads, id).state == "finished"
    assert hub.requests[-1].headers["Range"].startswith("bytes=")
    assert int(hub.requests[-1].headers["Range"][6:-1]) >= here
    assert (tmp_path / "models/one.safetensors").read_bytes() == weights(400_000)


@pytest.mark.parametrize("is_paused", [False, True])
def test_nothing_stays_of_what_is_cancelled(make: Make, hub: SmallHub, tmp_path: Path, is_paused: bool) -> None:
    hub.behaviour.bytes_per_second = 100_000
    downloads = make()
    id = downloads.ask(Asked(repository="anna/one")).id
    eventually(lambda: hidden(tmp_path / "models"))
    if is_paused:
        downloads.pause(id)
    downloads.cancel(id)
    assert downloads.get(id).state == "cancelled"
    assert (listed(tmp_path / "models"), hidden(tmp_path / "models")) == (set(), set())
    assert list((tmp_path / "data/downloads").glob("download-*")) == []
    downloads.cancel(id)
    assert downloads.list() == ()


def test_what_has_come_leaves_the_list_and_is_still_known(make: Make, hub: SmallHub, tmp_path: Path) -> None:
    first = make()
    view = finished(first, repository="anna/one")
    first.cancel(view.id)
    first.cancel(view.id)
    assert first.list() == ()
    assert [one.id for one in first.list(with_unlisted=True)] == [view.id]
    assert (first.get(view.id).state, first.get(view.id).places) == ("finished", ("one.safetensors",))
    assert (tmp_path / "models/one.safetensors").exists()
    first.close()
    second = make()
    assert (second.list(), second.get(view.id).state) == ((), "finished")
    assert second.ask(Asked(repository="anna/one")).id == view.id, "it is here"
    assert [one.id for one in second.list()] == [view.id]
    second.cancel(view.id)
    second.close()
    (tmp_path / "models/one.safetensors").unlink()
    third = make()
    with pytest.raises(DownloadNotFound):
        third.get(view.id)
    assert list((tmp_path / "data/downloads").glob("download-*")) == []


def test_a_download_that_waits_for_a_silent_server_is_stopped_at_once(make: Make, hub: SmallHub) -> None:
    hub.behaviour.hangs = True
    downloads = make()
    id = downloads.ask(Asked(repository="anna/one")).id
    eventually(lambda: hub.blobs() == 1)
    downloads.cancel(id)
    assert downloads.get(id).state == "cancelled"


def test_a_restart_goes_on(make: Make, hub: SmallHub, tmp_path: Path) -> None:
    hub.repos["anna/one"] = Repo({"one.safetensors": weights(400_000)})
    hub.behaviour.bytes_per_second = 400_000
    first = make()
    id = first.ask(Asked(repository="anna/one")).id
    eventually(lambda: first.get(id).bytes_done > 100_000)
    first.close()
    here = first.get(id).bytes_done
    second = make()
    assert wait(second, id).state == "finished"
    assert int(hub.requests[-1].headers["Range"][6:-1]) >= here
    digest = hashlib.sha256((tmp_path / "models/one.safetensors").read_bytes()).hexdigest()
    assert digest == hashlib.sha256(weights(400_000)).hexdigest()
    assert make().get(id).state == "finished"


def test_the_same_download_is_one(make: Make, hub: SmallHub, tmp_path: Path) -> None:
    hub.behaviour.bytes_per_second = 200_000
    downloads = make()
    first = downloads.ask(Asked(repository="anna/one"))
    assert downloads.ask(Asked(url=f"{hub.url}/anna/one")).id == first.id
    wait(downloads, first.id)
    assert downloads.ask(Asked(repository="anna/one")).id == first.id
    (tmp_path / "models/one.safetensors").unlink()
    assert downloads.ask(Asked(repository="anna/one")).id != first.id


def test_a_new_one_replaces_nothing(make: Make, hub: SmallHub, tmp_path: Path) -> None:
    (tmp_path / "models/one").mkdir(parents=True)
    assert finished(make(), repository="anna/one").places == ("one-2.safetensors",)


def test_parts_that_nobody_needs_any_more_are_removed_after_two_weeks(
    make: Make, hub: SmallHub, tmp_path: Path
) -> None:
    hub.behaviour.bytes_per_second = 50_000
    downloads = make()
    id = downloads.ask(Asked(repository="anna/one")).id
    eventually(lambda: downloads.get(id).bytes_done > 0)
    downloads.pause(id)
    downloads.close()
    folder = tmp_path / "models" / ".downloads"
    mine = hidden(tmp_path / "models")
    (folder / "old.part").write_bytes(b"x")
    (folder / "fresh.part").write_bytes(b"x")
    (folder / "old.new" / "unet").mkdir(parents=True)
    for path in folder.iterdir():
        if path.name != "fresh.part":
            os.utime(path, (1, 1))
    make()
    assert {path.name for path in folder.iterdir()} == mine | {"fresh.part"}


def test_another_file_of_a_repository_is_another_model(make: Make, hub: SmallHub, tmp_path: Path) -> None:
    """Of the same size, under a name that says nothing: it would be taken for the first."""
    names = [f"checkpoint-{number}/pytorch_lora_weights.safetensors" for number in (500, 1000)]
    hub.repos["anna/style"] = Repo({name: lora(seed) for seed, name in enumerate(names)})
    downloads = make()
    places = [finished(downloads, repository="anna/style", files=(name,)).places[0] for name in names]
    assert len({*places}) == 2
    assert [(tmp_path / "models" / place).read_bytes() for place in places] == [lora(0), lora(1)]


@pytest.mark.parametrize("name", ["vae", "Style", "loras"])
def test_a_repository_called_like_a_folder_of_other_things(make: Make, hub: SmallHub, name: str) -> None:
    hub.repos[f"anna/{name}"] = Repo(folder())
    assert finished(make(), repository=f"anna/{name}").places == (f"{name}-model",)


def test_taking_back_what_failed_leaves_what_another_one_brought(
    make: Make, hub: SmallHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    downloads = make()

    def chosen_and_full(self: Placing, item: Item, chosen: Chosen) -> dict[RemoteFile, Path]:
        chosen("one.safetensors")
        raise DiskFull

    with monkeypatch.context() as context:
        context.setattr(Placing, "place", chosen_and_full)
        failed = downloads.ask(Asked(repository="anna/one")).id
        assert wait(downloads, failed).state == "failed"
    assert finished(downloads, repository="anna/one").places == ("one.safetensors",)
    downloads.cancel(failed)
    assert (tmp_path / "models/one.safetensors").read_bytes() == weights()
