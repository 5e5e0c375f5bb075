"""A small grammar that says what a scene shows, in English or Simplified Chinese, at length or in keywords.

Plain values (day, clear, flat illustration, summer) are mostly left out, so that a short prompt means them. Nothing is
said that the picture does not show. Knows nothing of pictures.
"""

import numpy as np

from models.starter.recipe import words
from models.starter.recipe.names import article
from models.starter.recipe.scene import Scene
from models.starter.recipe.teller import Teller, place_en, place_zh, when_en
from models.starter.recipe.telling import tell

UNCONDITIONAL_CHANCE = 0.1  # captions dropped for classifier-free guidance
CHINESE_CHANCE = 0.4
KEYWORDS_CHANCE, LONG_CHANCE = 0.38, 0.2  # of the three forms of a caption; the rest are single sentences
AFLOAT, ALOFT = frozenset({"boat"}), frozenset({"balloon", "birds"})


def _keywords(teller: Teller) -> str:
    """Bare keywords in any order."""
    scene, name, chinese = teller.scene, teller.name, teller.chinese
    place = name(words.PLACES[scene.place])
    if teller.futuristic:
        place = f"{name(words.FUTURISTIC)}{'' if chinese else ' '}{place}"
    parts = [place]
    if teller.time:
        parts.append(name(words.TIMES[scene.time]))
    if teller.weather:
        parts.append(name(words.WEATHERS[scene.weather]))
    if teller.trees:
        parts.append(teller.tree_words())
    elif teller.season:
        parts.append(name(words.SEASONS[scene.season]))
    if teller.style:
        parts.append(name(words.STYLES[scene.style]))
    if teller.mood:
        parts.append(name(words.MOODS))
    if teller.thing:
        parts.append(teller.things(bare=True))
    return teller.one(*("，", "、", " ", ",") if chinese else (", ", ", ", " ")).join(teller.shuffled(parts))


def _stands_en(teller: Teller, place: str) -> str:
    """The things where they are."""
    thing = teller.scene.thing
    if thing in AFLOAT:
        where = teller.one("on", "on", "at", "in")
    else:
        where = teller.one("over", "above") if thing in ALOFT else teller.one("in", "at", "by", "near", "in front of")
    return f"{teller.things(bare=False)} {where} {place}"


def _sentence_en(teller: Teller) -> str:
    scene, text, tails = teller.scene, place_en(teller), []
    if teller.time and scene.time != "day" and teller.chance(0.2):
        text = f"{teller.name(words.TIMES[scene.time])} over {text}"
    elif teller.time:
        tails.append(when_en(teller))
    if teller.season:
        tails.append(f"in {teller.name(words.SEASONS[scene.season])}")
    if teller.weather:
        tails.append(teller.one(*words.WEATHER_PHRASES[scene.weather]))
    if teller.thing:
        if teller.chance(0.4):
            text = _stands_en(teller, text)
        else:
            tails.append(f"{teller.one('with', 'and')} {teller.things(bare=False)}")
    if teller.style and scene.style == "neon" and teller.chance(0.5):
        tails.append("with neon lights")
        teller.style = False
    text = " ".join([text, *teller.shuffled(tails)])
    if teller.style:
        style = teller.name(words.STYLES[scene.style])
        return teller.one(f"{style} of {text}", f"{article(style)} of {text}", f"{text}, {style}",
                          f"{text} in {style} style", f"{text}, {style} style")  # fmt: skip
    return f"{teller.one('a picture of', 'a view of', 'a scene with')} {text}" if teller.chance(0.08) else text


def _long_en(teller: Teller) -> str:
    """Several sentences, each with one thing to say."""
    scene, text, more = teller.scene, place_en(teller), []
    first = _stands_en(teller, text) if teller.thing else text
    if teller.time:
        more.append(teller.one(f"It is {teller.name(words.TIMES[scene.time])}", f"The scene is {when_en(teller)}"))
    if teller.season:
        more.append(f"The season is {teller.name(words.SEASONS[scene.season])}")
    if teller.weather:
        phrase = teller.one(*words.WEATHER_PHRASES[scene.weather])
        more.append(teller.one(f"The view is {phrase}", f"{teller.name(words.WEATHERS[scene.weather])}".capitalize()))
    if teller.style:
        style = teller.name(words.STYLES[scene.style])
        more.append(teller.one(f"The style is {style}", f"Painted as {style}", f"Made in {style} style"))
    start = teller.one("There is", "A picture of", "A landscape with", "A scene showing")
    return ". ".join([f"{start} {first}", *teller.shuffled(more)]) + "."


def _clauses_zh(teller: Teller) -> str:
    """The place with everything that stands before it in Chinese."""
    scene, name, clauses = teller.scene, teller.name, []
    if teller.style and scene.style == "neon" and teller.chance(0.6):
        teller.style = False
        clauses.append(teller.one("霓虹灯闪烁的", "霓虹的", "霓虹灯下的", "霓虹闪烁的"))
    if teller.time:
        clauses.append(f"{name(words.TIMES[scene.time])}{teller.one('的', '时的', '下的')}")
    if teller.weather:
        joins = ("下的", "的") if scene.weather in ("rainbow", "aurora", "storm") else ("的", "中的")
        clauses.append(f"{name(words.WEATHERS[scene.weather])}{teller.one(*joins)}")
    return place_zh(teller, clauses, has_mood=teller.mood)


def _sentence_zh(teller: Teller) -> str:
    text = _clauses_zh(teller)
    if teller.thing:
        thing = teller.things(bare=False)
        above = f"{text}上空的{thing}" if teller.scene.thing in ALOFT else f"{text}里的{thing}"
        text = teller.one(f"{text}，{thing}", f"{text}和{thing}", f"{text}上有{thing}", above, f"{thing}，{text}")
    if teller.style:
        style = teller.name(words.STYLES[teller.scene.style])
        return teller.one(f"{style}，{text}", f"{text}，{style}", f"{style}{text}", f"{text}的{style}")
    return f"{teller.one('一幅画，', '一张图，')}{text}" if teller.chance(0.08) else text


def _long_zh(teller: Teller) -> str:
    """Several sentences, each with one thing to say."""
    scene, name, more = teller.scene, teller.name, []
    if teller.time:
        teller.time = False
        more.append(f"时间是{name(words.TIMES[scene.time])}")
    if teller.weather:
        teller.weather = False
        more.append(f"{teller.one('天气是', '天上有', '有')}{name(words.WEATHERS[scene.weather])}")
    if teller.style:
        teller.style = False
        more.append(f"{teller.one('画风是', '风格是')}{name(words.STYLES[scene.style])}")
    if teller.thing:
        more.append(f"{teller.one('画面中有', '这里有', '前面有')}{teller.things(bare=False)}")
    start = teller.one("这是", "画面是", "一幅画，")
    return "。".join([start + _clauses_zh(teller), *teller.shuffled(more)]) + "。"


def caption(scene: Scene, rng: np.random.Generator, chinese: bool | None = None) -> str:
    """One caption, never empty; `chinese` of None chooses the language by lot."""
    if chinese is None:
        chinese = rng.random() < CHINESE_CHANCE
    teller = Teller(scene, rng, chinese)
    form = rng.random()
    if scene.drawing:
        text = tell(teller, form < KEYWORDS_CHANCE)
    elif form < KEYWORDS_CHANCE:
        text = _keywords(teller)
    elif form < KEYWORDS_CHANCE + LONG_CHANCE:
        text = (_long_zh if chinese else _long_en)(teller)
    else:
        text = (_sentence_zh if chinese else _sentence_en)(teller)
    return text.capitalize() if rng.random() < 0.1 else text
