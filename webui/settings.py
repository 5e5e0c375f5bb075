"""The settings of one run: one frozen object, read once from flags and `DARKROOM_…`, and passed on, never looked up.

Knows no torch, no gradio.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from webui.file_names import DEFAULT_PATTERN, PARTS, check_pattern

ROOT = Path(__file__).resolve().parent.parent
LOOPBACK = ("127.0.0.1", "localhost", "::1")
MAX_IDLE_MINUTES = 7 * 24 * 60


class Settings(BaseSettings):
    """Every flag of `python launch.py`; each is also an environment variable `DARKROOM_<NAME>`.

    `python launch.py test` runs the tests, `python launch.py bench` the benchmarks.
    """

    model_config = SettingsConfigDict(
        env_prefix="DARKROOM_", frozen=True, extra="forbid", cli_kebab_case=True, cli_implicit_flags="toggle"
    )

    host: str = Field(
        "127.0.0.1", description="address to serve on; any other than this machine's own needs a login, and gets one"
    )
    port: int = Field(7860, ge=0, le=65535, description="port to serve on; 0 takes a free one")
    share: bool = Field(False, description="open a public link; makes up a login if you give none")
    auth: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="a login for the page and the API; may be given several times; no commas"
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = Field(
        "auto", description="where to compute: auto, cpu, cuda or mps"
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field(
        "auto", description="number type to compute in: auto, fp32, bf16 or fp16"
    )
    models_dir: Path = Field(ROOT / "models", description="folder with checkpoints")
    extra_models_dir: Annotated[tuple[Path, ...], NoDecode] = Field(
        (),
        description="a folder with models of another program, read in place and never written: AUTOMATIC1111, Forge, "
        "ComfyUI (or its `extra_model_paths.yaml`), InvokeAI; may be given several times; no commas",
    )
    data_dir: Path = Field(
        ROOT / "outputs", description="folder for everything that you make: pictures, uploads, database"
    )
    presets_dir: Path = Field(ROOT / "presets", description="folder with looks, styles and wildcards")
    no_browser: bool = Field(False, description="do not open a browser window")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="how much to log: debug, info, warning or error"
    )
    model_memory_gb: float | None = Field(
        None,
        gt=0,
        le=10_000,
        description="memory for loaded checkpoints and critics, in GB; by default 60 % of the device's",
    )
    idle_minutes: float = Field(
        0,
        ge=0,
        le=MAX_IDLE_MINUTES,
        description="minutes after which a checkpoint that is not used is unloaded; 0 keeps it while there is room",
    )

    strip_memory_mb: int = Field(
        512, ge=0, description="memory for the steps of past pictures, in MB; the oldest go first, and 0 keeps none"
    )

    download_mb_per_second: float | None = Field(
        None,
        gt=0,
        le=100_000,
        description="how fast models are downloaded at most, in MB a second; by default as fast as it goes",
    )
    mirror: str | None = Field(
        None,
        min_length=1,
        max_length=500,
        description="a mirror of the Hugging Face Hub for downloads, such as https://hf-mirror.com; it gets no token",
    )
    image_format: Literal["png", "jpeg", "webp"] = Field(
        "png", description="format in which pictures are saved from the page, unless a person chooses another there"
    )
    file_names: str = Field(
        DEFAULT_PATTERN,
        max_length=200,
        description="names of pictures saved from the page; parts: " + " ".join(f"{{{part}}}" for part in PARTS),
    )
    language: Literal["auto", "en", "zh-CN"] = Field(
        "auto", description="language of the page, unless a person chooses one there; auto is the browser's"
    )
    sound: bool = Field(
        False, description="play a short sound when a picture is finished while the page is not in sight"
    )

    @field_validator("auth", "extra_models_dir", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part for part in value.split(",") if part) if isinstance(value, str) else value

    @field_validator("file_names")
    @classmethod
    def _check_file_names(cls, value: str) -> str:
        check_pattern(value)
        return value

    @field_validator("auth")
    @classmethod
    def _check_auth(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for login in value:
            user, colon, password = login.partition(":")
            if not (user and colon and password):
                raise ValueError("a login is USER:PASSWORD")
        return value

    @property
    def logins(self) -> dict[str, str]:
        """The passwords, by user."""
        return dict(login.split(":", 1) for login in self.auth)

    @property
    def is_public(self) -> bool:
        """Whether people on other machines can reach the page."""
        return self.share or self.host not in LOOPBACK
