"""The things that are shown by openly licensed drawings: which icons show each, how it stands, and how it is called.

One line a thing in drawings.txt: `key: icons | English names | Chinese names | options`. The line above a group says
its kind, where its things are (`land`, `air`, `water`, or `table` for what stands on one), their height in units when
near, and the Chinese measure word. Options overrule these; `bare` takes neither article nor number, `tint` may be drawn
in another colour, `ridden` carries a rider, `rides` may be one, `portrait` is head and shoulders, and `group` stands
for several kinds at once. Icons go by Unicode's names, as Fluent has them (icons.py finds Noto's); the names began as
those of Unicode's CLDR, joined by code point, and were edited by hand.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from models.starter.recipe.names import Names

_WHERE = ("land", "air", "water", "table")
TONES = ("-light", "-medium", "-dark")  # of skin; people are drawn in each
SETS = ("fluent", "noto")
# What people ask for first: these are drawn more often, and asked for in the examination one by one.
ASKED = (
    "cat", "dog", "fox", "horse", "dragon", "unicorn", "rabbit", "bear", "lion", "tiger", "elephant", "wolf", "owl",
    "penguin", "birds", "butterfly", "fish", "tree", "rose", "flower", "fruit", "apple", "cake", "coffee", "pizza",
    "car", "train", "airplane", "rocket", "boat", "house", "castle", "robot", "woman", "man", "girl", "boy",
    "astronaut", "princess", "wizard",
)  # fmt: skip
ASKED_WEIGHT = 3
HELD_OUT_EVERY = 4  # of the things with more than two drawings, every so manieth keeps one drawing for the examination


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """One thing of the table."""

    kind: str
    icons: tuple[str, ...]
    names: Names
    where: str
    size: int  # units, of its height or three quarters of its width
    measure: str
    flags: frozenset[str]

    def may(self, flag: str) -> bool:
        """Whether the table says so."""
        return flag in self.flags


def _parse(table: str) -> dict[str, Drawn]:
    found, kind, where, size, measure = {}, "", "", "", ""
    for line in table.strip().splitlines():
        if line.startswith("["):
            kind, where, size, measure = line.strip("[]").split()
        elif line:
            key, row = line.split(": ")
            icons, english, chinese, *more = row.split(" | ")
            options = " ".join(more).split()
            said = {option.partition("=")[0]: option.partition("=")[2] for option in options}
            found[key] = Drawn(
                kind=kind,
                icons=tuple(icons.split()),
                names=Names(tuple(english.split("/")), tuple(chinese.split("/"))),
                where=next((one for one in _WHERE if one in said), where),
                size=int(said.get("size", size)),
                measure=next((one for one in said if not one.isascii()), measure),
                flags=frozenset(one for one in said if one.isascii()) - {*_WHERE, "size"},
            )
    return found


DRAWN: Mapping[str, Drawn] = _parse(Path(__file__).with_suffix(".txt").read_text("utf-8"))


@cache
def all_drawings(thing: str) -> tuple[str, ...]:
    """Every drawing of a thing, `set/icon`."""
    row = DRAWN[thing]
    tones = TONES if row.kind == "person" else ("",)
    return tuple(f"{of}/{icon}{tone}" for of in SETS for icon in row.icons for tone in tones)


@cache
def held_out(thing: str) -> tuple[str, ...]:
    """The drawings of a thing that nothing is trained on."""
    drawings = all_drawings(thing)
    plenty = [key for key in DRAWN if len(all_drawings(key)) > len(SETS)]
    return drawings[-1:] if thing in plenty[::HELD_OUT_EVERY] else ()


def trained(thing: str) -> tuple[str, ...]:
    """The drawings of a thing that the training shows."""
    return tuple(one for one in all_drawings(thing) if one not in held_out(thing))
