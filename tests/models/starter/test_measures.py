"""Distances, intervals and the table."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter

from models.starter.recipe.measures import (
    edge_widths,
    mean_distance,
    mean_interval,
    nearest,
    share_interval,
    ssim_map,
    ssim_outside,
    unchanged,
)
from models.starter.recipe.report import Row, as_json, markdown


def picture(seed: int, size: int = 64) -> Image.Image:
    """Smooth coloured noise."""
    small = np.random.default_rng(seed).integers(0, 256, (8, 8, 3)).astype(np.uint8)
    return Image.fromarray(small).resize((size, size), Image.Resampling.BICUBIC)


def test_ssim_is_the_published_one() -> None:
    metrics = pytest.importorskip("skimage.metrics")
    first, second = picture(1), Image.blend(picture(1), picture(2), 0.4)
    arrays = [np.asarray(one.convert("L"), np.float64) / 255 for one in (first, second)]
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1.0, "full": True}
    _, wanted = metrics.structural_similarity(*arrays, **options)
    np.testing.assert_allclose(ssim_map(first, second).numpy()[8:-8, 8:-8], wanted[8:-8, 8:-8], atol=2e-3)
    assert float(ssim_map(first, first).min()) == pytest.approx(1, abs=1e-4)


def test_what_changed_in_one_place_is_left_out() -> None:
    before = picture(3, 128)
    after = before.copy()
    after.paste(picture(4, 40), (20, 60))
    assert ssim_outside(before, after) > 0.99
    assert float(ssim_map(before, after).mean()) < 0.97
    assert ssim_outside(before, picture(5, 128)) < 0.6
    assert float(unchanged(before, picture(5, 128)).float().mean()) == pytest.approx(0.75, abs=0.02)


def test_distances() -> None:
    square = torch.eye(4)
    assert mean_distance(square) == pytest.approx(1)
    assert mean_distance(torch.ones(3, 4) / 2) == pytest.approx(0, abs=1e-6)
    found = nearest(torch.zeros(2, 4), [torch.full((3, 4), 5.0), torch.tensor([[1.0, 0, 0, 0]])])
    torch.testing.assert_close(found, torch.tensor([0.5, 0.5]))


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(8)
    for truth in (0.5, 0.9, 0.98):
        held = [
            low <= truth <= high for low, high in (share_interval(int(n), 150) for n in rng.binomial(150, truth, 500))
        ]
        assert 0.9 < np.mean(held) <= 1
    assert share_interval(0, 0) == (0, 1)
    assert share_interval(20, 20)[0] < 0.9
    low, high = mean_interval([1.0, 2.0, 3.0])
    assert low < 2 < high


def test_the_table_says_what_was_reached_and_what_cannot_be_said() -> None:
    rows = [
        Row(name="place", value=0.96, number=50, interval=share_interval(48, 50), threshold=0.95),
        Row(name="thing", value=0.5, number=50, threshold=0.9),
        Row(name="loading", value=1.5, unit="s", threshold=2, at_most=True),
        Row(name="count", value=0.9, number=9, threshold=0.7, doubt="the judge itself reads 97.0 %"),
        Row(name="style", value=None, threshold=0.95),
        Row(name="SSIM", value=0.61, unit=""),
    ]
    assert [row.is_reached for row in rows] == [True, False, True, None, None, None]
    lines = markdown([("Prompts", rows)]).splitlines()
    assert lines[2] == "| **Prompts** | | | | |"
    assert lines[3] == "| place | 96.0 % of 50 | 86.5 to 98.9 | ≥ 95.0 % | yes |"
    assert lines[5] == "| loading | 1.50 s |  | ≤ 2.00 s | yes |"
    assert lines[6].endswith("| the judge itself reads 97.0 % |")
    assert "not measured" in lines[7]
    assert {line.count("|") for line in lines} == {6}
    assert json.loads(json.dumps(as_json([("Prompts", rows)])))["Prompts"][1]["is_reached"] is False


def test_edges_are_as_wide_as_they_were_blurred() -> None:
    pixels = np.zeros((40, 80, 3), np.uint8)
    pixels[:, 40:] = 230
    sharp = Image.fromarray(pixels)
    anti = Image.fromarray(np.where(np.arange(80)[None, :, None] == 40, 115, pixels).astype(np.uint8))
    soft, softer = (anti.filter(ImageFilter.GaussianBlur(radius)) for radius in (1, 2))
    widths = edge_widths([anti, soft, softer], anti)
    assert widths[0] < 2 < widths[1] < widths[2]
    assert widths[1] == pytest.approx(2.56, rel=0.3)  # a Gaussian's 10 to 90 % are 2.56 deviations
    assert math.isnan(edge_widths([sharp], Image.new("RGB", (80, 40)))[0])
