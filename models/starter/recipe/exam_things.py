"""The examination's roll call: the things that people ask for first, each by its bare name, and then all the others.

What is asked is what people type: "a cat", 一只猫. Two judges read each picture, the second of which no loss ever saw.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PIL import Image

from models.starter.recipe import words
from models.starter.recipe.drawings import ASKED, DRAWN
from models.starter.recipe.exam import share_row
from models.starter.recipe.judge import Judge
from models.starter.recipe.names import article
from models.starter.recipe.report import Row
from models.starter.recipe.sample import Studio

ASKED_THRESHOLD, EVERY_THRESHOLD, LEAST_THRESHOLD = 0.95, 0.85, 0.80
FIRST_SEED = 50_000  # of the pictures; prompt i of a thing has this and i


@dataclass(frozen=True)
class Called:
    """A picture that was asked for by a thing's name."""

    thing: str
    picture: Image.Image


def bare_name(thing: str, chinese: bool) -> str:
    """The thing's name, as people ask for it."""
    names = words.THINGS[thing]
    if chinese:
        return names.zh[0] if thing in words.BARE else f"一{words.MEASURES_ZH[thing]}{names.zh[0]}"
    return names.en[0] if thing in words.BARE and " of " not in names.en[0] else article(names.en[0])


def call(studio: Studio, things: Sequence[str], number: int) -> list[Called]:
    """`number` pictures of each thing, every other one asked for in Chinese."""
    asked = [(thing, index) for thing in things for index in range(number)]
    prompts = [bare_name(thing, index % 2 == 1) for thing, index in asked]
    pictures = studio.draw_all(prompts, [FIRST_SEED + index for _, index in asked])
    return [Called(thing, picture) for (thing, _), picture in zip(asked, pictures, strict=True)]


def right_ones(judge: Judge, called: Sequence[Called]) -> dict[str, list[bool]]:
    """For each thing, whether the judge reads it in each of its pictures."""
    values = judge.values["thing"]
    read = judge.read([one.picture for one in called])["thing"].argmax(dim=1).tolist()
    found: dict[str, list[bool]] = {}
    for one, value in zip(called, read, strict=True):
        found.setdefault(one.thing, []).append(values[value] == one.thing)
    return found


def roll_call(
    studio: Studio, judges: Mapping[str, Judge], number: int, doubt: str = ""
) -> tuple[list[Row], list[Called]]:
    """The things asked for first, the worst of them, and all things, by each judge; and the pictures of the first.

    Things that not every judge knows are not called. `number` is how many pictures each of the first is given; the
    others get a fifth of that.
    """
    known = [thing for thing in DRAWN if all(thing in judge.values["thing"] for judge in judges.values())]
    first = [thing for thing in ASKED if thing in known]
    if not first:
        return [], []
    pictures = call(studio, first, number)
    others = call(studio, [thing for thing in known if thing not in ASKED], max(1, number // 5))
    rows = []
    for name, judge in judges.items():
        of_first = right_ones(judge, pictures)
        shares = {thing: sum(rights) / len(rights) for thing, rights in of_first.items()}
        worst = min(shares, key=lambda thing: shares[thing])
        every = {**of_first, **(right_ones(judge, others) if others else {})}
        rows += [
            share_row(f"the {len(first)} things asked for first, {name}", _all(of_first), ASKED_THRESHOLD, doubt),
            share_row(f"the worst of them, {worst}, {name}", of_first[worst], LEAST_THRESHOLD, doubt),
            # Each thing counts once, however many pictures it was given.
            Row(name=f"all {len(every)} things, {name}", value=_mean(every), threshold=EVERY_THRESHOLD, doubt=doubt),
            *(share_row(f"{thing}, {name}", of_first[thing], None) for thing in first),
        ]  # fmt: skip
    return rows, pictures


def _all(found: Mapping[str, list[bool]]) -> list[bool]:
    return [right for rights in found.values() for right in rights]


def _mean(found: Mapping[str, list[bool]]) -> float:
    return sum(sum(rights) / len(rights) for rights in found.values()) / len(found)
