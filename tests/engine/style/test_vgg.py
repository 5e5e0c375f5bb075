from __future__ import annotations

from itertools import pairwise

import torch

from webui.engine.style.vgg import LAYERS, depth_of, random_vgg19


def test_the_table_is_torchvisions() -> None:
    assert [layer.index for layer in LAYERS] == [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34]
    assert [layer.outputs for layer in LAYERS] == [64, 64, 128, 128, *[256] * 4, *[512] * 8]
    assert [layer.name for layer in LAYERS if layer.is_pooled_before] == ["conv2_1", "conv3_1", "conv4_1", "conv5_1"]
    assert LAYERS[0].inputs == 3
    assert all(after.inputs == before.outputs for before, after in pairwise(LAYERS))


def test_depth_reaches_the_last_named_layer() -> None:
    assert depth_of(("conv2_1", "conv1_1")) == 3


def test_random_features_are_the_same_each_time_and_calibrated() -> None:
    pictures = [torch.rand(1, 3, 24, 32), torch.rand(1, 3, 20, 20) * 0.1]
    names = ("conv1_1", "conv2_1", "conv3_1")
    first = random_vgg19(pictures, depth_of(names), torch.float32)
    second = random_vgg19(pictures, depth_of(names), torch.float32)
    features = [first(picture, names) for picture in pictures]
    for name in names:
        assert torch.equal(features[0][name], second(pictures[0], names)[name])
        energy = torch.stack([one[name].square().mean() for one in features]).mean()
        assert 0.2 < energy < 1.0  # of a unit variance, a ReLU keeps about half
        assert all((one[name] == 0).any() for one in features)


def test_pooling_halves_and_rounds_up() -> None:
    network = random_vgg19([torch.rand(1, 3, 5, 1)], 5, torch.float32)
    found = network(torch.rand(1, 3, 5, 1), ("conv1_2", "conv2_1", "conv3_1"))
    assert [tuple(one.shape[-2:]) for one in found.values()] == [(5, 1), (3, 1), (2, 1)]


def test_bf16_agrees_with_fp32_up_to_rounding() -> None:
    picture = torch.rand(1, 3, 32, 32)
    exact = random_vgg19([picture], 5, torch.float32)(picture, ("conv3_1",))["conv3_1"]
    rounded = random_vgg19([picture], 5, torch.bfloat16)(picture, ("conv3_1",))["conv3_1"]
    assert rounded.dtype == torch.bfloat16
    assert (rounded.float() - exact).square().mean() < 0.001 * exact.square().mean()


def test_weights_are_constant() -> None:
    network = random_vgg19([torch.rand(1, 3, 8, 8)], 3, torch.float32)
    assert not list(network.parameters())
    assert not any(buffer.requires_grad for buffer in network.buffers())
