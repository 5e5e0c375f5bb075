"""Where the starter lies, and its pipeline, loaded once."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from diffusers import StableDiffusionPipeline

STARTER = Path(__file__).resolve().parents[3] / "models" / "starter"


@pytest.fixture(scope="session")
def starter() -> Path:
    """The checkpoint's folder."""
    return STARTER


@pytest.fixture(scope="module")
def starter_pipeline(starter: Path, multiplies_bf16: bool) -> StableDiffusionPipeline:
    """The checkpoint as any diffusers program loads it, in the number type that is best on a CPU."""
    import torch
    from diffusers import StableDiffusionPipeline

    from webui.engine.device import best_dtype

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations inside the libraries
        pipeline = StableDiffusionPipeline.from_pretrained(
            starter, safety_checker=None, dtype=best_dtype(torch.device("cpu"))
        )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline
