"""Tables between their marks are written anew; prose in their last column stays."""

from __future__ import annotations

import pytest

from webui.docs.declared import Facts, table
from webui.docs.tables import Table, plain, refreshed, rows_of
from webui.requests import REQUESTS
from webui.settings import Settings
from webui.texts import Texts

PAGE = """Before.

<!-- table: t -->
| a | b |
|---|---|
| `x` | kept \\| so |
| `y` | gone |
<!-- end of table -->

After.
"""
FACTS = Facts(routes=("GET /b", "GET /a"), statuses={"busy": 503})


def test_rows_come_and_go_and_prose_stays() -> None:
    fresh = Table(columns=("a", "b"), rows=(("`z`",), ("`x`",)), has_prose=True)
    page = refreshed(PAGE, {"t": fresh}.__getitem__)
    assert page.startswith("Before.\n\n<!-- table: t -->\n| a | b |\n")
    assert page.endswith("<!-- end of table -->\n\nAfter.\n")
    assert rows_of(page, "t") == [["`z`", ""], ["`x`", "kept \\| so"]]
    assert refreshed(page, {"t": fresh}.__getitem__) == page


def test_rows_may_keep_their_order() -> None:
    fresh = Table(columns=("a", "b"), rows=(("`new`",), ("`y`",), ("`x`",)), has_prose=True, keeps_order=True)
    assert [row[0] for row in rows_of(refreshed(PAGE, {"t": fresh}.__getitem__), "t")] == ["`x`", "`y`", "`new`"]


def test_a_table_that_nobody_declares_is_an_error() -> None:
    with pytest.raises(KeyError):
        refreshed(PAGE, {}.__getitem__)
    with pytest.raises(KeyError):
        table("nothing", "en", FACTS, Texts())


def test_sentences_show_their_signs_as_they_stand() -> None:
    assert plain("a|b_c <d> [e] `f` *g*") == "a\\|b\\_c \\<d> \\[e] \\`f\\` \\*g\\*"


def test_every_field_and_flag_has_a_row() -> None:
    fields = {row[0].strip("`") for row in table("fields", "en", FACTS, Texts()).rows}
    assert fields == {name for request in REQUESTS.values() for name in request.__dataclass_fields__}
    flags = {row[0].strip("`").split(" ")[0] for row in table("flags", "en", FACTS, Texts()).rows}
    assert flags == {f"--{name.replace('_', '-')}" for name in Settings.model_fields}


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("seed", ("all", "−1 to 2³² − 1", "`null`")),
        ("width", ("text, image", "64–2048, multiples of 8", "`null`")),
        ("inpaint_padding", ("image", "0–256", "`32`")),
        ("stop_after", ("all", "1–150 or 1–2000", "`null`")),
        ("init_image", ("image", "a picture", "required")),
        ("soft_inpainting", ("image", "`true` `false`", "`false`")),
        ("denoising_strength", ("image", "0–1", "`0.6`")),
        ("method", ("style", "`optimised` `instant`", "`optimised`")),
        ("layer_weights", ("style", "an object", "all 1")),
    ],
)
def test_values_and_defaults_are_the_declarations(name: str, cells: tuple[str, ...]) -> None:
    rows = {row[0]: row[1:] for row in table("fields", "en", FACTS, Texts()).rows}
    assert rows[f"`{name}`"] == cells


def test_errors_have_their_status_and_their_words() -> None:
    rows = {row[0]: row[1:] for row in table("errors", "en", FACTS, Texts()).rows}
    assert rows["`busy`"][0] == "503"
    assert "{retry\\_after\\_seconds}" in rows["`busy`"][2]
    assert rows["`out_of_memory`"][0] == "–"
