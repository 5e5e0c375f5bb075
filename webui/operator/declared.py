"""Every setting of the operator, declared once: its kind and range, its default, and what stands above it.

All but the tokens are flags, too, and have their type, range and default from there. Tokens are no flags, since anybody
on the machine can read those.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import TypeAdapter, ValidationError

from webui.downloads.addresses import is_private_host, read_address
from webui.errors import AddressRefused, InvalidRequest
from webui.file_names import PARTS, check_pattern
from webui.settings import Settings

Kind = Literal["folders", "token", "address", "number", "choice", "file_names", "switch"]
Effect = Literal["at_once", "reload"]  # the latter: on a page that is loaded again
_TOKEN_CHARACTERS = range(8, 501)


@dataclass(frozen=True, kw_only=True)
class Declared:
    """One setting. `has_flag`: `--name` and `DARKROOM_NAME` stand above it; so do `variables`, which other programs
    know as well, the first that is set."""

    name: str
    kind: Kind
    has_flag: bool = True
    variables: tuple[str, ...] = ()
    effect: Effect = "at_once"

    @property
    def is_secret(self) -> bool:
        """Whether nobody is told what it is."""
        return self.kind == "token"

    @property
    def default(self) -> Any:
        """What counts where nobody says anything."""
        return Settings.model_fields[self.name].default if self.has_flag else None

    @property
    def limits(self) -> dict[str, float]:
        """The range of a number, in the words of JSON schema."""
        marks = Settings.model_fields[self.name].metadata if self.kind == "number" else ()
        words = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum"}
        return {word: getattr(mark, short) for mark in marks for short, word in words.items() if hasattr(mark, short)}

    @property
    def choices(self) -> tuple[str, ...]:
        """The values that it can have, where these are few; the parts of a pattern."""
        match self.kind:
            case "choice":
                return get_args(Settings.model_fields[self.name].annotation)
            case "file_names":
                return PARTS
            case _:
                return ()

    def checked(self, value: Any) -> Any:
        """The value as it is kept: JSON. Raises InvalidRequest, which tells nothing of the value."""
        try:
            return self._checked(value)
        except (ValidationError, ValueError, AddressRefused):
            limits = self.limits  # out of the block, so that no traceback ever leads to the value
        reason = f"setting_{self.kind}_above" if "exclusiveMinimum" in limits else f"setting_{self.kind}"
        low = limits.get("minimum", limits.get("exclusiveMinimum", 0))
        choices = ", ".join(self.choices)
        raise InvalidRequest(
            field=self.name, reason=reason, choices=choices, low=low, high=limits.get("maximum", 0)
        ) from None

    def _checked(self, value: Any) -> Any:
        match self.kind:
            case "folders":
                return [_folder(one) for one in TypeAdapter(list[str]).validate_python(value, strict=True)]
            case "token":
                return _token(value)
            case "address":
                return _mirror(adapter_of(self.name).validate_python(value, strict=True))
            case "file_names":
                check_pattern(adapter_of(self.name).validate_python(value, strict=True))
        return adapter_of(self.name).validate_python(value, strict=True)


DECLARED = (
    Declared(name="extra_models_dir", kind="folders"),
    Declared(name="hub_token", kind="token", has_flag=False, variables=("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")),
    Declared(name="civitai_token", kind="token", has_flag=False, variables=("CIVITAI_API_TOKEN", "CIVITAI_TOKEN")),
    Declared(name="mirror", kind="address", variables=("HF_ENDPOINT",)),
    Declared(name="download_mb_per_second", kind="number"),
    Declared(name="model_memory_gb", kind="number"),
    Declared(name="idle_minutes", kind="number"),
    Declared(name="image_format", kind="choice", effect="reload"),
    Declared(name="file_names", kind="file_names"),
    Declared(name="sound", kind="switch", effect="reload"),
    Declared(name="language", kind="choice", effect="reload"),
)
BY_NAME = {declared.name: declared for declared in DECLARED}


@functools.cache
def adapter_of(name: str) -> TypeAdapter[Any]:
    """Type and range of a flag."""
    field = Settings.model_fields[name]
    kind: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    return TypeAdapter(kind)


def _folder(path: str) -> str:
    """A folder, or ComfyUI's list of folders, that is there. Raises ValueError."""
    folder = Path(path).expanduser()
    if not folder.is_absolute() or not folder.exists():
        raise ValueError("no such folder")
    return str(folder)


def _token(value: Any) -> str:
    """Signs that a header can hold. Raises ValueError."""
    token = value.strip() if isinstance(value, str) else ""
    if len(token) not in _TOKEN_CHARACTERS or not all("!" <= sign <= "~" for sign in token):
        raise ValueError("no token")
    return token


def _mirror(value: str) -> str:
    """An https address without query, of a host that is not private as it is written. Where a name leads is looked up
    at each download, which refuses it if need be. Raises ValueError, AddressRefused."""
    address = read_address(value.strip())
    if address.scheme != "https" or "?" in address.target or "#" in value or is_private_host(address.host):
        raise ValueError("no mirror")
    return value.strip().rstrip("/")
