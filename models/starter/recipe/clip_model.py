"""The small CLIP at its size: how it is built, how it starts, and the folder that any user of `CLIPModel` can load."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPTokenizer

from models.starter.recipe.architecture import VOCABULARY_STEP, write_tokenizer
from models.starter.recipe.thumbnails import SIZE, Pixels, to_input
from models.starter.recipe.tokenizer import MAX_TOKENS


@dataclass(frozen=True)
class _Sizes:
    """Widths and depths of the towers, all of them together below 3.5 MiB in bf16."""

    picture_width: int = 128
    picture_layers: int = 5
    picture_heads: int = 4
    patch: int = 16  # pixels
    text_width: int = 96
    text_layers: int = 2
    text_heads: int = 4
    projection: int = 128


CLIP = _Sizes()
TEMPERATURE = 0.07  # at first, as published


def build_clip(tokenizer: CLIPTokenizer) -> CLIPModel:
    """With random weights, and positions of the patches as waves over rows and columns."""
    tokens = -(-len(tokenizer) // VOCABULARY_STEP) * VOCABULARY_STEP
    config = CLIPConfig(
        text_config={
            "vocab_size": tokens, "hidden_size": CLIP.text_width, "intermediate_size": 4 * CLIP.text_width,
            "num_hidden_layers": CLIP.text_layers, "num_attention_heads": CLIP.text_heads,
            "max_position_embeddings": MAX_TOKENS, "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id,
        },
        vision_config={
            "hidden_size": CLIP.picture_width, "intermediate_size": 4 * CLIP.picture_width,
            "num_hidden_layers": CLIP.picture_layers, "num_attention_heads": CLIP.picture_heads,
            "image_size": SIZE, "patch_size": CLIP.patch,
        },
        projection_dim=CLIP.projection,
        logit_scale_init_value=float(np.log(1 / TEMPERATURE)),
    )  # fmt: skip
    clip = CLIPModel(config)
    clip.set_attn_implementation("eager")  # on a CPU the fused one's backward pass is several times slower
    with torch.no_grad():
        clip.vision_model.embeddings.position_embedding.weight[1:] = _waves(SIZE // CLIP.patch, CLIP.picture_width)
    return clip


def _waves(side: int, width: int) -> Tensor:
    """Sines and cosines of row and column, (side², width), a quarter of the channels each."""
    quarter = width // 4
    rates = 1 / 100 ** (torch.arange(quarter) / quarter)
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    angles = [places.flatten()[:, None] * rates for places in (rows, columns)]
    return 0.3 * torch.cat([wave(angle) for angle in angles for wave in (torch.sin, torch.cos)], dim=1)


@torch.no_grad()
def start_patches(clip: CLIPModel, pictures: Pixels) -> None:
    """Make the patch embedding the principal components of these pictures' patches, with deviations nearly alike."""
    patches = nn.functional.unfold(to_input(pictures), CLIP.patch, stride=CLIP.patch)  # (N, 3 * 16 * 16, 64)
    flat = patches.transpose(1, 2).flatten(0, 1)
    centred = flat - flat.mean(dim=0)
    values, vectors = torch.linalg.eigh((centred.T @ centred / len(flat)).double())
    order = values.argsort(descending=True)[: CLIP.picture_width]
    scale = (values[order] + 1e-3 * values[order[0]]).rsqrt()
    weight = clip.vision_model.embeddings.patch_embedding.weight
    weight.copy_((vectors[:, order] * scale).T.reshape(weight.shape))


def embed_pictures(clip: CLIPModel, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """(B, 3, 128, 128) in [-1, 1] to embeddings (B, 128), not yet of unit length, and the patches (B, 64, width)."""
    seen = clip.vision_model(pixel_values=pixels)
    return clip.visual_projection(seen.pooler_output), seen.last_hidden_state[:, 1:]


def embed_texts(clip: CLIPModel, tokens: Tensor) -> Tensor:
    """(B, length) to embeddings (B, 128), not yet of unit length."""
    return clip.text_projection(clip.text_model(input_ids=tokens).pooler_output)


def save_clip(clip: CLIPModel, folder: Path) -> None:
    """In bf16, with tokenizer and picture processor; each file is replaced at once."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".staging-", dir=folder.parent) as staging:
        place = Path(staging)
        clip.to(torch.bfloat16).save_pretrained(place)
        write_tokenizer(place)
        CLIPImageProcessorPil(
            size={"shortest_edge": SIZE}, crop_size={"height": SIZE, "width": SIZE},
            image_mean=[0.5] * 3, image_std=[0.5] * 3,
        ).save_pretrained(place)  # fmt: skip
        for file in sorted(place.iterdir()):
            file.chmod(0o644)
            shutil.move(file, folder / file.name)
