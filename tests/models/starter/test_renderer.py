"""What the recipe draws and says: every value, at every size, from the seed, and nothing that is not there."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from models.starter.recipe import words
from models.starter.recipe.captions import caption
from models.starter.recipe.landscapes import COLOURS_OF, PLAINLY_COUNTED, THINGS_AT, any_landscape
from models.starter.recipe.lots import HELD_OUT, sample_scene, sample_with
from models.starter.recipe.names import plural
from models.starter.recipe.scene import SEASONLESS_PLACES, Scene
from models.starter.recipe.teller import untrue

PLAIN = Scene("meadow", "day", "summer", "clear", "flat", False, False, "", "", 1)


def drawn(scene: Scene, seed: int = 3, size: int = 256) -> NDArray[np.uint8]:
    """The scene's picture."""
    pytest.importorskip("skia", reason="skia-python cannot be loaded", exc_type=ImportError)
    from models.starter.recipe.render import render

    return render(scene, np.random.default_rng(seed), size)


def halved(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The picture at half its size."""
    side = len(picture) // 2
    return picture.reshape(side, 2, side, 2, 3).mean(axis=(1, 3))


@pytest.mark.parametrize("style", words.STYLES)
def test_a_picture_is_the_same_again_and_at_twice_the_size(style: str) -> None:
    scene = replace(PLAIN, style=style, thing="house", colour="red", count=2)
    small = drawn(scene)
    np.testing.assert_array_equal(small, drawn(scene))
    large = drawn(scene, size=512)
    assert large.shape == (512, 512, 3)
    assert np.abs(halved(large) - small).mean() < 8


@pytest.mark.parametrize("place", THINGS_AT)
@pytest.mark.parametrize("weather", sorted(words.WEATHERS.keys() - {"clear"}))
def test_every_place_has_every_weather(place: str, weather: str) -> None:
    time = "night" if weather == "aurora" else "sunset"
    season = "winter" if weather == "snow" else "autumn"
    scene = replace(PLAIN, place=place, time=time, season=season, weather=weather)
    picture, clear = drawn(scene), drawn(replace(scene, weather="clear"))
    assert picture.std() > 15
    assert np.abs(picture.astype(int) - clear).mean() > 2


@pytest.mark.parametrize("place", THINGS_AT)
def test_every_thing_stands_where_it_may(place: str) -> None:
    empty = drawn(replace(PLAIN, place=place)).astype(int)
    for thing in set(THINGS_AT[place]):
        for count in (1, 4) if thing in PLAINLY_COUNTED else (1,):
            scene = replace(PLAIN, place=place, thing=thing, colour=COLOURS_OF[thing][0], count=count)
            changed = np.abs(drawn(scene) - empty).sum(axis=2) > 60
            assert changed.mean() > 0.015, (thing, count)


@pytest.mark.parametrize("style", sorted(words.STYLES.keys() - {"flat"}))
def test_every_style_differs_from_a_flat_illustration(style: str) -> None:
    scene = replace(PLAIN, place="lake", thing="boat", colour="red")
    flat, styled = drawn(scene).astype(int), drawn(replace(scene, style=style)).astype(int)
    assert np.abs(halved(styled) - halved(flat)).mean() > 4


def test_nights_are_dark_but_readable() -> None:
    for place in THINGS_AT:
        night, day = drawn(replace(PLAIN, place=place, time="night")), drawn(replace(PLAIN, place=place))
        assert night.mean() < day.mean() - 30
        assert np.percentile(night, 98) - np.percentile(night, 2) > 60, place


def test_no_pair_that_is_held_out_is_ever_drawn() -> None:
    rng = np.random.default_rng(6)
    scenes = [sample_scene(rng) for _ in range(4000)]
    assert not any(scene.holds(pair) for scene in scenes for pair in HELD_OUT)
    assert 0.2 < np.mean([not scene.drawing for scene in scenes]) < 0.4
    assert {scene.thing for scene in scenes} == {"", *words.THINGS}


def test_landscapes_contradict_nothing() -> None:
    rng = np.random.default_rng(6)
    scenes = [any_landscape(rng) for _ in range(3000)]
    for scene in scenes:
        assert scene.weather != "snow" or scene.season == "winter"
        assert scene.weather != "aurora" or scene.time == "night"
        assert scene.weather != "rainbow" or scene.time != "night"
        assert not scene.futuristic or scene.place == "city"
        assert not scene.thing or scene.thing in THINGS_AT[scene.place]
        assert scene.count in (1, 2, 3, 4)
        assert bool(scene.colour) == bool(scene.thing)
    for name, values in (("place", THINGS_AT), ("time", words.TIMES), ("season", words.SEASONS),
                         ("weather", words.WEATHERS), ("style", words.STYLES), ("thing", COLOURS_OF),
                         ("colour", words.COLOURS)):  # fmt: skip
        counts = {value: sum(getattr(scene, name) == value for scene in scenes) for value in values}
        assert min(counts.values()) > 60, counts


@pytest.mark.parametrize("pair", HELD_OUT)
def test_what_is_held_out_is_possible(pair: tuple[tuple[str, str], tuple[str, str]]) -> None:
    rng = np.random.default_rng(8)
    scene = sample_with(rng, pair)
    assert scene.holds(pair)
    alone = [sample_scene(rng) for _ in range(2500)]
    for name, value in pair:
        assert any(getattr(scene, name) == value for scene in alone)


def test_a_pair_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="no scene holds"):
        sample_with(np.random.default_rng(9), (("weather", "aurora"), ("time", "day")))


def test_captions_name_what_is_unusual() -> None:
    rng = np.random.default_rng(10)
    tables = {"weather": words.WEATHERS, "style": words.STYLES, "thing": words.THINGS, "second": words.THINGS}
    told: dict[str, list[bool]] = {name: [] for name in tables}
    for chinese in (False, True):
        for _ in range(600):
            scene = sample_scene(rng)
            text = caption(scene, rng, chinese).lower()
            for name, table in tables.items():
                value = getattr(scene, name)
                if value in ("", "clear", "flat") or value in words.PROPS:
                    continue
                names = table[value].zh if chinese else table[value].en
                extra = () if chinese or name != "weather" else words.WEATHER_PHRASES[value]
                told[name].append(any(word.lower() in text for word in (*names, *extra, *map(plural, names))))
    shares = {name: float(np.mean(answers)) for name, answers in told.items()}
    assert min(shares.values()) > 0.93, shares


def test_captions_say_nothing_untrue() -> None:
    rng = np.random.default_rng(11)
    seasons = {word for season in words.SEASONS.values() for word in (*season.en, *season.zh)}

    def says(text: str, word: str) -> bool:
        return re.search(rf"\b{word}\b" if word.isascii() else word, text.lower()) is not None

    for _ in range(1500):
        scene = sample_scene(rng)
        text = caption(scene, rng)
        assert not any(says(text, word) for word in untrue(scene)), (text, scene)
        if scene.place in SEASONLESS_PLACES and scene.season != "winter":
            assert not any(says(text, word) for word in seasons), text


@pytest.mark.parametrize(
    ("text", "scene", "chinese"),
    [
        ("a calm lake surrounded by autumn trees", replace(PLAIN, place="lake", season="autumn", trees=True), False),
        ("秋树环绕的宁静湖泊", replace(PLAIN, place="lake", season="autumn", trees=True), True),
        (
            "a futuristic city skyline with neon lights",
            replace(PLAIN, place="city", style="neon", futuristic=True),
            False,
        ),
        ("霓虹灯闪烁的未来城市天际线", replace(PLAIN, place="city", style="neon", futuristic=True), True),
    ],
)
def test_the_prompts_that_people_try_first_are_captions(text: str, scene: Scene, chinese: bool) -> None:
    rng = np.random.default_rng(12)
    assert any(caption(scene, rng, chinese) == text for _ in range(60_000))


@pytest.mark.usefixtures("drawings")
def test_pictures_of_a_series_come_from_seed_and_index() -> None:
    pytest.importorskip("skia", reason="skia-python cannot be loaded", exc_type=ImportError)
    from models.starter.recipe.draw import draw_one

    first, scene = draw_one(3, 4)
    again, same = draw_one(3, 4)
    other, _ = draw_one(3, 5)
    large, of_large = draw_one(3, 4, 512)
    assert first.shape == (256, 256, 3)
    assert scene == same == of_large
    assert large.shape == (512, 512, 3)
    np.testing.assert_array_equal(first, again)
    assert (first != other).mean() > 0.2
