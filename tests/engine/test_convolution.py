"""Strided convolutions of narrow pictures, in memory that holds something else than zeros."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch
from torch import nn

from webui.engine.convolution import exchange_where_narrow
from webui.engine.device import cpu_multiplies_bf16
from webui.settings import ROOT

IN_DIRTY_MEMORY = """
import torch
from torch import nn
from webui.engine.convolution import exchange_where_narrow
from webui.engine.unet.seamless import seamless
torch.manual_seed(0)
for padding, width in ((0, 3), (0, 4), (1, 1), (1, 2)):
    network = nn.Sequential(nn.Conv2d(64, 64, 3, 2, padding)).requires_grad_(False).bfloat16()
    exchange_where_narrow(network)
    for height in (4, 17, 64):
        for tiling in ("none", "both"):
            with seamless(tiling, network):
                assert network(torch.rand(1, 64, height, width).bfloat16()).isfinite().all(), (padding, width, height)
"""


@pytest.mark.skipif(not cpu_multiplies_bf16(), reason="bf16 is not computed on such a CPU")
def test_nothing_is_read_that_was_not_written() -> None:
    """glibc fills what it gives out with large numbers."""
    environment = os.environ | {"MALLOC_PERTURB_": "128"}
    subprocess.run([sys.executable, "-c", IN_DIRTY_MEMORY], env=environment, cwd=ROOT, check=True, timeout=60)


@pytest.mark.parametrize("padding_mode", ["zeros", "replicate", "circular"])
@pytest.mark.parametrize("padding", [0, 1, (2, 1)])
@pytest.mark.parametrize("stride", [1, 2, (2, 1), (1, 2)])
def test_the_answer_is_the_same(
    stride: int | tuple[int, int], padding: int | tuple[int, int], padding_mode: str
) -> None:
    conv = nn.Conv2d(4, 8, (3, 2), stride, padding, groups=2, padding_mode=padding_mode)
    pictures = [torch.rand(2, 4, height, width) for height in (4, 9) for width in (2, 3, 4, 9)]
    before = [conv(picture) for picture in pictures]
    exchange_where_narrow(nn.Sequential(conv))
    for picture, expected in zip(pictures, before, strict=True):
        torch.testing.assert_close(conv(picture), expected)
