"""Every refusal that needs no body is heard by callers who send a large one first, as urllib does."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request

import pytest

from tests.api.conftest import Server

BODY = json.dumps({"prompt": "x" * 5_000_000}).encode()
JSON = {"Content-Type": "application/json"}


def login(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def status(url: str, headers: dict[str, str]) -> tuple[int, str]:
    """Status and kind of error of the answer to POST."""
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(url, BODY, headers), timeout=30)
    with refused.value as answer:
        said = json.loads(answer.read())
        return answer.code, said["error"]["kind"] if "error" in said else said["detail"][0]["type"]


def post_routes(server: Server) -> list[str]:
    paths = server.app.openapi()["paths"]
    return [
        path.format_map(dict.fromkeys(("id", "step", "name", "image", "job"), "x"))
        for path in paths
        if "post" in paths[path]
    ]


def test_every_route_refuses_a_stranger_audibly(guarded: Server) -> None:
    for path in [*post_routes(guarded), "/api/nothing", "/nothing"]:
        assert status(guarded.url + path, JSON) == (401, "login_needed"), path


def test_every_route_says_what_is_wrong_with_a_large_body(server: Server) -> None:
    found = {status(server.url + path, JSON)[0] for path in post_routes(server)}
    assert found == {413, 415, 422}


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        ("/api/nothing", JSON, (404, "not_found")),
        ("/nothing", JSON, (404, "not_found")),
        ("/gradio_api/upload", JSON, (403, "forbidden")),
        ("/api/schedulers", JSON, (405, "method_not_allowed")),
        ("/api/prompt-check", JSON | {"Origin": "http://elsewhere.example"}, (403, "foreign_origin")),
        ("/api/prompt-check", JSON | {"Host": "elsewhere.example"}, (403, "foreign_host")),
        ("/api/images", JSON, (415, "media_type")),
        ("/login", JSON, (413, "body_too_large")),
    ],
)
def test_whatever_the_status(server: Server, path: str, headers: dict[str, str], expected: tuple[int, str]) -> None:
    for _ in range(3):  # a reset comes now and then only
        assert status(server.url + path, headers) == expected


def test_wrong_passwords_and_too_many_of_them(guarded: Server) -> None:
    headers = JSON | login("anna", "wrong") | {"X-Forwarded-For": "203.0.113.77"}
    found = [status(guarded.url + "/api/prompt-check", headers) for _ in range(6)]
    assert found[:5] == [(401, "login_wrong")] * 5
    assert found[5] == (429, "too_many_attempts")
