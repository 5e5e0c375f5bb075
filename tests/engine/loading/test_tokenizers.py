"""Where a single file's tokenizer comes from."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from tests.toys import save_sd15_file, save_sdxl_file, save_tokenizer
from webui.checkpoints.catalogue import Catalogue, Checkpoint
from webui.checkpoints.families import FAMILIES
from webui.checkpoints.family import TokenizerSource
from webui.checkpoints.refusals import Broken
from webui.engine.loading.tokenizers import fetch_from_hub, load_tokenizers
from webui.errors import Cancelled, TokenizerMissing
from webui.texts import Texts

TOKENS = 534  # of the toys' vocabulary


def no_hub(source: TokenizerSource, file: str, folder: Path) -> Path:
    raise ConnectionError(f"no {file}")


class Hub:
    """The Hub, as far as we know it: counts what is fetched."""

    def __init__(self, published: Path) -> None:
        self.published = published
        self.fetched: list[str] = []

    def __call__(self, source: TokenizerSource, file: str, folder: Path) -> Path:
        self.fetched.append(f"{source.repository}@{source.revision[:4]}/{source.folder}/{file}")
        return Path(shutil.copyfile(self.published / file, folder / file))


def stripped(models: Path, kind: str) -> Checkpoint:
    """A toy file without any tokenizer beside it."""
    save = save_sdxl_file if kind == "sdxl" else save_sd15_file
    save(models / "toy.safetensors")
    for name in ("tokenizer", "tokenizer_2"):
        shutil.rmtree(models / "toy.components" / name, ignore_errors=True)
    return Catalogue(models).get("toy")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    return stripped(tmp_path / "models", "sd15")


def load(checkpoint: Checkpoint, fetch: object = no_hub, sizes: dict[str, int] | None = None) -> dict[str, object]:
    folder = checkpoint.path.parent / "tokenizers"
    return load_tokenizers(checkpoint, sizes or {"tokenizer": TOKENS}, folder, lambda: None, fetch)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "place",
    [
        "toy.components/tokenizer",
        "toy.tokenizer",
        "toy.tokenizer/tokenizer",
        "tokenizer",
        "tokenizers/sd15",
        "tokenizers/sd15/tokenizer",
    ],
)
def test_every_place_is_looked_at(checkpoint: Checkpoint, place: str) -> None:
    save_tokenizer(checkpoint.path.parent / place)
    tokenizer = load(checkpoint)["tokenizer"]
    assert tokenizer("a cat").input_ids[0] == TOKENS - 2  # type: ignore[operator]


def test_two_files_are_enough(checkpoint: Checkpoint) -> None:
    folder = save_tokenizer(checkpoint.path.parent / "toy.tokenizer")
    (folder / "tokenizer_config.json").unlink()
    tokenizer = load(checkpoint)["tokenizer"]
    assert tokenizer.pad_token == "<|endoftext|>"  # type: ignore[attr-defined]
    assert tokenizer.model_max_length == 77  # type: ignore[attr-defined]
    ids = tokenizer("a cat", padding="max_length").input_ids  # type: ignore[operator]
    assert len(ids) == 77
    assert ids[:1] + ids[-1:] == [TOKENS - 2, TOKENS - 1]


def test_one_vocabulary_serves_both_encoders_of_sdxl_with_a_filler_each(tmp_path: Path) -> None:
    checkpoint = stripped(tmp_path / "models", "sdxl")
    folder = save_tokenizer(checkpoint.path.parent / "toy.tokenizer")
    (folder / "tokenizer_config.json").unlink()
    found = load(checkpoint, sizes={"tokenizer": TOKENS, "tokenizer_2": TOKENS})
    assert [t.pad_token for t in found.values()] == ["<|endoftext|>", "!"]  # type: ignore[attr-defined]


def test_another_checkpoint_s_tokenizer_is_not_taken(checkpoint: Checkpoint) -> None:
    save_tokenizer(checkpoint.path.parent / "starter" / "tokenizer")
    with pytest.raises(TokenizerMissing):
        load(checkpoint)


def test_a_tokenizer_of_another_vocabulary_is_refused(checkpoint: Checkpoint) -> None:
    save_tokenizer(checkpoint.path.parent / "toy.tokenizer")
    with pytest.raises(Broken) as caught:
        load(checkpoint, sizes={"tokenizer": 49408})
    assert caught.value.reason == "tokenizer_mismatch"


def test_damaged_files_are_refused(checkpoint: Checkpoint) -> None:
    folder = save_tokenizer(checkpoint.path.parent / "toy.tokenizer")
    (folder / "vocab.json").write_text("{")
    with pytest.raises(Broken):
        load(checkpoint)


def test_the_hub_is_asked_once_at_a_fixed_revision(checkpoint: Checkpoint, tmp_path: Path) -> None:
    hub = Hub(save_tokenizer(tmp_path / "published"))
    load(checkpoint, hub)
    source = (FAMILIES["sd15"].tokenizers or {})["tokenizer"]
    assert hub.fetched == [
        f"{source.repository}@{source.revision[:4]}/tokenizer/{f}" for f in ("vocab.json", "merges.txt")
    ]
    kept = checkpoint.path.parent / "tokenizers" / "sd15"
    assert sorted(path.name for path in kept.rglob("*")) == ["merges.txt", "tokenizer", "vocab.json"]
    load(checkpoint, hub)
    assert len(hub.fetched) == 2


def test_without_the_hub_the_job_says_which_files_go_where(checkpoint: Checkpoint) -> None:
    with pytest.raises(TokenizerMissing) as caught:
        load(checkpoint)
    details = caught.value.details
    assert details["folders"] == "models/tokenizers/sd15/tokenizer"
    assert details["files"] == "vocab.json, merges.txt"
    message, hint = Texts().word("tokenizer_missing", details, "en")
    assert "Stable Diffusion 1.x" in message
    assert "vocab.json, merges.txt into models/tokenizers/sd15/tokenizer" in hint
    assert not list((checkpoint.path.parent / "tokenizers" / "sd15").iterdir())


def test_a_download_that_stalls_can_be_stopped(checkpoint: Checkpoint) -> None:
    stalled, released = threading.Event(), threading.Event()

    def stalling(source: TokenizerSource, file: str, folder: Path) -> Path:
        stalled.set()
        released.wait(30)
        raise ConnectionError

    def check() -> None:
        if stalled.is_set():
            raise Cancelled

    try:
        with pytest.raises(Cancelled):
            load_tokenizers(checkpoint, {"tokenizer": TOKENS}, checkpoint.path.parent / "tokenizers", check, stalling)
    finally:
        released.set()


def test_a_hub_out_of_reach_is_known_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("urllib.request.getproxies", dict)
    source = (FAMILIES["sdxl"].tokenizers or {})["tokenizer_2"]
    with pytest.raises(ConnectionRefusedError):
        fetch_from_hub(source, "vocab.json", tmp_path)


def test_a_mirror_is_asked_in_place_of_the_hub_and_gets_no_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("urllib.request.getproxies", lambda: {"https": "a proxy"})
    asked: list[dict[str, object]] = []

    def download(*_: object, endpoint: str | None, token: object, **__: object) -> str:
        asked.append({"endpoint": endpoint, "token": token})
        return str(tmp_path)

    monkeypatch.setattr("webui.engine.loading.tokenizers.hf_hub_download", download)
    source = (FAMILIES["sdxl"].tokenizers or {})["tokenizer_2"]
    fetch_from_hub(source, "vocab.json", tmp_path, mirror="https://mirror.example")
    fetch_from_hub(source, "vocab.json", tmp_path)
    assert asked == [{"endpoint": "https://mirror.example", "token": False}, {"endpoint": None, "token": None}]
