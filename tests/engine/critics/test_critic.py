"""Scores of pictures against texts, by a CLIP model of toy size with random weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from transformers import CLIPImageProcessorPil, CLIPModel, CLIPTokenizer

from tests.toy_critics import save_clip
from webui.checkpoints.refusals import Broken
from webui.engine.critics.critic import Critic, load_critic
from webui.engine.device import choose_device
from webui.errors import Cancelled


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_clip(tmp_path_factory.mktemp("models") / "clip" / "toy")


@pytest.fixture(scope="module")
def critic(folder: Path) -> Critic:
    return load_critic(folder, choose_device("cpu"))


def plain(*colours: str) -> list[Image.Image]:
    return [Image.new("RGB", (48, 40), colour) for colour in colours]


def test_scores_are_the_model_s_own(critic: Critic, folder: Path) -> None:
    pictures = plain("red", "navy", "white")
    model = CLIPModel.from_pretrained(folder).eval()
    tokens = CLIPTokenizer.from_pretrained(folder)("a red lake", return_tensors="pt")
    pixels = CLIPImageProcessorPil.from_pretrained(folder)(pictures, return_tensors="pt").pixel_values
    with torch.inference_mode():
        logits = model(input_ids=tokens.input_ids, pixel_values=pixels).logits_per_image[:, 0]
        wanted = (logits / model.logit_scale.exp()).tolist()
    assert critic.score(pictures, "a red lake") == pytest.approx(wanted, abs=1e-5)
    assert len({round(score, 6) for score in wanted}) == 3


def test_embeddings_have_length_one_and_do_not_depend_on_the_batch(critic: Critic) -> None:
    pictures = plain(*["red", "green", "blue"] * 7)
    together = critic.embed_pictures(pictures)
    assert together.shape == (21, 16)
    torch.testing.assert_close(together.norm(dim=1), torch.ones(21))
    torch.testing.assert_close(together[20:], critic.embed_pictures(pictures[20:]))
    texts = critic.embed_texts(["a cat", "a dog, red+", "lake " * 200])
    torch.testing.assert_close(texts.norm(dim=1), torch.ones(3))
    assert critic.embed_pictures([]).shape == (0, 16)


def test_a_stop_is_heard_before_every_batch(critic: Critic) -> None:
    calls = []

    def check() -> None:
        calls.append(1)
        if len(calls) == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        critic.score(plain(*["red"] * 40), "a cat", check)


def test_modes_and_sizes_do_not_matter(critic: Critic) -> None:
    odd = [Image.new("RGBA", (7, 90), "red"), Image.new("L", (300, 20), 9), Image.new("P", (32, 32))]
    assert len(critic.score(odd, "a cat")) == 3


def test_a_folder_that_is_no_clip_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(Broken):
        load_critic(tmp_path, choose_device("cpu"))
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text("utf-8"))
    config["vision_config"]["num_hidden_layers"] = 3
    (tmp_path / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(Broken, match="missing_tensors"):
        load_critic(tmp_path, choose_device("cpu"))
