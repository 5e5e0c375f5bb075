"""`python -m models.starter.recipe.train STAGE`: latents, text, diffusion, decoder, tiny, export.

All state is in `--state` and is resumed when a command is repeated: a stage may be stopped at any moment. A training
without a state continues from the committed weights, with a fresh optimizer; `--from-nothing` prevents that.
`diffusion` only needs `latents` to have begun; all stages may run at the same time.
"""

import argparse
import logging
from pathlib import Path

import numpy as np
import torch

from models.starter.recipe.architecture import CHECKPOINT, build_tokenizer
from models.starter.recipe.checkpoint import (
    read_text_encoder,
    read_unet,
    read_vae,
    write_checkpoint,
)
from models.starter.recipe.codec import Codec, fit_codec, load_codec, read_codec
from models.starter.recipe.compose import Composer, load_backdrops, load_sprites
from models.starter.recipe.decoder import load_vae, train_decoder
from models.starter.recipe.diffusion import load_denoiser, train_diffusion
from models.starter.recipe.encode import encode_shards
from models.starter.recipe.text import train_text
from models.starter.recipe.tiny import load_tiny_vae, train_tiny
from models.starter.recipe.training import Options

STAGES = ("latents", "text", "diffusion", "decoder", "tiny", "export")
FITTED_SHARDS = 3  # of which every fourth picture serves to fit the codec
log = logging.getLogger("train")


def codec_of(state: Path, pictures: Path | None, checkpoint: Path | None, seed: int) -> Codec:
    """The encoder's linear map, stored in `codec.npz`: that of the checkpoint, or one fitted to pictures."""
    path = state / "codec.npz"
    if path.exists():
        return load_codec(path)
    if checkpoint is not None:
        codec = read_codec(read_vae(checkpoint))
    elif pictures is not None:
        shards = sorted(pictures.glob("[0-9]*.npz"))[:FITTED_SHARDS]
        codec = fit_codec(np.concatenate([np.load(shard)["pictures"][::4] for shard in shards]), seed)
    else:
        raise SystemExit("to fit the encoder, name --pictures")
    codec.save(path)
    return codec


def composer_of(backdrops: Path, codec: Codec, options: Options) -> Composer:
    """The composer that makes pictures on the training's device."""
    sprites = load_sprites(options.device)
    return Composer(sprites, load_backdrops(backdrops, options.device), codec, options.seed)


def export(state: Path, folder: Path, codec: Codec) -> None:
    """Writes the averaged weights of all trainings with a state; the rest of the checkpoint stays as it is."""
    tokenizer = build_tokenizer()
    if (state / "diffusion.pt").exists():
        denoiser, steps = load_denoiser(state / "diffusion.pt")
        unet, text_encoder = denoiser.unet, denoiser.text_encoder
        log.info("U-Net and text encoder after %d steps", steps)
    else:
        unet, text_encoder = read_unet(folder), read_text_encoder(folder, tokenizer)
    vae = load_vae(state / "decoder.pt", codec) if (state / "decoder.pt").exists() else read_vae(folder)
    tiny = load_tiny_vae(state / "tiny.pt") if (state / "tiny.pt").exists() else None
    write_checkpoint(folder, vae, unet, text_encoder, tiny)


def parse() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--state", type=Path, required=True, help="folder for weights, latents, optimizers")
    parser.add_argument("--pictures", type=Path, help="folder of shards from draw: for decoder and tiny")
    parser.add_argument("--shards", type=int, default=200, help="latents: how many shards of pictures to encode")
    parser.add_argument("--first-shard", type=int, default=0, help="latents: the first of them")
    parser.add_argument(
        "--half-size", action="store_true", help="latents: draw pictures of 256 by 256, in half the time"
    )
    parser.add_argument("--jobs", type=int, default=2, help="latents: how many processes draw")
    parser.add_argument("--minutes", type=float, default=60, help="time for this stage in all")
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"), help="cpu or cuda")
    parser.add_argument("--batch-factor", type=int, default=1, help="times the batch that is good for two cores")
    parser.add_argument("--rate-factor", type=float, default=1.0, help="times the stage's own learning rate")
    parser.add_argument(
        "--critic-from", type=float, default=0.6, help="decoder: share of the time after which a critic joins in"
    )
    parser.add_argument(
        "--backdrops",
        type=Path,
        help="diffusion: folder of draw --backdrops; half of all pictures are composed on them",
    )
    parser.add_argument("--workers", type=int, default=0, help="diffusion: processes that make captions ahead")
    parser.add_argument("--from-nothing", action="store_true", help="do not start from the committed weights")
    parser.add_argument("--checkpoint", type=Path, default=CHECKPOINT, help="the folder to start from and to export to")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def main() -> None:
    """Runs one stage."""
    arguments = parse()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    torch.set_num_threads(arguments.threads)
    state, pictures, seed = arguments.state, arguments.pictures, arguments.seed
    state.mkdir(parents=True, exist_ok=True)
    start = None if arguments.from_nothing else arguments.checkpoint
    options = Options(
        minutes=arguments.minutes, checkpoint=start, device=arguments.device, seed=seed,
        batch_factor=arguments.batch_factor, rate_factor=arguments.rate_factor, critic_from=arguments.critic_from,
    )  # fmt: skip
    if arguments.stage in ("decoder", "tiny") and pictures is None:
        raise SystemExit(f"{arguments.stage} needs --pictures")
    codec = codec_of(state, pictures, start, seed)
    match arguments.stage:
        case "latents":
            shards = range(arguments.first_shard, arguments.first_shard + arguments.shards)
            encode_shards(codec, state / "latents", seed, shards, arguments.jobs, arguments.half_size)
        case "text":
            train_text(state / "text.pt", arguments.minutes, seed, start)
        case "diffusion":
            composer = composer_of(arguments.backdrops, codec, options) if arguments.backdrops else None
            train_diffusion(state / "latents", state / "diffusion.pt", options, arguments.workers, composer)
        case "decoder":
            train_decoder(pictures, codec, state / "decoder.pt", options)
        case "tiny":
            train_tiny(pictures, codec, state / "tiny.pt", options)
        case "export":
            export(state, arguments.checkpoint, codec)


if __name__ == "__main__":
    main()
