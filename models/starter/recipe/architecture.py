"""The starter's five parts at their sizes, and the folder that holds them.

Latents are (B, 16, H/16, W/16): a picture of 256 by 256 becomes 16 by 16 by 16 numbers, so that the U-Net is cheap
enough for two CPU cores. Attention stands at 8 by 8 only.
"""

import shutil
import tempfile
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from models.starter.recipe.tokenizer import MAX_TOKENS, save_tokenizer

PICTURE_SIZE = 256  # pixels, width and height
VAE_FACTOR = 16
LATENT_CHANNELS = 16
LATENT_SIZE = PICTURE_SIZE // VAE_FACTOR
VOCABULARY_SIZE = 2048  # tokens, a few of them unused
TEXT_WIDTH = 256
MAX_SHARD_SIZE = "10MB"
VAE_CHANNELS = (24, 48, 96, 128, 128)
UNET_CHANNELS = (128, 160)


def build_vae() -> AutoencoderKL:
    """The 16-fold autoencoder, whose latents have unit deviation as they are."""
    levels = len(VAE_CHANNELS)
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        block_out_channels=VAE_CHANNELS,
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=8,
        sample_size=PICTURE_SIZE,
        mid_block_add_attention=False,
        scaling_factor=1.0,
    )


def build_unet() -> UNet2DConditionModel:
    """The denoiser: convolutions at 16 by 16, attention to itself and to the text at 8 by 8."""
    return UNet2DConditionModel(
        sample_size=LATENT_SIZE,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=UNET_CHANNELS,
        layers_per_block=2,
        cross_attention_dim=TEXT_WIDTH,
        attention_head_dim=5,  # number of heads, as diffusers reads this name
        norm_num_groups=32,
    )


def build_text_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """A small CLIP text tower, trained together with the U-Net."""
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=VOCABULARY_SIZE,
            hidden_size=TEXT_WIDTH,
            intermediate_size=4 * TEXT_WIDTH,
            num_hidden_layers=3,
            num_attention_heads=4,
            max_position_embeddings=MAX_TOKENS,
            projection_dim=TEXT_WIDTH,
            hidden_act="quick_gelu",
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def build_scheduler() -> DDIMScheduler:
    """Scaled-linear noise of Stable Diffusion, rescaled to end in pure noise (Lin et al. 2024), v-prediction."""
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=True,
        steps_offset=1,  # without effect on trailing timesteps; anything else brings a warning
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        rescale_betas_zero_snr=True,
    )


def build_tokenizer() -> CLIPTokenizer:
    """The tokenizer as the pipeline will load it."""
    with tempfile.TemporaryDirectory() as folder:
        save_tokenizer(Path(folder))
        return CLIPTokenizer.from_pretrained(folder)


def save_checkpoint(folder: Path, vae: AutoencoderKL, unet: UNet2DConditionModel, text_encoder: CLIPTextModel) -> None:
    """Write the diffusers folder in bf16; each file is replaced at once, never half written."""
    staging = Path(tempfile.mkdtemp(prefix=".staging-", dir=folder.parent))
    try:
        tokenizer_folder = staging / "tokenizer"
        save_tokenizer(tokenizer_folder)
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
        shutil.rmtree(tokenizer_folder)
        save_tokenizer(tokenizer_folder)
        for file in sorted(path for path in staging.rglob("*") if path.is_file()):
            target = folder / file.relative_to(staging)
            target.parent.mkdir(parents=True, exist_ok=True)
            file.chmod(0o644)
            file.replace(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
