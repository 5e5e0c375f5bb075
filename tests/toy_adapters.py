"""Toy checkpoints for the adapters that no family in `tests/toy_families.py` has: Chroma, Krea 2, FLUX.2 klein and
Hunyuan-DiT.
"""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKLFlux2,
    AutoencoderKLQwenImage,
    ChromaPipeline,
    ChromaTransformer2DModel,
    DDPMScheduler,
    FlowMatchEulerDiscreteScheduler,
    Flux2KleinPipeline,
    Flux2Transformer2DModel,
    HunyuanDiT2DModel,
    HunyuanDiTPipeline,
    Krea2Pipeline,
    Krea2Transformer2DModel,
)
from transformers import (
    BertConfig,
    BertModel,
    BertTokenizer,
    Qwen3Config,
    Qwen3ForCausalLM,
    Qwen3VLConfig,
    Qwen3VLModel,
)

from tests.toy_families import WIDTH, qwen_tokenizer, qwen_vocabulary, t5_encoder, t5_tokenizer
from tests.toys import save_pipeline, toy_vae


def save_chroma(folder: Path, *, seed: int = 20) -> Path:
    """Chroma: FLUX.1's patches, and guidance and negative prompt as classifier-free guidance has them."""
    torch.manual_seed(seed)
    transformer = ChromaTransformer2DModel(
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=WIDTH,
        axes_dims_rope=(4, 4, 8),
        approximator_num_channels=8,
        approximator_hidden_dim=WIDTH,
        approximator_layers=1,
    )
    components = {
        "tokenizer": t5_tokenizer(),
        "text_encoder": t5_encoder(),
        "transformer": transformer.eval(),
        "vae": toy_vae(scaling_factor=0.3611, shift_factor=0.1159, use_quant_conv=False, use_post_quant_conv=False),
        "scheduler": FlowMatchEulerDiscreteScheduler(shift=1.0),
    }
    return save_pipeline(ChromaPipeline(**components), folder)


def save_krea2(folder: Path, *, seed: int = 21) -> Path:
    """Krea 2: some layers of a Qwen 3 VL as text, and Qwen-Image's VAE."""
    torch.manual_seed(seed)
    transformer = Krea2Transformer2DModel(
        in_channels=16,
        num_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        num_key_value_heads=1,
        intermediate_size=64,
        timestep_embed_dim=16,
        text_hidden_dim=WIDTH,
        num_text_layers=2,
        text_num_attention_heads=2,
        text_num_key_value_heads=2,
        text_intermediate_size=64,
        num_layerwise_text_blocks=1,
        num_refiner_text_blocks=1,
        axes_dims_rope=(4, 6, 6),
    )
    for parameter in transformer.parameters():  # modulations start at zero
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 16, "num_hidden_layers": 2}
    rope = {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 5000000.0}
    text = Qwen3VLConfig(
        text_config={
            "vocab_size": len(qwen_vocabulary()),
            "hidden_size": WIDTH,
            "intermediate_size": 64,
            "rope_parameters": rope,
            **heads,
        },
        vision_config={
            "depth": 1,
            "hidden_size": WIDTH,
            "intermediate_size": 64,
            "num_heads": 2,
            "out_hidden_size": WIDTH,
            "deepstack_visual_indexes": [0],
        },
    )
    vae = AutoencoderKLQwenImage(
        base_dim=8,
        z_dim=4,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        latents_mean=[0.1, -0.2, 0.0, 0.3],
        latents_std=[1.0, 2.0, 0.5, 1.5],
    )
    components = {
        "tokenizer": qwen_tokenizer(),
        "text_encoder": Qwen3VLModel(text).eval(),
        "transformer": transformer.eval(),
        "vae": vae.eval(),
        "scheduler": FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, base_shift=0.5, max_shift=1.15),
        "text_encoder_select_layers": (1, 2),
    }
    return save_pipeline(Krea2Pipeline(**components), folder)


def save_flux2_klein(folder: Path, *, seed: int = 23) -> Path:
    """FLUX.2 klein: layers 9, 18 and 27 of a Qwen 3 as text, and a VAE that normalises patches."""
    torch.manual_seed(seed)
    text = Qwen3Config(
        vocab_size=len(qwen_vocabulary()),
        hidden_size=WIDTH,
        intermediate_size=64,
        num_hidden_layers=28,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=16,
    )
    transformer = Flux2Transformer2DModel(
        in_channels=32,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=3 * WIDTH,
        timestep_guidance_channels=16,
        axes_dims_rope=(4, 4, 4, 4),
        guidance_embeds=False,
    )
    vae = AutoencoderKLFlux2(
        down_block_types=("DownEncoderBlock2D",) * 4,
        block_out_channels=(8, 8, 16, 16),
        layers_per_block=1,
        latent_channels=8,
        norm_num_groups=4,
    )
    vae.bn.running_mean.copy_(torch.linspace(-0.3, 0.3, 32))
    vae.bn.running_var.copy_(torch.linspace(0.5, 2.0, 32))
    components = {
        "tokenizer": qwen_tokenizer(),
        "text_encoder": Qwen3ForCausalLM(text).eval(),
        "transformer": transformer.eval(),
        "vae": vae.eval(),
        "scheduler": FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, base_shift=0.5, max_shift=1.15),
    }
    return save_pipeline(Flux2KleinPipeline(**components), folder)


def save_hunyuan_dit(folder: Path, *, seed: int = 22) -> Path:
    """Hunyuan-DiT: a BERT and a T5 as text encoders, and noise as in Stable Diffusion."""
    torch.manual_seed(seed)
    transformer = HunyuanDiT2DModel(
        sample_size=8,
        num_layers=2,
        patch_size=2,
        attention_head_dim=8,
        num_attention_heads=4,
        hidden_size=32,
        in_channels=4,
        cross_attention_dim=WIDTH,
        cross_attention_dim_t5=WIDTH,
        pooled_projection_dim=16,
        use_style_cond_and_image_meta_size=False,
        text_len=77,
        text_len_t5=256,
    )
    (folder / "tokenizer").mkdir(parents=True)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(chr(code) for code in range(97, 123)), "##a", "##t"]
    vocabulary = folder / "tokenizer" / "vocab.txt"
    vocabulary.write_text("\n".join(words) + "\n", encoding="utf-8")
    text = BertConfig(
        vocab_size=len(words),
        hidden_size=WIDTH,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=77,
    )
    components = {
        "tokenizer": BertTokenizer(vocab={word: number for number, word in enumerate(words)}, model_max_length=77),
        "text_encoder": BertModel(text).eval(),
        "tokenizer_2": t5_tokenizer(),
        "text_encoder_2": t5_encoder(),
        "transformer": transformer.eval(),
        "vae": toy_vae(scaling_factor=0.13025),
        "scheduler": DDPMScheduler(beta_start=0.00085, beta_end=0.03, prediction_type="v_prediction"),
        "safety_checker": None,
        "feature_extractor": None,
    }
    return save_pipeline(HunyuanDiTPipeline(**components, requires_safety_checker=False), folder)
