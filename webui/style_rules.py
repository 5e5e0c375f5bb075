"""What has an effect in a style transfer: it depends on whether there are trained features, and on other settings.

Knows no torch; of VGG-19's weights, only whether a file is there.
"""

from __future__ import annotations

from pathlib import Path

from webui.errors import CheckpointPickled, InvalidRequest
from webui.idle import Idle
from webui.models_folder import PICKLE_SUFFIXES
from webui.requests import LayerWeights, StyleTransfer

WEIGHTS_FOLDER = "vgg19"
TRAINED_LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")  # Gatys, Ecker & Bethge 2016
RANDOM_LAYERS = ("conv1_1", "conv2_1", "conv3_1")  # deeper ones bring grain: see the recipe's README
# What A1111's line calls the settings of a style transfer that have no name there: ours.
STYLE_LABELS = {
    "Style scale": "style_scale",
    "Total variation weight": "total_variation_weight",
    "Style loss": "style_loss",
    "Keep colours": "keep_colours",
    "Init": "init",
    "Optimizer": "optimizer",
}
# What has nothing to say where the style counts nothing.
IDLE_IN_STYLES = tuple(
    Idle(field=name, reason="no_style_weight", at_most={"style_weight": 0.0})
    for name in ("style_scale", "total_variation_weight", "style_loss", "keep_colours")
)
LAYER_LABELS = {f"Weight of {name}": name for name in TRAINED_LAYERS}


def find_weights(models_dir: Path) -> Path | None:
    """VGG-19's trained weights: the first file by name; None if there is none.

    Raises CheckpointPickled where only a pickled file lies: whoever put it there expects it to be used.
    """
    folder = models_dir / WEIGHTS_FOLDER
    if found := sorted(folder.glob("*.safetensors")):
        return found[0]
    for pickled in sorted(file for suffix in PICKLE_SUFFIXES for file in folder.glob(f"*{suffix}")):
        raise CheckpointPickled(checkpoint=f"{WEIGHTS_FOLDER}/{pickled.name}")
    return None


def check_style(request: StyleTransfer, models_dir: Path) -> None:
    """Raises InvalidRequest for what would have no effect, CheckpointPickled as `find_weights` does."""
    if request.stop_after is not None and request.stop_after > request.iterations:
        raise InvalidRequest(field="stop_after", reason="no_such_step", limit=request.iterations)
    idle = [name for name in TRAINED_LAYERS if name not in RANDOM_LAYERS]
    plain = LayerWeights()
    is_set = any(getattr(request.layer_weights, name) != getattr(plain, name) for name in idle)
    if is_set and find_weights(models_dir) is None:
        raise InvalidRequest(field="layer_weights", reason="needs_vgg19")
