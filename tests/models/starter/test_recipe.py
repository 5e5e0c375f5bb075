"""The recipe's texts: captions, and how it is asked whether they were understood."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from models.starter.recipe.captions import caption
from models.starter.recipe.lots import sample_scene
from models.starter.recipe.scene import Scene
from models.starter.recipe.text import attribute_numbers, reading_loss
from models.starter.recipe.values import ALL_VALUES


def test_captions_come_in_both_languages_and_from_the_seed() -> None:
    def texts(chinese: bool | None) -> list[str]:
        rng = np.random.default_rng(5)
        return [caption(sample_scene(rng), rng, chinese) for _ in range(200)]

    assert texts(None) == texts(None)
    assert all(text.isascii() for text in texts(False))
    assert not any(text.isascii() for text in texts(True))
    assert all(text.strip() for text in texts(None))
    assert len(set(texts(None))) > 150


AUTUMN = Scene("lake", "night", "autumn", "fog", "flat", True, False, "", "", 1)


@pytest.mark.parametrize(
    ("scene", "seed", "said"),
    [
        (AUTUMN, 7, "雾的午夜时的秋树环绕的宁谧的池塘"),
        (replace(AUTUMN, thing="fox", drawing="fluent/fox"), 3, "扁平风格，秋叶环绕的夜的薄雾的湖泊里的一只狐狸"),
        (replace(AUTUMN, thing="fox", drawing="fluent/fox"), 1, "秋天的夜的雾的湖边，狐狸"),
        (replace(AUTUMN, place="city", trees=False, futuristic=True), 1, "夜晚时的雾中的未来的城市天际线"),
    ],
)
def test_a_chinese_place_is_told_alike_with_and_without_a_thing(scene: Scene, seed: int, said: str) -> None:
    assert caption(scene, np.random.default_rng(seed), True) == said


def test_reading_counts_positions_from_the_end_token_on() -> None:
    rng = np.random.default_rng(9)
    targets = torch.stack([attribute_numbers(sample_scene(rng)) for _ in range(2)])
    tokens = torch.tensor([[0, 5, 9, 9], [0, 9, 9, 9]])
    logits = torch.zeros(2, 4, sum(len(values) for values in ALL_VALUES.values()))
    first = 0
    for column, values in enumerate(ALL_VALUES.values()):
        for row in range(2):
            logits[row, 2 - row :, first + int(targets[row, column])] = 50.0
        first += len(values)
    loss, right = reading_loss(logits, tokens, targets, end=9)
    assert float(loss) == pytest.approx(0, abs=1e-5)
    assert right.tolist() == [1.0] * len(ALL_VALUES)
