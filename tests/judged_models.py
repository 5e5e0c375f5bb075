"""A models folder with the starter and a critic, as far as the names of its files go: for what only asks whether there
is one, such as the page and the queue with a worker that judges by itself. Loads no torch."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from webui.settings import ROOT

CRITIC = "clip/toy"


def lay_out(models: Path, *, with_critic: bool = True) -> Path:
    """The starter without a critic of its own, its parts linked, and another one in `models/clip/`."""
    starter = models / "starter"
    starter.mkdir(parents=True)
    for part in (ROOT / "models" / "starter").iterdir():
        if part.name == "examples":
            shutil.copytree(part, starter / part.name)
        elif part.is_file():
            shutil.copy(part, starter / part.name)
        elif part.name not in ("clip", "recipe"):
            (starter / part.name).symlink_to(part)
    if with_critic:
        critic = models / CRITIC
        critic.mkdir(parents=True)
        (critic / "config.json").write_text(json.dumps({"model_type": "clip"}))
        (critic / "preprocessor_config.json").touch()
        (critic / "model.safetensors").touch()
    return models
