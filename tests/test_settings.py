"""Settings come from flags and from the environment, once, and cannot be changed."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from pydantic import ValidationError

from webui.errors import DarkroomError, OutOfMemory
from webui.settings import Settings


def test_flags_and_environment_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    by_flag = Settings(_cli_parse_args=["--port", "8000", "--auth", "ann:a:b", "--auth", "ben:c"])
    monkeypatch.setenv("DARKROOM_PORT", "8000")
    monkeypatch.setenv("DARKROOM_AUTH", "ann:a:b,ben:c")
    assert Settings() == by_flag
    assert by_flag.logins == {"ann": "a:b", "ben": "c"}


def test_folders_of_other_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    by_flag = Settings(_cli_parse_args=["--extra-models-dir", "/a b", "--extra-models-dir", "/c"])
    monkeypatch.setenv("DARKROOM_EXTRA_MODELS_DIR", "/a b,/c")
    assert Settings() == by_flag
    assert by_flag.extra_models_dir == (Path("/a b"), Path("/c"))


@pytest.mark.parametrize("login", ["ann", "ann:", ":secret"])
def test_a_login_without_both_halves_is_refused(login: str) -> None:
    with pytest.raises(ValidationError):
        Settings(auth=(login,))


@pytest.mark.parametrize(
    ("changes", "is_public"),
    [({}, False), ({"host": "localhost"}, False), ({"host": "0.0.0.0"}, True), ({"share": True}, True)],
)
def test_who_can_reach_it(changes: dict[str, object], is_public: bool) -> None:
    assert Settings(**changes).is_public is is_public


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Settings().port = 1  # type: ignore[misc]


def test_errors_cross_process_borders_whole() -> None:
    error = OutOfMemory(width=64, height=64, device="CPU")
    back = pickle.loads(pickle.dumps(error))
    assert isinstance(back, OutOfMemory)
    assert back.details == error.details


def test_every_error_has_a_kind_of_its_own() -> None:
    def below(cls: type[DarkroomError]) -> list[type[DarkroomError]]:
        return [cls, *(found for child in cls.__subclasses__() for found in below(child))]

    ours = [cls for cls in below(DarkroomError) if cls.__module__ == "webui.errors"]
    kinds = [cls.kind for cls in ours]
    assert len(set(kinds)) == len(kinds)
