"""Normal noise as NVIDIA's cards draw it: Philox 4x32-10 (Salmon et al. 2011) and Box and Muller's transform.

It is what `torch.randn` gives on CUDA, an element a thread, and what A1111 makes its pictures of unless it is told
otherwise (`modules/rng_philox.py`). Computed on the CPU, so that a seed means the same on any device.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10
_LOW = np.uint64(0xFFFFFFFF)
# cuRAND's constants in float32: 2⁻³² and 2π · 2⁻³².
_UNIT = float(np.float32(2.3283064e-10))
_TURN = float(np.float32(2.3283064e-10 * 6.2831855))


class Philox:
    """The numbers of one seed, from the first draw on."""

    def __init__(self, seed: int) -> None:
        """`seed`: 0 to 2⁶⁴ - 1."""
        self.seed = seed
        self._key = (seed & 0xFFFFFFFF, seed >> 32 & 0xFFFFFFFF)
        self._draws = 0

    def randn(self, shape: Sequence[int]) -> Tensor:
        """Normal noise of this shape, float32; each call draws the next.

        >>> Philox(0).randn((2, 2))
        tensor([[-0.9247, -0.4253],
                [-2.6438,  0.1452]])
        """
        count = int(np.prod(shape))
        first, second = self._words(count)
        u = first * _UNIT + _UNIT / 2
        v = second * _TURN + _TURN / 2
        self._draws += 1
        drawn = np.sqrt(-2.0 * np.log(u)) * np.sin(v)
        return torch.from_numpy(drawn.astype(np.float32)).reshape(tuple(shape))

    def _words(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The first two of the four 32-bit words at each of `count` counters (draws so far, 0, element, 0)."""
        zeros = np.zeros(count, dtype=np.uint64)
        a, b, c, d = zeros + np.uint64(self._draws), zeros, np.arange(count, dtype=np.uint64), zeros
        key = self._key
        for _ in range(_ROUNDS):
            one, other = a * _MULTIPLIERS[0], c * _MULTIPLIERS[1]
            a, c = other >> np.uint64(32) ^ b ^ np.uint64(key[0]), one >> np.uint64(32) ^ d ^ np.uint64(key[1])
            b, d = other & _LOW, one & _LOW
            key = ((key[0] + _WEYL[0]) & 0xFFFFFFFF, (key[1] + _WEYL[1]) & 0xFFFFFFFF)
        return a, b
