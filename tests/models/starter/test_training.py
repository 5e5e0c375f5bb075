"""The trainings, made tiny: they stop, resume, start from a checkpoint, and never mix up their words."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from models.starter.recipe import diffusion
from models.starter.recipe.architecture import (
    build_scheduler,
    build_text_encoder,
    build_tiny_vae,
    build_tokenizer,
    build_unet,
    build_vae,
    vocabulary,
    write_tokenizer,
)
from models.starter.recipe.batches import Batches
from models.starter.recipe.checkpoint import (
    read_text_encoder,
    read_tiny_vae,
    read_unet,
    read_vae,
    take_over,
    write_checkpoint,
)
from models.starter.recipe.codec import Codec, fit_codec, write_encoder
from models.starter.recipe.compose import Composer
from models.starter.recipe.decoder import load_vae, picture_loss, train_decoder
from models.starter.recipe.diffusion import load_denoiser, loss_weights, spread_timesteps, train_diffusion
from models.starter.recipe.latents import load_latents
from models.starter.recipe.lots import sample_scene
from models.starter.recipe.scene import Scene
from models.starter.recipe.tiny import load_tiny_vae, train_tiny
from models.starter.recipe.tokenizer import save_tokenizer
from models.starter.recipe.training import Average, Clock, Options, Session, learning_rate, load_state, save_state

pytestmark = [pytest.mark.native_bf16, pytest.mark.filterwarnings("ignore")]  # deprecations inside the libraries


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shards of blobs instead of drawn pictures."""
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(3)
    for shard in range(2):
        cells = rng.integers(0, 256, (3, 16, 16, 3)).astype(np.uint8)
        np.savez(folder / f"{shard:05d}.npz", pictures=cells.repeat(32, axis=1).repeat(32, axis=2))
    return folder


@pytest.fixture(scope="module")
def codec(pictures: Path) -> Codec:
    return fit_codec(np.load(pictures / "00000.npz")["pictures"], seed=1)


@pytest.fixture(scope="module")
def latents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shards of three latents and their mirror images."""
    folder = tmp_path_factory.mktemp("latents")
    rng = np.random.default_rng(4)
    for shard in range(2):
        values = torch.full((6, 16, 16, 16), float(shard)) + torch.arange(6).view(-1, 1, 1, 1) / 10
        scenes = [json.dumps(asdict(sample_scene(rng))) for _ in range(3)]
        save_state(folder / f"{shard:05d}.pt", {"latents": values.half(), "scenes": scenes})
    return folder


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory, codec: Codec) -> Path:
    """An untrained checkpoint of the sizes of today."""
    folder = tmp_path_factory.mktemp("models") / "starter"
    torch.manual_seed(5)
    vae = build_vae()
    write_encoder(vae, codec)
    write_checkpoint(folder, vae, build_unet(), build_text_encoder(build_tokenizer()), build_tiny_vae())
    return folder


def options(start: Path | None, seconds: float) -> Options:
    return Options(minutes=seconds / 60, checkpoint=start, seed=1)


def test_the_rate_warms_up_and_falls_by_the_clock() -> None:
    assert learning_rate(1.0, 0, 0.0) < learning_rate(1.0, 100, 0.0) < learning_rate(1.0, 1000, 0.0) == 1.0
    assert learning_rate(1.0, 1000, 1.0) == pytest.approx(0.02)
    assert Clock(1.0, spent_seconds=90).progress == 1.0


def test_the_average_follows_its_parameters() -> None:
    parameter = torch.nn.Parameter(torch.zeros(3))
    average = Average([parameter], 0.5)
    with torch.no_grad():
        parameter += 1
    average.update([parameter], step=1000)
    assert average.shadow[0].tolist() == [0.5, 0.5, 0.5]


def test_no_timestep_is_without_weight() -> None:
    weights = loss_weights(build_scheduler().alphas_cumprod)
    assert float(weights.min()) > 0
    assert bool(weights.isfinite().all())


def test_no_place_in_a_batch_has_noise_of_its_own() -> None:
    torch.manual_seed(1)
    drawn = torch.stack([spread_timesteps(8, 1000, torch.device("cpu")) for _ in range(200)])
    assert (drawn.sort(dim=1).values // 125 == torch.arange(8)).all()
    assert (drawn.float().mean(dim=0) - 500).abs().max() < 100


def test_a_session_goes_on_where_it_was_and_refuses_other_words(tmp_path: Path) -> None:
    def session(words: dict[str, int]) -> Session:
        model = torch.nn.Linear(2, 1)
        return Session(tmp_path / "s.pt", options(None, 1e-9), model, torch.optim.AdamW(model.parameters()), 0.9, words)

    first = session({"lake": 0})
    first.update(first.model(torch.ones(1, 2)).sum(), 0.1, 1)
    again = session({"lake": 0})
    assert again.step == 1
    assert again.clock.progress == 1
    torch.testing.assert_close(again.model.weight, first.model.weight)
    with pytest.raises(ValueError, match="other words"):
        session({"sea": 0})


def test_losses_are_zero_for_the_picture_itself_and_count_edges() -> None:
    picture = torch.rand(1, 3, 32, 32)
    assert float(picture_loss(picture, picture)) == 0
    blurred = torch.nn.functional.avg_pool2d(picture, 3, 1, 1)
    assert float(picture_loss(blurred, picture)) > float(
        picture_loss(picture + (blurred - picture).abs().mean(), picture)
    )


def test_what_is_written_is_what_was_trained_and_old_shards_go(checkpoint: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(checkpoint, tmp_path / "starter")
    stale = folder / "unet" / "diffusion_pytorch_model-00009-of-00009.safetensors"
    stale.write_bytes(b"")
    before = {path: load_file(path) for path in checkpoint.rglob("*.safetensors")}
    tokenizer = build_tokenizer()
    write_checkpoint(
        folder, read_vae(folder), read_unet(folder), read_text_encoder(folder, tokenizer), read_tiny_vae(folder)
    )
    assert not stale.exists()
    for path, tensors in before.items():
        for name, tensor in load_file(folder / path.relative_to(checkpoint)).items():
            assert torch.equal(tensor, tensors[name]), name
    for path in folder.rglob("*.json"):  # nothing tells where it was made
        assert str(tmp_path) not in path.read_text("utf-8")
    assert not list(tmp_path.glob(".staging-*"))


def test_what_an_earlier_denoiser_learned_is_taken_over(checkpoint: Path) -> None:
    earlier = read_unet(checkpoint)
    torch.manual_seed(7)
    same = build_unet()
    assert take_over(same, earlier) == []
    torch.manual_seed(7)
    config = {**earlier.config, "in_channels": 24, "out_channels": 24}
    config["down_block_types"], config["up_block_types"] = ("CrossAttnDownBlock2D",) * 2, ("CrossAttnUpBlock2D",) * 2
    larger = type(earlier).from_config(config)
    fresh = take_over(larger, earlier)
    assert "conv_in.weight" in fresh
    assert any(name.startswith("down_blocks.0.attentions") for name in fresh)
    assert not any(name.startswith("mid_block") for name in fresh)
    latents, text = torch.randn(1, 16, 16, 16), torch.randn(1, 5, 256)
    wide = torch.cat([latents, torch.zeros(1, 8, 16, 16)], dim=1)
    with torch.no_grad():
        got = larger.eval()(wide, 500, text).sample[:, :16]
        torch.testing.assert_close(got, earlier.eval()(latents, 500, text).sample, atol=1e-3, rtol=1e-3)


def test_words_keep_their_embeddings_when_others_are_added(checkpoint: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(checkpoint, tmp_path / "starter")
    tokens = vocabulary(folder / "tokenizer")
    lost = tokens.pop("lake</w>")
    numbers = {token: number for number, token in enumerate(reversed(tokens))}  # and all have other numbers
    (folder / "tokenizer" / "vocab.json").write_text(json.dumps(numbers), "utf-8")
    tokenizer = build_tokenizer()

    def table(weights: dict[str, torch.Tensor]) -> torch.Tensor:
        return next(value for key, value in weights.items() if key.endswith("embeddings.token_embedding.weight"))

    moved = table(read_text_encoder(folder, tokenizer).state_dict())
    wanted = tokenizer.get_vocab()
    saved = table(load_file(folder / "text_encoder" / "model.safetensors")).float()
    for token in ("a</w>", "forest</w>", "<|endoftext|>"):
        assert torch.equal(moved[wanted[token]], saved[numbers[token]])
    assert not (moved[wanted["lake</w>"]] == saved).all(dim=1).any()
    assert lost == wanted["lake</w>"]


def test_a_tokenizer_keeps_its_numbers_while_the_words_are_the_same(tmp_path: Path) -> None:
    save_tokenizer(tmp_path / "old")
    tokens = vocabulary(tmp_path / "old")
    names = list(tokens)
    names[0], names[1] = names[1], names[0]
    shuffled = {token: number for number, token in enumerate(names)}
    (tmp_path / "old" / "vocab.json").write_text(json.dumps(shuffled), "utf-8")
    write_tokenizer(tmp_path / "same", tmp_path / "old")
    assert vocabulary(tmp_path / "same") == shuffled
    (tmp_path / "old" / "vocab.json").write_text(json.dumps({**shuffled, "new</w>": len(shuffled)}), "utf-8")
    write_tokenizer(tmp_path / "other", tmp_path / "old")
    assert vocabulary(tmp_path / "other") == tokens


def test_batches_go_through_all_pictures_and_see_new_ones(latents: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(latents, tmp_path / "latents")
    tokenizer = build_tokenizer()
    batches = iter(Batches(folder, tokenizer, 4, (1,)).loader(0))
    seen = [next(batches) for _ in range(3)]
    assert seen[0][0].shape == (4, 16, 16, 16)
    assert seen[0][1].shape == (4, 77)
    assert all(int(row[0]) == tokenizer.bos_token_id for row in seen[0][1])
    assert len({round(float(row.mean()), 2) for rows, _ in seen for row in rows}) == 12
    loaded = load_latents(folder)
    assert loaded.scene(1) == loaded.scene(4) != loaded.scene(7)  # a picture and its mirror image; another shard
    assert not loaded.is_outdated()
    shutil.copyfile(folder / "00000.pt", folder / "00002.pt")
    assert loaded.is_outdated()
    with pytest.raises(FileNotFoundError):
        load_latents(tmp_path)


@pytest.mark.usefixtures("counted_clock", "multiplies_bf16")
def test_the_diffusion_starts_from_the_checkpoint_and_resumes(
    latents: Path, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diffusion, "BATCH", 2)
    state = tmp_path / "diffusion.pt"
    train_diffusion(latents, state, options(checkpoint, 3))
    model, steps = load_denoiser(state)
    assert steps >= 1
    committed = read_unet(checkpoint).state_dict()
    near = [float((value - committed[name]).abs().max()) for name, value in model.unet.state_dict().items()]
    assert 0 < max(near) < 0.02  # a few steps away from there, not from random weights
    saved = load_state(state)
    assert saved is not None
    save_state(state, saved | {"seconds": 0.0})
    train_diffusion(latents, state, options(None, 6))
    assert load_denoiser(state)[1] > steps


@pytest.mark.usefixtures("counted_clock", "multiplies_bf16")
def test_the_decoder_learns_and_starts_from_the_checkpoint(
    pictures: Path, codec: Codec, checkpoint: Path, tmp_path: Path
) -> None:
    state = tmp_path / "decoder.pt"
    train_decoder(pictures, codec, state, options(checkpoint, 4))
    saved = load_state(state)
    assert saved is not None
    assert saved["step"] >= 1
    vae = load_vae(state, codec)
    committed = read_vae(checkpoint)
    assert torch.equal(vae.encoder.conv_in.weight, committed.encoder.conv_in.weight)
    moved = [
        float((ours - theirs).abs().max())
        for ours, theirs in zip(vae.decoder.parameters(), committed.decoder.parameters(), strict=True)
    ]
    assert 0 < max(moved) < 0.05
    with torch.inference_mode():
        assert vae.decode(torch.zeros(1, 16, 2, 3)).sample.shape == (1, 3, 64, 96)


@pytest.mark.usefixtures("counted_clock", "multiplies_bf16")
def test_the_tiny_decoder_learns(pictures: Path, codec: Codec, tmp_path: Path) -> None:
    def error(seconds: float) -> float:
        train_tiny(pictures, codec, tmp_path / "tiny.pt", options(None, seconds))
        batch = np.load(pictures / "00000.npz")["pictures"]
        target = torch.from_numpy(batch).permute(0, 3, 1, 2).float() / 127.5 - 1
        with torch.inference_mode():
            output = load_tiny_vae(tmp_path / "tiny.pt").decode(codec.encode(batch)).sample
        assert output.shape == (3, 3, 128, 128)
        return float((output - torch.nn.functional.avg_pool2d(target, 4)).abs().mean())

    first = error(6)
    assert error(36) < first


@pytest.mark.usefixtures("counted_clock", "multiplies_bf16")
def test_a_critic_joins_in_and_is_kept(pictures: Path, codec: Codec, checkpoint: Path, tmp_path: Path) -> None:
    state = tmp_path / "decoder.pt"
    quiet = replace(options(checkpoint, 4), critic_from=1.0)
    train_decoder(pictures, codec, state, quiet)
    assert not (tmp_path / "critic.pt").exists()
    state.unlink()
    train_decoder(pictures, codec, state, replace(options(checkpoint, 8), critic_from=0.0))
    saved = load_state(tmp_path / "critic.pt")
    assert saved is not None
    assert saved["step"] >= 1
    assert load_vae(state, codec).decode(torch.zeros(1, 16, 1, 1)).sample.isfinite().all()


@pytest.mark.usefixtures("counted_clock", "multiplies_bf16")
def test_part_of_a_batch_is_composed(
    latents: Path, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    class Composed:
        def batch(self, number: int) -> tuple[torch.Tensor, list[Scene]]:
            asked.append(number)
            rng = np.random.default_rng(number)
            return torch.zeros(number, 16, 16, 16), [sample_scene(rng) for _ in range(number)]

    monkeypatch.setattr(diffusion, "BATCH", 4)
    train_diffusion(latents, tmp_path / "diffusion.pt", options(checkpoint, 3), 0, cast("Composer", Composed()))
    assert asked
    assert set(asked) == {2}
