"""What the optimisation starts from, at the coarsest scale."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import init

from webui.engine.style.instant import WEIGHTS, load_instant, seen_as, stylise


def beginning(kind: str, content: Tensor, styles: Sequence[Tensor], shares: Sequence[float], seed: int) -> Tensor:
    """The first picture: `content`, `noise`, noise with the mean and variance of the styles' colours
    (`style_statistics`), or the content as the instant network paints it (`instant`).

    All pictures are (1, 3, H, W) in [0, 1]; the result has the content's size. Noise is drawn on the CPU.
    """
    generator = torch.Generator().manual_seed(seed)
    match kind:
        case "content":
            return content
        case "noise":
            return torch.rand(content.shape, generator=generator).to(content.device)
        case "instant":
            network = load_instant(WEIGHTS, content.device, torch.float32)
            shared = [(seen_as(network, content, style), share) for style, share in zip(styles, shares, strict=True)]
            return stylise(network, shared, seed).clone()  # outside of inference mode
        case "style_statistics":
            weighted = list(zip(styles, shares, strict=True))
            mean = torch.stack([share * style.mean(dim=(0, 2, 3)) for style, share in weighted]).sum(0)
            square = torch.stack([share * style.square().mean(dim=(0, 2, 3)) for style, share in weighted]).sum(0)
            deviation = (square - mean.square()).clamp_min(1e-6).sqrt()
            channels = []
            for middle, width in zip(mean.tolist(), deviation.tolist(), strict=True):
                channel = torch.empty(1, 1, *content.shape[-2:])
                channels.append(init.trunc_normal_(channel, middle, width, 0.0, 1.0, generator=generator))
            return torch.cat(channels, dim=1).to(content.device)
    raise KeyError(kind)
