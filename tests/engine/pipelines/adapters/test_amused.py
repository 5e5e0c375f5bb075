"""Tokens in place of noise: aMUSEd at toy size. Its tasks are drawn in `test_families.py`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from diffusers import AmusedInpaintPipeline, DiffusionPipeline

from tests.engine.run_contexts import sampling
from tests.toy_families import save_amused
from webui.engine.pipelines.adapters.amused import AmusedAdapter
from webui.errors import InvalidRequest


@pytest.fixture(scope="module")
def inpainting(tmp_path_factory: pytest.TempPathFactory) -> Any:
    pipeline = DiffusionPipeline.from_pretrained(save_amused(tmp_path_factory.mktemp("amused")))
    return AmusedInpaintPipeline(**pipeline.components)


def test_its_own_scheduler_is_the_only_one(inpainting: Any) -> None:
    made = AmusedAdapter().scheduler(inpainting.scheduler, sampling(scheduler="unmasking"))
    assert type(made) is type(inpainting.scheduler)
    assert made is not inpainting.scheduler
    with pytest.raises(InvalidRequest) as caught:
        AmusedAdapter().scheduler(inpainting.scheduler, sampling(scheduler="euler"))
    assert caught.value.details == {"field": "scheduler", "reason": "needs_unmasking"}


def test_a_thin_stroke_is_a_row_of_tokens(inpainting: Any) -> None:
    mask = np.zeros((72, 64), np.uint8)
    mask[19, 8:24] = 255
    tokens = AmusedAdapter().mask(inpainting, mask)
    expected = np.zeros((9, 8), np.uint8)
    expected[2, 1:3] = 255
    assert np.array_equal(tokens, expected)
