"""The operator's settings as they count at the moment: what flags and the environment say, else what was set here."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from huggingface_hub import get_token
from pydantic import ValidationError

from webui.checkpoints.other_folders import OtherFolders
from webui.downloads.addresses import read_address
from webui.downloads.options import HUB, DownloadOptions
from webui.errors import DarkroomError, InvalidRequest
from webui.operator.declared import BY_NAME, DECLARED, Declared, adapter_of
from webui.operator.kept import FILE_NAME, read_kept, write_kept
from webui.settings import Settings
from webui.storage.files import naming_refusals

_FOLDERS = "extra_models_dir"
HUB_LOGIN = "hf auth login"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Above:
    """What was said when the program was started: a flag such as `--mirror`, or an environment variable."""

    kind: Literal["flag", "environment"]
    name: str


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One setting for people. `value` is what counts, and None for a token; `is_set` says whether anybody set it.
    `given` are folders that come from flags beside those that were added, `otherwise` where a token comes from that
    nobody set, `mirror_with_token` the host that gets a token in place of the Hub."""

    declared: Declared
    value: Any
    is_set: bool
    above: Above | None
    given: tuple[str, ...] = ()
    otherwise: str | None = None
    mirror_with_token: str | None = None


class OperatorSettings:
    """Kept in the data folder. Thread-safe."""

    def __init__(
        self,
        settings: Settings,
        folders: OtherFolders,
        environment: Mapping[str, str] = os.environ,
        hub_login: Callable[[], str | None] = get_token,
    ) -> None:
        """`hub_login` reads the token that the Hub's own programs keep on this machine."""
        self._started = settings
        self._folders = folders
        self._environment = environment
        self._hub_login = hub_login
        self._file = settings.data_dir / FILE_NAME
        self._lock = threading.Lock()
        self._kept = read_kept(self._file)
        self._listeners: list[Callable[[Settings], None]] = []
        self._now = self._combined()

    def now(self) -> Settings:
        """The settings of this run, with what was set here where no flag or variable says otherwise."""
        return self._now

    def on_change(self, listener: Callable[[Settings], None]) -> None:
        """`listener` hears of every change, in the thread of whoever makes it."""
        self._listeners.append(listener)

    def change(self, values: Mapping[str, Any]) -> None:
        """Sets these at once, all or none of them; None takes one back. Raises InvalidRequest, which tells nothing of
        the values, DiskFull, FolderNotWritable."""
        checked = {}
        for name, value in values.items():
            if name not in BY_NAME:
                raise InvalidRequest(field=str(name)[:40], reason="setting_unknown")
            if (above := self._above(BY_NAME[name])) is not None:
                raise InvalidRequest(field=name, reason="setting_above", name=above.name)
            checked[name] = None if value is None else BY_NAME[name].checked(value)
        with self._lock:
            added = checked.pop(_FOLDERS, None)
            kept = {name: value for name, value in {**self._kept, **checked}.items() if value is not None}
            if _FOLDERS in values:
                self._write_with_folders(kept, [Path(one) for one in added or ()])
            elif checked:
                write_kept(self._file, kept)
            self._kept = kept
            self._now = self._combined()
        _log.info("settings changed: %s", ", ".join(sorted(values)))
        for listener in self._listeners:
            listener(self._now)

    def show(self) -> tuple[Shown, ...]:
        """All of them, without the tokens."""
        return tuple(self._shown(declared) for declared in DECLARED)

    def download_options(self, base: DownloadOptions | None = None) -> DownloadOptions:
        """Where models come from now; `base` stands in for the Hub, Civitai and the Hub's login of this machine.

        A token is for the Hub itself. A mirror gets it only where both come from the environment, as with the Hub's own
        programs: then one person named them for each other.
        """
        hub_token, is_from_outside = self._hub_token(base)
        mirror, is_variable = self._mirror()
        options = base or DownloadOptions(hub=HUB)
        speed = self._now.download_mb_per_second
        return replace(
            options,
            mirror=mirror or options.mirror,
            mirror_gets_token=(is_variable and is_from_outside) if mirror else options.mirror_gets_token,
            hub_token=hub_token,
            civitai_token=self._token("civitai_token") or options.civitai_token,
            bytes_per_second=options.bytes_per_second if speed is None else speed * 1e6,
        )

    def _write_with_folders(self, kept: Mapping[str, Any], folders: Sequence[Path]) -> None:
        """Both files or none. The folders, written beside, take their place once the other file stands; where that
        fails, the other is put back. Raises DiskFull, FolderNotWritable."""
        is_written = False
        try:
            with naming_refusals(self._file.parent), self._folders.replacing(folders):
                if kept != self._kept:
                    write_kept(self._file, kept)
                    is_written = True
        except (OSError, DarkroomError):
            if is_written:
                write_kept(self._file, self._kept)
            raise

    def _hub_token(self, base: DownloadOptions | None) -> tuple[str | None, bool]:
        """The token, and whether it was there before the program was started."""
        above = self._above(BY_NAME["hub_token"])
        token = self._token("hub_token")
        if token is not None:
            return token, above is not None
        return (self._hub_login() if base is None else base.hub_token), True

    def _mirror(self) -> tuple[str | None, bool]:
        """The mirror, and whether `HF_ENDPOINT` names it."""
        above = self._above(BY_NAME["mirror"])
        value: str | None = self._value(BY_NAME["mirror"], above)
        return value, above is not None and above.name in BY_NAME["mirror"].variables

    def _token(self, name: str) -> str | None:
        declared = BY_NAME[name]
        token: str | None = self._value(declared, self._above(declared))
        return token

    def _shown(self, declared: Declared) -> Shown:
        if declared.name == _FOLDERS:
            added = [str(folder) for folder in self._folders.added()]
            given = tuple(str(folder) for folder in self._folders.given)
            return Shown(declared=declared, value=added, is_set=bool(added), above=None, given=given)
        above = self._above(declared)
        value = self._value(declared, above)
        is_set = above is not None or declared.name in self._kept
        if not declared.is_secret:
            return Shown(declared=declared, value=value, is_set=is_set, above=above)
        if declared.name != "hub_token":
            return Shown(declared=declared, value=None, is_set=is_set, above=above)
        options = self.download_options()
        login = HUB_LOGIN if not is_set and options.hub_token else None
        mirror = _mirror_with_token(options)
        return Shown(
            declared=declared, value=None, is_set=is_set, above=above, otherwise=login, mirror_with_token=mirror
        )

    def _value(self, declared: Declared, above: Above | None) -> Any:
        if above is not None and above.name in declared.variables:
            value = self._environment[above.name].strip()
            return value.rstrip("/") if declared.kind == "address" else value
        if declared.has_flag:
            return getattr(self._now, declared.name)
        return self._kept.get(declared.name)

    def _above(self, declared: Declared) -> Above | None:
        if declared.name == _FOLDERS:
            return None
        if declared.has_flag and declared.name in self._started.model_fields_set:
            variable = f"DARKROOM_{declared.name.upper()}"
            if self._says(variable, declared.name):
                return Above("environment", variable)
            return Above("flag", f"--{declared.name.replace('_', '-')}")
        return next((Above("environment", one) for one in declared.variables if self._environment.get(one)), None)

    def _says(self, variable: str, name: str) -> bool:
        """Whether this variable, and no flag beside it, gave the setting its value."""
        said = next((value for key, value in self._environment.items() if key.upper() == variable), None)
        try:
            return said is not None and adapter_of(name).validate_python(said) == getattr(self._started, name)
        except ValidationError:
            return False

    def _combined(self) -> Settings:
        set_here = {name: value for name, value in self._kept.items() if BY_NAME[name].has_flag}
        counting = {name: value for name, value in set_here.items() if self._above(BY_NAME[name]) is None}
        return self._started.model_copy(update=counting)


def _mirror_with_token(options: DownloadOptions) -> str | None:
    """The host of the mirror that gets the Hub's token, if one does."""
    if not (options.hub_token and options.mirror_gets_token):
        return None
    host = read_address(options.endpoint).host
    return None if host == read_address(options.hub).host else host
