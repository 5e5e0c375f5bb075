"""Toy checkpoints, made on the spot from real classes: SD 1.x, SD 2.x, SDXL, their inpainting forms, and SD3 as a flow
transformer, as diffusers folders and, for the U-Net families, as single files in the layout of their first publishers.

Each is a megabyte or two of random weights from a fixed seed, makes pictures of 64×64 in well under a second, and takes
the same way through catalogue, model manager and engine as a real one. Latents are an eighth of the picture's size.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderTiny,
    DDIMScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    PNDMScheduler,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
    StableDiffusionInpaintPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLInpaintPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from tests.ldm_layout import sd1_layout, sd2_layout, sdxl_layout

SIZE = 64  # pixels; what the toys' defaults say
_WORDS = ("a", "cat", "dog", "red", "blue", "lake", "night", "photo")
_BETAS: dict[str, Any] = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}


def save_tokenizer(folder: Path, pad_token: str = "<|endoftext|>") -> Path:
    """A CLIP byte-level BPE of 512 byte symbols and a few whole words, in the two files of the old format."""
    symbols = byte_symbols()
    vocabulary = [*symbols, *(symbol + "</w>" for symbol in symbols)]
    merges: list[tuple[str, str]] = []
    for word in _WORDS:
        parts = [*word[:-1], word[-1] + "</w>"]
        while len(parts) > 1:
            pair = (parts[0], parts[1])
            parts[:2] = ["".join(pair)]
            if pair not in merges:
                merges.append(pair)
                vocabulary.append(parts[0])
    vocabulary += ["<|startoftext|>", "<|endoftext|>"]
    if pad_token not in vocabulary:  # SD 2.x and SDXL's second tokenizer pad with "!", which is a byte symbol
        raise ValueError(pad_token)
    folder.mkdir(parents=True, exist_ok=True)
    numbered = {token: number for number, token in enumerate(dict.fromkeys(vocabulary))}
    (folder / "vocab.json").write_text(json.dumps(numbered, ensure_ascii=False), encoding="utf-8")
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    special = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
    config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "pad_token": pad_token, **special}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def save_sd15(
    folder: Path, *, seed: int = 0, is_inpainting: bool = False, channels: tuple[int, int] = (32, 64)
) -> Path:
    """A Stable Diffusion 1.x of toy size as a diffusers folder; `channels` of its U-Net, each a multiple of 32."""
    torch.manual_seed(seed)
    components = {
        "tokenizer": CLIPTokenizer.from_pretrained(save_tokenizer(folder / "tokenizer")),
        "text_encoder": toy_text_encoder(32, "quick_gelu"),
        "unet": _unet(32, in_channels=9 if is_inpainting else 4, block_out_channels=channels),
        "vae": toy_vae(),
        "scheduler": PNDMScheduler(**_BETAS, skip_prk_steps=True, set_alpha_to_one=False, steps_offset=1),
        "safety_checker": None,
        "feature_extractor": None,
    }
    pipeline_class = StableDiffusionInpaintPipeline if is_inpainting else StableDiffusionPipeline
    return save_pipeline(pipeline_class(**components, requires_safety_checker=False), folder)


def save_sd2(folder: Path, *, seed: int = 1, prediction_type: str = "v_prediction") -> Path:
    """A Stable Diffusion 2.x of toy size as a diffusers folder: linear projections, OpenCLIP's text encoder."""
    torch.manual_seed(seed)
    components = {
        "tokenizer": CLIPTokenizer.from_pretrained(save_tokenizer(folder / "tokenizer", pad_token="!")),
        "text_encoder": toy_text_encoder(48, "gelu"),
        "unet": _unet(48, use_linear_projection=True, attention_head_dim=(2, 4)),
        "vae": toy_vae(),
        "scheduler": DDIMScheduler(
            **_BETAS, prediction_type=prediction_type, clip_sample=False, set_alpha_to_one=False, steps_offset=1
        ),
        "safety_checker": None,
        "feature_extractor": None,
    }
    return save_pipeline(StableDiffusionPipeline(**components, requires_safety_checker=False), folder)


def save_sdxl(folder: Path, *, seed: int = 2, is_inpainting: bool = False) -> Path:
    """A Stable Diffusion XL of toy size as a diffusers folder: two text encoders, pooled text and sizes as input."""
    torch.manual_seed(seed)
    unet = _unet(
        32 + 48,
        in_channels=9 if is_inpainting else 4,
        use_linear_projection=True,
        attention_head_dim=(2, 4),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=(1, 2),
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=6 * 8 + 48,
    )
    components = {
        "tokenizer": CLIPTokenizer.from_pretrained(save_tokenizer(folder / "tokenizer")),
        "tokenizer_2": CLIPTokenizer.from_pretrained(save_tokenizer(folder / "tokenizer_2", pad_token="!")),
        "text_encoder": toy_text_encoder(32, "quick_gelu"),
        "text_encoder_2": toy_text_encoder(48, "gelu", with_projection=True),
        "unet": unet,
        "vae": toy_vae(scaling_factor=0.13025),
        "scheduler": EulerDiscreteScheduler(**_BETAS, timestep_spacing="leading", steps_offset=1),
    }
    pipeline_class = StableDiffusionXLInpaintPipeline if is_inpainting else StableDiffusionXLPipeline
    return save_pipeline(pipeline_class(**components, add_watermarker=False), folder)


def save_sd3(folder: Path, *, seed: int = 3) -> Path:
    """A Stable Diffusion 3 of toy size, without its third text encoder, as a diffusers folder: a flow transformer."""
    torch.manual_seed(seed)
    transformer = SD3Transformer2DModel(
        sample_size=16,
        patch_size=2,
        in_channels=16,  # its inpainting pipeline takes no other
        out_channels=16,
        num_layers=2,
        attention_head_dim=8,
        num_attention_heads=4,
        joint_attention_dim=96,
        caption_projection_dim=32,
        pooled_projection_dim=32 + 48,
        pos_embed_max_size=32,
    )
    components = {
        "tokenizer": CLIPTokenizer.from_pretrained(save_tokenizer(folder / "tokenizer")),
        "tokenizer_2": CLIPTokenizer.from_pretrained(save_tokenizer(folder / "tokenizer_2", pad_token="!")),
        "tokenizer_3": None,
        "text_encoder": toy_text_encoder(32, "quick_gelu", with_projection=True),
        "text_encoder_2": toy_text_encoder(48, "gelu", with_projection=True),
        "text_encoder_3": None,
        "transformer": transformer,
        "vae": toy_vae(
            latent_channels=16,
            scaling_factor=1.5305,
            shift_factor=0.0609,
            use_quant_conv=False,
            use_post_quant_conv=False,
        ),
        "scheduler": FlowMatchEulerDiscreteScheduler(shift=3.0),
    }
    return save_pipeline(StableDiffusion3Pipeline(**components), folder)


def save_sd15_file(
    file: Path, *, seed: int = 4, is_inpainting: bool = False, dtype: torch.dtype = torch.float16
) -> Path:
    """`file` in the layout of the first SD 1.x checkpoints, with its tokenizer and toy-sized configs beside it."""
    parts = save_sd15(_beside(file, "components"), seed=seed, is_inpainting=is_inpainting)
    return _to_single_file(file, parts, sd1_layout, dtype)


def save_sd2_file(file: Path, *, seed: int = 5, dtype: torch.dtype = torch.float16) -> Path:
    """`file` in the layout of the first SD 2.x checkpoints, with its tokenizer and its configs beside it."""
    parts = save_sd2(_beside(file, "components"), seed=seed)
    return _to_single_file(file, parts, sd2_layout, dtype)


def save_sdxl_file(file: Path, *, seed: int = 6, dtype: torch.dtype = torch.float16) -> Path:
    """`file` in the layout of the first SDXL checkpoints, with its tokenizers and its configs beside it."""
    parts = save_sdxl(_beside(file, "components"), seed=seed)
    return _to_single_file(file, parts, sdxl_layout, dtype)


def save_all(models_dir: Path) -> Path:
    """Every toy, by the id that the catalogue gives it: `toy-sd15 toy-sd2 toy-sdxl toy-sd3 …`, files in `files/`."""
    save_sd15(models_dir / "toy-sd15")
    save_sd15(models_dir / "toy-sd15-inpaint", is_inpainting=True)
    save_sd2(models_dir / "toy-sd2")
    save_sdxl(models_dir / "toy-sdxl")
    save_sd3(models_dir / "toy-sd3")
    save_sd15_file(models_dir / "files" / "toy-sd15-file.safetensors")
    save_sd2_file(models_dir / "files" / "toy-sd2-file.safetensors")
    save_sdxl_file(models_dir / "files" / "toy-sdxl-file.safetensors")
    return models_dir


def byte_symbols() -> list[str]:
    """The characters by which byte-level BPE writes the 256 bytes: printable ones as themselves, others from U+0100."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(byte) if byte in printable else chr(next(others)) for byte in range(256)]


def toy_text_encoder(width: int, hidden_act: str, with_projection: bool = False) -> CLIPTextModel:
    tokens = 512 + 2 + _merged_symbols()
    config = CLIPTextConfig(
        vocab_size=tokens,
        bos_token_id=tokens - 2,
        eos_token_id=tokens - 1,
        pad_token_id=tokens - 1,
        hidden_size=width,
        projection_dim=width,
        intermediate_size=2 * width,
        num_attention_heads=4,
        num_hidden_layers=3,
        hidden_act=hidden_act,
    )
    return (CLIPTextModelWithProjection if with_projection else CLIPTextModel)(config).eval()


def _merged_symbols() -> int:
    prefixes = {word[:end] for word in _WORDS for end in range(2, len(word))}
    return len(prefixes) + sum(len(word) > 1 for word in _WORDS)


def _unet(cross_attention_dim: int, **changes: Any) -> UNet2DConditionModel:
    config: dict[str, Any] = {
        "sample_size": SIZE // 8,
        "in_channels": 4,
        "out_channels": 4,
        "block_out_channels": (32, 64),
        "layers_per_block": 1,
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        "attention_head_dim": 4,
        "cross_attention_dim": cross_attention_dim,
    }
    return UNet2DConditionModel(**config | changes).eval()


def toy_vae(**changes: Any) -> AutoencoderKL:
    config: dict[str, Any] = {
        "sample_size": SIZE,
        "block_out_channels": (8, 8, 16, 16),
        "norm_num_groups": 4,
        "layers_per_block": 1,
        "latent_channels": 4,
        "down_block_types": ("DownEncoderBlock2D",) * 4,
        "up_block_types": ("UpDecoderBlock2D",) * 4,
        "scaling_factor": 0.18215,
    }
    return AutoencoderKL(**config | changes).eval()


def save_tiny_vae(folder: Path, *, seed: int = 20, latent_channels: int = 4, levels: int = 4) -> Path:
    """A tiny decoder of toy size for a checkpoint's folder: `2 ** (levels - 1)` pixels a latent."""
    torch.manual_seed(seed)
    tiny = AutoencoderTiny(
        encoder_block_out_channels=(8,) * levels,
        num_encoder_blocks=(0,) * levels,
        decoder_block_out_channels=(8,) * levels,
        num_decoder_blocks=(1,) * levels,
        latent_channels=latent_channels,
    )
    tiny.save_pretrained(folder / "tiny_vae", safe_serialization=True)
    return folder / "tiny_vae"


def save_pipeline(pipeline: Any, folder: Path) -> Path:
    pipeline.save_pretrained(folder, safe_serialization=True)
    defaults = {"width": SIZE, "height": SIZE, "steps": 4}
    (folder / "darkroom.json").write_text(json.dumps({"defaults": defaults}), encoding="utf-8")
    return folder


def _beside(file: Path, suffix: str) -> Path:
    return file.with_name(f"{file.stem}.{suffix}")


def _to_single_file(file: Path, parts: Path, layout: Any, dtype: torch.dtype) -> Path:
    """The components in `parts` become one file; what is left of `parts` are their configs and tokenizers."""
    tensors = {name: tensor.to(dtype).contiguous() for name, tensor in layout(parts).items()}
    save_file(tensors, file, metadata={"format": "pt"})
    for weights in parts.rglob("*.safetensors"):
        weights.unlink()
    (parts / "darkroom.json").rename(file.with_suffix(".json"))
    return file
