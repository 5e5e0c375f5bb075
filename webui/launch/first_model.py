"""Whether a model for photographs is to be downloaded, too: asked on the page that waits for the packages, where only
the person at this machine can answer. The page names the models that it may be, and their licences. Standard library
only.

The program reads the answer when it starts (`webui/downloads/first_model.py`).
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from webui.downloads.wish import is_unused, keep_wish, read_wish
from webui.launch.address import Address, is_here

TOKEN_HEADER = "Darkroom-Token"
_YES = ("1", "true", "yes", "on")
_MAX_BODY_BYTES = 1000


@dataclass(frozen=True)
class Model:
    """One that may be downloaded, and what is agreed to with it: the names of its licence and of the page that tells of
    it. `may_sell` the pictures: None where there are conditions, or nobody says."""

    name: str
    licence: str | None
    may_sell: bool | None
    page: str | None


class FirstModelQuestion:
    """The question of one waiting page. Its token is in the page alone, which other sites cannot read. `models` are
    those that may come."""

    def __init__(self, data_dir: Path, models: Sequence[Model]) -> None:
        self._data_dir = data_dir
        self.models = tuple(models)
        self.token = secrets.token_urlsafe(24)

    @property
    def answer(self) -> bool | None:
        """What was answered so far."""
        return read_wish(self._data_dir)

    def keep(self, headers: Message, body: bytes) -> bool:
        """Whether an answer, `{"wanted": true}`, was taken: it comes from our page, and can be kept."""
        said = headers.get(TOKEN_HEADER) or ""
        if not is_local(headers) or not secrets.compare_digest(said.encode(), self.token.encode()):
            return False
        try:
            found = json.loads(body[:_MAX_BODY_BYTES])
            wanted = found["wanted"]
            if not isinstance(wanted, bool):
                return False
            keep_wish(self._data_dir, wanted)
        except (ValueError, TypeError, KeyError, RecursionError, OSError):
            return False
        return True


def question_for(root: Path, arguments: Sequence[str], address: Address) -> FirstModelQuestion | None:
    """None where it is not to be asked: others can reach the page or log in, nothing is to be fetched from the Hub, or
    the program has run with this data folder before, or no model is named for it."""
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False, allow_abbrev=False)
    parser.add_argument("--data-dir", default=os.environ.get("DARKROOM_DATA_DIR") or str(root / "outputs"))
    parser.add_argument("--presets-dir", default=os.environ.get("DARKROOM_PRESETS_DIR") or str(root / "presets"))
    parser.add_argument("--auth", default=os.environ.get("DARKROOM_AUTH"))
    parser.add_argument("--share", action="store_true", default=_is_on("DARKROOM_SHARE"))
    try:
        found, _ = parser.parse_known_args(list(arguments))
    except argparse.ArgumentError:
        return None  # the real parser complains about it later
    is_alone = is_here(address.host) and not found.share and not found.auth
    data_dir, models = Path(found.data_dir), read_models(Path(found.presets_dir))
    is_asked = is_alone and not _is_on("HF_HUB_OFFLINE") and is_unused(data_dir) and models
    return FirstModelQuestion(data_dir, models) if is_asked else None


def read_models(presets_dir: Path) -> tuple[Model, ...]:
    """Those that may come with the first start, as `models.json` there names them; none where it cannot be read."""
    try:
        offered = json.loads((presets_dir / "models.json").read_text("utf-8"))
        bundles = [bundle for bundle in offered["bundles"] if bundle["id"] in offered["first"]]
        return tuple(_model(bundle["name"], bundle["license"]) for bundle in bundles)
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return ()


def _model(name: str, license: dict[str, Any]) -> Model:
    pages = license.get("read", [])
    return Model(name, license["name"], license["may_sell"], pages[0]["url"] if pages else None)


def is_local(headers: Message) -> bool:
    """Whether a call is for this machine under a name of its own, directly, and from no other site's page."""
    host = headers.get("Host") or ""
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    origin = headers.get("Origin")
    is_own = origin is None or origin == f"http://{host}"
    return is_here(name or "") and is_own and headers.get("X-Forwarded-For") is None


def _is_on(name: str) -> bool:
    return os.environ.get(name, "").lower() in _YES
