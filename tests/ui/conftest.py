"""A page to look at without a server: real presets, a catalogue of one checkpoint, nobody behind it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast

import gradio as gr
import pytest

from webui.checkpoints.catalogue import Catalogue, Checkpoint, Defaults, Example
from webui.errors import NoCheckpoint
from webui.presets import Presets
from webui.settings import ROOT, Settings
from webui.share.link import ShareState
from webui.texts import Texts
from webui.ui.page import build_page

DEFAULTS = Defaults(width=256, height=192, steps=20, guidance_scale=5.0, scheduler="ddim", sigmas="default")


def checkpoint(id: str = "starter", name: str = "Starter", examples: tuple[Example, ...] = ()) -> Checkpoint:
    """A checkpoint as the catalogue lists it."""
    return Checkpoint(
        id=id,
        name=name,
        path=Path(id),
        form="folder",
        family="sd15",
        is_inpainting=False,
        size_bytes=1,
        tasks=frozenset({"text_to_image", "image_to_image"}),
        defaults=DEFAULTS,
        examples=examples,
    )


class OneCheckpoint:
    """The part of the catalogue that the page asks for."""

    def __init__(self, *checkpoints: Checkpoint) -> None:
        self.checkpoints = checkpoints

    def list(self) -> tuple[Checkpoint, ...]:
        return tuple(one for one in self.checkpoints if one.problem is None)

    def refused(self) -> tuple[Checkpoint, ...]:
        return tuple(one for one in self.checkpoints if one.problem is not None)

    def get(self, id: str) -> Checkpoint:
        return next(one for one in self.checkpoints if one.id == id)

    def default(self) -> Checkpoint:
        if not self.checkpoints:
            raise NoCheckpoint(folder="models")
        return self.checkpoints[0]


def page_of(catalogue: OneCheckpoint, settings: Settings) -> gr.Blocks:
    """The page on stand-ins. Built in a running event loop: without one, Gradio makes two and never closes them."""

    async def build() -> gr.Blocks:
        return build_page(
            catalogue=cast(Catalogue, catalogue),
            presets=Presets(ROOT / "presets"),
            texts=Texts(),
            settings=lambda: settings,
            share=ShareState(),
        )

    return asyncio.run(build())


@pytest.fixture
def presets() -> Presets:
    return Presets(ROOT / "presets")


@pytest.fixture
def page(tmp_path: Path) -> gr.Blocks:
    return page_of(OneCheckpoint(checkpoint()), Settings(data_dir=tmp_path))
