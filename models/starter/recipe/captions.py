"""A small grammar that says what a scene shows, in English or Simplified Chinese, at length or in keywords.

Plain values (day, clear, flat illustration, summer) are mostly left out, so that a short prompt means them.
Knows nothing of pictures.
"""

import numpy as np

from models.starter.recipe import words
from models.starter.recipe.scene import SEASONLESS_PLACES, Scene

UNCONDITIONAL_CHANCE = 0.1  # captions dropped for classifier-free guidance
CHINESE_CHANCE = 0.4


def _say(rng: np.random.Generator, names: tuple[str, ...], plainest: float = 0.45) -> str:
    """One of the names; the first with chance `plainest`."""
    if len(names) == 1 or rng.random() < plainest:
        return names[0]
    return names[int(rng.integers(1, len(names)))]


class _Telling:
    """Which attributes of a scene one caption names (others stay unsaid)."""

    def __init__(self, scene: Scene, rng: np.random.Generator) -> None:
        def with_chance(unusual: bool, usual_chance: float) -> bool:
            return rng.random() < (0.95 if unusual else usual_chance)

        self.style = with_chance(scene.style != "flat", 0.15)
        self.time = with_chance(scene.time != "day", 0.25)
        self.weather = with_chance(scene.weather != "clear", 0.2)
        self.trees = scene.trees and scene.place != "forest" and rng.random() < 0.9
        seasonal = scene.place not in SEASONLESS_PLACES or scene.season == "winter"
        self.season = seasonal and with_chance(scene.season != "summer", 0.25)
        self.futuristic = scene.futuristic and rng.random() < 0.95
        self.thing = bool(scene.thing) and rng.random() < 0.96
        self.colour = rng.random() < 0.85
        self.mood = rng.random() < 0.25


def _article(phrase: str) -> str:
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


def _thing_en(scene: Scene, rng: np.random.Generator, colour: bool, bare: bool) -> str:
    noun = _say(rng, words.THINGS[scene.thing].en)
    adjective = f"{_say(rng, words.COLOURS[scene.colour].en, 0.8)} " if colour else ""
    if scene.count == 1:
        return f"{adjective}{noun}" if bare and rng.random() < 0.6 else _article(f"{adjective}{noun}")
    plural = noun if noun.endswith("s") else f"{noun}s"
    return f"{words.COUNTS_EN[scene.count - 1]} {adjective}{plural}"


def _thing_zh(scene: Scene, rng: np.random.Generator, colour: bool, bare: bool) -> str:
    noun = _say(rng, words.THINGS[scene.thing].zh)
    adjective = _say(rng, words.COLOURS[scene.colour].zh, 0.8) if colour else ""
    if scene.count == 1 and rng.random() < (0.8 if bare else 0.4):
        return f"{adjective}{noun}"
    number = "两" if scene.count == 2 else words.COUNTS_ZH[scene.count - 1]
    return f"{number}{words.MEASURES_ZH[scene.thing]}{adjective}{noun}"


def _trees_en(scene: Scene, rng: np.random.Generator, season: bool) -> str:
    return _say(rng, words.SEASON_TREES[scene.season].en) if season else "trees"


def _keywords(scene: Scene, rng: np.random.Generator, told: _Telling, chinese: bool) -> str:
    """Bare keywords in any order."""

    def name(names: words.Names) -> str:
        return _say(rng, names.zh if chinese else names.en)

    place = name(words.PLACES[scene.place])
    if told.futuristic:
        place = f"{name(words.FUTURISTIC)}{'' if chinese else ' '}{place}"
    parts = [place]
    if told.time:
        parts.append(name(words.TIMES[scene.time]))
    if told.weather:
        parts.append(name(words.WEATHERS[scene.weather]))
    if told.trees:
        parts.append(name(words.SEASON_TREES[scene.season]) if told.season else ("树木" if chinese else "trees"))
    elif told.season:
        parts.append(name(words.SEASONS[scene.season]))
    if told.style:
        parts.append(name(words.STYLES[scene.style]))
    if told.mood:
        parts.append(name(words.MOODS))
    if told.thing:
        say_thing = _thing_zh if chinese else _thing_en
        parts.append(say_thing(scene, rng, told.colour, True))
    order = rng.permutation(len(parts))
    separators = ("，", "、", " ", ",") if chinese else (", ", ", ", " ")
    return str(rng.choice(separators)).join(parts[int(i)] for i in order)


def _sentence_en(scene: Scene, rng: np.random.Generator, told: _Telling) -> str:
    def name(names: words.Names) -> str:
        return _say(rng, names.en)

    adjectives = [name(words.MOODS)] if told.mood else []
    if told.weather and rng.random() < 0.4:
        told.weather = False
        adjectives.append({"clear": "sunny", "clouds": "cloudy", "rain": "rainy", "snow": "snowy", "fog": "foggy"}[
            scene.weather
        ])  # fmt: skip
    if told.season and not told.trees and rng.random() < 0.4:
        told.season = False
        adjectives.append(words.SEASONS[scene.season].en[0])
    if told.futuristic:
        adjectives.append(name(words.FUTURISTIC))
    text = _article(" ".join([*adjectives, name(words.PLACES[scene.place])]))
    if told.trees:
        text += f" {name(words.SURROUNDED)} {_trees_en(scene, rng, told.season)}"
    tails = []
    if told.time:
        tails.append({"day": "during the day", "sunset": f"at {name(words.TIMES['sunset'])}", "night": "at night"}[
            scene.time
        ])  # fmt: skip
    if told.season and not told.trees:
        tails.append(f"in {name(words.SEASONS[scene.season])}")
    if told.weather:
        tails.append({"clear": "under a clear sky", "clouds": "under a cloudy sky", "rain": "in the rain",
                      "snow": "in the snow", "fog": "in the fog"}[scene.weather])  # fmt: skip
    if told.thing:
        thing = _thing_en(scene, rng, told.colour, False)
        if rng.random() < 0.3:
            text = f"{thing} {rng.choice(('in', 'at', 'by', 'near'))} {text}"
        else:
            tails.append(f"{rng.choice(('with', 'and'))} {thing}")
    if told.style and scene.style == "neon" and rng.random() < 0.5:
        tails.append("with neon lights")
        told.style = False
    text = " ".join([text, *(tails[int(i)] for i in rng.permutation(len(tails)))])
    if told.style:
        style = name(words.STYLES[scene.style])
        text = str(rng.choice((f"{style} of {text}", f"{text}, {style}", f"{text} in {style} style")))
    return text


def _sentence_zh(scene: Scene, rng: np.random.Generator, told: _Telling) -> str:
    def name(names: words.Names) -> str:
        return _say(rng, names.zh)

    clauses = []
    if told.style and scene.style == "neon" and rng.random() < 0.6:
        told.style = False
        clauses.append(str(rng.choice(("霓虹灯闪烁的", "霓虹的", "霓虹灯下的", "霓虹闪烁的"))))
    if told.time:
        clauses.append(f"{name(words.TIMES[scene.time])}{rng.choice(('的', '时的', '下的'))}")
    if told.weather:
        clauses.append(f"{name(words.WEATHERS[scene.weather])}{rng.choice(('的', '中的'))}")
    if told.trees:
        trees = name(words.SEASON_TREES[scene.season]) if told.season else "树木"
        clauses.append(f"{trees}{name(words.SURROUNDED)}的")
    elif told.season:
        clauses.append(f"{name(words.SEASONS[scene.season])}的")
    clauses = [clauses[int(i)] for i in rng.permutation(len(clauses))]
    if told.mood:
        clauses.append(name(words.MOODS) + str(rng.choice(("", "的"))))
    if told.futuristic:
        clauses.append(name(words.FUTURISTIC))
    text = "".join(clauses) + name(words.PLACES[scene.place])
    if told.thing:
        thing = _thing_zh(scene, rng, told.colour, False)
        joins = (f"{text}，{thing}", f"{text}和{thing}", f"{text}上有{thing}", f"{text}里的{thing}", f"{thing}，{text}")
        text = str(rng.choice(joins))
    if told.style:
        style = name(words.STYLES[scene.style])
        text = str(rng.choice((f"{style}，{text}", f"{text}，{style}", f"{style}{text}")))
    return text


def caption(scene: Scene, rng: np.random.Generator, chinese: bool | None = None) -> str:
    """One caption, never empty; `chinese` of None chooses the language by lot."""
    if chinese is None:
        chinese = rng.random() < CHINESE_CHANCE
    told = _Telling(scene, rng)
    if rng.random() < 0.4:
        text = _keywords(scene, rng, told, chinese)
    else:
        text = (_sentence_zh if chinese else _sentence_en)(scene, rng, told)
    return text.capitalize() if rng.random() < 0.1 else text
