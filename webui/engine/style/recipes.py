"""Which layers are compared, and what each loss weighs at a weight of 1: for trained features and for random ones."""

from __future__ import annotations

from dataclasses import dataclass

from webui.engine.style.objective import Pull
from webui.engine.style.vgg import depth_of
from webui.requests.style_transfer import StyleTransfer
from webui.rules.style import RANDOM_LAYERS, TRAINED_LAYERS

FROM_CONTENT = ("content", "instant")  # beginnings that show it
FROM_NOISE = 30.0  # times the content's weight, where its features are all that is told of it (tried: 10 shows little)
CONTENT_KEEPS = 0.05  # of its colours, where both weights are alike: more keeps the style's from coming (tried: 0.25)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The settings that belong to a network."""

    content_layers: tuple[str, ...]
    style_layers: tuple[str, ...]
    content: float
    style: float
    patches: float  # of the mean squared distance to the picture rebuilt from the styles' patches
    total_variation: float
    recolours: bool  # whether content means the content in the styles' colours

    @property
    def depth(self) -> int:
        """How many layers of the network are needed."""
        return depth_of(self.content_layers + self.style_layers)

    def pull(self, request: StyleTransfer) -> Pull:
        """The weights for a request. Smoothness tempers what the style brings, so with a style weight of 0 the content
        stays.
        """
        weight = request.style_weight
        return Pull(
            content_layers=self.content_layers,
            layers={name: getattr(request.layer_weights, name) for name in self.style_layers},
            content=self.content * request.content_weight * (1.0 if request.init in FROM_CONTENT else FROM_NOISE),
            style=self.style * weight,
            patches=self.patches * weight,
            total_variation=self.total_variation * weight * request.total_variation_weight,
        )

    def colour_share(self, request: StyleTransfer) -> float:
        """How far the content's colours become the styles', in [0, 1]: 0.95 if both weights are equal."""
        if not self.recolours or request.style_weight == 0:
            return 0.0
        style, content = request.style_weight**2, request.content_weight**2
        return style / (style + CONTENT_KEEPS * content)


# Gatys et al.'s layers; the shares follow from every loss being relative, and are not yet tuned on pictures
TRAINED = Recipe(
    content_layers=("conv4_2",),
    style_layers=TRAINED_LAYERS,
    content=0.1,
    style=1.0,
    patches=0.0,
    total_variation=0.1,
    recolours=False,
)
# Shares found by looking at results. Random features deeper than conv3_1 bring grain into the content: their gradient
# hardly sees what average pooling took out
RANDOM = Recipe(
    content_layers=("conv2_1",),
    style_layers=RANDOM_LAYERS,
    content=0.2,
    style=3.0,
    patches=20.0,
    total_variation=1.0,
    recolours=True,
)
