"""The decoder's critic: whether it learns to tell, and how hard it pulls."""

from __future__ import annotations

import pytest
import torch

from models.starter.recipe.critic import WEIGHT, PatchCritic, critic_loss, pull


def test_the_critic_learns_to_tell_and_pulls_as_hard_as_it_should() -> None:
    torch.manual_seed(1)
    critic, latents = PatchCritic(16), torch.randn(4, 16, 2, 2)
    drawn = torch.rand(4, 3, 64, 64).round() * 2 - 1
    optimizer = torch.optim.Adam(critic.parameters(), lr=2e-3)
    losses = []
    for _ in range(25):
        soft = torch.nn.functional.avg_pool2d(drawn, 5, 1, 2)
        loss = critic_loss(critic, drawn, soft, latents)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.7 * losses[0]
    layer = torch.nn.Conv2d(3, 3, 3, padding=1)
    decoded = layer(drawn)
    differences = (decoded - drawn).abs().mean()
    (of_differences,) = torch.autograd.grad(differences, layer.weight, retain_graph=True)
    (of_critic,) = torch.autograd.grad(pull(differences, critic, decoded, latents, layer.weight), layer.weight)
    assert float(of_critic.norm() / of_differences.norm()) == pytest.approx(WEIGHT, rel=0.01)
