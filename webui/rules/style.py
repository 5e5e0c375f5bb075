"""What has an effect in a style transfer: it depends on whether there are trained features, and on other settings.

Knows no torch; of VGG-19's weights, only whether a file is there.
"""

from __future__ import annotations

from pathlib import Path

from webui.checkpoints.models_folder import PICKLE_SUFFIXES
from webui.errors import CheckpointPickled, InvalidRequest
from webui.requests import LayerWeights, StyleTransfer
from webui.rules.inactive_settings import InactiveSetting

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
    "Style method": "method",
    "Style strength": "style_strength",
    "Weight of the first style": "style_image_weight",
}
ONLY_OPTIMISED = (
    "content_weight", "style_weight", "iterations", "total_variation_weight", "style_loss", "init", "optimizer",
)  # fmt: skip
ONLY_INSTANT = ("style_strength",)
LARGEST_INSTANT = 2048  # pixels: the network sees the picture as a whole
# What has nothing to say to the one method or the other, and where the style counts nothing.
INACTIVE_IN_STYLES = (
    *(InactiveSetting(field=name, reason="only_optimised", when={"method": ("instant",)}) for name in ONLY_OPTIMISED),
    *(InactiveSetting(field=name, reason="only_instant", when={"method": ("optimised",)}) for name in ONLY_INSTANT),
    *(
        InactiveSetting(
            field=name, reason="no_style_weight", when={"method": ("optimised",)}, at_most={"style_weight": 0.0}
        )
        for name in ("style_scale", "total_variation_weight", "style_loss", "keep_colours")
    ),
    *(
        InactiveSetting(
            field=name, reason="no_style_strength", when={"method": ("instant",)}, at_most={"style_strength": 0.0}
        )
        for name in ("style_scale", "keep_colours")
    ),
    InactiveSetting(field="style_image_weight", reason="one_style", without=("style_images",)),
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


def style_shares(request: StyleTransfer) -> list[float]:
    """What each style counts of all, from 0 to 1: the first one, then the further ones."""
    weights = [request.style_image_weight, *(style.weight for style in request.style_images)]
    return [weight / sum(weights) for weight in weights]


def check_style(request: StyleTransfer, models_dir: Path) -> None:
    """Raises InvalidRequest for what would have no effect, CheckpointPickled as `find_weights` does."""
    _check_method(request)
    if not any((request.style_image_weight, *(style.weight for style in request.style_images))):
        raise InvalidRequest(field="style_image_weight", reason="no_style_counts")
    if request.stop_after is not None and request.stop_after > request.iterations:
        raise InvalidRequest(field="stop_after", reason="no_such_step", limit=request.iterations)
    idle = [name for name in TRAINED_LAYERS if name not in RANDOM_LAYERS]
    plain = LayerWeights()
    is_set = any(getattr(request.layer_weights, name) != getattr(plain, name) for name in idle)
    if is_set and find_weights(models_dir) is None:
        raise InvalidRequest(field="layer_weights", reason="needs_vgg19")


def _check_method(request: StyleTransfer) -> None:
    is_instant = request.method == "instant"
    others, reason = (ONLY_OPTIMISED, "only_optimised") if is_instant else (ONLY_INSTANT, "only_instant")
    if is_instant:
        others = (*others, "layer_weights", "stop_after")
    declared = StyleTransfer.__dataclass_fields__
    for name in others:
        if getattr(request, name) != declared[name].default:
            raise InvalidRequest(field=name, reason=reason)
    if is_instant and request.size > LARGEST_INSTANT:
        raise InvalidRequest(field="size", reason="instant_size", limit=LARGEST_INSTANT)
