"""The operator's settings: what counts, what stands above it, what is kept, and that tokens stay where they are."""

from __future__ import annotations

import errno
import json
import logging
import os
import socket
import stat
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from webui.checkpoints.other_folders import FILE_NAME as FOLDERS_FILE
from webui.checkpoints.other_folders import other_folders
from webui.downloads.addresses import read_address
from webui.downloads.options import DownloadOptions
from webui.downloads.web import Web
from webui.errors import AddressRefused, DiskFull, InvalidRequest, SourceUnreachable
from webui.operator.declared import DECLARED
from webui.operator.kept import FILE_NAME
from webui.operator.operator_settings import Above, OperatorSettings, Shown
from webui.settings import Settings

TOKEN = "hf_SecretSecretSecret"
Make = Callable[..., OperatorSettings]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """A program that starts with these variables and flags, over the same data folder each time."""

    def one(environment: dict[str, str] | None = None, *, login: str | None = None, **flags: Any) -> OperatorSettings:
        with monkeypatch.context() as patch:
            for name, value in (environment or {}).items():
                patch.setenv(name, value)
            arguments = [f"--{name.replace('_', '-')}={value}" for name, value in flags.items()]
            settings = Settings(data_dir=tmp_path / "data", _cli_parse_args=arguments)
        return OperatorSettings(settings, other_folders(settings), environment or {}, lambda: login)

    return one


def shown(operator: OperatorSettings, name: str) -> Shown:
    return next(one for one in operator.show() if one.declared.name == name)


def test_all_but_the_tokens_are_flags_too() -> None:
    assert {one.name for one in DECLARED if one.has_flag} <= set(Settings.model_fields)
    assert [one.name for one in DECLARED if not one.has_flag] == [one.name for one in DECLARED if one.is_secret]


def test_what_is_set_counts_at_once_and_after_a_restart(make: Make) -> None:
    operator = make()
    assert shown(operator, "idle_minutes").value == 0
    heard: list[float] = []
    operator.on_change(lambda settings: heard.append(settings.idle_minutes))
    operator.change({"idle_minutes": 12, "image_format": "webp", "mirror": "https://hf-mirror.com/"})
    assert heard == [12]
    for one in (operator, make()):
        assert (one.now().idle_minutes, one.now().image_format) == (12, "webp")
        assert one.now().mirror == "https://hf-mirror.com"
    operator.change({"idle_minutes": None})
    assert operator.now().idle_minutes == make().now().idle_minutes == 0
    assert shown(operator, "image_format").is_set


def test_flags_and_the_environment_stand_above(make: Make) -> None:
    make().change({"idle_minutes": 12, "mirror": "https://one.example", "civitai_token": "civ_kept_kept"})
    operator = make(
        {"DARKROOM_IDLE_MINUTES": "3", "HF_ENDPOINT": "https://two.example/", "CIVITAI_TOKEN": "civ_outside"},
        download_mb_per_second=2.5,
    )
    assert shown(operator, "idle_minutes").above == Above("environment", "DARKROOM_IDLE_MINUTES")
    assert shown(operator, "download_mb_per_second").above == Above("flag", "--download-mb-per-second")
    assert shown(operator, "mirror").above == Above("environment", "HF_ENDPOINT")
    assert shown(operator, "mirror").value == "https://two.example"
    assert operator.now().idle_minutes == 3
    options = operator.download_options()
    assert (options.endpoint, options.civitai_token) == ("https://two.example", "civ_outside")
    assert options.bytes_per_second == 2_500_000
    for name in ("idle_minutes", "mirror", "civitai_token", "download_mb_per_second"):
        with pytest.raises(InvalidRequest) as raised:
            operator.change({name: None})
        assert raised.value.details["reason"] == "setting_above"
    again = make({"HF_ENDPOINT": "https://two.example"}, mirror="https://three.example", idle_minutes="4")
    assert again.download_options().endpoint == "https://three.example"
    assert shown(again, "mirror").above == Above("flag", "--mirror")
    both = make({"DARKROOM_IDLE_MINUTES": "3"}, idle_minutes="4")
    assert (both.now().idle_minutes, shown(both, "idle_minutes").above) == (4, Above("flag", "--idle-minutes"))


def test_a_mirror_gets_the_token_only_where_both_come_from_outside(make: Make) -> None:
    chosen = {"mirror": "https://mirror.example", "hub_token": TOKEN}
    make().change(chosen)
    assert not make().download_options().mirror_gets_token
    assert not make({"HF_TOKEN": TOKEN}).download_options().mirror_gets_token
    assert not make({"HF_ENDPOINT": "https://mirror.example"}).download_options().mirror_gets_token
    assert make({"HF_ENDPOINT": "https://mirror.example", "HF_TOKEN": TOKEN}).download_options().mirror_gets_token
    make().change({"hub_token": None})
    by_login = make({"HF_ENDPOINT": "https://mirror.example"}, login=TOKEN).download_options()
    assert (by_login.hub_token, by_login.mirror_gets_token) == (TOKEN, True)
    assert not make(login=TOKEN).download_options().mirror_gets_token
    tested = make().download_options(DownloadOptions(hub="https://hub.invalid"))
    assert (tested.hub, tested.endpoint) == ("https://hub.invalid", "https://mirror.example")


@pytest.mark.parametrize(
    ("environment", "login", "kept", "mirror"),
    [
        ({"HF_ENDPOINT": "https://mirror.example/hub", "HF_TOKEN": TOKEN}, None, None, "mirror.example"),
        ({"HF_ENDPOINT": "https://mirror.example"}, TOKEN, None, "mirror.example"),
        ({"HF_ENDPOINT": "https://mirror.example"}, TOKEN, TOKEN, None),
        ({"HF_ENDPOINT": "https://mirror.example"}, None, None, None),
        ({"HF_ENDPOINT": "https://huggingface.co", "HF_TOKEN": TOKEN}, None, None, None),
        ({"HF_TOKEN": TOKEN}, None, None, None),
    ],
)
def test_the_sheet_learns_of_a_mirror_that_gets_the_token(
    make: Make, environment: dict[str, str], login: str | None, kept: str | None, mirror: str | None
) -> None:
    make().change({"hub_token": kept})
    operator = make(environment, login=login)
    assert shown(operator, "hub_token").mirror_with_token == mirror
    assert shown(operator, "civitai_token").mirror_with_token is None


def test_a_token_is_told_to_nobody(make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    operator = make()
    operator.change({"hub_token": f" {TOKEN} "})
    hub = shown(operator, "hub_token")
    assert (hub.value, hub.is_set) == (None, True)
    assert operator.download_options().hub_token == TOKEN
    assert TOKEN not in f"{operator.show()!r} {operator!r} {vars(operator.download_options())['hub']}"
    assert TOKEN not in repr(operator.download_options())
    wrong: tuple[Any, ...] = (f"{TOKEN} {TOKEN}", TOKEN * 100, [TOKEN], {"a": TOKEN}, f"令牌{TOKEN}", f"{TOKEN}\x7f")
    for name, value in [("civitai_token", one) for one in wrong] + [(one, TOKEN) for one in ("idle_minutes", "mirror")]:
        with pytest.raises(InvalidRequest) as raised:
            operator.change({name: value})
        assert TOKEN not in f"{raised.value} {raised.value!r}"
        assert raised.value.__context__ is None
    assert TOKEN not in caplog.text
    file = tmp_path / "data" / FILE_NAME
    assert json.loads(file.read_text()) == {"hub_token": TOKEN}
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_login_of_the_hubs_own_programs_counts_where_nothing_is_set(make: Make) -> None:
    operator = make(login="hf_of_login")
    assert (shown(operator, "hub_token").otherwise, shown(operator, "hub_token").is_set) == ("hf auth login", False)
    assert operator.download_options().hub_token == "hf_of_login"
    operator.change({"hub_token": TOKEN})
    assert (shown(operator, "hub_token").otherwise, operator.download_options().hub_token) == (None, TOKEN)


def test_the_file_is_nobodys_to_break(make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "data" / FILE_NAME
    file.parent.mkdir()
    kept = {"idle_minutes": -1, "image_format": "webp", "hub_token": f"{TOKEN}\n{TOKEN}", "colour": "red"}
    file.write_text(json.dumps(kept))
    assert (make().now().idle_minutes, make().now().image_format) == (0, "webp")
    for broken in ("{", "[]", f'"{TOKEN}', "\x00", "[" * 100_000):
        file.write_text(broken)
        operator = make()
        assert operator.now().image_format == "png"
    operator.change({"sound": True})
    assert make().now().sound is True
    assert file.with_suffix(".unreadable").read_text() == "[" * 100_000
    assert TOKEN not in caplog.text
    assert "idle_minutes" in caplog.text


WRONG = [
    {"colour": "red"}, {"idle_minutes": -1}, {"idle_minutes": 1e9}, {"idle_minutes": "5"}, {"idle_minutes": True},
    {"model_memory_gb": 0}, {"download_mb_per_second": float("inf")}, {"image_format": "gif"}, {"language": "fr"},
    {"sound": "yes"}, {"sound": 1}, {"file_names": "{secret}"}, {"file_names": "../{seed}"}, {"file_names": ""},
    {"file_names": "x" * 201}, {"mirror": "http://hf-mirror.com"}, {"mirror": "https://10.0.0.1"}, {"mirror": ""},
    {"mirror": "https://a:b@hf-mirror.com"}, {"mirror": "https://hf-mirror.com/?x=1"}, {"mirror": "hf-mirror.com"},
    {"mirror": "https://[::1]"}, {"mirror": "https://localhost"}, {"mirror": "https://LocalHost.:8443/hub"},
    {"mirror": "https://hub.localhost"}, {"mirror": "https://127.1"}, {"mirror": "https://0x7f000001"},
    {"mirror": "https://2130706433"}, {"mirror": "https://[::ffff:10.0.0.1]"}, {"mirror": "https://[fe80::1]/hub"},
    {"mirror": ["https://hf-mirror.com"]}, {"extra_models_dir": ["models"]},
    {"extra_models_dir": ["/nowhere/at/all"]}, {"extra_models_dir": "/"}, {"hub_token": "a b c d e f g"},
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_what_cannot_be_is_refused_as_a_whole(make: Make, tmp_path: Path, wrong: dict[str, Any]) -> None:
    operator = make()
    with pytest.raises(InvalidRequest) as raised:
        operator.change({"image_format": "webp", **wrong})
    assert raised.value.details["field"] in wrong
    assert operator.now().image_format == "png"
    assert not (tmp_path / "data" / FILE_NAME).exists()


HOSTS = {
    "localhost": False, "hub.localhost": False, "127.1": False, "10.0.0.1": False, "[::1]": False, "0.0.0.0": False,
    "8.8.8.8": True, "[2606:4700:4700::1111]": True, "hf-mirror.com": True, "localhost.example": True,
}  # fmt: skip


@pytest.mark.parametrize(("host", "is_mirror"), HOSTS.items())
def test_a_mirror_is_refused_as_downloads_would_refuse_it(
    make: Make, monkeypatch: pytest.MonkeyPatch, host: str, is_mirror: bool
) -> None:
    def look_up(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror("nobody is asked")

    monkeypatch.setenv("no_proxy", "*")
    with nullcontext() if is_mirror else pytest.raises(InvalidRequest):
        make().change({"mirror": f"https://{host}"})
    with pytest.raises(SourceUnreachable if is_mirror else AddressRefused):
        Web(resolve=look_up).get(read_address(f"https://{host}/"))


def test_folders_are_those_of_the_sheet_models(make: Make, tmp_path: Path) -> None:
    operator = make(extra_models_dir=str(tmp_path / "given"))
    (tmp_path / "theirs").mkdir()
    operator.change({"extra_models_dir": [str(tmp_path / "theirs")]})
    folders = shown(operator, "extra_models_dir")
    assert (folders.value, folders.given) == ([str(tmp_path / "theirs")], (str(tmp_path / "given"),))
    assert json.loads((tmp_path / "data" / FOLDERS_FILE).read_text()) == [str(tmp_path / "theirs")]
    operator.change({"extra_models_dir": None})
    assert shown(operator, "extra_models_dir").value == []


@pytest.mark.parametrize("failing", ["fsync", "replace"])  # of the settings; of the folders
def test_folders_and_settings_change_together_or_not_at_all(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    operator = make()
    folders = [str(tmp_path / name) for name in ("before", "after")]
    for folder in folders:
        Path(folder).mkdir()
    operator.change({"extra_models_dir": folders[:1], "image_format": "jpeg"})
    replace_file = os.replace

    def has_no_room(*places: Any) -> None:
        if failing == "fsync" or Path(places[1]).name == FOLDERS_FILE:
            raise OSError(errno.ENOSPC, "full")
        replace_file(*places)

    with monkeypatch.context() as patch:
        patch.setattr(os, failing, has_no_room)
        with pytest.raises(DiskFull):
            operator.change({"extra_models_dir": folders[1:], "image_format": "webp"})
    for one in (operator, make()):
        assert shown(one, "extra_models_dir").value == folders[:1]
        assert one.now().image_format == "jpeg"
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == [FOLDERS_FILE, FILE_NAME]
    operator.change({"extra_models_dir": folders[1:], "image_format": "webp"})
    assert (shown(make(), "extra_models_dir").value, make().now().image_format) == (folders[1:], "webp")
