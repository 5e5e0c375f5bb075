"""The page's evaluator of rules agrees with the test vectors."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from tests.made_up import Newer
from tests.modules.conftest import Modules
from tests.rules.vectors import Vector, by_reason, vectors
from webui.requests import to_dict
from webui.requests.fields import declared_rules, defaults_of

EVALUATE_ALL = """const { firstRefusal, inactiveFields } = await at("form/rules.js");
    return given.map(({ rules, settings, defaults, facts }) => [
        inactiveFields(rules, settings, facts), firstRefusal(rules, settings, defaults, facts)]);"""


def as_json(vector: Vector) -> dict[str, Any]:
    return {
        "rules": [asdict(rule) for rule in vector.rules],
        "settings": vector.settings,
        "defaults": dict(defaults_of(type(vector.request))),
        "facts": asdict(vector.facts),
    }


def test_the_browser_says_what_python_says(modules: Modules) -> None:
    known = vectors()
    found = modules.run(EVALUATE_ALL, json.loads(json.dumps([as_json(vector) for vector in known])))
    for vector, (inactive, refused) in zip(known, found, strict=True):
        assert by_reason(inactive) == vector.inactive, vector
        assert refused == vector.refused, vector


def test_a_condition_that_nobody_knows_is_an_error(modules: Modules) -> None:
    found = modules.run(
        """const { holds } = await at("form/rules.js");
        const facts = { lacking: [], choices: {} };
        let said = "";
        try { holds(["all", ["sometimes", "seed"]], {}, facts); } catch (error) { said = error.message; }
        return [said, holds(["not", ["set", "seed"]], { seed: 0 }, facts)];"""
    )
    assert found == ["no such condition: sometimes", True]


def test_a_field_that_is_made_up_has_its_rules_there_too(modules: Modules) -> None:
    request = Newer(sharpness=0.5, finish="silky", guidance_scale=5.0)
    common = {"rules": [asdict(rule) for rule in declared_rules(Newer)], "defaults": dict(defaults_of(Newer))}
    asked = [
        {**common, "settings": to_dict(request) | {"sharpness": amount}, "facts": {"lacking": lacking, "choices": {}}}
        for amount, lacking in ((0.0, []), (0.5, ["tiling"]))
    ]
    (plain, _), (without, refused) = modules.run(EVALUATE_ALL, json.loads(json.dumps(asked)))
    assert (plain["finish"], without["sharpness"]) == ("guidance_off", "only_unet")
    assert refused == {"field": "sharpness", "reason": "only_unet"}
