"""Trains the autoencoder's decoder to draw pictures from the codec's latents: L1 and gradients at several scales.

While it learns, each of its levels is also asked for the pixels of the next one (a linear read-out that is thrown away
later): coarse levels then learn first and at once, which on a CPU is the difference between minutes and hours.
"""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch import Tensor, nn
from torch.nn import functional as F

from models.starter.recipe.architecture import VAE_CHANNELS, VAE_FACTOR, build_vae
from models.starter.recipe.codec import Codec, write_encoder
from models.starter.recipe.training import (
    Average,
    Clock,
    learning_rate,
    load_state,
    save_state,
    set_learning_rate,
)

log = logging.getLogger("decoder")
PEAK_RATE = 2e-3
EDGE_WEIGHT = 1.0
READ_OUT_WEIGHT = 0.5
SCALES = 3
LATENT_NOISE = 0.05  # the U-Net's latents are never quite right either
# Small crops first, for many steps; large ones last, so that the norms learn the statistics of whole pictures.
PHASES = ((0.6, 64, 8), (0.88, 128, 3), (1.0, 256, 1))  # until this share of the time: pixels, crops a step
BATCHES_A_SHARD = 120
SAVE_SECONDS = 60.0


def crops(folder: Path, rng: np.random.Generator, clock: Clock) -> Iterator[np.ndarray]:
    """Endless batches of crops along the latents' grid, (B, size, size, 3) in [0, 255], shard after shard."""
    while True:
        files = sorted(folder.glob("[0-9]*.npz"))
        pictures = np.load(files[int(rng.integers(len(files)))])["pictures"]
        for _ in range(BATCHES_A_SHARD):
            _, size, batch = next(phase for phase in PHASES if clock.progress <= phase[0])
            chosen = rng.integers(len(pictures), size=batch)
            corners = VAE_FACTOR * rng.integers(0, (256 - size) // VAE_FACTOR + 1, size=(batch, 2))
            stack = np.stack(
                [pictures[i, y : y + size, x : x + size] for i, (y, x) in zip(chosen, corners, strict=True)]
            )
            yield stack[:, :, ::-1] if rng.random() < 0.5 else stack


class TaughtDecoder(nn.Module):
    """The decoder with a read-out at every level but the last: (B, 12, h, w) for the next level's pixels."""

    def __init__(self, vae: AutoencoderKL) -> None:
        super().__init__()
        self.decoder, self.post_quant_conv = vae.decoder, vae.post_quant_conv
        widths = [VAE_CHANNELS[-1], *reversed(VAE_CHANNELS)][: len(VAE_CHANNELS)]
        self.read_outs = nn.ModuleList(nn.Conv2d(width, 12, 1) for width in widths[:-1])

    def forward(self, latents: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(B, 16, h, w) -> (B, 3, 16h, 16w) and the read-outs from coarse to fine."""
        decoder = self.decoder
        hidden = decoder.mid_block(decoder.conv_in(self.post_quant_conv(latents)))
        told = []
        for level, block in enumerate(decoder.up_blocks):
            if level < len(self.read_outs):
                told.append(F.pixel_shuffle(self.read_outs[level](hidden), 2))
            hidden = block(hidden)
        return decoder.conv_out(decoder.conv_act(decoder.conv_norm_out(hidden))), told


def _edges(picture: Tensor) -> tuple[Tensor, Tensor]:
    return picture[..., 1:, :] - picture[..., :-1, :], picture[..., 1:] - picture[..., :-1]


def picture_loss(output: Tensor, target: Tensor) -> Tensor:
    """L1 of values and of gradients, halving the size SCALES - 1 times; both (B, 3, H, W)."""
    loss = output.new_zeros(())
    for scale in range(SCALES):
        loss = loss + (output - target).abs().mean()
        for ours, theirs in zip(_edges(output), _edges(target), strict=True):
            loss = loss + EDGE_WEIGHT * (ours - theirs).abs().mean()
        if scale < SCALES - 1:
            output, target = F.avg_pool2d(output, 2), F.avg_pool2d(target, 2)
    return loss


def decoder_loss(model: TaughtDecoder, codec: Codec, batch: np.ndarray) -> tuple[Tensor, Tensor]:
    """The loss for a batch of crops, and the part that the picture itself has in it."""
    target = torch.from_numpy(batch.copy()).permute(0, 3, 1, 2).float() / 127.5 - 1
    latents = codec.encode(batch)
    with torch.autocast("cpu", torch.bfloat16):
        output, told = model(latents + LATENT_NOISE * torch.randn_like(latents))
    loss = picture_loss(output.float(), target)
    extra = loss.new_zeros(())
    for picture in told:
        extra = extra + F.l1_loss(picture.float(), F.adaptive_avg_pool2d(target, picture.shape[-1]))
    return loss + READ_OUT_WEIGHT * extra, loss.detach()


def decoder_steps(pictures: Path, codec: Codec, state_path: Path, minutes: float, seed: int) -> Iterator[int]:
    """Train for `minutes` in all, resuming from `state_path`; its `average` are the weights to use.

    Yields the number of each step, so that another training can take turns with this one.
    """
    torch.manual_seed(seed)
    vae = build_vae()
    write_encoder(vae, codec)
    model = TaughtDecoder(vae)
    average = Average(model.parameters(), 0.998)
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_RATE, betas=(0.9, 0.98), weight_decay=1e-4)
    saved = load_state(state_path)
    if saved:
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        average.shadow = saved["average"]
    clock = Clock(minutes, saved["seconds"] if saved else 0.0)
    step, running, last_save = (int(saved["step"]) if saved else 0), 0.0, clock.spent_seconds
    batches = crops(pictures, np.random.default_rng((seed, step)), clock)
    while clock.progress < 1:
        set_learning_rate(optimizer, learning_rate(PEAK_RATE, step, clock.progress))
        loss, shown = decoder_loss(model, codec, next(batches))
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
        average.update(model.parameters(), step)
        running = 0.98 * running + 0.02 * shown.item() if running else shown.item()
        if step % 50 == 0:
            log.info("step %d, loss %.4f, %.0f s", step, running, clock.spent_seconds)
        if clock.spent_seconds - last_save > SAVE_SECONDS or clock.progress >= 1:
            last_save = clock.spent_seconds
            save_state(state_path, {"model": model.state_dict(), "optimizer": optimizer.state_dict(),
                                    "average": average.shadow, "step": step, "seconds": last_save})  # fmt: skip
        yield step


def load_vae(state_path: Path, codec: Codec) -> AutoencoderKL:
    """The autoencoder in fp32: the codec's encoder and the averaged decoder."""
    saved = load_state(state_path)
    if saved is None:
        raise FileNotFoundError(state_path)
    vae = build_vae()
    write_encoder(vae, codec)
    model = TaughtDecoder(vae)
    average = Average(model.parameters(), 1.0)
    average.shadow = saved["average"]
    average.copy_to(model.parameters())
    return vae.eval()
