"""The finished checkpoint as a folder: reads its weights for more training, and writes it.

What is committed is enough to continue a training elsewhere; only its optimizer starts anew. Weights are read as fp32
and written as bf16, so what was not trained further is written exactly as it was read.
"""

import json
import shutil
import tempfile
from pathlib import Path

import torch
from diffusers import AutoencoderKL, AutoencoderTiny, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

from models.starter.recipe.architecture import (
    TINY_VAE,
    build_scheduler,
    build_text_encoder,
    vocabulary,
    write_tokenizer,
)

MAX_SHARD_SIZE = "10MB"
_EMBEDDING = "embeddings.token_embedding.weight"


def read_vae(folder: Path) -> AutoencoderKL:
    """The autoencoder, ready for use. Raises OSError if there is none."""
    vae: AutoencoderKL = AutoencoderKL.from_pretrained(folder / "vae", dtype=torch.float32, local_files_only=True)
    return vae.eval()


def read_unet(folder: Path) -> UNet2DConditionModel:
    """The denoiser. Raises OSError if there is none."""
    unet: UNet2DConditionModel = UNet2DConditionModel.from_pretrained(
        folder / "unet", dtype=torch.float32, local_files_only=True
    )
    return unet.eval()


@torch.no_grad()
def take_over(unet: UNet2DConditionModel, saved: UNet2DConditionModel) -> list[str]:
    """Gives the denoiser the weights of another one, of the same build or of an earlier, smaller one.

    Layers that now have more channels take those that both have. Returns the layers that begin anew; attention that is
    new at a size begins as the identity, so that nothing learned is disturbed.
    """
    known, fresh = saved.state_dict(), []
    for name, value in unet.state_dict().items():
        old = known.get(name)
        if old is not None and old.dim() == value.dim():
            shared = tuple(slice(0, min(sizes)) for sizes in zip(old.shape, value.shape, strict=True))
            value[shared] = old[shared]
            if old.shape != value.shape:
                fresh.append(name)
        else:
            fresh.append(name)
            if ".proj_out." in name:
                value.zero_()
    return fresh


def read_text_encoder(folder: Path, tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """The text encoder for `tokenizer`, whatever numbers that gives to the tokens that were known before.

    New tokens start as `build_text_encoder` makes them. Raises OSError if there is none.
    """
    saved = CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=torch.float32, local_files_only=True)
    encoder = build_text_encoder(tokenizer)
    weights = saved.state_dict()
    name = next(name for name in weights if name.endswith(_EMBEDDING))
    embedding = encoder.state_dict()[name].clone()
    known, wanted = vocabulary(folder / "tokenizer"), tokenizer.get_vocab()
    if known == wanted and embedding.shape == weights[name].shape:
        return saved.eval()
    shared = [token for token in wanted if token in known]
    embedding[[wanted[token] for token in shared]] = weights[name][[known[token] for token in shared]]
    encoder.load_state_dict({**weights, name: embedding})
    return encoder.eval()


def read_tiny_vae(folder: Path) -> AutoencoderTiny:
    """The small decoder. Raises OSError if there is none."""
    tiny: AutoencoderTiny = AutoencoderTiny.from_pretrained(
        folder / TINY_VAE, dtype=torch.float32, local_files_only=True
    )
    return tiny.eval()


def write_checkpoint(
    folder: Path,
    vae: AutoencoderKL,
    unet: UNet2DConditionModel,
    text_encoder: CLIPTextModel,
    tiny: AutoencoderTiny | None = None,
) -> None:
    """Writes the diffusers folder in bf16; each file is replaced in one go, never half-written."""
    staging = Path(tempfile.mkdtemp(prefix=".staging-", dir=folder.parent))
    try:
        tokenizer_folder = staging / "tokenizer"
        write_tokenizer(tokenizer_folder, folder / "tokenizer")
        pipeline = StableDiffusionPipeline(
            vae=vae,
            text_encoder=text_encoder,
            tokenizer=CLIPTokenizer.from_pretrained(tokenizer_folder),
            unet=unet,
            scheduler=build_scheduler(),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
        pipeline.to(torch.bfloat16)
        pipeline.save_pretrained(staging, max_shard_size=MAX_SHARD_SIZE)
        if tiny is not None:
            _save_tiny_vae(tiny, staging / TINY_VAE)
        _forget_origins(staging)
        shutil.rmtree(tokenizer_folder)  # transformers writes its own format there
        write_tokenizer(tokenizer_folder, folder / "tokenizer")
        _move(staging, folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _save_tiny_vae(tiny: AutoencoderTiny, folder: Path) -> None:
    """In bf16, without the one entry of its config that diffusers writes and does not want to read."""
    tiny.to(torch.bfloat16).save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config.pop("block_out_channels", None)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", "utf-8")


def _forget_origins(staging: Path) -> None:
    """diffusers notes in a config from which folder its weights were read; that is nobody else's business."""
    for path in staging.glob("*/config.json"):
        config = json.loads(path.read_text("utf-8"))
        if config.pop("_name_or_path", None) is not None:
            path.write_text(json.dumps(config, indent=2) + "\n", "utf-8")


def _move(staging: Path, folder: Path) -> None:
    """Put every file of `staging` in its place, and take away weights of an earlier, larger checkpoint."""
    files = sorted(path.relative_to(staging) for path in staging.rglob("*") if path.is_file())
    for file in files:
        target = folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        (staging / file).chmod(0o644)
        (staging / file).replace(target)
    for part in {file.parent for file in files if file.suffix == ".safetensors"}:
        for old in (folder / part).glob("*.safetensors"):
            if old.relative_to(folder) not in files:
                old.unlink()
