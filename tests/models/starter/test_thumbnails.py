"""What goes through the checkpoint's autoencoder for the judge and the CLIP stays the picture that it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from models.starter.recipe.thumbnails import load_vae, reconstruct
from webui.engine.device import best_dtype


@pytest.mark.native_bf16
@pytest.mark.usefixtures("multiplies_bf16")
def test_a_picture_survives_the_autoencoder(starter: Path) -> None:
    vae = load_vae(starter)
    assert vae.dtype == best_dtype(torch.device("cpu"))
    slope = np.linspace(40, 200, 128)
    picture = np.stack(np.broadcast_arrays(slope[:, None], slope[None, :], np.float64(90)), axis=2).astype(np.uint8)
    again = reconstruct(vae, picture)
    assert (again.shape, again.dtype) == (picture.shape, np.uint8)
    assert np.abs(again.astype(float) - picture).mean() < 8
