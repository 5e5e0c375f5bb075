"""Pipelines that say no more than that a step is done: PixArt-Σ at toy size."""

from __future__ import annotations

import numpy as np
import pytest

from tests.engine.pipelines.adapters.toy_engine import counts, draw, engine_with
from tests.toy_families import save_pixart_sigma
from webui.engine.engine import Engine
from webui.engine.pipelines.adapters.counted import CountedAdapter


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return engine_with(save_pixart_sigma, tmp_path_factory.mktemp("models"))


def test_steps_are_counted() -> None:
    seen: list[tuple[int, int]] = []
    callback = CountedAdapter().observation(lambda done, total: seen.append((done, total)), 3)["callback"]
    for step in range(3):
        callback(step, 999, None)
    assert seen == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("scheduler", ["dpmpp_2m", "heun", "pndm"])
@pytest.mark.parametrize("number", [1, 4])
def test_a_step_counts_once_whatever_the_rule(engine: Engine, scheduler: str, number: int) -> None:
    _, steps = draw(engine, scheduler=scheduler, steps=number)
    assert counts(steps) == [(done, number) for done in range(1, number + 1)]


@pytest.mark.parametrize("scheduler", ["euler_a", "dpmpp_2m_sde", "ddpm"])
def test_fresh_noise_is_the_seed_s(engine: Engine, scheduler: str) -> None:
    pixels, _ = draw(engine, scheduler=scheduler)
    assert np.array_equal(pixels, draw(engine, scheduler=scheduler)[0])
