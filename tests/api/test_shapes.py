"""Numbers and JSON of every bad shape: 422 with FastAPI's `detail`, nothing queued, nobody hurt."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest

from webui.requests.field_types import MAX_SEED
from webui.texts import LANGUAGES

WRONG: list[tuple[str, Any]] = [
    *(("steps", value) for value in (-1, 0, 151, 1.5, "20", True, [1], {}, 1e9, 10**30)),
    *(("width", value) for value in (0, 7, 513, 63, 2056, 10**9, "512", True, [512])),
    *(("num_images", value) for value in (0, -1, 17, "2", True, None, 2**63)),
    *(("seed", value) for value in (-2, MAX_SEED + 1, 2**53 + 1, 2**63, 2**64, 1e30, 1.5, "abc", True)),
    *(("guidance_scale", value) for value in (-7, 30.1, 1e308, "7", True, [])),
    *(("scheduler", value) for value in ("nonsense", "", "../euler", 7, "x" * 5000, ["euler"])),
    *(("sigmas", value) for value in ("nonsense", 7, [])),
    *(("prompt", value) for value in ("x" * 10_001, 7, None, ["x"], {"a": 1})),
    ("prompt_dialect", "a1112"),
    ("unknown", 1),
    ("override_settings", {"sd_model_checkpoint": "/etc/passwd"}),
    ("script_args", []),
    ("task", "style_transfer"),
    ("schema_version", 3),
    ("init_image", "AAAA"),
    ("checkpoint", 7),
    ("checkpoint", "x" * 513),
]


@pytest.mark.parametrize(("field", "value"), WRONG, ids=lambda value: str(value)[:24])
def test_a_wrong_value_is_named(client: httpx.Client, field: str, value: Any) -> None:
    answer = client.post("/api/text-to-image", json={"prompt": "x", field: value})
    assert answer.status_code == 422, answer.text
    detail = answer.json()["detail"]
    assert any(field in item["loc"] for item in detail)
    assert all(set(item) - {"ctx"} == {"type", "loc", "msg"} for item in detail)


@pytest.mark.parametrize(
    ("request_", "type", "ctx"),
    [
        ({"steps": 0}, "greater_than_equal", {"ge": 1}),
        ({"steps": 151}, "less_than_equal", {"le": 150}),
        ({"width": 100}, "multiple_of", {"multiple_of": 8}),
        ({"prompt": "x" * 10_001}, "string_too_long", {"max_length": 10_000}),
        ({"scheduler": "none"}, "value_error", None),
        ({"steps": "20"}, "int_type", None),
    ],
)
def test_a_complaint_says_the_bounds(
    client: httpx.Client, request_: dict[str, Any], type: str, ctx: dict[str, Any] | None
) -> None:
    (item,) = client.post("/api/text-to-image", json={"prompt": "x", **request_}).json()["detail"]
    assert (item["type"], item.get("ctx")) == (type, ctx)


def test_a_complaint_of_the_rules_says_its_reason_in_both_languages(client: httpx.Client) -> None:
    said = {}
    for language in LANGUAGES:
        answer = client.post("/api/text-to-image", json={"clip_skip": 12}, headers={"Accept-Language": language})
        (item,) = answer.json()["detail"]
        assert (item["type"], item["loc"]) == ("invalid_request", ["body", "clip_skip"])
        assert item["ctx"].keys() == {"reason"}
        assert item["ctx"]["reason"] in item["msg"]
        said[language] = item["ctx"]["reason"]
    assert "text encoder" in said["en"]
    assert said["zh-CN"] != said["en"]


def complaints(client: httpx.Client, body: dict[str, Any], language: str = "en") -> dict[str, str]:
    """What is said of each field, by its name."""
    answer = client.post("/api/text-to-image", json=body, headers={"Accept-Language": language})
    assert answer.status_code == 422, answer.text
    assert all(set(item) - {"ctx"} == {"type", "loc", "msg"} for item in answer.json()["detail"])
    return {".".join(map(str, item["loc"])): item["msg"] for item in answer.json()["detail"]}


def test_fields_of_a_newer_version_are_named_in_one_sentence(client: httpx.Client) -> None:
    one = {"body.warmth": "This version of Darkroom does not know the field “warmth”."}
    assert complaints(client, {"warmth": 3.0}) == one
    body = {"schema_version": 3, "steps": 0, "warmth": 3.0, "moods": [], "walk_to": {"seed": 1, "way": "arc"}}
    said = complaints(client, body)
    named = "This version of Darkroom does not know the fields “walk_to.way”, “warmth”, “moods”."
    for field in ("walk_to.way", "warmth", "moods"):
        assert said.pop(f"body.{field}") == named
    newer = said.pop("body.schema_version")
    assert newer.endswith(named)
    assert "its schema_version is 3, and this version reads up to 2" in newer
    assert said == {"body.steps": "Input should be greater than or equal to 1"}
    chinese = complaints(client, body, "zh-CN")
    assert chinese["body.warmth"] == "这个版本的 Darkroom 没有这些字段：“walk_to.way”、“warmth”、“moods”。"
    assert chinese["body.schema_version"].startswith("这个请求来自更新版本的 Darkroom")
    assert complaints(client, {"warmth": 3.0}, "zh-CN") == {"body.warmth": "这个版本的 Darkroom 没有“warmth”字段。"}
    assert complaints(client, {"schema_version": 0}) == {"body.schema_version": "Input should be 2"}
    origin = {"task": "text_to_image", "warmth": 3.0}
    said = complaints(client, {"branch_from": {"origin": origin, "step": 1}})
    assert [*said.values()] == ["This version of Darkroom does not know the field “branch_from.origin.warmth”."]


def test_many_unknown_fields_make_no_long_answer(client: httpx.Client) -> None:
    said = complaints(client, {f"{number}{'x' * 500}": 1 for number in range(200)})
    assert len(said) == 50
    assert all(len(message) < 700 and message.endswith("” and 192 more.") for message in said.values())


def test_fields_that_a_step_does_not_have_are_named(client: httpx.Client) -> None:
    answer = client.post("/api/jobs/none/keep", json={"step": 1, "at": 2})
    assert answer.json()["detail"][0]["msg"] == "This version of Darkroom does not know the field “at”."


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
@pytest.mark.parametrize("field", ["guidance_scale", "steps", "seed", "width"])
def test_what_is_no_number_is_refused(client: httpx.Client, field: str, number: str) -> None:
    answer = client.post(
        "/api/text-to-image", content=f'{{"{field}": {number}}}', headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422
    json.loads(answer.text, parse_constant=lambda constant: pytest.fail(f"{constant} is no JSON"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"x"',
        b"7",
        b"[" * 100_000,
        b'{"seed": ' + b"9" * 5000 + b"}",
        b'{"prompt": "x", "steps": 1e}',
        b"\xff\xfe{}",
        b'{"prompt": "\xff"}',
        b'{"' + b"k" * 100_000 + b'": 1}',
        b'{"\\ud800": 1}',
        b'{"steps": 99999, "steps": 1}',
        b'{"steps": 1, "st\\u0065ps": 1}',
        b"{" + b",".join(b'"k%d":1' % number for number in range(60_000)) + b"}",
    ],
    ids=lambda body: repr(body[:16]),
)
def test_what_is_no_request_is_refused(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/api/text-to-image", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["detail"]
    assert len(answer.content) < 5000


def test_megabytes_of_text_are_refused_before_they_are_cleaned(client: httpx.Client) -> None:
    began = time.monotonic()
    body = {"prompt": "\u0301(" * 8_000_000, "init_image": "sha256:" + "0" * 64}
    content = json.dumps(body, ensure_ascii=False).encode()
    answer = client.post("/api/image-to-image", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "prompt"]
    assert time.monotonic() - began < 20  # it took half a minute of an idle machine, in which nobody heard anything


@pytest.mark.parametrize(
    "type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp",
     "text/json", "json", "", "/", "application/xml, application/json", "application/json-seq"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/api/text-to-image", "/api/image-to-image", "/api/style-transfer"])
def test_only_json_is_json(client: httpx.Client, path: str, type: str) -> None:
    before = client.get("/api/jobs").json()
    for headers in ({"Content-Type": type}, {}):
        answer = client.post(path, content=b'{"prompt": "x"}', headers=headers)
        assert answer.status_code == 415, answer.text
        assert answer.json()["error"]["kind"] == "media_type"
    assert client.get("/api/jobs").json() == before


@pytest.mark.parametrize("type", ["application/json", "Application/JSON; charset=utf-8", "application/vnd.x+json"])
def test_json_is_json_however_it_is_written(client: httpx.Client, type: str) -> None:
    answer = client.post("/api/text-to-image", content=b'{"steps": 1}', headers={"Content-Type": type})
    assert answer.status_code == 202


@pytest.mark.parametrize("field", ["denoising_strength"])
@pytest.mark.parametrize("value", [-0.1, 1.0001, "0.5", None, True])
def test_denoising_strength_keeps_its_bounds(client: httpx.Client, png: bytes, field: str, value: Any) -> None:
    stored = client.post("/api/images", files={"file": png}).json()["id"]
    answer = client.post("/api/image-to-image", json={"init_image": stored, field: value})
    assert answer.status_code == 422


@pytest.mark.parametrize("value", [0, 1, 0.0, 1.0])
def test_its_bounds_belong_to_it(client: httpx.Client, png: bytes, value: float) -> None:
    stored = client.post("/api/images", files={"file": png}).json()["id"]
    answer = client.post("/api/image-to-image", json={"init_image": stored, "denoising_strength": value, "steps": 1})
    assert answer.status_code == 202


@pytest.mark.parametrize("missing", ["content_image", "style_image"])
def test_a_missing_picture_is_named(client: httpx.Client, missing: str) -> None:
    pictures = {"content_image": "sha256:" + "0" * 64, "style_image": "sha256:" + "0" * 64}
    del pictures[missing]
    answer = client.post("/api/style-transfer", json=pictures)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", missing]


@pytest.mark.parametrize("id", ["no-such-thing", "../../etc/passwd", "/etc/passwd", "C:\\x", "con", "starter\0", "~"])
def test_an_unknown_checkpoint_is_said_so(client: httpx.Client, id: str) -> None:
    answer = client.post("/api/text-to-image", json={"checkpoint": id})
    assert answer.status_code == 404
    assert answer.json()["error"]["kind"] == "checkpoint_not_found"
    assert "models" not in answer.json()["error"]["message"]


def test_lone_surrogates_and_control_characters_are_taken_out(client: httpx.Client) -> None:
    body = b'{"prompt": "a\\ud800 \\u0000lake\\u001b[31m\\r\\n <script>alert(1)</script>", "steps": 1}'
    answer = client.post("/api/text-to-image", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 202
    request = client.get(f"/api/jobs/{answer.json()['id']}").json()["request"]
    assert request["prompt"] == "a lake[31m\n <script>alert(1)</script>"


def test_a1111s_names_are_stored_as_ours(client: httpx.Client) -> None:
    answer = client.post("/api/text-to-image", json={"scheduler": "DPM++ 2M Karras", "steps": 1})
    request = client.get(f"/api/jobs/{answer.json()['id']}").json()["request"]
    assert (request["scheduler"], request["sigmas"]) == ("dpmpp_2m", "karras")


def test_no_answer_names_a_place_on_this_machine(client: httpx.Client) -> None:
    for path in ("/api/checkpoints", "/api/jobs", "/api/gallery", "/api/queue", "/healthz", "/openapi.json"):
        text = client.get(path).text
        assert "/models/" not in text.replace("/api/models/", "")
        assert "/tmp" not in text
        assert "/home" not in text
