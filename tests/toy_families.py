"""Toy checkpoints of the families that are no U-Nets, made on the spot from real classes, as diffusers folders.

Each has the shape of its published namesake: the same kinds of text encoder, tokenizer, transformer, VAE and scheduler,
a megabyte or two of random weights from a fixed seed. `tests/toys.py` has the U-Net families and Stable Diffusion 3.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AmusedPipeline,
    AmusedScheduler,
    AutoencoderDC,
    AutoencoderKLQwenImage,
    DPMSolverMultistepScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    PixArtSigmaPipeline,
    PixArtTransformer2DModel,
    QwenImagePipeline,
    QwenImageTransformer2DModel,
    SanaPipeline,
    SanaSprintPipeline,
    SanaTransformer2DModel,
    SCMScheduler,
    UVit2DModel,
    VQModel,
    ZImagePipeline,
    ZImageTransformer2DModel,
)
from transformers import (
    CLIPTokenizer,
    Gemma2Config,
    Gemma2Model,
    GemmaTokenizer,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2Tokenizer,
    Qwen3Config,
    Qwen3Model,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

from tests.toys import byte_symbols, save_pipeline, save_tokenizer, toy_text_encoder, toy_vae

WIDTH = 32  # channels of every text encoder here


def save_flux(folder: Path, *, is_dev: bool = True, seed: int = 10) -> Path:
    """FLUX.1: dev is told of guidance, schnell is not."""
    torch.manual_seed(seed)
    transformer = FluxTransformer2DModel(
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=WIDTH,
        pooled_projection_dim=WIDTH,
        guidance_embeds=is_dev,
        axes_dims_rope=(4, 4, 8),
    )
    components = {
        "tokenizer": CLIPTokenizer.from_pretrained(save_tokenizer(folder / "tokenizer")),
        "text_encoder": toy_text_encoder(WIDTH, "quick_gelu"),
        "tokenizer_2": t5_tokenizer(),
        "text_encoder_2": t5_encoder(),
        "transformer": transformer.eval(),
        "vae": toy_vae(scaling_factor=0.3611, shift_factor=0.1159, use_quant_conv=False, use_post_quant_conv=False),
        "scheduler": FlowMatchEulerDiscreteScheduler(
            shift=3.0 if is_dev else 1.0, use_dynamic_shifting=is_dev, base_shift=0.5, max_shift=1.15
        ),
    }
    return save_pipeline(FluxPipeline(**components), folder)


def save_z_image(folder: Path, *, seed: int = 11) -> Path:
    """Z-Image: one stream of text and picture, a Qwen 3 as text encoder, FLUX.1's VAE."""
    torch.manual_seed(seed)
    transformer = ZImageTransformer2DModel(
        in_channels=4,
        dim=32,
        n_layers=1,
        n_refiner_layers=1,
        n_heads=2,
        n_kv_heads=2,
        cap_feat_dim=WIDTH,
        axes_dims=[4, 6, 6],
        axes_lens=[256, 64, 64],
    )
    for parameter in transformer.parameters():  # its padding tokens start as uninitialised memory
        if not parameter.isfinite().all() or parameter.abs().max() > 100:
            torch.nn.init.normal_(parameter, std=0.02)
    components = {
        "tokenizer": qwen_tokenizer(),
        "text_encoder": Qwen3Model(
            Qwen3Config(
                vocab_size=len(qwen_vocabulary()),
                hidden_size=WIDTH,
                intermediate_size=64,
                num_hidden_layers=2,
                num_attention_heads=2,
                num_key_value_heads=2,
                head_dim=16,
            )
        ).eval(),
        "transformer": transformer.eval(),
        "vae": toy_vae(scaling_factor=0.3611, shift_factor=0.1159, use_quant_conv=False, use_post_quant_conv=False),
        "scheduler": FlowMatchEulerDiscreteScheduler(shift=3.0),
    }
    return save_pipeline(ZImagePipeline(**components), folder)


def save_qwen_image(folder: Path, *, seed: int = 12) -> Path:
    """Qwen-Image: two streams, a Qwen 2.5 VL as text encoder, a VAE of its own that knows videos."""
    torch.manual_seed(seed)
    transformer = QwenImageTransformer2DModel(
        in_channels=16,
        out_channels=4,
        num_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=WIDTH,
        axes_dims_rope=(4, 6, 6),
    )
    vae = AutoencoderKLQwenImage(
        base_dim=8,
        z_dim=4,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        latents_mean=[0.1, -0.2, 0.0, 0.3],
        latents_std=[1.0, 2.0, 0.5, 1.5],
    )
    text = Qwen2_5_VLConfig(
        text_config={
            "vocab_size": len(qwen_vocabulary()),
            "hidden_size": WIDTH,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "rope_parameters": {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 1000000.0},
        },
        vision_config={
            "depth": 1,
            "hidden_size": WIDTH,
            "intermediate_size": 64,
            "num_heads": 2,
            "out_hidden_size": WIDTH,
            "fullatt_block_indexes": [0],
        },
    )
    components = {
        "tokenizer": qwen_tokenizer(),
        "text_encoder": Qwen2_5_VLForConditionalGeneration(text).eval(),
        "transformer": transformer.eval(),
        "vae": vae.eval(),
        "scheduler": FlowMatchEulerDiscreteScheduler(
            use_dynamic_shifting=True, base_shift=0.5, max_shift=0.9, shift_terminal=0.02
        ),
    }
    return save_pipeline(QwenImagePipeline(**components), folder)


def save_sana(folder: Path, *, seed: int = 13) -> Path:
    """Sana: linear attention, a Gemma 2 as text encoder, a VAE that makes the picture 32 times smaller."""
    scheduler = DPMSolverMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)
    return save_pipeline(SanaPipeline(**_sana_parts(seed), scheduler=scheduler), folder)


def save_sana_sprint(folder: Path, *, seed: int = 16) -> Path:
    """Sana-Sprint: the same, told of guidance."""
    parts = _sana_parts(seed, guidance_embeds=True, guidance_embeds_scale=0.1)
    return save_pipeline(SanaSprintPipeline(**parts, scheduler=SCMScheduler(sigma_data=0.5)), folder)


def _sana_parts(seed: int, **changes: Any) -> dict[str, Any]:
    torch.manual_seed(seed)
    transformer = SanaTransformer2DModel(
        in_channels=4,
        out_channels=4,
        num_attention_heads=2,
        attention_head_dim=16,
        num_layers=1,
        num_cross_attention_heads=2,
        cross_attention_head_dim=16,
        cross_attention_dim=32,
        caption_channels=WIDTH,
        sample_size=2,
        **changes,
    )
    vae = AutoencoderDC(
        latent_channels=4,
        attention_head_dim=4,
        encoder_block_out_channels=(8, 8, 8, 8, 8, 8),
        decoder_block_out_channels=(8, 8, 8, 8, 8, 8),
        encoder_layers_per_block=(1, 1, 1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1, 1, 1),
        encoder_qkv_multiscales=((), (), (), (), (), ()),
        decoder_qkv_multiscales=((), (), (), (), (), ()),
        scaling_factor=0.41407,
    )
    symbols = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "▁", *(chr(code) for code in range(33, 127))]
    vocabulary = {symbol: number for number, symbol in enumerate(symbols)}
    text = Gemma2Config(
        vocab_size=len(vocabulary),
        hidden_size=WIDTH,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=16,
    )
    return {
        "tokenizer": GemmaTokenizer(vocab=vocabulary, merges=[]),
        "text_encoder": Gemma2Model(text).eval(),
        "transformer": transformer.eval(),
        "vae": vae.eval(),
    }


def save_pixart_sigma(folder: Path, *, seed: int = 14) -> Path:
    """PixArt Sigma: a T5 alone as text encoder, and noise as in Stable Diffusion."""
    torch.manual_seed(seed)
    transformer = PixArtTransformer2DModel(
        num_attention_heads=2,
        attention_head_dim=16,
        in_channels=4,
        out_channels=8,
        num_layers=1,
        cross_attention_dim=32,
        sample_size=8,
        caption_channels=WIDTH,
        use_additional_conditions=False,
    )
    components = {
        "tokenizer": t5_tokenizer(),
        "text_encoder": t5_encoder(),
        "transformer": transformer.eval(),
        "vae": toy_vae(scaling_factor=0.13025),
        "scheduler": DPMSolverMultistepScheduler(beta_start=0.0001, beta_end=0.02),
    }
    return save_pipeline(PixArtSigmaPipeline(**components), folder)


def save_amused(folder: Path, *, seed: int = 15) -> Path:
    """aMUSEd: tokens of a codebook, all masked at first and fewer at each step."""
    torch.manual_seed(seed)
    codes = 24
    transformer = UVit2DModel(
        hidden_size=32,
        cond_embed_dim=WIDTH,
        micro_cond_encode_dim=4,
        micro_cond_embed_dim=20,
        encoder_hidden_size=WIDTH,
        vocab_size=codes + 1,
        codebook_size=codes,
        in_channels=32,
        block_out_channels=32,
        num_res_blocks=1,
        block_num_heads=1,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=32,
        sample_size=8,
    )
    vqvae = VQModel(
        block_out_channels=(8, 8, 8, 16),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        norm_num_groups=4,
        latent_channels=8,
        num_vq_embeddings=codes,
        mid_block_add_attention=False,
        lookup_from_codebook=True,
    )
    components = {
        "tokenizer": CLIPTokenizer.from_pretrained(save_tokenizer(folder / "tokenizer")),
        "text_encoder": toy_text_encoder(WIDTH, "quick_gelu", with_projection=True),
        "transformer": transformer.eval(),
        "vqvae": vqvae.eval(),
        "scheduler": AmusedScheduler(mask_token_id=codes),
    }
    return save_pipeline(AmusedPipeline(**components), folder)


def t5_tokenizer() -> T5Tokenizer:
    pieces = ["<pad>", "</s>", "<unk>", "▁", *(chr(code) for code in range(33, 127))]
    return T5Tokenizer(vocab=[(piece, -float(number)) for number, piece in enumerate(pieces)], extra_ids=0)


def t5_encoder() -> T5EncoderModel:
    config = T5Config(vocab_size=128, d_model=WIDTH, d_kv=8, d_ff=64, num_layers=1, num_heads=4)
    return T5EncoderModel(config).eval()


def qwen_vocabulary() -> dict[str, int]:
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    return {symbol: number for number, symbol in enumerate([*byte_symbols(), *special])}


def qwen_tokenizer() -> Any:
    tokenizer = Qwen2Tokenizer(vocab=qwen_vocabulary(), merges=[], model_max_length=512)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    tokenizer.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    return tokenizer
