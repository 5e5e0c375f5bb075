"""Whoever can be reached by others has a login; and the link's state."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from webui.app import build
from webui.settings import Settings
from webui.share.link import Share, ShareState, settings_with_login


@pytest.mark.parametrize("flags", [{"share": True}, {"host": "0.0.0.0"}, {"host": "192.168.1.4"}, {"host": "::"}])
def test_logins_are_made_up_for_what_others_can_reach(flags: dict[str, object]) -> None:
    settings, is_made_up = settings_with_login(Settings(**flags))
    assert is_made_up
    assert list(settings.logins) == ["operator", "guest"]  # the first is who may change models and settings
    for password in settings.logins.values():
        signs = password.replace("-", "")
        assert len(signs) * math.log2(31) >= 60
        assert not set(signs) & set("0Oo1lIi")
    again, _ = settings_with_login(Settings(**flags))
    assert len({*settings.logins.values(), *again.logins.values()}) == 4
    assert all(getattr(settings, name) == value for name, value in flags.items())


@pytest.mark.parametrize("flags", [{}, {"host": "localhost"}, {"share": True, "auth": "anna:secret"}])
def test_no_login_is_made_up_where_none_is_needed(flags: dict[str, object]) -> None:
    settings = Settings(**flags)
    assert settings_with_login(settings) == (settings, False)


def test_an_app_for_others_is_not_built_without_a_login(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="login"):
        build(Settings(share=True, data_dir=tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_the_state_is_what_was_set_last() -> None:
    state = ShareState()
    assert state.now == Share(state="off")
    state.set(Share(state="open", url="https://abc.gradio.live"))
    assert state.now.url == "https://abc.gradio.live"
