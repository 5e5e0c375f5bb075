"""Where critics are found, by their files alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.ui.conftest import checkpoint
from webui.checkpoints.critics import critic_for, critic_id_for, find_critics
from webui.errors import CriticMissing


def lay_out(place: Path, config: object = None, without: str = "") -> Path:
    """The files of a critic, or nearly: empty, but for the config."""
    place.mkdir(parents=True)
    for name in ("preprocessor_config.json", "model.safetensors"):
        (place / name).touch()
    (place / "config.json").write_text(json.dumps({"model_type": "clip"} if config is None else config))
    if without:
        (place / without).unlink()
    return place


def test_the_checkpoint_s_own_comes_first(tmp_path: Path) -> None:
    own = lay_out(tmp_path / "starter" / "clip")
    shared = [lay_out(tmp_path / "clip" / name) for name in ("large", "small")]
    (tmp_path / "clip" / "empty").mkdir()
    lay_out(tmp_path / "clip" / ".hidden")
    assert find_critics(tmp_path / "starter", tmp_path) == [own, *shared]
    assert find_critics(tmp_path / "other", tmp_path) == shared
    assert find_critics(tmp_path / "other", tmp_path / "nowhere") == []
    assert find_critics(tmp_path / "file.safetensors", tmp_path) == shared


@pytest.mark.parametrize("without", ["config.json", "preprocessor_config.json", "model.safetensors"])
def test_a_folder_that_lacks_something_is_none(tmp_path: Path, without: str) -> None:
    lay_out(tmp_path / "clip", without=without)
    assert find_critics(tmp_path / "other", tmp_path) == []


@pytest.mark.parametrize(
    "config", [{"model_type": "clip_vision_model"}, {"model_type": ["clip"]}, ["clip"], {}, "clip"]
)
def test_another_model_is_none(tmp_path: Path, config: object) -> None:
    lay_out(tmp_path / "clip", config)
    assert find_critics(tmp_path / "other", tmp_path) == []


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b" " * 2_000_000])
def test_a_config_that_cannot_be_read_is_none(tmp_path: Path, content: bytes) -> None:
    (lay_out(tmp_path / "clip") / "config.json").write_bytes(content)
    assert find_critics(tmp_path / "other", tmp_path) == []


def test_what_it_is_called_and_where_one_would_go(tmp_path: Path) -> None:
    models = tmp_path / "my models"
    (models / "clip").mkdir(parents=True)
    painter = checkpoint("painter", "Painter")
    assert critic_id_for(painter, models) is None
    with pytest.raises(CriticMissing) as caught:
        critic_for(painter, models)
    assert caught.value.details == {"checkpoint": "painter", "folder": "my models/clip"}
    place = lay_out(models / "clip" / "large")
    assert (critic_for(painter, models), critic_id_for(painter, models)) == (place, "clip/large")
