"""Trains the tiny autoencoder, an ordinary AutoencoderTiny: latents to a small picture in milliseconds, for previews.

It knows the same latents as the large one, and draws an eighth of each side a latent: 128 by 128 pixels for a picture
of 512 by 512. Its encoder, for pictures of that size, is there because the format has one.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny
from torch import Tensor
from torch.nn import functional as F

from models.starter.recipe.architecture import TINY_BLOCKS, VAE_FACTOR, build_tiny_vae
from models.starter.recipe.checkpoint import read_tiny_vae
from models.starter.recipe.codec import Codec
from models.starter.recipe.decoder import LATENT_NOISE, picture_loss
from models.starter.recipe.training import Options, Session, load_average
from webui.engine.device import mixed_precision

PEAK_RATE = 2e-3
WARMUP_STEPS = 100
EMA_DECAY = 0.998
BATCH = 8
BATCHES_A_SHARD = 60
ENCODER_WEIGHT = 0.1
SHRINKING = VAE_FACTOR // 2 ** (len(TINY_BLOCKS) - 1)  # pixels of the picture to one of the preview
SCALES = 2


def pictures_of(folder: Path, rng: np.random.Generator, number: int) -> Iterator[np.ndarray]:
    """Endless batches of so many whole pictures, (B, 512, 512, 3) in [0, 255], shard after shard."""
    while True:
        files = sorted(folder.glob("[0-9]*.npz"))
        pictures = np.load(files[int(rng.integers(len(files)))])["pictures"]
        for _ in range(BATCHES_A_SHARD):
            chosen = pictures[rng.integers(len(pictures), size=number)]
            yield chosen[:, :, ::-1] if rng.random() < 0.5 else chosen


def tiny_loss(model: AutoencoderTiny, latents: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """The loss for latents (B, 16, h, w) of pictures whose small versions are `target` (B, 3, 8h, 8w) in [-1, 1], and
    the decoder's part of it."""
    with mixed_precision(latents.device):
        output = model.decoder(latents + LATENT_NOISE * torch.randn_like(latents))
        encoded = model.encoder(target)
    loss = picture_loss(output.float(), target, SCALES)
    return loss + ENCODER_WEIGHT * F.mse_loss(encoded.float(), latents), loss.detach()


def train_tiny(pictures: Path, codec: Codec, state_path: Path, options: Options) -> None:
    """Train on shards of whole pictures, resuming from `state_path`; its averaged weights are the ones to use."""
    torch.manual_seed(options.seed)
    fresh = options.checkpoint is None or state_path.exists()
    model = build_tiny_vae() if fresh else read_tiny_vae(options.checkpoint)
    model.train().to(options.device)
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.98), weight_decay=1e-4)
    session = Session(state_path, options, model, optimizer, EMA_DECAY)
    torch.manual_seed(options.seed + session.step)
    rng = np.random.default_rng((options.seed, session.step))
    for batch in pictures_of(pictures, rng, BATCH * options.batch_factor):
        if session.clock.progress >= 1:
            break
        latents = codec.encode(batch).to(options.device)
        pixels = torch.from_numpy(batch.copy()).to(options.device).permute(0, 3, 1, 2).float() / 127.5 - 1
        loss, shown = tiny_loss(model, latents, F.avg_pool2d(pixels, SHRINKING))
        session.update(loss, options.rate_factor * PEAK_RATE, WARMUP_STEPS, shown)


def load_tiny_vae(state_path: Path) -> AutoencoderTiny:
    """The tiny autoencoder in fp32 with averaged weights. Raises FileNotFoundError."""
    model = build_tiny_vae()
    load_average(state_path, model)
    return model.eval()
