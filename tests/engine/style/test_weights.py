from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from webui.engine.style.vgg import IMAGENET_MEAN, IMAGENET_STD, LAYERS
from webui.engine.style.weights import load_vgg19
from webui.errors import CheckpointPickled, WeightsBroken
from webui.rules.style import find_weights

CPU = torch.device("cpu")
DEPTH = 3  # up to conv2_1, past the first pooling


def weights(pattern: str) -> dict[str, Tensor]:
    """The first layers of VGG-19, random, with what classifiers hold besides."""
    generator = torch.Generator().manual_seed(0)
    found = {"classifier.0.weight": torch.zeros(2, 2), "pre_logits.fc1.weight": torch.zeros(2, 2)}
    for layer in LAYERS[:DEPTH]:
        shape = (layer.outputs, layer.inputs, 3, 3)
        found[pattern.format(layer.index) + ".weight"] = torch.randn(shape, generator=generator) * 0.1
        found[pattern.format(layer.index) + ".bias"] = torch.randn(layer.outputs, generator=generator)
    return found


def saved(folder: Path, tensors: dict[str, Tensor]) -> Path:
    folder.mkdir(exist_ok=True, parents=True)
    save_file(tensors, folder / "vgg.safetensors")
    return folder / "vgg.safetensors"


def test_both_namings_give_the_same_features(tmp_path: Path) -> None:
    picture = torch.rand(1, 3, 16, 16)
    found = []
    for number, pattern in enumerate(("features.{}", "features_{}", "model.features.{}")):
        path = saved(tmp_path / str(number), weights(pattern))
        found.append(load_vgg19(path, DEPTH, CPU, torch.float32)(picture, ("conv2_1",))["conv2_1"])
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


def test_features_are_those_of_the_plain_network(tmp_path: Path) -> None:
    tensors = weights("features.{}")
    network = load_vgg19(saved(tmp_path, tensors), DEPTH, CPU, torch.float32)
    picture = torch.rand(1, 3, 16, 16)
    expected = (picture - torch.tensor(IMAGENET_MEAN).view(3, 1, 1)) / torch.tensor(IMAGENET_STD).view(3, 1, 1)
    for index in (0, 2, 5):
        expected = functional.max_pool2d(expected, 2) if index == 5 else expected
        kernel, bias = tensors[f"features.{index}.weight"], tensors[f"features.{index}.bias"]
        expected = functional.conv2d(expected, kernel, bias, padding=1).relu()
    inner = (..., slice(3, -3), slice(3, -3))  # away from the edges, which are padded otherwise
    torch.testing.assert_close(network(picture, ("conv2_1",))["conv2_1"][inner], expected[inner], atol=1e-4, rtol=1e-4)


def test_any_safetensors_file_is_found(tmp_path: Path) -> None:
    assert find_weights(tmp_path) is None
    path = saved(tmp_path / "vgg19", weights("features.{}"))
    assert find_weights(tmp_path) == path


def broken(name: str) -> dict[str, Tensor]:
    tensors = weights("features.{}")
    match name:
        case "not finite":
            tensors["features.2.weight"][0, 0, 0, 0] = torch.nan
        case "another shape":
            tensors["features.2.weight"] = torch.zeros(64, 64, 1, 1)
        case "missing":
            del tensors["features.5.bias"]
        case "whole numbers":
            tensors["features.0.bias"] = torch.zeros(64, dtype=torch.int32)
        case "foreign":
            return {"weight": torch.zeros(3)}
    return tensors


@pytest.mark.parametrize("name", ["not finite", "another shape", "missing", "whole numbers", "foreign"])
def test_broken_weights_are_refused(tmp_path: Path, name: str) -> None:
    path = saved(tmp_path, broken(name))
    with pytest.raises(WeightsBroken) as caught:
        load_vgg19(path, DEPTH, CPU, torch.float32)
    assert caught.value.details["file"] == "vgg.safetensors"
    assert caught.value.details["reason"]


@pytest.mark.parametrize("size", [0, 5, 1000])
def test_a_truncated_file_is_refused(tmp_path: Path, size: int) -> None:
    path = saved(tmp_path, weights("features.{}"))
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(WeightsBroken):
        load_vgg19(path, DEPTH, CPU, torch.float32)


def test_only_a_pickled_file_is_said_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "vgg19").mkdir()
    (tmp_path / "vgg19/vgg19-dcbb9e9d.pth").write_bytes(b"pickle")
    with pytest.raises(CheckpointPickled):
        find_weights(tmp_path)
