"""The algorithm of crowsonkb/style-transfer-pytorch (commit e7e2c71, `StyleTransfer.stylize`), on any network of ours.

Its settings, as its command line has them: content weight 0.015, smoothness 2 by a stencil of nine points, layers at
256, 64, 16, … over their sum, scales by √2 from 128, 1000 iterations at the first and 500 at each other, Adam at 0.02
with betas 0.9 and 0.99, warm-started, and an average of decay 0.99. What differs: the matrix root's gradient is had
without a second iteration (`webui/engine/style/square_root.py`), which is the faster way; and the network is ours.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from webui.engine.style.iterate import resized
from webui.engine.style.square_root import trace_of_root
from webui.engine.style.vgg import Vgg19

CONTENT_WEIGHT, TV_WEIGHT = 0.015, 2.0
FIRST_ITERATIONS, ITERATIONS, SMALLEST = 1000, 500, 128
RATE, BETAS, DECAY, EPSILON = 0.02, (0.9, 0.99), 0.99, 1e-4


def stylize(
    network: Vgg19,
    content_layer: str,
    style_layers: tuple[str, ...],
    content_at: Callable[[int], Tensor],
    style_at: Callable[[int], Tensor],
    size: int,
    follow: Callable[[Tensor], bool],
) -> None:
    """`content_at` and `style_at` give (1, 3, H, W) in [0, 1] by their longest side. `follow` is told the average after
    each iteration; True ends it.
    """
    weights = torch.tensor([4.0**-place for place in range(len(style_layers))])
    weights = weights / weights.sum()
    sides = sorted({round(size / 2 ** (step / 2)) for step in range(20) if round(size / 2 ** (step / 2)) >= SMALLEST})
    picture = content_at(sides[0])
    state: dict[str, Tensor] | None = None
    steps = 0
    for side in sides:
        content = content_at(side)
        shape = content.shape[-2:]
        picture = resized(picture, shape, torch.float32, mode="bicubic").clamp(0, 1).requires_grad_()
        with torch.no_grad():
            kept = network(content, (content_layer,))[content_layer].float()
            wanted = {name: _moments(one) for name, one in network(style_at(side), style_layers).items()}
        optimizer = torch.optim.Adam([picture], lr=RATE, betas=BETAS)
        if state is not None:
            optimizer.state[picture] = {
                "step": torch.tensor(float(steps)),
                "exp_avg": resized(state["exp_avg"], shape, torch.float32, mode="bicubic"),
                "exp_avg_sq": resized(state["exp_avg_sq"], shape, torch.float32, mode="bilinear"),
            }
        average, weight = torch.zeros_like(picture), 0.0
        for _ in range(FIRST_ITERATIONS if side == sides[0] else ITERATIONS):
            optimizer.zero_grad()
            features = network(picture, (content_layer, *style_layers))
            loss = CONTENT_WEIGHT * functional.mse_loss(features[content_layer].float(), kept)
            for share, name in zip(weights, style_layers, strict=True):
                loss = loss + share * _wasserstein(_moments(features[name]), wanted[name])
            (loss + TV_WEIGHT * _smoothness(picture)).backward()
            optimizer.step()
            steps += 1
            with torch.no_grad():
                picture.clamp_(0, 1)
                average = DECAY * average + (1 - DECAY) * picture
                weight = DECAY * weight + 1 - DECAY
            if follow(average / weight):
                return
        state = dict(optimizer.state[picture])
        picture = (average / weight).detach()


def _moments(features: Tensor) -> tuple[Tensor, Tensor]:
    flat = features.float().flatten(2).squeeze(0)
    mean = flat.mean(dim=1)
    covariance = flat @ flat.T / flat.shape[1] - torch.outer(mean, mean)
    return mean, covariance + EPSILON * torch.eye(len(mean))


def _wasserstein(found: tuple[Tensor, Tensor], wanted: tuple[Tensor, Tensor]) -> Tensor:
    (mean, covariance), (wanted_mean, wanted_covariance) = found, wanted
    traces = (covariance + wanted_covariance).diagonal().sum()
    bures = traces - 2 * trace_of_root(covariance, wanted_covariance)
    return (mean - wanted_mean).square().mean() + bures / len(mean)


def _smoothness(picture: Tensor) -> Tensor:
    padded = functional.pad(picture, (1, 1, 1, 1), "replicate")
    here, middle = padded[..., 1:-1, 1:-1], slice(1, -1)
    across = (padded[..., middle, 2:] - here).square().mean() / 3
    down = (padded[..., 2:, middle] - here).square().mean() / 3
    falling = (padded[..., 2:, 2:] - padded[..., :-2, :-2]).square().mean() / 12
    rising = (padded[..., 2:, :-2] - padded[..., :-2, 2:]).square().mean() / 12
    return 2 * (across + down + falling + rising)
