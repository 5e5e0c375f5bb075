from __future__ import annotations

import pytest
import torch

from webui.engine.style import objective as module
from webui.engine.style.objective import Objective, Pull
from webui.engine.style.sources import Content
from webui.engine.style.style_losses import style_loss_named
from webui.engine.style.tiles import tiles_of
from webui.engine.style.vgg import random_vgg19, stride_of

from .pictures import china, flower
from .test_style_transfer import pixels

PULL = Pull(
    content_layers=("conv2_1",),
    layers={"conv1_1": 1.0, "conv2_1": 0.5, "conv3_1": 2.0},
    content=0.2,
    style=0.5,
    patches=0.0,
    total_variation=0.1,
)


def unstopped() -> None:
    """Nobody stops it."""


@pytest.mark.parametrize("name", ["gram", "wasserstein"])
def test_the_gradient_in_tiles_is_that_of_the_whole(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    width, height = 203, 150
    content = Content((pixels(china(), width, height) * 255).byte(), torch.device("cpu"), None)
    style = pixels(flower(), 160, 120)
    network = random_vgg19([content.whole(), style], 5, torch.float32)
    picture = torch.rand(1, 3, height, width)

    def objective() -> Objective:
        loss = style_loss_named(name, 0)
        return Objective(network, loss, PULL, content, [style], [1.0], None, unstopped)

    seen = picture.clone().requires_grad_()
    (whole,) = torch.autograd.grad(objective().whole(seen), seen)
    monkeypatch.setattr(module, "LARGEST_WHOLE", 0)
    monkeypatch.setattr(module, "tiles_of", lambda h, w, margin, side=64: tiles_of(h, w, margin, 64))
    tiled = objective()
    assert tiled.is_tiled
    assert len(tiled.tiles) == 6
    _loss, found = tiled.gradient(picture)
    assert (found / picture.numel() - whole).abs().max() < 0.01 * whole.abs().max()  # bf16's rounding


def test_no_feature_depends_on_what_is_beyond_the_margin() -> None:
    network = random_vgg19([torch.rand(1, 3, 32, 32)], 9, torch.float32)
    picture = torch.rand(1, 3, 160, 160).requires_grad_()
    features = network(picture, ("conv4_1",))["conv4_1"]
    place = 80 // stride_of("conv4_1")
    (reach,) = torch.autograd.grad(features[0, :, place, place].sum(), picture)
    rows = reach[0].abs().sum(dim=(0, 2)).nonzero().flatten()
    assert rows.min() >= 80 - network.margin
    assert rows.max() < 80 + stride_of("conv4_1") + network.margin
