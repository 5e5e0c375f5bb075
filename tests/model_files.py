"""Tiny files that look like models of every kind: sound headers, and zeros behind them. Loads no torch."""

from __future__ import annotations

import json
import shutil
import struct
from pathlib import Path

from webui.settings import ROOT

# The first layer that a LoRA changes in an SD 1.x of 768, in an SDXL, and in the starter.
_DOWN = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k.lora_down.weight"
LORA_SD15, LORA_SDXL = {_DOWN: (4, 768)}, {_DOWN: (4, 2048)}
EMBEDDING = {"emb_params": (2, 768)}
VAE = {"decoder.conv_in.weight": (8, 4, 3, 3)}
ANY = {"x.weight": (2,)}


def save(path: Path, shapes: dict[str, tuple[int, ...]], metadata: dict[str, str] | None = None) -> Path:
    """A safetensors file of float16 zeros."""
    header: dict[str, object] = {"__metadata__": metadata} if metadata else {}
    at = 0
    for name, shape in shapes.items():
        size = 2
        for side in shape:
            size *= side
        header[name] = {"dtype": "F16", "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(at))
    return path


def fill(models: Path, count: int) -> None:
    """So many models: a fifth checkpoints (which this program refuses for lack of a U-Net), LoRAs, embeddings, VAEs."""
    places = (("", ANY), ("loras", LORA_SD15), ("loras/xl", LORA_SDXL), ("embeddings", EMBEDDING), ("vae", VAE))
    for number in range(count):
        place, shapes = places[number % len(places)]
        save(models / place / f"{number:03}.safetensors", shapes)


def with_starter(models: Path) -> Path:
    """A models folder with a copy of the starter, whose networks are linked: it can be renamed and deleted."""
    starter = models / "starter"
    shutil.copytree(ROOT / "models" / "starter", starter, ignore=shutil.ignore_patterns("recipe", "*.safetensors"))
    for weights in (ROOT / "models" / "starter").rglob("*.safetensors"):
        if "recipe" not in weights.parts:
            (starter / weights.relative_to(ROOT / "models" / "starter")).symlink_to(weights)
    return models
