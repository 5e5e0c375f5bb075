"""Trains the U-Net and the text encoder together, from scratch, on latents and captions.

v-prediction with zero terminal SNR (Lin et al. 2024), losses weighted by min-SNR (Hang et al. 2023) in its form for v,
captions dropped for guidance, averaged weights.
"""

import logging
from pathlib import Path

import numpy as np
import torch
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor, nn
from transformers import CLIPTokenizer

from models.starter.recipe.architecture import build_scheduler, build_text_encoder, build_tokenizer, build_unet
from models.starter.recipe.batches import Batches, told
from models.starter.recipe.checkpoint import read_text_encoder, read_unet, take_over
from models.starter.recipe.compose import COMPOSED_SHARE, Composer
from models.starter.recipe.text import load_text_weights
from models.starter.recipe.training import CPU, Options, Session, load_average
from webui.engine.device import mixed_precision

log = logging.getLogger("diffusion")
PEAK_RATE = 8e-4
WARMUP_STEPS = 300
BATCH = 16
EMA_DECAY = 0.998
SNR_CEILING = 5.0  # min-SNR's gamma
WEIGHT_FLOOR = 0.5
TEXT_RATE_SHARE = 0.25


class Denoiser(nn.Module):
    """Text encoder and U-Net as one network: noisy latents, timesteps and tokens in, v out."""

    def __init__(self, tokenizer: CLIPTokenizer, device: torch.device = CPU) -> None:
        super().__init__()
        self.unet = build_unet()
        self.text_encoder = build_text_encoder(tokenizer)
        if device.type == "cpu":
            # On a CPU torch's fused attention has a slow backward pass: plain products train 1.36 times as fast.
            self.unet.set_attn_processor(AttnProcessor())
            self.text_encoder.set_attn_implementation("eager")
        self.to(device)

    def forward(self, noisy: Tensor, timesteps: Tensor, tokens: Tensor) -> Tensor:
        """(B, 16, 16, 16), (B,), (B, 77) -> (B, 16, 16, 16)."""
        text = self.text_encoder(tokens).last_hidden_state
        return self.unet(noisy, timesteps, text).sample


def loss_weights(alphas_cumprod: Tensor) -> Tensor:
    """Min-SNR weights of the v loss for every timestep, (1000,): min(SNR, 5) / (SNR + 1), kept above WEIGHT_FLOOR.

    The floor is ours: without it the noisiest steps, which decide what is in the picture, would hardly count.
    """
    snr = alphas_cumprod / (1 - alphas_cumprod)
    return (snr.clamp(max=SNR_CEILING) / (snr + 1)).clamp(min=WEIGHT_FLOOR) / WEIGHT_FLOOR


def spread_timesteps(batch: int, steps: int, device: torch.device) -> Tensor:
    """One timestep by lot from each of `batch` equal parts of all `steps`, (batch,), in any order.

    In order, what stands last in a batch would never be seen but under the strongest noise.
    """
    parts = torch.randperm(batch, device=device) + torch.rand(batch, device=device)
    return (parts / batch * steps).long()


def diffusion_loss(
    model: nn.Module, latents: Tensor, tokens: Tensor, alphas_cumprod: Tensor, weights: Tensor
) -> Tensor:
    """Weighted squared error of v at timesteps by lot."""
    device = latents.device
    timesteps = spread_timesteps(len(latents), len(alphas_cumprod), device)
    noise = torch.randn_like(latents)
    alpha = alphas_cumprod[timesteps].sqrt().view(-1, 1, 1, 1)
    sigma = (1 - alphas_cumprod[timesteps]).sqrt().view(-1, 1, 1, 1)
    with mixed_precision(device):
        predicted = model(alpha * latents + sigma * noise, timesteps, tokens)
    error = (predicted.float() - (alpha * noise - sigma * latents)).square().mean(dim=(1, 2, 3))
    return (error * weights[timesteps]).mean()


def build_optimizer(model: Denoiser) -> torch.optim.Optimizer:
    """AdamW with a smaller rate for the text encoder, which can already read."""
    groups = [
        {"params": list(model.unet.parameters())},
        {"params": list(model.text_encoder.parameters()), "share": TEXT_RATE_SHARE},
    ]
    return torch.optim.AdamW(groups, lr=PEAK_RATE, betas=(0.9, 0.98), weight_decay=1e-2, fused=True)


def train_diffusion(
    latents_folder: Path, state_path: Path, options: Options, workers: int = 0, composer: Composer | None = None
) -> None:
    """Trains on the latents that exist and those still to come, resuming from `state_path`; use the averaged weights.

    If nothing was saved yet, the weights are those of the checkpoint, or random; the text encoder is the one that
    `text` taught to read, if `text.pt` is beside the state. `workers` processes make captions ahead; with 0 they are
    made in between. A `composer` makes `COMPOSED_SHARE` of each batch.
    """
    torch.manual_seed(options.seed)
    tokenizer = build_tokenizer()
    model = Denoiser(tokenizer, options.device)
    if options.checkpoint is not None and not state_path.exists():
        fresh = take_over(model.unet, read_unet(options.checkpoint))
        log.info("%d of the U-Net's tensors begin anew", len(fresh))
        model.text_encoder.load_state_dict(read_text_encoder(options.checkpoint, tokenizer).state_dict())
    if not state_path.exists():
        load_text_weights(state_path.with_name("text.pt"), model.text_encoder)
    session = Session(state_path, options, model, build_optimizer(model), EMA_DECAY, tokenizer.get_vocab())
    torch.manual_seed(options.seed + session.step)
    alphas_cumprod = build_scheduler().alphas_cumprod.to(options.device)
    weights = loss_weights(alphas_cumprod)
    size = BATCH * options.batch_factor
    composed = round(size * COMPOSED_SHARE) if composer is not None else 0
    batches = Batches(latents_folder, tokenizer, size - composed, (options.seed, session.step))
    rng = np.random.default_rng((options.seed, session.step, 1))
    for latents, tokens in batches.loader(workers):
        if session.clock.progress >= 1:
            break
        latents, tokens = latents.to(options.device).float(), tokens.to(options.device).long()
        if composer is not None:
            more, scenes = composer.batch(composed)
            latents = torch.cat([latents, more])
            tokens = torch.cat([tokens, told(tokenizer, scenes, rng).to(options.device).long()])
        loss = diffusion_loss(model, latents, tokens, alphas_cumprod, weights)
        session.update(loss, options.rate_factor * PEAK_RATE, WARMUP_STEPS)


def load_denoiser(state_path: Path) -> tuple[Denoiser, int]:
    """The averaged weights in fp32, and the number of steps they took. Raises FileNotFoundError."""
    tokenizer = build_tokenizer()
    model = Denoiser(tokenizer)
    return model.eval(), load_average(state_path, model, tokenizer.get_vocab())
