"""Weights by key, as a function of the text, the selection and the direction."""

from __future__ import annotations

import pytest

from tests.modules.conftest import Modules

# text with the selection (or the cursor) in ‹›, keys, what comes of it
WEIGHTS = [
    ("a calm ‹›lake", "U", "a calm (‹lake›:1.1)"),
    ("a calm la‹›ke", "UU", "a calm (‹lake›:1.2)"),
    ("a calm (‹lake›:1.1)", "D", "a calm ‹lake›"),
    ("a calm lake‹›, snow", "D", "a calm (‹lake›:0.9), snow"),
    ("a ‹calm lake ›at night", "U", "a (‹calm lake›:1.1) at night"),
    ("a (calm l‹›ake:1.9) at night", "UU", "a (‹calm lake›:2.1) at night"),
    ("((sn‹›ow))", "U", "(‹snow›:1.3)"),
    ("[sn‹›ow] lake", "D", "(‹snow›:0.8) lake"),
    (r"\(sn‹›ow\)", "U", r"\((‹snow›:1.1)\)"),
    ("‹(snow:1.2)›", "D", "(‹snow›:1.1)"),
    ("(snow‹›:3)", "U", "(‹snow›:3.0)"),
    ("<lora:in‹›k:0.8>", "U", "<‹›lora:ink:0.85>"),
    ("sci-‹›fi", "U", "(‹sci-fi›:1.1)"),
    ("秋天的宁‹›静湖泊", "U", "秋天的(‹宁静›:1.1)湖泊"),
    ("lake, ‹› snow", "U", "lake, ‹› snow"),
]
COMPEL = [
    ("a calm la‹›ke", "U", "a calm ‹lake›+"),
    ("a calm la‹›ke+", "U", "a calm ‹lake›++"),
    ("a calm la‹›ke+", "DD", "a calm ‹lake›-"),
    ("a ‹calm lake› at night", "U", "a (‹calm lake›)1.1 at night"),
    ("a (calm la‹›ke)1.1 at night", "D", "a ‹calm lake› at night"),
    ("a (calm la‹›ke)++ at night", "D", "a (‹calm lake›)+ at night"),
    ("(calm la‹›ke).attend(1.4)", "U", "(‹calm lake›)1.5"),
    ("秋天的宁‹›静湖泊", "D", "秋天的(‹宁静›).attend(0.9)湖泊"),
]
MORE = [
    ("‹›", "U", "‹›"),
    ("a (snow‹›:0.1)", "DD", "a (‹snow›:0.0)"),
    ("(snow‹›:2.9)", "UU", "(‹snow›:3.0)"),
    ("<lora:in‹›k>", "U", "<‹›lora:ink:1.05>"),
    ("<lora:in‹›k:high>", "U", "<lora:in‹›k:high>"),
]
WEIGH = """const { weighA1111, weighCompel } = await at("prompt/weights.js");
    const weigh = { a1111: weighA1111, compel: weighCompel }[given.dialect];
    return given.cases.map(([before, keys]) => {
        let [start, end] = [before.indexOf("‹"), before.indexOf("›") - 1];
        let text = before.replace(/[‹›]/g, "");
        for (const key of keys) {
            const change = weigh(text, start, end, key === "U" ? 1 : -1);
            if (!change) continue;
            text = text.slice(0, change.from) + change.text + text.slice(change.to);
            [start, end] = [change.start, change.end];
        }
        return `${text.slice(0, start)}‹${text.slice(start, end)}›${text.slice(end)}`;
    });"""


@pytest.mark.parametrize(("dialect", "cases"), [("a1111", WEIGHTS + MORE), ("compel", COMPEL)], ids=["a1111", "compel"])
def test_weights(modules: Modules, dialect: str, cases: list[tuple[str, str, str]]) -> None:
    found = modules.run(WEIGH, {"dialect": dialect, "cases": cases})
    assert dict(zip([case[:2] for case in cases], found, strict=True)) == {case[:2]: case[2] for case in cases}
