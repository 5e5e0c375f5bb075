"""Where models come from: the Hub or a mirror of it, Civitai, the tokens for both, and how fast at most."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from huggingface_hub import get_token

HUB = "https://huggingface.co"
CIVITAI = "https://civitai.com"


@dataclass(frozen=True, kw_only=True)
class DownloadOptions:
    """`loopback` are origins of this machine that may be asked as well; only tests give any."""

    hub: str = HUB
    civitai: str = CIVITAI
    hub_token: str | None = field(default=None, repr=False)
    civitai_token: str | None = field(default=None, repr=False)
    bytes_per_second: float | None = None
    loopback: tuple[str, ...] = ()


def options_from(environment: Mapping[str, str], megabytes_per_second: float | None = None) -> DownloadOptions:
    """`HF_ENDPOINT` names a mirror; the Hub's token is where its own programs look for it, or in `HF_TOKEN`."""
    return DownloadOptions(
        hub=environment.get("HF_ENDPOINT", "").rstrip("/") or HUB,
        hub_token=get_token() if environment is os.environ else environment.get("HF_TOKEN"),
        civitai_token=environment.get("CIVITAI_API_TOKEN") or environment.get("CIVITAI_TOKEN"),
        bytes_per_second=None if megabytes_per_second is None else megabytes_per_second * 1e6,
    )
