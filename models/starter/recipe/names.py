"""How a value is called, and English plurals and articles. Knows no values."""

from dataclasses import dataclass

_PLURALS = {
    "mouse": "mice", "wolf": "wolves", "sheep": "sheep", "deer": "deer", "fish": "fish", "goldfish": "goldfish",
    "knife": "knives", "goose": "geese", "bus": "buses", "leaf": "leaves", "hippopotamus": "hippopotamuses",
    "child": "children", "octopus": "octopuses", "cactus": "cacti", "kangaroo": "kangaroos", "aircraft": "aircraft",
    "spacecraft": "spacecraft", "santa claus": "santa clauses", "fungus": "fungi", "lotus": "lotuses",
}  # fmt: skip


@dataclass(frozen=True)
class Names:
    """The ways to say one value: nouns or adjectives, without article."""

    en: tuple[str, ...]
    zh: tuple[str, ...]


def article(phrase: str) -> str:
    """The phrase with "a" or "an"."""
    vowel = phrase[0] in "aeiou" and not phrase.startswith(("uni", "ufo", "eu"))
    return f"{'an' if vowel else 'a'} {phrase}"


def plural(phrase: str) -> str:
    """The phrase with its noun, the last word, or the one before "of", for several."""
    head, of, rest = phrase.partition(" of ")
    before, space, noun = head.rpartition(" ")
    return f"{before}{space}{_plural(noun)}{of}{rest}"


def _plural(noun: str) -> str:
    if noun in _PLURALS:
        return _PLURALS[noun]
    if noun.endswith("man") and noun not in ("human",):
        return f"{noun[:-3]}men"
    if noun.endswith("y") and noun[-2:-1] not in ("a", "e", "o", "u"):
        return f"{noun[:-1]}ies"
    if noun.endswith(("ch", "sh", "x", "ss", "z")):
        return f"{noun}es"
    return noun if noun.endswith("s") else f"{noun}s"
