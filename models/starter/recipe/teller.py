"""One caption's voice: what it names of a scene, its words in either language, and what all captions have in common."""

import numpy as np

from models.starter.recipe import words
from models.starter.recipe.names import Names, article, plural
from models.starter.recipe.scene import Scene

PLACE_TOLD = {"plain": 0.12, "table": 0.75, "room": 0.65}  # how often; others nearly always


def untrue(scene: Scene) -> frozenset[str]:
    """Names that the scene's picture would contradict, although they belong to its values."""
    names: set[str] = set()
    if scene.time != "day":
        names |= {"sunny", "晴天"}
    if scene.weather not in ("clear", "clouds"):
        names |= {"moonlight", "月光"}
    if scene.season not in ("spring", "summer"):
        names |= {"flower field", "花田"}
    if scene.colour != "white":
        names |= {"seagull", "海鸥"}
    if scene.count > 1:
        names |= {"lone tree", "孤树"}
    if scene.time == "night":
        names |= {"白云"}
    if scene.style != "neon":
        names |= {"cyberpunk", "赛博朋克"}
    return frozenset(names)


class Teller:
    """One caption's voice: its language, what it names, and how it finds words."""

    def __init__(self, scene: Scene, rng: np.random.Generator, chinese: bool) -> None:
        self.scene, self.rng, self.chinese = scene, rng, chinese
        self.untrue = untrue(scene)
        self.style = self._tells(scene.style != "flat", 0.15)
        self.time = not scene.is_indoors and self._tells(scene.time != "day", 0.25)
        self.weather = not scene.is_indoors and self._tells(scene.weather != "clear", 0.2)
        self.trees = scene.trees and scene.place != "forest" and rng.random() < 0.92
        self.season = scene.season_shows and self._tells(scene.season != "summer", 0.3)
        self.futuristic = scene.futuristic and rng.random() < 0.97
        self.thing = bool(scene.thing) and rng.random() < 0.98
        self.colour = rng.random() < 0.88
        self.mood = rng.random() < 0.2
        self.charm = bool(scene.drawing) and rng.random() < 0.15
        self.place = not scene.drawing or rng.random() < PLACE_TOLD.get(scene.place, 0.92)

    def _tells(self, unusual: bool, usual_chance: float) -> bool:
        return self.rng.random() < (0.97 if unusual else usual_chance)

    def chance(self, chance: float) -> bool:
        """True with this probability."""
        return self.rng.random() < chance

    def one(self, *phrases: str) -> str:
        """Any of the phrases."""
        return phrases[int(self.rng.integers(len(phrases)))]

    def shuffled(self, parts: list[str]) -> list[str]:
        """The parts in any order."""
        return [parts[int(index)] for index in self.rng.permutation(len(parts))]

    def name(self, names: Names, plainest: float = 0.45) -> str:
        """One of the names that are true; the first with chance `plainest`."""
        known = names.zh if self.chinese else names.en
        others = [name for name in known[1:] if name not in self.untrue]
        return known[0] if not others or self.chance(plainest) else self.one(*others)

    def tree_words(self) -> str:
        """The trees around the place, in words."""
        return self.name(words.SEASON_TREES[self.scene.season] if self.season else words.TREES)

    def things(self, bare: bool) -> str:
        """The things with their colour and number; `bare` drops an article or measure more often."""
        scene = self.scene
        noun = self.name(words.THINGS[scene.thing])
        colour = self.name(words.COLOURS[scene.colour], 0.8) if self.colour and scene.colour else ""
        charm = self.name(words.CHARMS, 0.5) if self.charm else ""
        counts = (words.COUNTS_ZH if self.chinese else words.COUNTS_EN)[scene.count - 1]
        number = counts[0] if self.chance(0.75) else self.one(*counts)
        if self.chinese:
            if scene.thing in words.BARE or (scene.count == 1 and self.chance(0.75 if bare else 0.4)):
                return charm + colour + noun
            return f"{number}{words.MEASURES_ZH[scene.thing]}{charm}{colour}{noun}"
        phrase = " ".join(part for part in (charm, colour, noun) if part)
        if scene.count > 1:
            return f"{number} {plural(phrase)}"
        return phrase if bare and self.chance(0.6) else _with_article(phrase, scene.thing)

    def second(self) -> str:
        """The second thing, without the first."""
        second = self.scene.second
        noun = self.name(words.PROPS[second] if second in words.PROPS else words.THINGS[second])
        if not self.chinese:
            return _with_article(noun, second)
        return noun if second in words.BARE or self.chance(0.6) else f"一{words.MEASURES_ZH[second]}{noun}"


def _with_article(phrase: str, thing: str) -> str:
    """Nothing before what cannot be counted: "fruit", but "a cup of coffee"."""
    return phrase if thing in words.BARE and " of " not in phrase else article(phrase)


def place_en(teller: Teller) -> str:
    """The place with its adjectives and trees; notes in the teller what has been said."""
    scene = teller.scene
    adjectives = [teller.name(words.MOODS)] if teller.mood else []
    adjective = words.WEATHER_ADJECTIVES.get(scene.weather)
    if teller.weather and adjective and adjective not in teller.untrue and teller.chance(0.4):
        teller.weather = False
        adjectives.append(adjective)
    if teller.season and not teller.trees and teller.chance(0.4):
        teller.season = False
        adjectives.append(words.SEASONS[scene.season].en[0])
    if teller.futuristic:
        adjectives.append(teller.name(words.FUTURISTIC))
    place = " ".join([*adjectives, teller.name(words.PLACES[scene.place])])
    if scene.place in ("sea", "space"):
        return f"the {place}" if scene.place == "sea" or place.endswith("cosmos") else place
    bare = place.endswith(("s", "woodland", "grassland")) and teller.chance(0.6)  # "mountains", "sand dunes"
    text = place if bare or teller.chance(0.12) else article(place)
    if teller.trees:
        text += f" {teller.name(words.SURROUNDED)} {teller.tree_words()}"
        teller.season = False
    return text


def place_zh(teller: Teller, clauses: list[str], has_mood: bool = False) -> str:
    """The place, with these clauses before it in any order, and with its trees or its season."""
    scene, name = teller.scene, teller.name
    if teller.trees:
        clauses = [*clauses, f"{teller.tree_words()}{name(words.SURROUNDED)}的"]
    elif teller.season:
        clauses = [*clauses, f"{name(words.SEASONS[scene.season])}的"]
    said = teller.shuffled(clauses)
    if has_mood:
        said.append(name(words.MOODS) + teller.one("", "的"))
    if teller.futuristic:
        said.append(name(words.FUTURISTIC))
    return "".join(said) + name(words.PLACES[scene.place])


def when_en(teller: Teller) -> str:
    """The time of day as a phrase, such as "by day" or "at night"."""
    scene = teller.scene
    if scene.time == "day":
        return teller.one("during the day", "by day", "in daylight")
    return f"at {teller.name(words.TIMES[scene.time])}" if scene.time == "sunset" else "at night"
