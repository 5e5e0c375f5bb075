"""A models folder with the starter, a critic and a tiny decoder, as far as names of files go: for what only asks
whether there is one, such as the page and the queue with a worker that judges by itself. Loads no torch."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from webui.settings import ROOT

CRITIC = "clip/toy"


def lay_out(models: Path, *, with_critic: bool = True) -> Path:
    """The starter without a critic of its own, its parts linked, with another one in `models/clip/`, and with a tiny
    decoder for whole pictures."""
    starter = models / "starter"
    starter.mkdir(parents=True)
    for part in (ROOT / "models" / "starter").iterdir():
        if part.name == "examples":
            shutil.copytree(part, starter / part.name)
        elif part.is_file():
            shutil.copy(part, starter / part.name)
        elif part.name not in ("clip", "recipe", "tiny_vae"):
            (starter / part.name).symlink_to(part)
    _lay_out_tiny_decoder(starter)
    if with_critic:
        critic = models / CRITIC
        critic.mkdir(parents=True)
        (critic / "config.json").write_text(json.dumps({"model_type": "clip"}))
        (critic / "preprocessor_config.json").touch()
        (critic / "model.safetensors").touch()
    return models


def _lay_out_tiny_decoder(starter: Path) -> None:
    """One that draws whole pictures, as far as its config says."""
    levels = json.loads((starter / "vae" / "config.json").read_text("utf-8"))["block_out_channels"]
    config = json.loads((ROOT / "models" / "starter" / "tiny_vae" / "config.json").read_text("utf-8"))
    (starter / "tiny_vae").mkdir()
    fitting = config | {"decoder_block_out_channels": levels}
    (starter / "tiny_vae" / "config.json").write_text(json.dumps(fitting), "utf-8")
    (starter / "tiny_vae" / "diffusion_pytorch_model.safetensors").touch()
