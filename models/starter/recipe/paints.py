"""The paints that captions name, and a few that they do not."""

from models.starter.recipe.light import rgb

PAINTS = {
    "red": rgb(0.88, 0.15, 0.16), "orange": rgb(0.98, 0.54, 0.10), "yellow": rgb(1.00, 0.84, 0.18),
    "green": rgb(0.20, 0.66, 0.32), "blue": rgb(0.13, 0.40, 0.88), "purple": rgb(0.56, 0.25, 0.74),
    "pink": rgb(0.99, 0.55, 0.72), "white": rgb(0.97, 0.97, 0.95), "black": rgb(0.12, 0.12, 0.15),
    "brown": rgb(0.55, 0.33, 0.17),
}  # fmt: skip
LAMP = rgb(1.0, 0.85, 0.45)
GLASS = rgb(0.55, 0.72, 0.85)
CREAM = rgb(0.96, 0.91, 0.80)
WHITE = rgb(1, 1, 1)
