"""Neural style transfer (Gatys, Ecker & Bethge 2016): the pixels of the picture are optimised, from coarse to fine.

With VGG-19's trained weights in `models/vgg19/`, the losses are the classical ones. Without them, the features are
those of a random VGG-19, and a rebuilding from the style's own patches adds what such features miss. Scales by √2,
momentum that is carried along and an averaged iterate are from crowsonkb/style-transfer-pytorch. Knows no jobs, no
diffusion.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from webui.engine.cancel import cancellable
from webui.engine.context import Context
from webui.engine.device import Device, precision_of
from webui.engine.previews.preview import Previewer
from webui.engine.style.beginnings import beginning
from webui.engine.style.iterate import Adam, resized
from webui.engine.style.kept import KeptStyle
from webui.engine.style.objective import Objective
from webui.engine.style.optimise import Iterate, optimise, optimise_lbfgs
from webui.engine.style.patches import Patches
from webui.engine.style.recipes import FROM_CONTENT, RANDOM, TRAINED, Recipe
from webui.engine.style.scales import COARSEST_OF_NOISE, COARSEST_SIDE, plan_scales
from webui.engine.style.sources import Sources, Style
from webui.engine.style.style_losses import style_loss_named
from webui.engine.style.vgg import Vgg19, random_vgg19
from webui.engine.style.weights import load_vgg19
from webui.errors import Cancelled, InvalidRequest
from webui.requests.style_transfer import StyleTransfer
from webui.rules.style import find_weights, style_shares
from webui.worker.messages import RawImage

PREVIEW_SECONDS = 0.5  # between previews, to one who watches
PREVIEW_SIDE = 512  # pixels: larger pictures are thinned out before they become a preview


def style_transfer(
    request: StyleTransfer,
    content: Image.Image,
    style: Image.Image,
    further_styles: Sequence[Image.Image] = (),
    *,
    device: Device,
    models_dir: Path,
    context: Context,
    kept: KeptStyle | None = None,
) -> RawImage:
    """`content` in the style of `style` (and of the request's further ones); the longest side is `request.size`.

    Raises WeightsBroken, NotFinite, and Cancelled if `context.check` does; `kept` then holds the picture so far.
    """
    if kept is not None and (image := kept.recall(request)) is not None:
        return image
    begun = time.perf_counter()
    path = find_weights(models_dir)
    recipe = RANDOM if path is None else TRAINED
    sources = Sources(
        content,
        _shared(request, style, further_styles),
        device=device.torch_device,
        keep_colours=request.keep_colours,
        colour_share=recipe.colour_share(request),
        check=context.check,
    )
    network = _network(path, recipe, sources, device)
    with (
        Previewer(context.on_event, context.watched, PREVIEW_SECONDS) as previewer,
        cancellable(network, context.check, backward=True),
    ):
        progress = Progress(previewer, request.stop_after or request.iterations, sources)
        try:
            picture = from_coarse_to_fine(request, recipe, network, sources, progress, context.check)
        except Cancelled:
            if kept is not None and (found := progress.last()) is not None:
                seconds = time.perf_counter() - begun
                kept.keep(request, progress.index, _image(request, sources, network, device, found, progress, seconds))
            raise
    return _image(request, sources, network, device, picture, progress, time.perf_counter() - begun)


def from_coarse_to_fine(
    request: StyleTransfer,
    recipe: Recipe,
    network: Vgg19,
    sources: Sources,
    progress: Progress,
    check: Callable[[], None],
) -> Tensor:
    """Optimises the picture scale by scale: (1, 3, H, W) in [0, 1]; float16 if it is seen in tiles."""
    seed = request.seed or 0
    generator = torch.Generator().manual_seed(seed)
    loss = style_loss_named(request.style_loss, seed)
    pull = recipe.pull(request)
    picture: Tensor | None = None
    adam: Adam | None = None
    coarsest = COARSEST_SIDE if request.init in FROM_CONTENT else COARSEST_OF_NOISE
    for scale in plan_scales(request.size, request.iterations, coarsest):
        # 1. the pictures at this size, and what is wanted of the result
        check()
        progress.scales.append(f"{scale.side}×{scale.iterations}")
        given, styles = sources.content(scale.side), sources.styles(scale.side, request.style_scale)
        patches = None
        if pull.patches > 0 and scale.side >= min(COARSEST_SIDE, request.size):  # smaller than that it is still noise
            patches = Patches(styles, sources.shares, network.dtype, generator)
        objective = Objective(network, loss, pull, given, styles, sources.shares, patches, check)
        # 2. from the coarser scale's result; without a style there is nothing in it but blur
        size = torch.Size((given.height, given.width))
        dtype, state = (torch.float16, torch.bfloat16) if objective.is_tiled else (torch.float32, torch.float32)
        if picture is None:
            picture = beginning(request.init, given.whole(dtype), styles, sources.shares, seed).to(dtype)
        elif pull.style == 0 and request.init == "content":
            picture = given.whole(dtype)
        else:
            picture = resized(picture, size, dtype, mode="bicubic").clamp_(0, 1)
        # 3. towards what is wanted
        if request.optimizer == "lbfgs" and not objective.is_tiled:
            picture = optimise_lbfgs(picture, objective, scale.iterations, follow=progress, check=check)
        else:
            if adam is None:
                adam = Adam(picture, state)
            adam.grow(size, state)
            picture = optimise(picture, objective, adam, scale.iterations, follow=progress, check=check)
        if progress.is_over:
            break
    if picture is None:  # a request has at least one iteration
        raise InvalidRequest(field="iterations", reason="no_iterations")
    return picture


def _shared(request: StyleTransfer, style: Image.Image, further: Sequence[Image.Image]) -> list[Style]:
    """Each style with its share; those with a weight of 0 are left out."""
    shared = zip([style, *further], style_shares(request), strict=True)
    return [Style(picture.convert("RGB"), share) for picture, share in shared if share > 0]


def _network(path: Path | None, recipe: Recipe, sources: Sources, device: Device) -> Vgg19:
    """The trained network if there are weights, else the random one."""
    if path is not None:
        return load_vgg19(path, recipe.depth, device.torch_device, device.wide_dtype)
    return random_vgg19(sources.small, recipe.depth, device.wide_dtype)


class Progress:
    """Counts the iterations of all scales, sends each as a step, and knows which picture can be kept."""

    def __init__(self, previewer: Previewer, total: int, sources: Sources) -> None:
        self.index = 0
        self.scales: list[str] = []
        self._previewer, self._total, self._sources = previewer, total, sources
        self._then = time.perf_counter()
        self._iterate: Iterate | None = None

    def __call__(self, iterate: Iterate) -> bool:
        """Reports one iteration as a step; returns whether it was the last one asked for."""
        now = time.perf_counter()
        self.index += 1
        self._iterate = iterate
        self._previewer.step(
            index=self.index,
            total=self._total,
            phase="optimise",
            seconds=now - self._then,
            loss=iterate.loss,
            make=partial(self._preview, iterate),
        )
        self._then = now
        return self.is_over

    @property
    def is_over(self) -> bool:
        """Whether all iterations that were asked for are done."""
        return self.index >= self._total

    def last(self) -> Tensor | None:
        """The averaged picture so far; None before the first iteration, and while it is seen in tiles."""
        picture = None if self._iterate is None else self._iterate.picture()
        return None if picture is None or picture.dtype == torch.float16 else picture

    def _preview(self, iterate: Iterate) -> np.ndarray:
        picture = iterate.picture()
        thinned = math.ceil(max(picture.shape[-2:]) / PREVIEW_SIDE)
        return self._sources.pixels(picture[..., ::thinned, ::thinned])


def _image(
    request: StyleTransfer,
    sources: Sources,
    network: Vgg19,
    device: Device,
    picture: Tensor,
    progress: Progress,
    seconds: float,
) -> RawImage:
    """The finished picture, with an account of what really happened."""
    pixels = sources.pixels(picture)
    height, width, _ = pixels.shape
    info: dict[str, str | int | float] = {
        "features": network.origin,
        "scales": " ".join(progress.scales),
        "iterations": progress.index,
        "device": device.name,
        "precision": precision_of(network.dtype),
        "seconds": round(seconds, 3),
    }
    return RawImage(width=width, height=height, rgb=pixels.tobytes(), seed=request.seed or 0, info=info)
