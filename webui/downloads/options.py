"""Where models come from: the Hub or a mirror of it, Civitai, the tokens for both, and how fast at most."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

HUB = "https://huggingface.co"
CIVITAI = "https://civitai.com"


@dataclass(frozen=True, kw_only=True)
class DownloadOptions:
    """A `mirror` is asked in place of the hub. The hub's token is for the hub, and goes to a mirror only where
    `mirror_gets_token`. `loopback` are origins of this machine that may be asked as well; only tests give any."""

    hub: str = HUB
    mirror: str | None = None
    mirror_gets_token: bool = False
    civitai: str = CIVITAI
    hub_token: str | None = field(default=None, repr=False)
    civitai_token: str | None = field(default=None, repr=False)
    bytes_per_second: float | None = None
    loopback: tuple[str, ...] = ()

    @property
    def endpoint(self) -> str:
        """What is asked for repositories."""
        return self.mirror or self.hub


Options = Callable[[], DownloadOptions]  # as they are at the moment
