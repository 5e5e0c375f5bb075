"""The scripts of the gallery that do without its sheet."""

from __future__ import annotations

import pytest

from tests.modules.conftest import Modules

# What stands below a picture, and its texts outside of any button.
TOOLS = """
    const { pictureTools } = await at("gallery/again.js");
    const tools = pictureTools(given);
    const texts = document.createTreeWalker(tools, NodeFilter.SHOW_TEXT);
    const bare = [];
    while (texts.nextNode()) if (!texts.currentNode.parentElement.closest("button")) bare.push(texts.currentNode.data);
    return [[...tools.querySelectorAll("button")].map((button) => button.textContent), bare];
"""
ALWAYS = ["Inspect", "Make again"]


@pytest.mark.parametrize(
    ("request_", "buttons"),
    [
        ({"task": "text_to_image", "decoder": "tiny"}, [*ALWAYS, "Finish sharp"]),
        ({"task": "text_to_image", "decoder": "full"}, ALWAYS),
        ({"task": "style_transfer"}, ALWAYS),
        (None, ALWAYS),
    ],
)
def test_below_a_picture_stand_buttons_and_no_stray_words(
    modules: Modules, request_: dict[str, str] | None, buttons: list[str]
) -> None:
    assert modules.run(TOOLS, {"url": "/api/images/x", "request": request_}) == [buttons, []]
