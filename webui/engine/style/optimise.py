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
from webui.engine.style.scales import Scale, fitted_size, plan_scales
from webui.engine.style.vgg import Vgg19, depth_of, random_vgg19
from webui.engine.style.weights import find_weights, load_vgg19
from webui.errors import NotFinite
from webui.requests import StyleTransfer

LEARNING_RATE = 0.03  # of [0, 1] an iteration at most: Adam moves a pixel by about this
LAST_LEARNING_RATE = 0.1  # of it, at the end of each scale
REBUILD_EVERY = 5  # iterations


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Which layers are compared, and what each loss counts at weight 1 (found by looking at results)."""

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


# Gatys et al.'s layers, with one for each block
TRAINED = Recipe(
    content_layers=("conv4_2",),
    style_layers=("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"),
    content=0.1,
    style=1.0,
    patches=0.0,
    total_variation=0.1,
    recolours=False,
)
# Random features deeper than this only bring grain: their gradient hardly sees what average pooling took out
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


@dataclass(frozen=True)
class Target:
    """What the picture is pulled towards at one scale; its own start if there is none yet."""

    start: Tensor  # (1, 3, H, W) in [0, 1]
    content: dict[str, Tensor]
    style: dict[str, Statistics]
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
    dtype = torch.bfloat16 if device.dtype == torch.bfloat16 else torch.float32  # gradients underflow in fp16
    weights = Weights(content=request.content_weight, style=request.style_weight)
    generator = torch.Generator().manual_seed(request.seed or 0)
    scales = plan_scales(request.size, request.iterations)
    path = find_weights(models_dir)
    recipe = TRAINED if path else RANDOM
    trained = load_vgg19(path, recipe.depth, device.torch_device, dtype) if path else None
    picture: Tensor | None = None
    origin = ""
    with Previewer(context.on_event, context.watched) as previewer:
        report = _Report(previewer, request.iterations)
        for scale in scales:
            # 1. both pictures at this size, 2. the features to compare them by, 3. what those should be
            context.check()
            content_pixels = _scaled(content, scale.side, device.torch_device)
            style_pixels = _scaled(style, scale.side, device.torch_device)
            network = trained or random_vgg19((content_pixels, style_pixels), recipe.depth, dtype)
            origin = network.origin
            with cancellable(network, context.check):
                patches = Patches(style_pixels, dtype, generator) if recipe.patches and weights.style else None
                target = _target(recipe, weights, network, content_pixels, style_pixels, patches)
                # 4. the picture of the coarser scale, enlarged, 5. pulled there
                start = target.start if picture is None else _enlarged(picture, target.start)
                picture = _optimise(start, target, recipe, weights, network, scale, context.check, report)
    assert picture is not None  # there is at least one scale
    return _finished(
        picture,
        request,
        origin,
        scales,
        device,
        "bf16" if dtype == torch.bfloat16 else "fp32",
        time.perf_counter() - begun,
    )


def _target(
    recipe: Recipe, weights: Weights, network: Vgg19, content: Tensor, style: Tensor, patches: Patches | None
) -> Target:
    """What to compare with at this scale; all (1, 3, H, W) in [0, 1]."""
    share = weights.colour_share if recipe.recolours else 0.0
    start = torch.lerp(content, recoloured(content, style), share) if share else content
    with torch.no_grad():
        content_features = network(start, recipe.content_layers)
        style_features = network(style, recipe.style_layers)
    return Target(start, content_features, {name: statistics_of(f) for name, f in style_features.items()}, patches)


def _optimise(
    start: Tensor,
    target: Target,
    recipe: Recipe,
    weights: Weights,
    network: Vgg19,
    scale: Scale,
    check: Callable[[], None],
    report: _Report,
) -> Tensor:
    """`scale.iterations` of Adam from `start`; the same shape, in [0, 1]."""
    picture = start.clone().requires_grad_()
    optimiser = torch.optim.Adam([picture], lr=LEARNING_RATE, betas=(0.9, 0.99))
    names = recipe.content_layers + recipe.style_layers
    rebuilt = start
    for iteration in range(scale.iterations):
        check()
        if target.patches and iteration % REBUILD_EVERY == 0:
            rebuilt = target.patches.rebuilt(picture.detach(), check)
        features = network(picture, names)
        loss = weights.content * recipe.content * content_loss(features, target.content)
        loss = loss + weights.style * recipe.style * style_loss(features, target.style)
        loss = loss + weights.style * recipe.patches * (picture - rebuilt).square().mean()
        loss = loss + recipe.total_variation * total_variation(picture)
        if not torch.isfinite(loss):
            raise NotFinite(phase="optimise")
        optimiser.zero_grad()
        loss.backward()
        optimiser.param_groups[0]["lr"] = LEARNING_RATE * (1 - (1 - LAST_LEARNING_RATE) * iteration / scale.iterations)
        optimiser.step()
        with torch.no_grad():
            picture.clamp_(0, 1)
        report.step(picture)
    return picture.detach()


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


def _finished(
    picture: Tensor,
    request: StyleTransfer,
    origin: str,
    scales: tuple[Scale, ...],
    device: Device,
    precision: str,
    seconds: float,
) -> EngineImage:
    pixels = _pixels(picture)
    info: dict[str, str | int | float] = {
        "features": origin,
        "scales": " ".join(f"{scale.side}×{scale.iterations}" for scale in scales),
        "iterations": sum(scale.iterations for scale in scales),
        "device": device.name,
        "precision": precision,
        "seconds": round(seconds, 3),
    }
    return EngineImage(
        width=pixels.shape[1], height=pixels.shape[0], rgb=pixels.tobytes(), seed=request.seed or 0, info=info
    )
