"""A critic made on the spot: a whole CLIP of toy size with random weights from a fixed seed, as a folder."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPTokenizer

from tests.toys import save_tokenizer

SIZE = 32


def save_clip(folder: Path) -> Path:
    """A CLIP of two layers a tower."""
    tokenizer = CLIPTokenizer.from_pretrained(save_tokenizer(folder))
    torch.manual_seed(0)
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    config = CLIPConfig(
        text_config={**tower, **ends, "pad_token_id": tokenizer.pad_token_id, "vocab_size": len(tokenizer)},
        vision_config={**tower, "image_size": SIZE, "patch_size": 8},
        projection_dim=16,
    )
    CLIPModel(config).save_pretrained(folder)
    CLIPImageProcessorPil(size={"shortest_edge": SIZE}, crop_size={"height": SIZE, "width": SIZE}).save_pretrained(
        folder
    )
    return folder
