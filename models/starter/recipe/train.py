"""`python -m models.starter.recipe.train STAGE`: latents, text, diffusion, decoder, export.

All state lies in `--state` and is taken up again when a command is repeated: a stage may be stopped at any moment.
`diffusion` and `decoder` need only `latents` to have begun; they may run at the same time, and `latents` beside them.
"""

import argparse
import logging
from pathlib import Path

import numpy as np
import torch

from models.starter.recipe.architecture import save_checkpoint
from models.starter.recipe.codec import Codec, fit_codec, load_codec
from models.starter.recipe.decoder import decoder_steps, load_vae
from models.starter.recipe.diffusion import load_denoiser, train_diffusion
from models.starter.recipe.latents import encode_shards
from models.starter.recipe.text import train_text

CHECKPOINT = Path(__file__).resolve().parents[1]
STAGES = ("latents", "text", "diffusion", "decoder", "export")
FITTED_SHARDS = 6  # of which every fourth picture serves to fit the codec
log = logging.getLogger("train")


def codec_of(state: Path, pictures: Path, seed: int) -> Codec:
    """The encoder's linear map, fitted once and kept in `codec.npz`."""
    path = state / "codec.npz"
    if not path.exists():
        shards = sorted(pictures.glob("[0-9]*.npz"))[:FITTED_SHARDS]
        sample = np.concatenate([np.load(shard)["pictures"][::4] for shard in shards])
        fit_codec(sample, seed).save(path)
    return load_codec(path)


def export(state: Path, folder: Path, codec: Codec) -> None:
    """Write the averaged weights of both trainings as the checkpoint."""
    denoiser, steps = load_denoiser(state / "diffusion.pt")
    save_checkpoint(folder, load_vae(state / "decoder.pt", codec), denoiser.unet, denoiser.text_encoder)
    log.info("exported after %d steps", steps)


def main() -> None:
    """Run one stage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--pictures", type=Path, required=True, help="folder of shards from draw")
    parser.add_argument("--state", type=Path, required=True, help="folder for weights, latents, optimizer")
    parser.add_argument("--minutes", type=float, default=60, help="time for this stage in all")
    parser.add_argument("--decoder-minutes", type=float, help="train the decoder too, taking turns with diffusion")
    parser.add_argument("--output", type=Path, default=CHECKPOINT, help="where export writes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    torch.set_num_threads(arguments.threads)
    pictures, state = arguments.pictures, arguments.state
    state.mkdir(parents=True, exist_ok=True)
    codec = codec_of(state, pictures, arguments.seed)
    match arguments.stage:
        case "latents":
            encode_shards(codec, pictures, state / "latents")
        case "text":
            train_text(state / "text.pt", arguments.minutes, arguments.seed)
        case "diffusion":
            minutes, decoder_minutes = arguments.minutes, arguments.decoder_minutes
            beside = decoder_steps(pictures, codec, state / "decoder.pt", decoder_minutes, arguments.seed)
            turns = beside if decoder_minutes else None
            train_diffusion(state / "latents", state / "diffusion.pt", minutes, arguments.seed, turns)
        case "decoder":
            for _ in decoder_steps(pictures, codec, state / "decoder.pt", arguments.minutes, arguments.seed):
                pass
        case "export":
            export(state, arguments.output, codec)


if __name__ == "__main__":
    main()
