"""Trains the U-Net and the text encoder together, from nothing, on latents and captions.

v-prediction with zero terminal SNR (Lin et al. 2024), losses weighted by min-SNR (Hang et al. 2023) in its form for v,
captions dropped for guidance, averaged weights.
"""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import CLIPTokenizer

from models.starter.recipe.architecture import (
    build_scheduler,
    build_text_encoder,
    build_tokenizer,
    build_unet,
)
from models.starter.recipe.captions import UNCONDITIONAL_CHANCE, caption
from models.starter.recipe.latents import load_latents
from models.starter.recipe.scene import Scene
from models.starter.recipe.text import load_text_weights
from models.starter.recipe.tokenizer import MAX_TOKENS
from models.starter.recipe.training import (
    Average,
    Clock,
    learning_rate,
    load_state,
    save_state,
    set_learning_rate,
)

log = logging.getLogger("diffusion")
PEAK_RATE = 8e-4
BATCH = 16
EMA_DECAY = 0.998
SNR_CEILING = 5.0  # min-SNR's gamma
WEIGHT_FLOOR = 0.5
SAVE_SECONDS = 180.0
RELOAD_STEPS = 150  # look for new latents this often
BESIDE_EVERY = 4
TEXT_RATE_SHARE = 0.25
CAPTIONS_EACH = 12  # captions made for every picture at most, by lot


class Denoiser(nn.Module):
    """Text encoder and U-Net as one network: noisy latents, timesteps and tokens in, v out."""

    def __init__(self, tokenizer: CLIPTokenizer) -> None:
        super().__init__()
        self.unet = build_unet()
        self.text_encoder = build_text_encoder(tokenizer)

    def forward(self, noisy: Tensor, timesteps: Tensor, tokens: Tensor) -> Tensor:
        """(B, 16, 16, 16), (B,), (B, 77) -> (B, 16, 16, 16)."""
        text = self.text_encoder(tokens).last_hidden_state
        return self.unet(noisy, timesteps, text).sample


class Captions:
    """Tokens of a fresh caption for each picture, remembered up to CAPTIONS_EACH a picture."""

    def __init__(self, scenes: list[Scene], tokenizer: CLIPTokenizer, rng: np.random.Generator) -> None:
        self.scenes, self._tokenizer, self._rng = scenes, tokenizer, rng
        self.files = 0  # files of latents that the scenes came from
        self._known: dict[tuple[int, int], Tensor] = {}
        self._none = self._tokenize("")

    def _tokenize(self, text: str) -> Tensor:
        return self._tokenizer(
            text, padding="max_length", max_length=MAX_TOKENS, truncation=True, return_tensors="pt"
        ).input_ids[0]

    def tokens(self, index: int) -> Tensor:
        """One caption of picture `index`, (77,); now and then the empty one."""
        if self._rng.random() < UNCONDITIONAL_CHANCE:
            return self._none
        key = (index, int(self._rng.integers(CAPTIONS_EACH)))
        if key not in self._known:
            self._known[key] = self._tokenize(caption(self.scenes[index], self._rng)).to(torch.int16)
        return self._known[key].long()


def loss_weights(alphas_cumprod: Tensor) -> Tensor:
    """Min-SNR weights of the v loss for every timestep, (1000,): min(SNR, 5) / (SNR + 1), kept above WEIGHT_FLOOR.

    The floor is ours: without it the noisiest steps, which decide what is in the picture, would hardly count.
    """
    snr = alphas_cumprod / (1 - alphas_cumprod)
    return (snr.clamp(max=SNR_CEILING) / (snr + 1)).clamp(min=WEIGHT_FLOOR) / WEIGHT_FLOOR


def diffusion_loss(
    model: nn.Module, latents: Tensor, tokens: Tensor, alphas_cumprod: Tensor, weights: Tensor
) -> Tensor:
    """Weighted squared error of v at timesteps by lot, spread evenly over the batch."""
    batch = len(latents)
    spread = (torch.arange(batch) + torch.rand(batch)) / batch
    timesteps = (spread * len(alphas_cumprod)).long()
    noise = torch.randn_like(latents)
    alpha = alphas_cumprod[timesteps].sqrt().view(-1, 1, 1, 1)
    sigma = (1 - alphas_cumprod[timesteps]).sqrt().view(-1, 1, 1, 1)
    with torch.autocast("cpu", torch.bfloat16):
        predicted = model(alpha * latents + sigma * noise, timesteps, tokens)
    error = (predicted.float() - (alpha * noise - sigma * latents)).square().mean(dim=(1, 2, 3))
    return (error * weights[timesteps]).mean()


def build_optimizer(model: Denoiser) -> torch.optim.Optimizer:
    """AdamW with a smaller rate for the text encoder, which can read already."""
    groups = [
        {"params": list(model.unet.parameters())},
        {"params": list(model.text_encoder.parameters()), "share": TEXT_RATE_SHARE},
    ]
    return torch.optim.AdamW(groups, lr=PEAK_RATE, betas=(0.9, 0.98), weight_decay=1e-2)


def train_diffusion(
    latents_folder: Path, state_path: Path, minutes: float, seed: int, beside: Iterator[int] | None = None
) -> None:
    """Train for `minutes` in all, resuming from `state_path`; its `average` are the weights to use.

    The text encoder starts from `text.pt` beside the state, where `text` was trained, and moves slowly from there.
    `beside` is another training that gets one step after every `BESIDE_EVERY` of this one.
    """
    torch.manual_seed(seed)
    tokenizer = build_tokenizer()
    model = Denoiser(tokenizer)
    load_text_weights(state_path.with_name("text.pt"), model.text_encoder)
    optimizer = build_optimizer(model)
    average = Average(model.parameters(), EMA_DECAY)
    saved = load_state(state_path)
    if saved:
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        average.shadow = saved["average"]
    clock = Clock(minutes, saved["seconds"] if saved else 0.0)
    step = int(saved["step"]) if saved else 0
    rng = np.random.default_rng((seed, step))
    torch.manual_seed(seed + step)
    alphas_cumprod = build_scheduler().alphas_cumprod
    weights = loss_weights(alphas_cumprod)
    latents, captions, order, running, last_save = torch.empty(0), None, np.empty(0, int), 0.0, clock.spent_seconds
    while clock.progress < 1:
        if captions is None or step % RELOAD_STEPS == 0:
            latents, captions = _refresh(latents_folder, tokenizer, rng, captions, latents)
        if len(order) < BATCH:
            order = rng.permutation(len(latents))
        chosen, order = order[:BATCH], order[BATCH:]
        tokens = torch.stack([captions.tokens(int(index)) for index in chosen])
        set_learning_rate(optimizer, learning_rate(PEAK_RATE, step, clock.progress, 300))
        loss = diffusion_loss(model, latents[chosen].float(), tokens, alphas_cumprod, weights)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
        average.update(model.parameters(), step)
        if beside is not None and step % BESIDE_EVERY == 0:
            next(beside, None)
        running = 0.98 * running + 0.02 * loss.item() if running else loss.item()
        if step % 50 == 0:
            log.info("step %d, loss %.4f, %.0f s", step, running, clock.spent_seconds)
        if clock.spent_seconds - last_save > SAVE_SECONDS or clock.progress >= 1:
            last_save = clock.spent_seconds
            _save(state_path, model, optimizer, average, step, clock.spent_seconds)


def _refresh(folder: Path, tokenizer: CLIPTokenizer, rng: np.random.Generator, captions: Captions | None,
             latents: Tensor) -> tuple[Tensor, Captions]:  # fmt: skip
    """The latents there are by now; captions already made are kept."""
    files = len(list(folder.glob("[0-9]*.pt")))
    if captions is not None and files == captions.files:
        return latents, captions
    latents, scenes = load_latents(folder)
    if captions is None:
        captions = Captions(scenes, tokenizer, rng)
    captions.scenes, captions.files = scenes, files
    log.info("%d pictures", len(scenes))
    return latents, captions


def _save(path: Path, model: Denoiser, optimizer: torch.optim.Optimizer, average: Average, step: int,
          seconds: float) -> None:  # fmt: skip
    state: dict[str, Any] = {
        "model": model.state_dict(), "optimizer": optimizer.state_dict(), "average": average.shadow,
        "step": step, "seconds": seconds,
    }  # fmt: skip
    save_state(path, state)


def load_denoiser(state_path: Path) -> tuple[Denoiser, int]:
    """The averaged weights in fp32, and the steps they took."""
    saved = load_state(state_path)
    if saved is None:
        raise FileNotFoundError(state_path)
    model = Denoiser(build_tokenizer())
    model.load_state_dict(saved["model"])
    average = Average(model.parameters(), EMA_DECAY)
    average.shadow = saved["average"]
    average.copy_to(model.parameters())
    return model.eval(), int(saved["step"])
