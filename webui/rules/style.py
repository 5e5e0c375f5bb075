"""What has an effect in a style transfer, which depends on whether there are trained features and on other settings.

Knows no torch; of VGG-19's weights, only whether there is a file.
"""

from __future__ import annotations

from pathlib import Path

from webui.checkpoints.models_folder import PICKLE_SUFFIXES
from webui.errors import CheckpointPickled, InvalidRequest
from webui.requests.style_transfer import LayerWeights, StyleTransfer
from webui.rules.evaluate import refuse
from webui.rules.table import rules_of

WEIGHTS_FOLDER = "vgg19"
TRAINED_LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")  # Gatys, Ecker & Bethge 2016
RANDOM_LAYERS = ("conv1_1", "conv2_1", "conv3_1")  # deeper ones bring grain: see the recipe's README


def find_weights(models_dir: Path) -> Path | None:
    """The file with VGG-19's trained weights, the first by name; None if there is none.

    Raises CheckpointPickled if there are only pickled files: whoever put one there expects it to be used.
    """
    folder = models_dir / WEIGHTS_FOLDER
    if found := sorted(folder.glob("*.safetensors")):
        return found[0]
    for pickled in sorted(file for suffix in PICKLE_SUFFIXES for file in folder.glob(f"*{suffix}")):
        raise CheckpointPickled(checkpoint=f"{WEIGHTS_FOLDER}/{pickled.name}")
    return None


def style_shares(request: StyleTransfer) -> list[float]:
    """The share of each style, from 0 to 1: the first one, then the further ones."""
    weights = [request.style_image_weight, *(style.weight for style in request.style_images)]
    return [weight / sum(weights) for weight in weights]


def check_style(request: StyleTransfer, models_dir: Path) -> None:
    """Raises InvalidRequest for settings without an effect, CheckpointPickled as `find_weights` does."""
    refuse(request, rules_of(StyleTransfer))
    untrained = [name for name in TRAINED_LAYERS if name not in RANDOM_LAYERS]
    plain = LayerWeights()
    is_set = any(getattr(request.layer_weights, name) != getattr(plain, name) for name in untrained)
    if is_set and find_weights(models_dir) is None:
        raise InvalidRequest(field="layer_weights", reason="needs_vgg19")
