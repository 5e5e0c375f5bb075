from __future__ import annotations

from pathlib import Path

import pytest

from webui.errors import CheckpointPickled, InvalidRequest
from webui.requests import to_dict
from webui.requests.style_transfer import LayerWeights, StyleTransfer, WeightedStyle
from webui.rules.evaluate import NO_CHECKPOINT, inactive_fields
from webui.rules.style import check_style, style_shares
from webui.rules.table import rules_of

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


@pytest.mark.parametrize("method", ["optimised", "instant"])
def test_each_method_refuses_what_the_other_one_has(tmp_path: Path, method: str) -> None:
    others = (
        {"style_strength": 0.5} if method == "optimised" else {"init": "noise", "optimizer": "lbfgs", "stop_after": 1}
    )
    check_style(request(method=method), tmp_path)
    for field, value in others.items():
        with pytest.raises(InvalidRequest) as refusal:
            check_style(request(method=method, **{field: value}), tmp_path)
        assert refusal.value.details["field"] == field


def test_a_style_has_to_count(tmp_path: Path) -> None:
    none = request(style_image_weight=0.0)
    with pytest.raises(InvalidRequest, match="style_image_weight"):
        check_style(none, tmp_path)
    other = WeightedStyle(image=REFERENCE, weight=3.0)
    check_style(request(style_image_weight=0.0, style_images=(other,)), tmp_path)
    assert style_shares(request(style_image_weight=1.0, style_images=(other,))) == [0.25, 0.75]


def test_whatever_one_method_refuses_is_inactive_on_the_page(tmp_path: Path) -> None:
    others = {
        "content_weight": 2.0, "style_weight": 2.0, "total_variation_weight": 2.0, "style_loss": "gram",
        "init": "noise", "optimizer": "lbfgs", "iterations": 10, "layer_weights": LayerWeights(conv1_1=2.0),
        "stop_after": 10,
    }  # fmt: skip
    for method, own in (("instant", others), ("optimised", {"style_strength": 0.5})):
        inactive = inactive_fields(rules_of(StyleTransfer), to_dict(request(method=method)), NO_CHECKPOINT)
        for field, value in own.items():
            with pytest.raises(InvalidRequest, match=field):
                check_style(request(method=method, **{field: value}), tmp_path)
            assert inactive[field] == ("only_optimised" if method == "instant" else "only_instant")
