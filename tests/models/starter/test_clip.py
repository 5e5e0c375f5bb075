"""The small CLIP: its loss, its folder, and whether the one that ships knows its pictures."""

from __future__ import annotations

import math
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F
from transformers import CLIPModel

from models.starter.recipe import clip as clipping
from models.starter.recipe.architecture import build_tokenizer
from models.starter.recipe.captions import caption
from models.starter.recipe.claims import claims_of, compatible, truths_of
from models.starter.recipe.clip import (
    Batches,
    Trainee,
    contrastive_loss,
    to_texts,
    train_clip,
    train_step,
)
from models.starter.recipe.clip_model import build_clip, embed_pictures, embed_texts, save_clip, start_patches
from models.starter.recipe.judge import load_judge
from models.starter.recipe.lots import sample_scene
from models.starter.recipe.thumbnails import SIZE, Pool, to_input
from models.starter.recipe.training import Options
from models.starter.recipe.values import ATTRIBUTES
from tests.models.starter.test_judge import write_pool
from webui.engine.critics.critic import Critic, load_critic
from webui.engine.device import choose_device

MIB = 1024 * 1024


def test_a_caption_is_true_of_its_own_scene_and_not_of_others() -> None:
    rng = np.random.default_rng(1)
    scenes = [sample_scene(rng) for _ in range(60)]
    claims = torch.tensor([claims_of(caption(scene, rng)) for scene in scenes])
    truths = torch.tensor([truths_of(scene) for scene in scenes])
    fits = compatible(truths, claims)
    assert bool(fits.diagonal().all())
    assert float(fits.float().mean()) < 0.1
    assert bool(compatible(truths, torch.full((1, len(ATTRIBUTES)), -1)).all())


def test_the_loss_wants_the_own_caption_and_leaves_out_what_is_true_as_well() -> None:
    pictures = torch.eye(4)
    none = torch.zeros(4, 8, dtype=torch.bool)
    wrong = torch.roll(pictures, 1, dims=0)
    scale = torch.tensor(math.log(50.0))
    assert float(contrastive_loss(pictures, torch.cat([pictures, wrong]), scale, none)) < 50
    good = torch.cat([pictures, -pictures])
    assert float(contrastive_loss(pictures, good, scale, none)) == pytest.approx(0, abs=1e-4)
    twins = torch.cat([pictures, pictures])  # the second half is as near as a caption can be
    assert float(contrastive_loss(pictures, twins, scale, none)) > 0.3
    fits = torch.cat([torch.eye(4), torch.eye(4)], dim=1).bool()
    assert float(contrastive_loss(pictures, twins, scale, fits)) == pytest.approx(0, abs=1e-4)


def test_patches_start_as_principal_components() -> None:
    tokenizer = build_tokenizer()
    clip = build_clip(tokenizer)
    pictures = np.random.default_rng(2).integers(0, 256, (40, SIZE // 8, SIZE // 8, 3)).astype(np.uint8)
    pictures = pictures.repeat(8, axis=1).repeat(8, axis=2)
    start_patches(clip, pictures)
    seen = clip.vision_model.embeddings.patch_embedding(to_input(pictures)).flatten(2)
    used = seen[:, :12].transpose(1, 2).flatten(0, 1)  # 2 by 2 blocks of 3 colours are 12 numbers
    torch.testing.assert_close(torch.cov(used.T), torch.eye(12), atol=0.25, rtol=0)


@pytest.mark.usefixtures("counted_clock", "multiplies_bf16")
def test_it_trains_and_any_user_of_clip_can_load_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clipping, "BATCH", 8)
    folder = write_pool(tmp_path / "thumbnails", 30)
    clip = train_clip(folder, tmp_path / "clip.pt", Options(minutes=0.2, checkpoint=None))
    assert int(torch.load(tmp_path / "clip.pt", weights_only=True)["step"]) > 0
    save_clip(clip, tmp_path / "clip")
    assert sum(path.stat().st_size for path in (tmp_path / "clip").iterdir()) < 3.5 * MIB
    critic = load_critic(tmp_path / "clip", choose_device("cpu"))
    pool, texts = Pool(folder), ["a lake at night", "夜晚的湖泊，两艘红色的船"]
    pictures = pool.examples(6)
    tokens = to_texts(texts, build_tokenizer()).tokens
    loaded = CLIPModel.from_pretrained(tmp_path / "clip", dtype=torch.float32).eval()
    with torch.inference_mode():
        seen = F.normalize(embed_pictures(loaded, to_input(pictures))[0], dim=1)
        read = F.normalize(embed_texts(loaded, tokens), dim=1)
    torch.testing.assert_close(
        critic.embed_pictures([Image.fromarray(one) for one in pictures]), seen, atol=1e-3, rtol=0
    )
    torch.testing.assert_close(critic.embed_texts(texts), read, atol=1e-4, rtol=0)


@pytest.mark.usefixtures("multiplies_bf16")
def test_a_step_gives_gradients_to_everything(tmp_path: Path) -> None:
    tokenizer, pool = build_tokenizer(), Pool(write_pool(tmp_path, 20))
    batches = Batches(pool, tokenizer, np.random.default_rng(3), 6)
    pixels, texts, truths, targets = batches.next()
    assert len(texts.tokens) == 12
    assert texts.tokens.shape[1] <= 77
    model = Trainee(tokenizer)
    loss, right = train_step(model, pixels, texts, truths, targets, 0.5)
    loss.backward()
    still = {name for name, value in model.named_parameters() if value.grad is None or not bool(value.grad.any())}
    assert still == {"patch_lessons.weight", "patch_lessons.bias"}  # only a judge teaches those
    assert set(right) == {*ATTRIBUTES, "word"}


@pytest.fixture(scope="module")
def critic(starter: Path) -> Critic:
    if not (starter / "clip").is_dir():
        pytest.skip("no CLIP was trained yet")
    return load_critic(starter / "clip", choose_device("cpu"))


def test_the_one_that_ships_is_small(starter: Path, critic: Critic) -> None:
    assert sum(path.stat().st_size for path in (starter / "clip").iterdir()) < 3.5 * MIB
    assert critic.embed_texts(["a lake"]).shape == (1, 128)


def test_the_one_that_ships_knows_fresh_pictures_by_their_captions(critic: Critic) -> None:
    pytest.importorskip("skia", reason="skia-python cannot be loaded", exc_type=ImportError)
    from models.starter.recipe.draw import draw_known

    drawn = list(islice(draw_known(31, load_judge().values), 24))
    rng = np.random.default_rng(4)
    captions = [caption(scene, rng, index % 2 == 1) for index, (_, scene) in enumerate(drawn)]
    cosines = critic.embed_pictures([Image.fromarray(picture) for picture, _ in drawn]) @ critic.embed_texts(captions).T
    best = cosines.argmax(dim=1, keepdim=True)
    truths = torch.tensor([truths_of(scene) for _, scene in drawn])
    fits = compatible(truths, torch.tensor([claims_of(text) for text in captions])).gather(1, best)
    assert int(fits.sum()) >= 12  # one in 24 would be by chance
