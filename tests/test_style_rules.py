from __future__ import annotations

from pathlib import Path

import pytest

from webui.errors import CheckpointPickled, InvalidRequest
from webui.requests import LayerWeights, StyleTransfer
from webui.style_rules import check_style

REFERENCE = "sha256:" + "0" * 64


def request(**fields: object) -> StyleTransfer:
    return StyleTransfer(content_image=REFERENCE, style_image=REFERENCE, **fields)  # type: ignore[arg-type]


def test_deep_layers_need_trained_weights(tmp_path: Path) -> None:
    check_style(request(layer_weights=LayerWeights(conv1_1=3.0)), tmp_path)
    deep = request(layer_weights=LayerWeights(conv5_1=0.0))
    with pytest.raises(InvalidRequest) as refusal:
        check_style(deep, tmp_path)
    assert refusal.value.details == {"field": "layer_weights", "reason": "needs_vgg19"}
    (tmp_path / "vgg19").mkdir()
    (tmp_path / "vgg19" / "vgg19.pth").write_bytes(b"")
    with pytest.raises(CheckpointPickled):
        check_style(deep, tmp_path)
    (tmp_path / "vgg19" / "vgg19.safetensors").write_bytes(b"")
    check_style(deep, tmp_path)


def test_nothing_is_kept_beyond_the_last_iteration(tmp_path: Path) -> None:
    check_style(request(iterations=10, stop_after=10), tmp_path)
    with pytest.raises(InvalidRequest, match="stop_after"):
        check_style(request(iterations=10, stop_after=11), tmp_path)
