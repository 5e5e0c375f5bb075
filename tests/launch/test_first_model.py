"""Whether to download a model for photographs, too: where that is asked, who may answer, and where it is kept."""

from __future__ import annotations

import html
import json
import re
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from webui.downloads.bundles import read_offered
from webui.downloads.wish import FILE_NAME, forget_wish, is_unused, keep_wish, read_wish
from webui.launch.address import Address, free_port
from webui.launch.first_model import FirstModelQuestion, Model, question_for, read_models
from webui.launch.progress import ProgressMeter
from webui.launch.waiting_page import WaitingPage
from webui.settings import ROOT

HERE = Address("127.0.0.1", 7860)
PRESETS = f"--presets-dir={ROOT / 'presets'}"
MODELS = (
    Model("Quick & “small”", "Community", None, "https://hub.example/quick"),
    Model('One "more"', None, False, None),
)
VARIABLES = ("DARKROOM_DATA_DIR", "DARKROOM_PRESETS_DIR", "DARKROOM_AUTH", "DARKROOM_SHARE", "HF_HUB_OFFLINE")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def address() -> Address:
    return Address("127.0.0.1", free_port(18200))


def call(url: str, body: bytes | None = None, **headers: str) -> tuple[int, str]:
    """Status and text."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, named), timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def token_in(page: str) -> str:
    found = re.search(r'<meta name="token" content="([^"]*)">', page)
    assert found
    return found[1]


def test_it_is_asked_at_a_first_start_on_this_machine(tmp_path: Path) -> None:
    assert question_for(tmp_path, ["--port", "7860", PRESETS], HERE)
    (tmp_path / "outputs").mkdir()
    keep_wish(tmp_path / "outputs", True)
    asked_again = question_for(tmp_path, [PRESETS], HERE)
    assert asked_again is not None
    assert asked_again.answer is True


@pytest.mark.parametrize(
    ("arguments", "variables", "host"),
    [
        (["--share"], {}, "127.0.0.1"),
        ([], {"DARKROOM_SHARE": "true"}, "127.0.0.1"),
        (["--auth", "anna:secret"], {}, "127.0.0.1"),
        (["--auth=anna:secret"], {}, "127.0.0.1"),
        ([], {"DARKROOM_AUTH": "anna:secret"}, "127.0.0.1"),
        ([], {"HF_HUB_OFFLINE": "1"}, "127.0.0.1"),
        ([], {}, "0.0.0.0"),
        ([], {}, "192.168.1.5"),
        (["--data-dir"], {}, "127.0.0.1"),
    ],
)
def test_it_is_not_asked_where_others_come_or_nothing_may_be_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], variables: dict[str, str], host: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert question_for(tmp_path, [PRESETS, *arguments], Address(host, 7860)) is None


def test_it_is_not_asked_where_the_program_has_run_before(tmp_path: Path) -> None:
    data = tmp_path / "mine"
    data.mkdir()
    (data / "darkroom.sqlite3").touch()
    assert question_for(tmp_path, [PRESETS, "--data-dir", str(data)], HERE) is None
    assert question_for(tmp_path, [PRESETS, f"--data-dir={tmp_path / 'other'}"], HERE) is not None


def models_in(page: str) -> Any:
    """What the page is told of licences."""
    found = re.search(r'<meta name="models" content="([^"]*)">', page)
    assert found
    return json.loads(html.unescape(found[1]) or "[]")


def test_the_page_names_what_may_come_and_its_licence(address: Address, tmp_path: Path) -> None:
    with WaitingPage(address, ProgressMeter(1, with_tests=False), FirstModelQuestion(tmp_path, MODELS)):
        assert models_in(call(address.url)[1]) == [
            {"name": "Quick & “small”", "licence": "Community", "may_sell": None, "page": "https://hub.example/quick"},
            {"name": 'One "more"', "licence": None, "may_sell": False, "page": None},
        ]
        assert models_in(call(address.url, X_Forwarded_For="203.0.113.9")[1]) == []


def test_those_are_the_ones_that_the_program_chooses_from() -> None:
    question = question_for(ROOT, [f"--data-dir={ROOT / 'not-there'}"], HERE)
    assert question is not None
    offered = read_offered(ROOT / "presets")
    first = [bundle for bundle in offered.bundles if bundle.id in offered.first]
    assert [(model.name, model.licence) for model in question.models] == [(b.name, b.license.name) for b in first]
    assert question.models[0].licence == "Stability AI Community"


@pytest.mark.parametrize(
    "content", [None, "[]", "{}", '{"bundles": [{"id": "a"}], "first": ["a"]}', '{"bundles": [], "first": []}']
)
def test_nothing_is_asked_where_no_model_is_named(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "models.json").write_text(content, "utf-8")
    assert read_models(tmp_path) == ()
    assert question_for(ROOT, [f"--data-dir={tmp_path / 'data'}", f"--presets-dir={tmp_path}"], HERE) is None


def test_an_answer_is_kept_shown_and_can_be_changed(tmp_path: Path, address: Address) -> None:
    with WaitingPage(address, ProgressMeter(1, with_tests=False), FirstModelQuestion(tmp_path / "data", MODELS)):
        token = token_in(call(address.url)[1])
        assert len(token) > 20
        assert json.loads(call(f"{address.url}/progress")[1])["wants_model"] is None
        for wanted in (True, False, True):
            body = json.dumps({"wanted": wanted}).encode()
            status, _ = call(f"{address.url}/first-model", body, Darkroom_Token=token, Origin=address.url)
            assert status == 200
            assert json.loads(call(f"{address.url}/progress")[1])["wants_model"] is wanted
    assert read_wish(tmp_path / "data") is True


def test_only_the_page_itself_may_answer(tmp_path: Path, address: Address) -> None:
    yes = b'{"wanted": true}'
    with WaitingPage(address, ProgressMeter(1, with_tests=False), FirstModelQuestion(tmp_path, MODELS)):
        token = token_in(call(address.url)[1])
        target = f"{address.url}/first-model"
        for body, headers in (
            (yes, {}),
            (yes, {"Darkroom_Token": "guess"}),
            (yes, {"Darkroom_Token": token, "Origin": "http://evil.example"}),
            (yes, {"Darkroom_Token": token, "Origin": "null"}),
            (yes, {"Darkroom_Token": token, "Host": "evil.example"}),
            (yes, {"Darkroom_Token": token, "Host": "["}),
            (yes, {"Darkroom_Token": token, "X_Forwarded_For": "203.0.113.9"}),
            (b"true", {"Darkroom_Token": token}),
            (b'{"wanted": 1}', {"Darkroom_Token": token}),
            (b"[" * 900, {"Darkroom_Token": token}),
            (b"x" * 5000, {"Darkroom_Token": token}),
        ):
            assert call(target, body, **headers)[0] == 403, headers
        assert call(f"{address.url}/other", yes, Darkroom_Token=token)[0] == 403
    assert read_wish(tmp_path) is None


def test_under_another_name_nothing_is_asked(tmp_path: Path, address: Address) -> None:
    keep_wish(tmp_path, True)
    with WaitingPage(address, ProgressMeter(1, with_tests=False), FirstModelQuestion(tmp_path, MODELS)):
        for headers in ({"Host": "evil.example"}, {"X_Forwarded_For": "203.0.113.9"}):
            assert token_in(call(address.url, **headers)[1]) == ""
            assert json.loads(call(f"{address.url}/progress", **headers)[1])["wants_model"] is None


def test_without_a_question_there_is_none(address: Address) -> None:
    with WaitingPage(address, ProgressMeter(1, with_tests=False)):
        assert token_in(call(address.url)[1]) == ""
        assert call(f"{address.url}/first-model", b'{"wanted": true}', Darkroom_Token="")[0] == 403


@pytest.mark.parametrize("content", [b"", b"[]", b'{"wanted": "yes"}', b"\xff", b"[" * 900])
def test_what_somebody_else_wrote_there_is_no_answer(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    assert read_wish(tmp_path) is None
    assert is_unused(tmp_path)
    forget_wish(tmp_path)
    assert not list(tmp_path.iterdir())
