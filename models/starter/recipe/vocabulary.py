"""`python -m models.starter.recipe.vocabulary`: write the words that the checkpoint knows into its `darkroom.json`.

They are those of the judge that was committed with the weights, for it was trained on the same words; not those of the
recipe, which may have more already.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.starter.recipe import words
from models.starter.recipe.cast import TINTS, things_at
from models.starter.recipe.drawings import DRAWN
from models.starter.recipe.judge import JUDGE, load_judge
from models.starter.recipe.landscapes import COLOURS_OF, THINGS_AT, TIMES_OF_WEATHER
from models.starter.recipe.lots import HELD_OUT
from models.starter.recipe.names import Names, plural
from models.starter.recipe.scene import COUNTABLE, INDOORS, SEASONLESS_PLACES
from models.starter.recipe.values import Values

CHECKPOINT = Path(__file__).resolve().parents[1]
TABLES: Mapping[str, tuple[str, Mapping[str, Names]]] = {  # kind: attribute and its words
    "place": ("place", words.PLACES), "hour": ("time", words.TIMES), "season": ("season", words.SEASONS),
    "weather": ("weather", words.WEATHERS), "style": ("style", words.STYLES), "thing": ("thing", words.THINGS),
    "colour": ("colour", words.COLOURS),
}  # fmt: skip


def vocabulary_of(values: Values) -> dict[str, list[dict[str, Any]]]:
    """The words for these values by kind, each with the words of other kinds that can go with it."""
    known = {kind: [str(value) for value in values[attribute] if value] for kind, (attribute, _) in TABLES.items()}
    found = {
        kind: [
            {"en": table[value].en[0], "zh": table[value].zh[0]}
            | _forms(kind, value)
            | _company(kind, value, known, values)
            for value in known[kind]
        ]
        for kind, (_, table) in TABLES.items()
    }  # fmt: skip
    numbers = [(words.COUNTS_EN[int(number) - 1][0], words.COUNTS_ZH[int(number) - 1][0]) for number in values["count"]]
    return found | {"number": [{"en": english, "zh": chinese} for english, chinese in numbers]}


def _forms(kind: str, value: str) -> dict[str, str]:
    if kind != "thing":
        return {}
    several = {"plural": plural(words.THINGS[value].en[0])} if value in COUNTABLE else {}
    return several | {"measure_zh": words.MEASURES_ZH[value]}


def _company(kind: str, value: str, known: Mapping[str, list[str]], values: Values) -> dict[str, Any]:
    """What the word may stand with, where that is not everything: what was drawn together in training."""
    company = _drawn_with(kind, value, known, "second" in values)
    kinds = {attribute: of for of, (attribute, _) in TABLES.items()}
    for (first, one), (second, other) in HELD_OUT:
        if (kinds.get(first), one) == (kind, value) and second in kinds and other in known[kinds[second]]:
            allowed = company.get(kinds[second], known[kinds[second]])
            company[kinds[second]] = [word for word in allowed if word != other]
    if not company:
        return {}
    said = {of: [TABLES[of][1][word].en[0] for word in found] for of, found in company.items() if of != "number"}
    return {"goes_with": said | ({"number": []} if "number" in company else {})}


def _drawn_with(kind: str, value: str, known: Mapping[str, list[str]], with_drawings: bool) -> dict[str, list[str]]:
    """What the renderer draws with a value, by kind; a kind that is not named: anything."""
    match kind:
        case "thing":
            own = COLOURS_OF.get(value, ())
            tints = TINTS if with_drawings and value in DRAWN and DRAWN[value].may("tint") else own
            company = {
                "place": [place for place in known["place"] if _is_at(value, place, with_drawings)],
                "colour": [one for one in known["colour"] if one in tints],
            }
            return company if value in COUNTABLE else company | {"number": []}
        case "place" if value in INDOORS:
            return {"hour": [], "weather": [], "season": []}
        case "place" if value in SEASONLESS_PLACES:
            dry = {"weather": [one for one in known["weather"] if one not in ("rain", "snow")]}
            return {"season": ["winter"]} | (dry if value == "desert" else {})
        case "weather" if value in TIMES_OF_WEATHER:
            return {"hour": [*TIMES_OF_WEATHER[value]]}
        case "weather" if value == "snow":
            return {"season": ["winter"]}
        case _:
            return {}


def _is_at(thing: str, place: str, with_drawings: bool) -> bool:
    return thing in THINGS_AT.get(place, ()) or (with_drawings and thing in things_at(place))


def main() -> None:
    """Writes the vocabulary into `darkroom.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=CHECKPOINT)
    parser.add_argument("--judge", type=Path, default=JUDGE)
    arguments = parser.parse_args()
    path: Path = arguments.checkpoint / "darkroom.json"
    card: dict[str, Any] = json.loads(path.read_text("utf-8"))
    card["is_introductory"] = True  # the page offers a real one after the first picture
    card["vocabulary"] = vocabulary_of(load_judge(arguments.judge).values)
    path.write_text(as_text(card), "utf-8")


def as_text(card: Mapping[str, Any]) -> str:
    """The whole file, a line for each word."""
    found: Mapping[str, list[dict[str, Any]]] = card["vocabulary"]
    others = {key: value for key, value in card.items() if key != "vocabulary"}
    kinds = []
    for kind, entries in found.items():
        lines = ",\n".join("      " + json.dumps(entry, ensure_ascii=False) for entry in entries)
        kinds.append(f'    "{kind}": [\n{lines}\n    ]')
    head = json.dumps(others, indent=2, ensure_ascii=False).removesuffix("\n}")
    return head + ',\n  "vocabulary": {\n' + ",\n".join(kinds) + "\n  }\n}\n"


if __name__ == "__main__":
    main()
