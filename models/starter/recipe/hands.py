"""What a style does to every single shape while it is drawn."""

from dataclasses import dataclass

from models.starter.recipe.light import Colour, rgb


@dataclass(frozen=True)
class Hand:
    """What a style does to every single shape while it is drawn."""

    contour: Colour | None = None  # of the line around it
    width: float = 0.0  # of that line, in units
    flat: bool = False  # neither gradients nor soft glows
    paper: bool = False  # shapes are sheets that throw shadows


PLAIN = Hand()
HANDS = {
    "ink": Hand(rgb(0.07, 0.07, 0.11), 2.2),
    "pencil": Hand(rgb(0.30, 0.29, 0.33), 1.2),
    "woodcut": Hand(rgb(0.09, 0.07, 0.08), 2.4, flat=True),
    "papercut": Hand(flat=True, paper=True),
}
SHADOWS = ((3.2, 3.8, 0.13), (1.8, 2.2, 0.17))  # of paper: to the right, down, opacity
