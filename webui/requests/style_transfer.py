"""What a person asks of a style transfer."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from annotated_types import Ge, Le, MultipleOf
from pydantic import (
    Field,
    Strict,
    model_validator,
)
from pydantic.dataclasses import dataclass

from webui.requests.field_controls import Control, Group, WithoutControl
from webui.requests.field_rules import at_most, inactive, is_set, negated, one_of, refused
from webui.requests.field_types import CONFIG, SCHEMA_VERSION, Picture, Seed
from webui.requests.infotext_names import infotext
from webui.requests.upgrades import upgraded

Weight = Annotated[float, Strict(), Ge(0.0), Le(10.0), Field(json_schema_extra={"step": 0.05})]


MAX_FURTHER_STYLES = 3
_ONLY_OPTIMISED = refused("only_optimised", one_of("method", "instant"))
_ONLY_INSTANT = refused("only_instant", one_of("method", "optimised"))
# Where the style counts nothing.
_NO_STYLE_WEIGHT = inactive("no_style_weight", one_of("method", "optimised"), at_most("style_weight", 0))
_NO_STYLE_STRENGTH = inactive("no_style_strength", one_of("method", "instant"), at_most("style_strength", 0))


@dataclass(frozen=True, kw_only=True, config=CONFIG)
class WeightedStyle:
    """A further style picture, and its weight beside the others."""

    image: Picture
    weight: Weight = 1.0


@dataclass(frozen=True, kw_only=True, config=CONFIG)
class LayerWeights:
    """The weight of each layer of VGG-19 in the style, from the finest to the coarsest.

    The built-in features end at conv3_1; weights for deeper layers are refused without trained weights.
    """

    conv1_1: Annotated[Weight, infotext("Weight of conv1_1")] = 1.0
    conv2_1: Annotated[Weight, infotext("Weight of conv2_1")] = 1.0
    conv3_1: Annotated[Weight, infotext("Weight of conv3_1")] = 1.0
    conv4_1: Annotated[Weight, infotext("Weight of conv4_1")] = 1.0
    conv5_1: Annotated[Weight, infotext("Weight of conv5_1")] = 1.0


@dataclass(frozen=True, kw_only=True, config=CONFIG)
class StyleTransfer:
    """One picture's content in the style of another, or of several. `size` is the result's longest side, in pixels.

    `method` says whether the picture is optimised or painted by a network in one pass (`instant`); fields of one method
    are refused with the other. `style_strength` goes from the content's own style (0) to the styles' (1). `style_scale`
    is the size of the styles' strokes relative to the content. `init` is what the coarsest scale starts from.
    `keep_colours` says how the content's colours are kept: not at all, by styling only its luminance, or by first
    giving the styles its colours, linearly (`coral`) or by their whole distribution (`histogram`).
    """

    task: Annotated[Literal["style_transfer"], WithoutControl("the tab says it", is_told=False)] = "style_transfer"
    schema_version: Annotated[Literal[2], WithoutControl("a constant of the program", is_told=False)] = SCHEMA_VERSION
    content_image: Annotated[Picture, Control(Group.UPLOADS)]
    style_image: Annotated[Picture, Control(Group.UPLOADS)]
    method: Annotated[Literal["optimised", "instant"], infotext("Style method"), Control(Group.STYLE)] = "optimised"
    style_strength: Annotated[
        float,
        Strict(),
        Ge(0.0),
        Le(1.0),
        Field(json_schema_extra={"step": 0.05}),
        _ONLY_INSTANT,
        infotext("Style strength"),
        Control(Group.STYLE),
    ] = 1.0
    # Beside the first.
    style_images: Annotated[tuple[WeightedStyle, ...], Field(max_length=MAX_FURTHER_STYLES), Control(Group.STYLE)] = ()
    style_image_weight: Annotated[
        Weight,
        inactive("one_style", negated(is_set("style_images"))),
        infotext("Weight of the first style"),
        Control(Group.STYLE),
    ] = 1.0
    style_weight: Annotated[Weight, _ONLY_OPTIMISED, infotext("Style weight", always=True), Control(Group.STYLE)] = 1.0
    content_weight: Annotated[
        Weight, _ONLY_OPTIMISED, infotext("Content weight", always=True), Control(Group.STYLE)
    ] = 1.0
    size: Annotated[int, Strict(), Ge(64), Le(4096), MultipleOf(8), Control(Group.STYLE)] = 384
    iterations: Annotated[
        int, Strict(), Ge(1), Le(2000), _ONLY_OPTIMISED, infotext("Steps", always=True), Control(Group.STYLE)
    ] = 200
    keep_colours: Annotated[
        Literal["off", "luminance", "coral", "histogram"],
        _NO_STYLE_WEIGHT,
        _NO_STYLE_STRENGTH,
        infotext("Keep colours"),
        Control(Group.STYLING),
    ] = "off"
    style_scale: Annotated[
        float,
        Strict(),
        Ge(0.25),
        Le(4.0),
        Field(json_schema_extra={"step": 0.05}),
        _NO_STYLE_WEIGHT,
        _NO_STYLE_STRENGTH,
        infotext("Style scale"),
        Control(Group.STYLING),
    ] = 1.0
    total_variation_weight: Annotated[
        Weight, _ONLY_OPTIMISED, _NO_STYLE_WEIGHT, infotext("Total variation weight"), Control(Group.STYLING)
    ] = 1.0
    style_loss: Annotated[
        Literal["gram", "wasserstein", "sliced_wasserstein"],
        _ONLY_OPTIMISED,
        _NO_STYLE_WEIGHT,
        infotext("Style loss"),
        Control(Group.STYLING),
    ] = "wasserstein"
    init: Annotated[
        Literal["content", "noise", "style_statistics", "instant"],
        _ONLY_OPTIMISED,
        infotext("Init"),
        Control(Group.STYLING),
    ] = "content"
    optimizer: Annotated[
        Literal["adam", "lbfgs"], _ONLY_OPTIMISED, infotext("Optimizer"), Control(Group.STYLING, "list")
    ] = "adam"  # above 1024² pixels Adam goes on
    layer_weights: Annotated[LayerWeights, _ONLY_OPTIMISED, Control(Group.STYLING)] = LayerWeights()
    seed: Annotated[Seed | None, infotext("Seed"), Control(Group.SEED, empty="seed_random")] = None
    # The iteration whose average is the picture.
    stop_after: (
        Annotated[
            int,
            Strict(),
            Ge(1),
            Le(2000),
            _ONLY_OPTIMISED,
            WithoutControl("a step is kept from the strip below the stage"),
        ]
        | None
    ) = None

    @model_validator(mode="before")
    @classmethod
    def _accept_earlier_versions(cls, data: Any) -> Any:
        return upgraded(data, "style_transfer") if isinstance(data, dict) else data
