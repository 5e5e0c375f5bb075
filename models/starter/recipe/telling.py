"""Captions of what stands in the foreground: the thing first, then what it has to do with another, and where."""

from models.starter.recipe import words
from models.starter.recipe.drawings import DRAWN
from models.starter.recipe.teller import Teller, place_en, place_zh, when_en

RELATIONS_EN = {
    "over": ("over", "above", "flying over"),
    "riding": ("riding", "riding", "riding on"),
    "on": ("on", "on", "on top of"),
    "under": ("under", "under", "beneath", "below"),
    "beside": ("and", "and", "next to", "beside", "with"),
}
RELATIONS_ZH = {
    "over": ("{second}上空的{first}", "{second}上方的{first}", "{first}在{second}上空", "{first}，{second}上空"),
    "riding": ("骑着{second}的{first}", "{first}骑着{second}", "{first}骑{second}"),
    "on": ("{second}上的{first}", "{first}在{second}上", "{second}里的{first}"),
    "under": ("{second}下的{first}", "{first}在{second}下", "{second}下面的{first}"),
    "beside": ("{first}和{second}", "{first}与{second}", "{second}旁边的{first}", "{first}、{second}"),
}
PREPOSITIONS = {
    "beach": ("on", "at"), "table": ("on",), "sea": ("on", "in", "over"), "lake": ("at", "by"), "river": ("at", "by"),
    "harbour": ("in", "at"), "plain": ("on", "against"), "meadow": ("in", "on"),
}  # fmt: skip
INSIDE_ZH = {"table": ("上的",), "beach": ("上的",), "sea": ("上的", "里的"), "space": ("里的", "中的")}
SHOWN_EN = ("picture of", "drawing of", "image of", "illustration of")


def _core(teller: Teller) -> str:
    """The thing, with the second one where there is one."""
    scene, bare = teller.scene, teller.chance(0.2)
    first = teller.things(bare=bare)
    if scene.second:
        second = teller.second()
        if teller.chinese:
            return teller.one(*RELATIONS_ZH[scene.relation]).format(first=first, second=second)
        return f"{first} {teller.one(*RELATIONS_EN[scene.relation])} {second}"
    if scene.is_large and scene.thing in DRAWN:
        is_person = DRAWN[scene.thing].may("portrait")
        if teller.chance(0.35 if is_person else 0.1):
            if teller.chinese:
                return f"{first}{'的肖像' if is_person else '特写'}"
            shown = ("portrait", "a portrait") if is_person else ("close up", "a closeup")
            return f"{teller.one(*shown)} of {first}"
    return first


def _where_en(teller: Teller) -> str:
    """Preposition and place, or nothing."""
    if not teller.place:
        return ""
    return f"{teller.one(*PREPOSITIONS.get(teller.scene.place, ('in',)))} {place_en(teller)}"


def _tails_en(teller: Teller) -> list[str]:
    scene, tails = teller.scene, []
    if teller.time:
        tails.append(when_en(teller))
    if teller.season:
        tails.append(f"in {teller.name(words.SEASONS[scene.season])}")
    if teller.weather:
        tails.append(teller.one(*words.WEATHER_PHRASES[scene.weather]))
    return teller.shuffled(tails)


def _sentence_en(teller: Teller) -> str:
    text = " ".join(part for part in [_core(teller), _where_en(teller), *_tails_en(teller)] if part)
    if teller.style:
        style = teller.name(words.STYLES[teller.scene.style])
        return teller.one(f"{style} of {text}", f"{text}, {style}", f"{text} in {style} style", f"{style}, {text}")
    return f"{teller.one(*SHOWN_EN)} {text}" if teller.chance(0.08) else text


def _clauses_zh(teller: Teller) -> str:
    """The place with what is said of it, without what stands there."""
    scene, name, clauses = teller.scene, teller.name, []
    if teller.time:
        clauses.append(f"{name(words.TIMES[scene.time])}的")
    if teller.weather:
        clauses.append(
            f"{name(words.WEATHERS[scene.weather])}{'下' if scene.weather in ('rainbow', 'aurora') else ''}的"
        )
    return place_zh(teller, clauses)


def _sentence_zh(teller: Teller) -> str:
    text = _core(teller)
    if teller.place:
        place = _clauses_zh(teller)
        inside = teller.one(*INSIDE_ZH.get(teller.scene.place, ("里的", "上的") if teller.chance(0.2) else ("里的",)))
        if teller.scene.place == "plain":
            text = f"{text}，{place}"
        else:
            text = teller.one(f"{place}{inside}{text}", f"{place}，{text}", f"{text}，{place}")
    if teller.style:
        style = teller.name(words.STYLES[teller.scene.style])
        return teller.one(f"{style}，{text}", f"{text}，{style}", f"{style}{text}")
    return f"{teller.one('一幅画，', '一张图，', '画')}{text}" if teller.chance(0.08) else text


def _keywords(teller: Teller) -> str:
    scene, name, chinese = teller.scene, teller.name, teller.chinese
    parts = [_core(teller)]
    if teller.place:
        place = name(words.PLACES[scene.place])
        parts.append(f"{name(words.FUTURISTIC)}{'' if chinese else ' '}{place}" if teller.futuristic else place)
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
    first, *others = parts
    parts = [first, *teller.shuffled(others)] if teller.chance(0.6) else teller.shuffled(parts)
    return teller.one(*("，", "、", ",") if chinese else (", ", ", ", ",")).join(parts)


def tell(teller: Teller, as_keywords: bool) -> str:
    """A caption of a scene with a thing in the foreground."""
    if as_keywords:
        return _keywords(teller)
    return (_sentence_zh if teller.chinese else _sentence_en)(teller)
