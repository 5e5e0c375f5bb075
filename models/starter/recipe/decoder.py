"""Trains the autoencoder's decoder to draw pictures from the codec's latents: L1 and gradients at several scales, and
for the last part of the time against a critic (critic.py), which makes edges crisp.

While it learns, each of its levels is also asked for the pixels of the next one (a linear read-out that is thrown away
later): coarse levels then learn first and at once, which on a CPU is the difference between minutes and hours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch import Tensor, nn
from torch.nn import functional as F

from models.starter.recipe.architecture import LATENT_CHANNELS, PICTURE_SIZE, VAE_CHANNELS, VAE_FACTOR, build_vae
from models.starter.recipe.checkpoint import read_vae
from models.starter.recipe.codec import Codec, write_encoder
from models.starter.recipe.critic import EMA_DECAY as CRITIC_DECAY
from models.starter.recipe.critic import PEAK_RATE as CRITIC_RATE
from models.starter.recipe.critic import PatchCritic, critic_loss, pull
from models.starter.recipe.training import Clock, Options, Session, load_average
from webui.engine.device import mixed_precision

PEAK_RATE = 2e-3
WARMUP_STEPS = 200
EMA_DECAY = 0.998
EDGE_WEIGHT = 1.0
READ_OUT_WEIGHT = 0.5
SCALES = 4
LATENT_NOISE = 0.05  # the U-Net's latents are never quite right either
# Small crops first, for many steps; large ones last, so that the norms learn the statistics of whole pictures.
PHASES = ((0.6, 128, 8), (0.85, 256, 3), (1.0, PICTURE_SIZE, 1))  # until this share of the time: pixels, crops a step
BATCHES_A_SHARD = 120


def crops(folder: Path, rng: np.random.Generator, clock: Clock, factor: int = 1) -> Iterator[np.ndarray]:
    """Endless batches of crops along the latents' grid, (B, size, size, 3) in [0, 255], shard after shard.

    A batch is `factor` times as many as PHASES says.
    """
    while True:
        files = sorted(folder.glob("[0-9]*.npz"))
        pictures = np.load(files[int(rng.integers(len(files)))])["pictures"]
        for _ in range(BATCHES_A_SHARD):
            _, size, batch = next(phase for phase in PHASES if clock.progress <= phase[0])
            batch *= factor
            chosen = rng.integers(len(pictures), size=batch)
            rooms = (pictures.shape[1] - size) // VAE_FACTOR + 1
            corners = VAE_FACTOR * rng.integers(0, rooms, size=(batch, 2))
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
        """(B, 16, h, w) -> (B, 3, 32h, 32w) and the read-outs from coarse to fine."""
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


def picture_loss(output: Tensor, target: Tensor, scales: int = SCALES) -> Tensor:
    """L1 of values and of gradients, halving the size `scales` - 1 times; both (B, 3, H, W)."""
    loss = output.new_zeros(())
    for scale in range(scales):
        loss = loss + (output - target).abs().mean()
        for ours, theirs in zip(_edges(output), _edges(target), strict=True):
            loss = loss + EDGE_WEIGHT * (ours - theirs).abs().mean()
        if scale < scales - 1:
            output, target = F.avg_pool2d(output, 2), F.avg_pool2d(target, 2)
    return loss


@dataclass(frozen=True)
class Decoded:
    """A batch of crops through the decoder; `differences` are the picture's own part of `loss`."""

    target: Tensor  # (B, 3, H, W)
    latents: Tensor
    output: Tensor  # (B, 3, H, W)
    differences: Tensor
    loss: Tensor


def decode(model: TaughtDecoder, codec: Codec, batch: np.ndarray, device: torch.device) -> Decoded:
    """A batch of crops, (B, size, size, 3) in [0, 255], with its losses."""
    target = torch.from_numpy(batch.copy()).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1
    latents = codec.encode(batch).to(device)
    with mixed_precision(device):
        output, told = model(latents + LATENT_NOISE * torch.randn_like(latents))
    loss = picture_loss(output.float(), target)
    extra = loss.new_zeros(())
    for picture in told:
        extra = extra + F.l1_loss(picture.float(), F.adaptive_avg_pool2d(target, picture.shape[-1]))
    return Decoded(target, latents, output.float(), loss, loss + READ_OUT_WEIGHT * extra)


def train_decoder(pictures: Path, codec: Codec, state_path: Path, options: Options) -> None:
    """Train on shards of whole pictures, resuming from `state_path`; its averaged weights are the ones to use."""
    torch.manual_seed(options.seed)
    vae = build_vae()
    write_encoder(vae, codec)
    if options.checkpoint is not None and not state_path.exists():
        saved = read_vae(options.checkpoint)
        vae.decoder.load_state_dict(saved.decoder.state_dict())
        vae.post_quant_conv.load_state_dict(saved.post_quant_conv.state_dict())
    model = TaughtDecoder(vae).to(options.device)
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.98), weight_decay=1e-4)
    session = Session(state_path, options, model, optimizer, EMA_DECAY)
    judged = _Contest(state_path.with_name("critic.pt"), options)
    torch.manual_seed(options.seed + session.step)
    rng = np.random.default_rng((options.seed, session.step))
    for batch in crops(pictures, rng, session.clock, options.batch_factor):
        if session.clock.progress >= 1:
            break
        decoded = decode(model, codec, batch, options.device)
        loss = decoded.loss
        if session.clock.progress >= options.critic_from:
            loss = loss + judged.step(decoded, vae.decoder.conv_out.weight)
        session.update(loss, options.rate_factor * PEAK_RATE, WARMUP_STEPS, decoded.differences.detach())
    session.save()
    judged.save()


class _Contest:
    """The critic with its own state; it learns from the pictures that the decoder is just learning from."""

    def __init__(self, state_path: Path, options: Options) -> None:
        critic = PatchCritic(LATENT_CHANNELS).to(options.device)
        optimizer = torch.optim.AdamW(critic.parameters(), betas=(0.5, 0.9), weight_decay=1e-4)
        self._rate = options.rate_factor * CRITIC_RATE
        self._session = Session(state_path, options, critic, optimizer, CRITIC_DECAY)

    def save(self) -> None:
        """Keep what it learned, if it learned anything."""
        if self._session.step:
            self._session.save()

    def step(self, decoded: Decoded, last_weight: Tensor) -> Tensor:
        """One lesson for the critic; what it then adds to the decoder's loss."""
        critic = self._session.model
        loss = critic_loss(critic, decoded.target, decoded.output, decoded.latents)
        self._session.update(loss, self._rate, WARMUP_STEPS)
        critic.requires_grad_(False)
        added = pull(decoded.differences, critic, decoded.output, decoded.latents, last_weight)
        critic.requires_grad_(True)
        return added


def load_vae(state_path: Path, codec: Codec) -> AutoencoderKL:
    """The autoencoder in fp32: the codec's encoder and the averaged decoder. Raises FileNotFoundError."""
    vae = build_vae()
    write_encoder(vae, codec)
    load_average(state_path, TaughtDecoder(vae))
    return vae.eval()
