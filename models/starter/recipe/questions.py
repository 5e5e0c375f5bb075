"""What a text says of a scene, read back from its words; and prompts that ask for something, made from fresh scenes.

The grammar only writes; here its words are found again, longest first, so that "golden trees" is no colour and 雪山 no
snow. Knows no pictures.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from models.starter.recipe import words
from models.starter.recipe.captions import caption
from models.starter.recipe.cast import TINTS, things_at
from models.starter.recipe.landscapes import COLOURS_OF, THINGS_AT
from models.starter.recipe.lots import sample_scene
from models.starter.recipe.names import article, plural
from models.starter.recipe.scene import Scene
from models.starter.recipe.values import ATTRIBUTES, VALUES, shows

TABLES: dict[str, tuple[Mapping[str, words.Names], ...]] = {
    "place": (words.PLACES,),
    "time": (words.TIMES,),
    "season": (words.SEASONS, words.SEASON_TREES),
    "weather": (words.WEATHERS,),
    "style": (words.STYLES,),
    "thing": (words.THINGS,),
    "second": (words.PROPS,),
    "colour": (words.COLOURS,),
}
_ENGLISH_WORD = re.compile(r"[a-z0-9'-]+")


@dataclass(frozen=True)
class Mention:
    """One value that a text names, and where."""

    attribute: str
    value: str | int
    start: int
    end: int


@dataclass(frozen=True)
class Question:
    """A prompt, the scene that it was written for, and the attributes that it names and a picture would show."""

    prompt: str
    scene: Scene
    named: frozenset[str]
    chinese: bool


def _names(names: words.Names, chinese: bool) -> tuple[str, ...]:
    return names.zh if chinese else names.en


@cache
def _lexicon(chinese: bool) -> dict[str, tuple[tuple[str, str | int], ...]]:
    """Every phrase with what it says; nothing for mere ornament and for what may mean two things."""
    found: dict[str, set[tuple[str, str | int]]] = {}
    for attribute, tables in TABLES.items():
        for value, names in ((value, names) for table in tables for value, names in table.items()):
            for name in _names(names, chinese):
                one = name.lower()
                says: set[tuple[str, str | int]] = {(attribute, value)}
                if attribute == "thing" and not chinese:
                    found.setdefault(plural(one), set()).update(says)
                    says |= {("count", 1)} if value not in words.BARE else set()
                found.setdefault(one, set()).update(says)
    for value, phrases in ({} if chinese else words.WEATHER_PHRASES).items():
        found |= {phrase: {("weather", value)} for phrase in phrases}  # "on a rainy day" is no time
    for number, counts in enumerate(words.COUNTS_ZH if chinese else words.COUNTS_EN, start=1):
        for word in counts:
            if chinese:
                found |= {f"{word}{measure}": {("count", number)} for measure in words.MEASURES_ZH.values()}
            elif number > 1:
                found[word] = {("count", number)}
    for ornament in (words.FUTURISTIC, words.MOODS, words.CHARMS, words.SURROUNDED, words.TREES):
        for name in _names(ornament, chinese):
            found.setdefault(name.lower(), set())
    found |= {phrase: set() for phrase in (words.PICTURES_ZH if chinese else ())}  # counts nothing that is seen
    return {phrase: tuple(says) if _is_plain(says) else () for phrase, says in found.items()}


def _is_plain(says: set[tuple[str, str | int]]) -> bool:
    return len({attribute for attribute, _ in says}) == len(says) and len(says - {("count", 1)}) <= 1


def mentions(text: str) -> list[Mention]:
    """All values that the text names, from left to right."""
    lowered = text.lower()
    chinese = not text.isascii()
    lexicon = _lexicon(chinese)
    words_at = list(range(len(text))) if chinese else [match.start() for match in _ENGLISH_WORD.finditer(lowered)]
    ends = [start + 1 for start in words_at] if chinese else [m.end() for m in _ENGLISH_WORD.finditer(lowered)]
    longest = max(map(len, lexicon)) if chinese else max(phrase.count(" ") + 1 for phrase in lexicon)
    found, index = [], 0
    while index < len(words_at):
        for last in range(min(index + longest, len(words_at)) - 1, index - 1, -1):
            says = lexicon.get(lowered[words_at[index] : ends[last]])
            if says is not None:
                found += [Mention(attribute, value, words_at[index], ends[last]) for attribute, value in says]
                index = last
                break
        index += 1
    numbers = [mention for mention in found if mention.attribute == "count" and (chinese or mention.value != 1)]

    def holds(mention: Mention) -> bool:
        match mention.attribute:
            case "count":
                return mention in numbers or not numbers
            case "thing":
                return lowered[mention.start : mention.end] != "trees" or _is_counted(mention, numbers, found, text)
            case "season":  # "two orange trees" are things of a colour
                is_trees = lowered[: mention.end].endswith(("trees", "树"))
                return not (is_trees and _is_counted(mention, numbers, found, text))
            case _:
                return True

    return [mention for mention in found if holds(mention)]


def _is_counted(mention: Mention, numbers: list[Mention], found: list[Mention], text: str) -> bool:
    """Whether a number stands right before it; in English a colour may come between."""
    for number in (one for one in numbers if one.end <= mention.start):
        gap = text[number.end : mention.start]
        between = any(one.attribute == "thing" and number.end <= one.start < mention.start for one in found)
        if (len(gap.split()) <= 1 and not between) if text.isascii() else not gap:
            return True
    return False


def ask(rng: np.random.Generator, chinese: bool, scene: Scene | None = None) -> Question:
    """A caption of a scene (by lot if none is given) as a prompt."""
    scene = sample_scene(rng) if scene is None else scene
    return question_of(caption(scene, rng, chinese), scene, chinese)


def question_of(prompt: str, scene: Scene, chinese: bool) -> Question:
    """What `prompt` asks of a picture of `scene`."""
    said = {(mention.attribute, mention.value) for mention in mentions(prompt)}
    said |= {("second", value) for name, value in said if name == "thing"}  # which is which, the picture's scene knows
    named = (name for name in ATTRIBUTES if shows(scene, name) and (name, getattr(scene, name)) in said)
    return Question(prompt, scene, frozenset(named), chinese)


def ask_for(rng: np.random.Generator, chinese: bool, attributes: frozenset[str], scene: Scene) -> Question | None:
    """A caption of the scene that names all `attributes`; None where the grammar gives none in many attempts."""
    for _ in range(60):
        question = ask(rng, chinese, scene)
        if attributes <= question.named:
            return question
    return None


def with_one_word_changed(text: str, rng: np.random.Generator, scene: Scene | None = None,
                          attributes: tuple[str, ...] = ATTRIBUTES) -> tuple[str, str, str | int] | None:  # fmt: skip
    """The text with one of the values it names replaced by another, which attribute that was, and its new value.

    With a `scene`, colour and thing become only what that place and thing may have. None where nothing can be replaced.
    """
    chinese = not text.isascii()
    found = [mention for mention in mentions(text) if mention.attribute in attributes and mention.value != 1]
    found = [mention for mention in found if mention.attribute != "second"]  # too few of them to change one for another
    if chinese and any(text[at] in words.MEASURES_ZH.values() for at in range(len(text))):
        found = [mention for mention in found if mention.attribute != "thing"]  # could need another measure word
    if not found:
        return None
    mention = found[int(rng.integers(len(found)))]
    others = [value for value in _allowed(mention.attribute, scene) if value != mention.value]
    if not others:
        return None
    value = others[int(rng.integers(len(others)))]
    old = text[mention.start : mention.end]
    if mention.attribute == "count":
        counts = (words.COUNTS_ZH if chinese else words.COUNTS_EN)[int(value) - 1]
        names = tuple(word + old[-1] for word in counts) if chinese else counts
    else:
        names = _names(_table_of(mention, text, chinese)[str(value)], chinese)
    new = names[int(rng.integers(len(names)))]
    if mention.attribute == "thing" and not chinese and _is_plural(old):
        new = plural(new)
    if chinese and mention.attribute == "colour" and not new.endswith("的") and old.endswith("的"):
        new += "的"
    before = text[: mention.start]
    if not chinese and mention.attribute != "count":
        before = re.sub(r"\b(a|an) $", f"{article(new).split()[0]} ", before)
    return before + new + text[mention.end :], mention.attribute, value


def _is_plural(noun: str) -> bool:
    """Whether an English name of a thing stands in the plural."""
    singular = {name.lower() for names in words.THINGS.values() for name in names.en}
    return noun.lower() not in singular and noun.lower() in {plural(name) for name in singular}


def _allowed(attribute: str, scene: Scene | None) -> list[str | int]:
    if attribute == "count":
        return [number for number in VALUES["count"] if number > 1]
    if scene is not None and attribute == "colour":
        return [*TINTS] if scene.drawing else [*COLOURS_OF[scene.thing]]
    if scene is not None and attribute == "thing":
        return sorted(things_at(scene.place)) if scene.drawing else sorted({*THINGS_AT[scene.place]})
    return [value for value in VALUES[attribute] if value != ""]


def _table_of(mention: Mention, text: str, chinese: bool) -> Mapping[str, words.Names]:
    """Where the mention's phrase stands; "autumn trees" and "autumn" have tables of their own."""
    phrase = text[mention.start : mention.end].lower()
    tables = TABLES[mention.attribute]
    return next((t for t in tables if phrase in (n.lower() for n in _names(t[str(mention.value)], chinese))), tables[0])


def weighted(question: Question, attribute: str, weight: float) -> str | None:
    """The prompt with the words for one attribute weighted, in A1111's dialect; None if it has none."""
    names = ("second", "thing") if attribute == "second" else (attribute,)  # a second thing is a thing, too
    for mention in mentions(question.prompt):
        if mention.attribute in names and mention.value == getattr(question.scene, attribute):
            text = question.prompt
            return f"{text[: mention.start]}({text[mention.start : mention.end]}:{weight}){text[mention.end :]}"
    return None


def changed_scene(scene: Scene, attribute: str, value: str | int) -> Scene:
    """The scene with another value."""
    return replace(scene, **{attribute: value})
