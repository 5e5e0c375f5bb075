"""`python -m models.style.recipe.instant.train`: trains the instant style network on pictures that it draws itself.

Resumes from `--state`; without one, from the committed weights, or from nothing with `--from-nothing`. `--export`
writes the averaged weights, in bfloat16, to `models/style/instant.safetensors`.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from models.starter.recipe.training import Options, Session, load_average
from models.style.recipe.instant.losses import STYLE_LAYERS, Shares, style_losses
from models.style.recipe.instant.pictures import batch_of, paintings_of, pool_of
from webui.engine.device import best_dtype, mixed_precision, wide
from webui.engine.style.instant import WEIGHTS, InstantStyle, load_instant
from webui.engine.style.rebuild import rebuilt
from webui.engine.style.vgg import depth_of, random_vgg19

PEAK_RATE = 1e-3
WARMUP_STEPS = 100
EMA_DECAY = 0.998
BATCH = 4
SIDE = 192  # pixels of a crop
POOL = 2400  # pictures
PAINTINGS = 144  # twelve of each of the gallery's styles
IDENTITIES = 1  # of a batch, painted in its own style
log = logging.getLogger("style")


def train(
    state: Path,
    options: Options,
    shares: Shares,
    side: int = SIDE,
    pool_size: int = POOL,
    painting_count: int = PAINTINGS,
) -> None:
    """Trains until the time is up, resuming from the folder `state`."""
    state.mkdir(parents=True, exist_ok=True)
    pool = pool_of(state / "pictures.npy", options.seed, pool_size)
    paintings = paintings_of(state / "paintings.npy", options.seed, painting_count)
    torch.manual_seed(options.seed)
    network = InstantStyle()
    if options.checkpoint is not None and not (state / "style.pt").exists():
        network.load_state_dict(load_instant(options.checkpoint, torch.device("cpu"), torch.float32).state_dict())
    network.train().requires_grad_(True).to(options.device).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), betas=(0.9, 0.98), weight_decay=1e-4)
    session = Session(state / "style.pt", options, network, optimizer, EMA_DECAY)
    rng = np.random.default_rng((options.seed, session.step))
    generator = torch.Generator().manual_seed(options.seed + session.step)
    seen_by = batch_of(pool, np.random.default_rng(options.seed), 16, side).to(options.device)
    features = random_vgg19(list(seen_by.split(1)), depth_of(STYLE_LAYERS), wide(best_dtype(options.device)))
    while session.clock.progress < 1:
        size = BATCH * options.batch_factor
        content = batch_of(pool, rng, size, side).to(options.device)
        halves = (batch_of(paintings, rng, size - size // 2, side), batch_of(pool, rng, size // 2, side))
        style = torch.cat(halves).to(options.device)
        painted, itself = _painted(network, content, style, session.step)
        loss, parts = style_losses(painted, content, style, features, generator, shares)
        identity = shares.identity * functional.mse_loss(itself, content[: len(itself)])
        if session.step % 50 == 0:
            log.info("%s", {name: round(part, 3) for name, part in (parts | {"identity": identity.item()}).items()})
        session.update(loss + identity, options.rate_factor * PEAK_RATE, WARMUP_STEPS, loss.detach())


def _painted(network: InstantStyle, content: Tensor, style: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Each content in its style, and a few in their own; (B, 3, H, W) and (IDENTITIES, 3, H, W), float32."""
    own = content[:IDENTITIES]
    pairs = zip(content.split(1), style.split(1), strict=True)
    drafts = torch.cat([*(rebuilt(one, other) for one, other in pairs), own])
    with mixed_precision(content.device):
        moments = network.moments(torch.cat((style, own)).contiguous(memory_format=torch.channels_last))
        painted = network.paint(drafts.contiguous(memory_format=torch.channels_last), moments, seed).float()
    return painted[: len(content)], painted[len(content) :]


def export(state: Path, target: Path = WEIGHTS) -> None:
    """Writes the averaged weights in bfloat16. Raises FileNotFoundError if nothing has been trained."""
    network = InstantStyle()
    load_average(state / "style.pt", network)
    save_file({name: weights.to(torch.bfloat16).contiguous() for name, weights in network.state_dict().items()}, target)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state", type=Path, required=True, help="folder for pictures, weights and the optimizer")
    parser.add_argument("--minutes", type=float, default=60, help="of training in all")
    parser.add_argument("--from-nothing", action="store_true", help="do not start from the committed weights")
    parser.add_argument("--export", action="store_true", help="write the averaged weights, and train no more")
    parser.add_argument("--side", type=int, default=SIDE, help="of the crops, in pixels")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch-factor", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    if arguments.export:
        export(arguments.state)
        return
    options = Options(
        minutes=arguments.minutes,
        checkpoint=None if arguments.from_nothing else WEIGHTS,
        device=torch.device(arguments.device),
        seed=arguments.seed,
        batch_factor=arguments.batch_factor,
    )
    train(arguments.state, options, Shares(), arguments.side)


if __name__ == "__main__":
    main()
