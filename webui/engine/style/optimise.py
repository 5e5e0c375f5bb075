"""Neural style transfer (Gatys, Ecker & Bethge 2016): the pixels of the picture are optimised, from coarse to fine.

With VGG-19's trained weights in `models/vgg19/` the losses are the classical ones. Without, features are those of a
random VGG-19; what such features miss, a rebuilding from the style's own patches brings. Knows no jobs, no diffusion.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from webui.engine.cancel import cancellable
from webui.engine.context import Context, EngineImage
from webui.engine.device import Device
from webui.engine.images import to_pixels, to_tensor
from webui.engine.preview import Previewer
from webui.engine.style.colours import recoloured
from webui.engine.style.losses import Statistics, content_loss, statistics_of, style_loss, total_variation
from webui.engine.style.patches import Patches
from webui.engine.style.scales import fitted_size, plan_scales
from webui.engine.style.vgg import Vgg19, depth_of, random_vgg19
from webui.engine.style.weights import find_weights, load_vgg19
from webui.errors import InvalidRequest, NotFinite
from webui.requests import StyleTransfer

LEARNING_RATE = 0.03  # of [0, 1] an iteration at most: Adam moves a pixel by about this
LAST_LEARNING_RATE = 0.1  # of it, at the end of each scale
REBUILD_EVERY = 5  # iterations
CALIBRATION_SIDE = 256  # pixels: where the random network is fitted to the two pictures; statistics need no more


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Which layers are compared, and what each loss counts at weight 1."""

    content_layers: tuple[str, ...]
    style_layers: tuple[str, ...]
    content: float
    style: float
    patches: float  # of the mean squared distance to the picture rebuilt from the style's patches
    total_variation: float
    recolours: bool  # whether content means the content in the style's colours

    @property
    def depth(self) -> int:
        return depth_of(self.content_layers + self.style_layers)


# Gatys et al.'s layers; the shares follow from every loss being relative, and are not yet tuned on pictures
TRAINED = Recipe(
    content_layers=("conv4_2",),
    style_layers=("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"),
    content=0.1,
    style=1.0,
    patches=0.0,
    total_variation=0.1,
    recolours=False,
)
# Shares found by looking at results. Random features deeper than conv3_1 bring grain into the content: their gradient
# hardly sees what average pooling took out
RANDOM = Recipe(
    content_layers=("conv2_1",),
    style_layers=("conv1_1", "conv2_1", "conv3_1"),
    content=0.2,
    style=0.5,
    patches=20.0,
    total_variation=0.1,
    recolours=True,
)


@dataclass(frozen=True, kw_only=True)
class Weights:
    """The request's weights, ≥ 0."""

    content: float
    style: float

    @property
    def colour_share(self) -> float:
        """How far the content's colours become the style's, [0, 1]: 0.8 where both weights are alike."""
        return self.style / (self.style + 0.25 * self.content) if self.style > 0 else 0.0


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What stays the same at every scale."""

    recipe: Recipe
    weights: Weights
    network: Vgg19
    generator: torch.Generator
    check: Callable[[], None]
    report: _Report


@dataclass(frozen=True, kw_only=True)
class Target:
    """What the picture is pulled towards at one scale, and `content` itself, (1, 3, H, W) in [0, 1]."""

    content: Tensor
    content_features: dict[str, Tensor]
    style_statistics: dict[str, Statistics]
    patches: Patches | None


def style_transfer(
    request: StyleTransfer,
    content: Image.Image,
    style: Image.Image,
    *,
    device: Device,
    models_dir: Path,
    context: Context,
) -> EngineImage:
    """`content` in the style of `style`; the longest side is `request.size`, the other follows content's shape.

    Raises WeightsBroken, NotFinite, and Cancelled if `context.check` does.
    """
    begun = time.perf_counter()
    scales = plan_scales(request.size, request.iterations)
    recipe, network = _network(content, style, device, models_dir)
    with Previewer(context.on_event, context.watched) as previewer, cancellable(network, context.check, backward=True):
        bench = Bench(
            recipe=recipe,
            weights=Weights(content=request.content_weight, style=request.style_weight),
            network=network,
            generator=torch.Generator().manual_seed(request.seed or 0),
            check=context.check,
            report=_Report(previewer, request.iterations),
        )
        picture: Tensor | None = None
        for scale in scales:
            # 1. both pictures at this size, and what is wanted of the result
            context.check()
            target = _target(bench, *(_scaled(one, scale.side, device.torch_device) for one in (content, style)))
            # 2. from the coarser scale's result (without a style there is nothing in it but blur), 3. towards it
            if picture is None or bench.weights.style == 0:
                start = target.content
            else:
                start = _enlarged(picture, target.content)
            picture = _optimise(bench, start, target, scale.iterations)
    if picture is None:  # a request has at least one iteration
        raise InvalidRequest(field="iterations", reason="no_iterations")
    info: dict[str, str | int | float] = {
        "features": network.origin,
        "scales": " ".join(f"{scale.side}×{scale.iterations}" for scale in scales),
        "iterations": sum(scale.iterations for scale in scales),
        "device": device.name,
        "precision": "bf16" if network.dtype == torch.bfloat16 else "fp32",
        "seconds": round(time.perf_counter() - begun, 3),
    }
    pixels = _pixels(picture)
    height, width, _ = pixels.shape
    return EngineImage(width=width, height=height, rgb=pixels.tobytes(), seed=request.seed or 0, info=info)


def _network(content: Image.Image, style: Image.Image, device: Device, models_dir: Path) -> tuple[Recipe, Vgg19]:
    """Trained where there are weights, else random; and what to compare with it."""
    dtype = torch.bfloat16 if device.dtype == torch.bfloat16 else torch.float32  # gradients underflow in fp16
    if path := find_weights(models_dir):
        return TRAINED, load_vgg19(path, TRAINED.depth, device.torch_device, dtype)
    pictures = [_scaled(one, CALIBRATION_SIDE, device.torch_device) for one in (content, style)]
    return RANDOM, random_vgg19(pictures, RANDOM.depth, dtype)


def _target(bench: Bench, content: Tensor, style: Tensor) -> Target:
    """What is wanted at this scale, of two pictures (1, 3, H, W) in [0, 1]."""
    recipe, weights = bench.recipe, bench.weights
    if recipe.recolours and weights.colour_share > 0:
        content = torch.lerp(content, recoloured(content, style, bench.check), weights.colour_share)
    with torch.no_grad():
        content_features = bench.network(content, recipe.content_layers)
        style_features = bench.network(style, recipe.style_layers)
    return Target(
        content=content,
        content_features=content_features,
        style_statistics={name: statistics_of(features) for name, features in style_features.items()},
        patches=Patches(style, bench.network.dtype, bench.generator) if recipe.patches and weights.style else None,
    )


def _optimise(bench: Bench, start: Tensor, target: Target, iterations: int) -> Tensor:
    """Adam from `start`, (1, 3, H, W) in [0, 1]; the same shape and range. Raises NotFinite."""
    picture = start.clone().requires_grad_()
    optimiser = torch.optim.Adam([picture], lr=LEARNING_RATE, betas=(0.9, 0.99))
    rebuilt = start
    for iteration in range(iterations):
        bench.check()
        if target.patches and iteration % REBUILD_EVERY == 0:
            rebuilt = target.patches.rebuilt(picture.detach(), bench.check)
        loss = _loss(bench, picture, rebuilt, target)
        if not torch.isfinite(loss):
            raise NotFinite(phase="optimise")
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        optimiser.param_groups[0]["lr"] = LEARNING_RATE * (1 - (1 - LAST_LEARNING_RATE) * iteration / iterations)
        optimiser.step()
        with torch.no_grad():
            picture.clamp_(0, 1)
        bench.report.step(picture)
    return picture.detach()


def _loss(bench: Bench, picture: Tensor, rebuilt: Tensor, target: Target) -> Tensor:
    """How far `picture` is from what is wanted; a scalar in float32."""
    recipe, weights = bench.recipe, bench.weights
    features = bench.network(picture, recipe.content_layers + recipe.style_layers)
    content = recipe.content * content_loss(features, target.content_features)
    style = recipe.style * style_loss(features, target.style_statistics)
    texture = recipe.patches * (picture - rebuilt).square().mean()
    smooth = recipe.total_variation * total_variation(picture)
    # smoothness tempers what the style brings in, so that without any style the content is kept to the pixel
    return weights.content * content + weights.style * (style + texture + smooth)


class _Report:
    """Counts the iterations of all scales, and sends each as a step."""

    def __init__(self, previewer: Previewer, total: int) -> None:
        self._previewer = previewer
        self._total = total
        self._index = 0
        self._last = time.perf_counter()

    def step(self, picture: Tensor) -> None:
        now = time.perf_counter()
        self._index += 1
        self._previewer.step(
            index=self._index,
            total=self._total,
            phase="optimise",
            seconds=now - self._last,
            make=partial(_pixels, picture),
        )
        self._last = now


def _pixels(picture: Tensor) -> np.ndarray:
    """(1, 3, H, W) in [0, 1] → (H, W, 3) uint8."""
    return to_pixels(picture.detach()[0] * 2 - 1)


def _scaled(picture: Image.Image, side: int, device: torch.device) -> Tensor:
    """(1, 3, H, W) in [0, 1], the longest side `side`."""
    size = fitted_size(*picture.size, side)
    return (to_tensor(picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)).to(device) + 1) / 2


def _enlarged(picture: Tensor, like: Tensor) -> Tensor:
    return functional.interpolate(picture, like.shape[-2:], mode="bicubic", align_corners=False).clamp(0, 1)
