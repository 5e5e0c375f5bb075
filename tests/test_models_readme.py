"""What `models/README.md` says is so."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import get_args

from webui.checkpoints.catalogue import Catalogue
from webui.checkpoints.models_folder import PICKLE_SUFFIXES
from webui.checkpoints.notes import Notes, WordKind, WordNotes
from webui.checkpoints.places import NOT_SEARCHED
from webui.checkpoints.unet_families import UNET_FAMILIES

README = Path(__file__).resolve().parent.parent / "models" / "README.md"
TEXT = README.read_text(encoding="utf-8")


def test_the_folders_that_are_not_searched_are_listed() -> None:
    (listed,) = re.findall(r"Folders named\n`([^`]*)`", TEXT)
    assert set(listed.split()) == NOT_SEARCHED


def test_the_suffixes_of_pickles_are_listed() -> None:
    (listed,) = re.findall(r"Pickled files\*\* \(`([^`]*)`\)", TEXT)
    assert set(listed.split()) == set(PICKLE_SUFFIXES)


def test_the_example_of_a_note_can_be_read_and_says_all_there_is() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    notes = Notes.model_validate_json(example)
    assert set(json.loads(example)) == set(Notes.model_fields)
    assert set(json.loads(example)["defaults"]) == set(type(notes.defaults).model_fields)
    assert set(json.loads(example)["examples"][0]) == set(type(notes.examples[0]).model_fields)
    assert set(json.loads(example)["vocabulary"]["thing"][0]) == set(WordNotes.model_fields)
    assert all(f"`{kind}`" in TEXT for kind in get_args(WordKind))


def test_the_families_are_named() -> None:
    assert re.search("`sd15`, `sd2` or `sdxl`", TEXT)
    assert [family.id for family in UNET_FAMILIES] == ["sd15", "sd2", "sdxl"]


def test_configs_beside_a_file_are_those_that_are_listed(tmp_path: Path, toy_models: Path) -> None:
    """With no more than the listed files beside it, a toy is recognised and not refused for its sizes."""
    (listed,) = re.findall(r"in `my-model\.components/`: ([^.]*(?:\.json`[^.]*)+)\.", TEXT)
    shutil.copyfile(toy_models / "files" / "toy-sd15-file.safetensors", tmp_path / "my.safetensors")
    assert [c.id for c in Catalogue(tmp_path).refused()] == ["my"]
    for name in re.findall(r"`([^`]*)`", listed):
        place = tmp_path / "my.components" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(toy_models / "files" / "toy-sd15-file.components" / name, place)
    assert Catalogue(tmp_path).get("my").family == "sd15"
