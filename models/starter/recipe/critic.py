"""The critic against which the decoder is trained in its last phase: it tells drawn patches from decoded ones.

A patch critic (Isola et al. 2017) with spectral norms and the hinge loss, as in VQGAN (Esser et al. 2021), which also
sees the latents: the decoder then cannot please it with edges that are crisp but in the wrong place. With differences
alone, a decoder gives the mean of all pictures that the latents allow, which is soft.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

WIDTHS = (32, 64, 96)  # strides of 2 each: a patch is 38 pixels wide
PEAK_RATE = 1e-3
EMA_DECAY = 0.9  # of its own weights, which only the session asks for
WEIGHT = 0.6  # of the critic's pull, as a share of that of the differences
MAX_WEIGHT = 100.0
SMALL = 1e-6


def _convolution(inputs: int, outputs: int, kernel: int = 4, stride: int = 2) -> nn.Module:
    return spectral_norm(nn.Conv2d(inputs, outputs, kernel, stride, padding=(kernel - 1) // 2))


class PatchCritic(nn.Module):
    """Pictures (B, 3, H, W) and their latents (B, C, h, w) to a score for each patch, (B, 1, H/8, W/8) or so."""

    def __init__(self, latent_channels: int) -> None:
        super().__init__()
        steps, inputs = [], 3
        for outputs in WIDTHS:
            steps += [_convolution(inputs, outputs), nn.LeakyReLU(0.2)]
            inputs = outputs
        self.body = nn.Sequential(*steps)
        self.told = nn.Conv2d(latent_channels, WIDTHS[-1], 1)
        self.last = nn.Sequential(
            _convolution(WIDTHS[-1], WIDTHS[-1], 3, 1), nn.LeakyReLU(0.2), _convolution(WIDTHS[-1], 1, 3, 1)
        )

    def forward(self, pictures: Tensor, latents: Tensor) -> Tensor:
        """The scores, high where a picture looks drawn."""
        seen = self.body(pictures)
        told = F.interpolate(self.told(latents), size=seen.shape[-2:], mode="nearest")
        scores: Tensor = self.last(seen + told)
        return scores


def critic_loss(critic: nn.Module, drawn: Tensor, decoded: Tensor, latents: Tensor) -> Tensor:
    """Hinge: drawn pictures above 1, decoded ones below -1."""
    return (F.relu(1 - critic(drawn, latents)).mean() + F.relu(1 + critic(decoded.detach(), latents)).mean()) / 2


def pull(differences: Tensor, critic: nn.Module, decoded: Tensor, latents: Tensor, last_weight: Tensor) -> Tensor:
    """The critic's part of the decoder's loss, weighted so that at the last layer it pulls `WEIGHT` times as hard as
    the differences do.
    """
    missed = -critic(decoded, latents).mean()
    (of_differences,) = torch.autograd.grad(differences, last_weight, retain_graph=True)
    (of_critic,) = torch.autograd.grad(missed, last_weight, retain_graph=True)
    weight = (of_differences.norm() / (of_critic.norm() + SMALL)).clamp(max=MAX_WEIGHT)
    return WEIGHT * weight.detach() * missed
