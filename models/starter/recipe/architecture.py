"""The starter's parts at their sizes, untrained.

Latents are (B, 16, H/32, W/32): a picture of 512 by 512 becomes 16 by 16 by 16 numbers, so that the U-Net is cheap
enough for two CPU cores. It has attention at 8 by 8 only.
"""

import json
import shutil
import tempfile
from pathlib import Path

from diffusers import AutoencoderKL, AutoencoderTiny, DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from models.starter.recipe.tokenizer import MAX_TOKENS, save_tokenizer

CHECKPOINT = Path(__file__).resolve().parents[1]
PICTURE_SIZE = 512  # pixels, width and height
VAE_CHANNELS = (32, 32, 64, 96, 128, 96)  # multiples of 32 are fast; at the coarse end they cost bytes, not time
VAE_FACTOR = 2 ** (len(VAE_CHANNELS) - 1)
LATENT_CHANNELS = 16
LATENT_SIZE = PICTURE_SIZE // VAE_FACTOR
TINY_CHANNELS, TINY_BLOCKS = 24, (2, 2, 1, 0)  # 8 pixels a latent, in under 3 ms on one core
TINY_VAE = "tiny_vae"  # folder of the small decoder
VOCABULARY_STEP = 256  # the text encoder has room for a multiple of this many tokens
TEXT_WIDTH = 256
UNET_CHANNELS = (128, 160)


def build_vae() -> AutoencoderKL:
    """The 32-fold autoencoder, whose latents have unit deviation without scaling."""
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


def build_tiny_vae() -> AutoencoderTiny:
    """A small autoencoder for previews: latents (B, 16, h, w) to (B, 3, 8h, 8w), and back."""
    levels = len(TINY_BLOCKS)
    return AutoencoderTiny(
        encoder_block_out_channels=(TINY_CHANNELS,) * levels,
        num_encoder_blocks=(0, 0, 0, 1),
        decoder_block_out_channels=(TINY_CHANNELS,) * levels,
        num_decoder_blocks=TINY_BLOCKS,
        latent_channels=LATENT_CHANNELS,
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
            vocab_size=-(-len(tokenizer) // VOCABULARY_STEP) * VOCABULARY_STEP,
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
        write_tokenizer(Path(folder))
        return CLIPTokenizer.from_pretrained(folder)


def write_tokenizer(folder: Path, known: Path = CHECKPOINT / "tokenizer") -> None:
    """Writes the tokenizer for today's words; if `known` has exactly these tokens, with its numbers and merges."""
    save_tokenizer(folder)
    if (known / "vocab.json").exists() and vocabulary(known).keys() == vocabulary(folder).keys():
        for name in ("vocab.json", "merges.txt"):
            shutil.copyfile(known / name, folder / name)


def vocabulary(folder: Path) -> dict[str, int]:
    """The tokens of a tokenizer's folder, with their numbers."""
    tokens: dict[str, int] = json.loads((folder / "vocab.json").read_text("utf-8"))
    return tokens
