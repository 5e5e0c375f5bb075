"""Spacings by hand: what is known of each from its source."""

from __future__ import annotations

import numpy as np
import pytest
from diffusers import DDIMScheduler

from webui.checkpoints.families import FAMILIES
from webui.engine.schedulers.sigmas import OWN_SPACINGS, spaced

ALPHAS = DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear").alphas_cumprod
TRAINED = (((1 - ALPHAS) / ALPHAS) ** 0.5).double().numpy()
ALIGNED = FAMILIES["sd15"].align_your_steps
assert ALIGNED is not None


@pytest.mark.parametrize("name", OWN_SPACINGS)
@pytest.mark.parametrize("steps", [1, 2, 3, 10, 150])
def test_they_fall_within_what_was_trained(name: str, steps: int) -> None:
    sigmas = spaced(name, TRAINED, steps, ALIGNED)
    assert sigmas.shape == (steps,)
    assert sigmas[0] == pytest.approx(TRAINED[-1])
    assert (np.diff(sigmas) < 0).all()
    assert sigmas[-1] >= TRAINED[0]


def test_simple_takes_trained_timesteps() -> None:
    assert spaced("simple", TRAINED, 4, None) == pytest.approx(TRAINED[[999, 749, 499, 249]])


def test_between_two_entries_of_the_table_it_is_log_linear() -> None:
    twenty = spaced("ays", TRAINED, 20, ALIGNED)
    assert twenty[::2] == pytest.approx(ALIGNED[:-1], rel=1e-3)
    assert twenty[3] == pytest.approx((ALIGNED[1] * ALIGNED[2]) ** 0.5)


def test_zero_terminal_snr_starts_from_its_own_strongest() -> None:
    assert spaced("ays", np.append(TRAINED, 40.0), 10, ALIGNED)[:2] == pytest.approx([40.0, ALIGNED[1]])


def test_there_is_no_table_to_make_up() -> None:
    with pytest.raises(ValueError, match="ays"):
        spaced("ays", TRAINED, 10, None)
