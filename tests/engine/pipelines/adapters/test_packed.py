"""Latents in patches: Chroma and Krea 2 at toy size. FLUX.1 and Qwen-Image are drawn in `test_families.py`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.engine.pipelines.adapters.toy_engine import MASK, PICTURE, counts, draw, engine_with
from tests.toy_adapters import save_chroma, save_krea2
from webui.engine.engine import Engine

# diffusers' own code builds its network from a class that it calls old
pytestmark = pytest.mark.filterwarnings("ignore:`FluxPosEmbed` is deprecated:FutureWarning")


@pytest.fixture(scope="module", params=[save_chroma, save_krea2])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return engine_with(request.param, tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return engine_with(save_chroma, tmp_path_factory.mktemp("models"))


def test_every_step_has_a_preview_and_any_can_be_kept(engine: Engine) -> None:
    values: dict[str, Any] = {"width": 96}
    whole, steps = draw(engine, **values)
    assert whole.shape == (64, 96, 3)
    assert counts(steps) == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert len({step.preview for step in steps} - {None}) == 4
    early, steps = draw(engine, stop_after=2, **values)
    assert counts(steps) == [(1, 4), (2, 4)]
    assert not np.array_equal(early, whole)
    assert np.abs(draw(engine, stop_after=4, **values)[0] - whole).max() <= 2  # but for rounding


@pytest.mark.parametrize("over", [{}, {"init_image": PICTURE}, {"init_image": PICTURE, "mask": MASK}])
def test_chroma_takes_a_negative_prompt_for_every_task(chroma: Engine, over: dict[str, Any]) -> None:
    strength = {"denoising_strength": 0.8} if over else {}
    plain, led_away = (draw(chroma, negative_prompt=text, **over, **strength)[0] for text in ("", "a blue lake"))
    assert not np.array_equal(plain, led_away)
