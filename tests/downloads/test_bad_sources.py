"""Sources that are not there, not for us, broken or lying: a sentence before the job where it can be known, and never
half a file in the models folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.downloads.conftest import Make, folder, hidden, listed, lora, wait, weights
from tests.downloads.small_hub import Behaviour, Repo, SmallHub
from tests.jobs.conftest import eventually
from webui.downloads.refusals import retry_after
from webui.downloads.sources import Asked
from webui.errors import DarkroomError, InvalidRequest, NothingToDownload


def refusal(make: Make, **asked: Any) -> tuple[str, object]:
    with pytest.raises(DarkroomError) as caught:
        make().ask(Asked(**asked))
    return caught.value.kind, caught.value.details.get("reason")


def failure(make: Make, **asked: Any) -> tuple[str, object]:
    downloads = make()
    view = wait(downloads, downloads.ask(Asked(**asked)).id)
    assert view.state == "failed"
    assert view.error is not None
    return view.error.kind, view.error.details.get("reason")


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "repository_empty"),
        ({".gitattributes": b""}, "repository_empty"),
        ({"a.bin": b"pickle", "train.py": b""}, "pickles_only"),
        ({"a.ckpt": b"pickle"}, "pickles_only"),
        ({"train.py": b"import os"}, "code_only"),
        ({"config.json": b"{}"}, "no_weights"),
        ({"a.safetensors": weights(), "b.safetensors": weights(seed=1)}, "several_files"),
        ({**folder(), "model_index.json": b"[]"}, "file_unreadable"),
        ({**folder(), "model_index.json": b'{"unet": ["pipeline", "MyUnet"]}'}, "contains_code"),
        ({**folder(), "model_index.json": b'{"../x": ["diffusers", "UNet2DConditionModel"]}'}, "contains_code"),
        ({k: v for k, v in folder().items() if "00002-of" not in k}, "parts_missing"),
        ({k: v for k, v in folder().items() if not k.startswith("vae")}, "parts_missing"),
        ({k: v for k, v in folder().items() if not k.startswith("text_encoder/model")}, "pickles_only"),
    ],
)
def test_a_repository_without_anything_to_fetch(
    make: Make, hub: SmallHub, files: dict[str, bytes], reason: str
) -> None:
    hub.repos["anna/odd"] = Repo(files)
    assert refusal(make, repository="anna/odd") == ("nothing_to_download", reason)


@pytest.mark.parametrize("files", [("b.bin",), ("run.py",), ("../one.safetensors",), ("nothing.safetensors",)])
def test_files_that_nobody_may_have(make: Make, hub: SmallHub, files: tuple[str, ...]) -> None:
    hub.repos["anna/two"] = Repo({"one.safetensors": weights(), "b.bin": b"pickle", "run.py": b""})
    assert refusal(make, repository="anna/two", files=files)[0] == "nothing_to_download"


@pytest.mark.parametrize("name", ["anna/none", "no-owner", "anna/../x", "/etc/passwd", "a/b/c", "anna/one?x=1", ""])
def test_a_repository_that_is_not_there(make: Make, name: str) -> None:
    assert refusal(make, repository=name)[0] in ("repository_not_found", "invalid_request")


def test_a_revision_that_is_not_there(make: Make) -> None:
    assert refusal(make, repository="anna/one", revision="v9")[0] == "revision_not_found"


def test_a_gated_repository_wants_a_token(make: Make, hub: SmallHub) -> None:
    hub.repos["anna/gated"] = Repo({"one.safetensors": weights()}, gated=True)
    assert refusal(make, repository="anna/gated")[0] == "repository_gated"
    assert hub.blobs() == 0
    with pytest.raises(DarkroomError, match="repository_gated"):
        make(hub_token="hf_wrong").ask(Asked(repository="anna/gated"))
    downloads = make(hub_token="hf_right")
    assert wait(downloads, downloads.ask(Asked(repository="anna/gated")).id).state == "finished"


def test_a_file_with_another_hash_is_not_kept(make: Make, hub: SmallHub, tmp_path: Path) -> None:
    hub.repos["anna/one"].lies = {"one.safetensors": {"sha256": "0" * 64}}
    assert failure(make, repository="anna/one") == ("download_damaged", "hash_differs")
    assert (listed(tmp_path / "models"), hidden(tmp_path / "models")) == (set(), set())


@pytest.mark.parametrize("off", [-1, 1, -50_000, 10**6])
def test_a_file_of_another_size_is_not_kept(make: Make, hub: SmallHub, tmp_path: Path, off: int) -> None:
    hub.repos["anna/one"].lies = {"one.safetensors": {"size": len(weights()) + off}}
    assert failure(make, repository="anna/one") == ("download_damaged", "size_differs")
    assert (listed(tmp_path / "models"), hidden(tmp_path / "models")) == (set(), set())


@pytest.mark.parametrize("size", [-5, 2**60, "many", None])
def test_sizes_that_cannot_be_meant(make: Make, hub: SmallHub, size: object) -> None:
    hub.repos["anna/one"].lies = {"one.safetensors": {"size": size}}
    assert refusal(make, repository="anna/one")[0] in ("nothing_to_download", "source_unreachable")


def test_more_bytes_than_the_size_are_not_taken(make: Make, hub: SmallHub, tmp_path: Path) -> None:
    hub.behaviour.more_than_said = b"x" * 10**6
    downloads = make()
    assert wait(downloads, downloads.ask(Asked(repository="anna/one")).id).state == "finished"
    assert (tmp_path / "models/one.safetensors").read_bytes() == weights()


@pytest.mark.parametrize("content", [b"<!DOCTYPE html>" + b" " * len(weights()), b"version https://git-lfs.github.com"])
def test_a_page_in_place_of_a_file_is_not_fetched_to_its_end(
    make: Make, hub: SmallHub, tmp_path: Path, content: bytes
) -> None:
    hub.behaviour.content = content[: len(weights())]
    assert failure(make, repository="anna/one")[0] == "download_damaged"
    assert (listed(tmp_path / "models"), hidden(tmp_path / "models")) == (set(), set())


def test_what_hashes_right_and_is_no_safetensors_file_is_not_listed(make: Make, hub: SmallHub, tmp_path: Path) -> None:
    broken = (16).to_bytes(8, "little") + b'{"a": {"dtype": ' + b" " * 100
    hub.repos["anna/one"].files["one.safetensors"] = broken
    assert failure(make, repository="anna/one")[0] == "download_damaged"
    assert listed(tmp_path / "models") == set()


@pytest.mark.parametrize("name", ["../../x.safetensors", "/x.safetensors", "a\\b.safetensors", ".x.safetensors",
                                  "con.safetensors", "a:b.safetensors", "x" * 300 + ".safetensors"])  # fmt: skip
def test_names_from_a_server_stay_in_their_folder(make: Make, hub: SmallHub, tmp_path: Path, name: str) -> None:
    hub.repos["anna/odd"] = Repo({name: lora()})
    kind, reason = refusal(make, repository="anna/odd")
    assert (kind, reason) == ("nothing_to_download", "file_name")
    assert not list(tmp_path.rglob("x.safetensors"))


def test_a_line_that_breaks_off_goes_on_where_it_ended(make: Make, hub: SmallHub, tmp_path: Path) -> None:
    hub.behaviour.breaks, hub.behaviour.break_after = 5, 15_000
    downloads = make()
    assert wait(downloads, downloads.ask(Asked(repository="anna/one")).id).state == "finished"
    assert hub.sent["anna/one/one.safetensors"] == len(weights())
    assert (tmp_path / "models/one.safetensors").read_bytes() == weights()


def test_a_server_that_cannot_go_on_begins_anew(make: Make, hub: SmallHub, tmp_path: Path) -> None:
    hub.behaviour.breaks, hub.behaviour.ignores_ranges = 2, True
    downloads = make()
    assert wait(downloads, downloads.ask(Asked(repository="anna/one")).id).state == "finished"
    assert (tmp_path / "models/one.safetensors").read_bytes() == weights()


def test_another_page_in_place_of_the_rest_costs_nothing_that_has_come(
    make: Make, hub: SmallHub, tmp_path: Path
) -> None:
    """As a login's, once a token has run out."""
    hub.behaviour.breaks, hub.behaviour.break_after = 1, 60_000
    downloads = make()
    hub.behaviour.bytes_per_second = 500_000
    id = downloads.ask(Asked(repository="anna/one")).id
    eventually(lambda: downloads.get(id).bytes_done >= 60_000, 30)
    hub.behaviour.ignores_ranges, hub.behaviour.content = True, b"<html>log in</html>"
    view = wait(downloads, id)
    assert view.error is not None
    assert (view.error.kind, view.error.details["reason"]) == ("source_unreachable", "source_not_understood")
    assert view.bytes_done >= 60_000
    hub.behaviour = Behaviour()
    downloads.resume(id)
    assert wait(downloads, id, "finished").places == ("one.safetensors",)


@pytest.mark.parametrize("shards", [[], {"a": ["x"]}, "model.safetensors"])
def test_an_index_of_shards_that_is_none(make: Make, hub: SmallHub, shards: object) -> None:
    files = folder() | {"text_encoder/model.safetensors.index.json": json.dumps({"weight_map": shards}).encode()}
    hub.repos["anna/sd"] = Repo(files)
    with pytest.raises(NothingToDownload):
        make().ask(Asked(repository="anna/sd"))


@pytest.mark.parametrize("url", ["https://[x", "http://[::1", "https://civitai.com]/models/1"])
def test_an_address_that_is_none(make: Make, url: str) -> None:
    with pytest.raises(InvalidRequest):
        make().ask(Asked(url=url))


def test_a_line_that_stays_broken_is_given_up_and_can_be_taken_up_again(make: Make, hub: SmallHub) -> None:
    hub.behaviour.breaks, hub.behaviour.break_after = 10**6, 0
    downloads = make()
    id = downloads.ask(Asked(repository="anna/one")).id
    view = wait(downloads, id)
    assert view.error is not None
    assert (view.error.kind, view.error.details["reason"]) == ("source_unreachable", "line_broke")
    hub.behaviour.breaks = 0
    assert downloads.resume(id).error is None
    assert wait(downloads, id, "finished").state == "finished"


def test_a_busy_server_is_asked_again_when_it_says(make: Make, hub: SmallHub) -> None:
    hub.behaviour.busy = 1
    downloads = make()
    id = downloads.ask(Asked(repository="anna/one")).id
    eventually(lambda: downloads.get(id).problem is not None)
    problem = downloads.get(id).problem
    assert problem is not None
    assert (problem.kind, problem.details["retry_after_seconds"]) == ("source_busy", 1)
    assert wait(downloads, id).problem is None
    assert hub.blobs() == 2


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "0"}, 1),
        ({"Retry-After": "1e9"}, 3600),
        ({"Retry-After": "nan"}, 30),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, 1),
        ({"Retry-After": "soon"}, 30),
        ({"RateLimit": '"resolvers";r=0;t=55'}, 55),
        ({}, 30),
    ],
)
def test_how_long_a_busy_server_wants_us_to_wait(headers: dict[str, str], seconds: int) -> None:
    assert retry_after(headers) == seconds


def test_where_the_hub_is_not_to_be_asked_it_is_not(make: Make, hub: SmallHub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.behaviour.bytes_per_second = 50_000
    downloads = make()
    id = downloads.ask(Asked(repository="anna/one")).id
    eventually(lambda: downloads.get(id).bytes_done > 0)
    downloads.pause(id)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    asked = len(hub.requests)
    assert refusal(make, repository="anna/one") == ("source_unreachable", "offline")
    downloads.resume(id)
    view = wait(downloads, id)
    assert view.error is not None
    assert view.error.details["reason"] == "offline"
    assert len(hub.requests) == asked


@pytest.mark.parametrize("status", [401, 403, 404, 410, 500])
def test_refusals_become_sentences(make: Make, hub: SmallHub, status: int) -> None:
    hub.behaviour.status = status
    kinds = {401: "repository_gated", 403: "repository_gated", 404: "nothing_to_download"}
    assert failure(make, repository="anna/one")[0] == kinds.get(status, "source_unreachable")


def test_a_part_that_was_damaged_is_fetched_anew(make: Make, hub: SmallHub, tmp_path: Path) -> None:
    hub.behaviour.bytes_per_second = 100_000
    downloads = make()
    id = downloads.ask(Asked(repository="anna/one")).id
    eventually(lambda: downloads.get(id).bytes_done > 20_000)
    downloads.pause(id)
    hub.behaviour.bytes_per_second = None
    (part,) = (tmp_path / "models/.downloads").glob("*.part")
    part.write_bytes(b"x" * 5000)
    downloads.resume(id)
    assert wait(downloads, id).state == "finished"
    assert (tmp_path / "models/one.safetensors").read_bytes() == weights()


def test_nothing_stays_of_a_failed_download_that_is_cancelled(make: Make, hub: SmallHub, tmp_path: Path) -> None:
    hub.behaviour.bytes_per_second = 50_000
    downloads = make()
    id = downloads.ask(Asked(repository="anna/one")).id
    eventually(lambda: downloads.get(id).bytes_done > 0)
    downloads.pause(id)
    hub.behaviour.status = 410
    downloads.resume(id)
    assert wait(downloads, id).state == "failed"
    assert hidden(tmp_path / "models") != set()
    downloads.cancel(id)
    assert hidden(tmp_path / "models") == set()
