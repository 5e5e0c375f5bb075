"""What is in the models folder: checkpoints that can be loaded, and those that cannot, each with its reason.

Reads names, headers and small configs, never weights; the web process and the worker use it alike. Knows no torch.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from webui.capabilities import Capability
from webui.checkpoints.architecture import recognise
from webui.checkpoints.converted import ConvertedFiles
from webui.checkpoints.decoding import Decoding, read_decoding
from webui.checkpoints.diffusers_folder import DiffusersFolder, clip_layers, read_folder
from webui.checkpoints.family import Defaults as Defaults
from webui.checkpoints.family import Family
from webui.checkpoints.made_for import MadeFor, of_file, with_few_steps
from webui.checkpoints.models_folder import Found, find_checkpoints
from webui.checkpoints.notes import Notes, WordKind, WordNotes, apply_notes, read_notes
from webui.checkpoints.other_folders import OtherFolders
from webui.checkpoints.refusals import Broken, Pickled, Refusal, Unrecognised
from webui.checkpoints.renamed import Renamed
from webui.checkpoints.safetensors_header import read_header
from webui.errors import (
    CheckpointBroken,
    CheckpointNotFound,
    CheckpointPickled,
    DarkroomError,
    FamilyUnknown,
    FolderGone,
    NoCheckpoint,
)

DEFAULT_CHECKPOINT = "starter"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Example:
    """A prompt that a checkpoint is good at, in both languages; `picture` is the result, if it is beside the
    checkpoint.
    """

    prompt: str
    prompt_zh: str = ""
    seed: int | None = None
    picture: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """One checkpoint below the models folder.

    `family` is `sd15`, `sd2`, `sdxl` or the name of a diffusers pipeline class. A checkpoint with a `problem` cannot be
    loaded; fields that could not be read are then empty. `own_defaults` are those without the small file beside it.
    """

    id: str  # path below models/ without suffix, "/" between; "name:path" in a folder of another program
    name: str
    path: Path
    form: Literal["folder", "file"]
    family: str
    is_inpainting: bool = False
    size_bytes: int
    tasks: frozenset[str] = frozenset()
    defaults: Defaults
    own_defaults: Defaults | None = None
    made_for: MadeFor | None = None  # what its makers say, where it is a checkpoint of few steps
    is_introductory: bool = False  # it comes with Darkroom, to be followed by a real one
    examples: tuple[Example, ...] = ()
    vocabulary: Mapping[WordKind, tuple[WordNotes, ...]] = field(default_factory=dict)  # empty: it may know any word
    problem: DarkroomError | None = None
    is_zero_terminal_snr: bool = False
    clip_layers: int | None = None  # of the smaller text encoder: what CLIP skip can skip, where the family can do that
    folder: DiffusersFolder | None = field(default=None, repr=False)  # the parts, where it is a diffusers folder
    components: Path | None = None  # configs of the parts, where it is a single file
    decoding: Decoding = field(default=Decoding(), repr=False)
    version: str = ""  # changes with any file of it
    place: str = ""  # the name of the other program's folder that it lies in


_NO_DEFAULTS = Defaults(width=512, height=512, steps=20, guidance_scale=7.0, scheduler="euler", sigmas="default")


class Catalogue:
    """The checkpoints below our folder and those of other programs. Looks again at every call; reads only what has
    changed since. Thread-safe."""

    def __init__(
        self,
        models_dir: Path,
        others: OtherFolders | None = None,
        known_hashes: Callable[[], Mapping[str, tuple[str, str]]] = dict,
        converted: ConvertedFiles | None = None,
    ) -> None:
        """`known_hashes`: (version, hash) by id, by which a checkpoint is found that somebody renamed on the disk;
        `converted`: copies of what lies beside the checkpoints and is pickled."""
        self.models_dir = models_dir
        self.others = others or OtherFolders()
        self.converted = converted or ConvertedFiles()
        self.renamed = Renamed(models_dir)
        self._known_hashes = known_hashes
        self._lock = threading.Lock()
        self._read: dict[str, Checkpoint] = {}  # with the names that their own files give
        self._seen: tuple[Checkpoint, ...] = ()

    def list(self) -> tuple[Checkpoint, ...]:
        """The checkpoints that can be loaded, by id."""
        return tuple(checkpoint for checkpoint in self._look() if checkpoint.problem is None)

    def last_seen(self) -> tuple[Checkpoint, ...]:
        """The same as the last look found them, without another one where there was one."""
        with self._lock:
            seen = self._seen
        return tuple(one for one in seen if one.problem is None) if seen else self.list()

    def refused(self) -> tuple[Checkpoint, ...]:
        """The checkpoints that cannot be loaded, each with its `problem`, by id."""
        return tuple(checkpoint for checkpoint in self._look() if checkpoint.problem is not None)

    def everything(self) -> tuple[Checkpoint, ...]:
        """All of them, those with a `problem` too, by id."""
        return self._look()

    def get(self, id: str) -> Checkpoint:
        """The checkpoint that is called so, or else the one that was.

        Raises CheckpointNotFound, FolderGone, CheckpointBroken, CheckpointPickled or FamilyUnknown.
        """
        by_id = {checkpoint.id: checkpoint for checkpoint in self._look()}
        checkpoint = by_id.get(id) or by_id.get(self.renamed.now(id) or "") or self._of_same_hash(id, by_id)
        if checkpoint is not None:
            if checkpoint.problem is not None:
                raise type(checkpoint.problem)(**checkpoint.problem.details)
            return checkpoint
        name = id.partition(":")[0]
        if any(place.name == name and not place.is_there for place in self.others.places()):
            raise FolderGone(checkpoint=id, folder=name)
        raise CheckpointNotFound(checkpoint=id)

    def _of_same_hash(self, id: str, by_id: Mapping[str, Checkpoint]) -> Checkpoint | None:
        known = self._known_hashes()
        if id not in known:
            return None
        wanted = known[id][1]
        return next((one for one in by_id.values() if known.get(one.id) == (one.version, wanted)), None)

    def default(self) -> Checkpoint:
        """The starter if it exists, else the first checkpoint. Raises NoCheckpoint."""
        usable = self.list()
        if not usable:
            raise NoCheckpoint(folder=self.models_dir.name)
        return next((checkpoint for checkpoint in usable if checkpoint.id == DEFAULT_CHECKPOINT), usable[0])

    def _look(self) -> tuple[Checkpoint, ...]:
        with self._lock:
            read: dict[str, Checkpoint] = {}
            seen: list[Checkpoint] = []
            for found in find_checkpoints(self.models_dir, self.others.places()):
                known = self._read.get(found.id)
                version = found.version()
                if known is None or known.version != version:
                    known = replace(_read(found), version=version, place=found.place)
                    if known.problem is not None:
                        _log.warning("refused: %s", known.problem)
                read[found.id] = known
                seen.append(replace(known, name=found.title) if found.title else known)
            self._read, self._seen = read, tuple(seen)
            return self._seen


def _read(found: Found) -> Checkpoint:
    """One checkpoint; whatever is wrong with it becomes its problem and nobody else's."""
    try:
        if found.form == "pickle":
            raise Pickled("pickled")
        notes = read_notes(found.notes)
        return _read_folder(found, notes) if found.form == "folder" else _read_file(found, notes)
    except (Refusal, OSError) as error:
        problem = problem_of(found.id, error)
    except Exception:  # noqa: BLE001  (configs are foreign JSON: what nobody thought of must not hide the others)
        _log.exception("cannot recognise %s", found.id)
        problem = CheckpointBroken(checkpoint=found.id, reason="config_unreadable")
    return Checkpoint(
        id=found.id,
        name=found.path.name,
        path=found.path,
        form="folder" if found.form == "folder" else "file",
        family="",
        size_bytes=0,
        defaults=_NO_DEFAULTS,
        problem=problem,
    )


def problem_of(id: str, error: Refusal | OSError) -> DarkroomError:
    """The domain error for a refusal, or for a file that cannot be read, as the job that asked for the checkpoint gets
    it.
    """
    match error:
        case Pickled():
            return CheckpointPickled(checkpoint=id)
        case Unrecognised():
            return FamilyUnknown(checkpoint=id, reason=error.reason, **error.details)
        case Refusal():
            return CheckpointBroken(checkpoint=id, reason=error.reason, **error.details)
    _log.warning("cannot read %s: %s", id, error)
    return CheckpointBroken(checkpoint=id, reason="unreadable")


def _read_folder(found: Found, notes: Notes) -> Checkpoint:
    folder = read_folder(found.path)
    tuned = _tuned(folder.family, folder.prediction_type, folder.is_zero_terminal_snr, folder.native_size)
    defaults = with_few_steps(tuned, folder.made_for)
    return Checkpoint(
        id=found.id,
        name=notes.name or found.path.name,
        path=found.path,
        form="folder",
        family=folder.family.id,
        is_inpainting=folder.is_inpainting,
        size_bytes=folder.size_bytes,
        tasks=folder.family.tasks,
        defaults=apply_notes(notes, defaults),
        own_defaults=defaults,
        made_for=folder.made_for,
        is_introductory=notes.is_introductory,
        examples=_examples(found.path, notes),
        vocabulary=notes.vocabulary,
        is_zero_terminal_snr=folder.is_zero_terminal_snr,
        clip_layers=clip_layers(found.path) if Capability.CLIP_SKIP in folder.family.capabilities else None,
        folder=folder,
        decoding=read_decoding(found.path),
    )


def _read_file(found: Found, notes: Notes) -> Checkpoint:
    own_components = found.components if found.components.is_dir() else None
    header = read_header(found.path)
    recognised = recognise(header, own_components)
    family = recognised.family
    components = own_components or family.components_for(recognised.is_inpainting)
    if components is None:
        raise Unrecognised("foreign")
    found_kind = of_file(found.path, family.id, header.metadata)
    prediction_type, size = recognised.prediction_type, None
    if found_kind is not None and found_kind.size is not None:
        prediction_type, size = prediction_type or found_kind.prediction_type, found_kind.size
    elif family.id == "sd2":
        prediction_type, size = _guess_sd2(found.path.stem, recognised.is_inpainting, prediction_type)
    zero_snr = recognised.is_zero_terminal_snr
    tuned = _tuned(family, prediction_type or family.defaults.prediction_type, zero_snr, size)
    defaults = with_few_steps(tuned, found_kind)
    return Checkpoint(
        id=found.id,
        name=notes.name or found.path.stem,
        path=found.path,
        form="file",
        family=family.id,
        is_inpainting=recognised.is_inpainting,
        size_bytes=found.path.stat().st_size,
        tasks=family.tasks,
        defaults=apply_notes(notes, defaults),
        own_defaults=defaults,
        made_for=found_kind,
        is_introductory=notes.is_introductory,
        examples=_examples(found.path.parent, notes),
        vocabulary=notes.vocabulary,
        is_zero_terminal_snr=zero_snr,
        clip_layers=clip_layers(components),
        components=components,
        decoding=read_decoding(components),
    )


def _guess_sd2(stem: str, is_inpainting: bool, said: str | None) -> tuple[str, int]:
    """The prediction type and size of an SD 2.x file, neither of which is in its tensors.

    The published ones are `512-base-ema`, `512-inpainting-ema` (epsilon at 512 pixels) and `768-v-ema`,
    `v2-1_768-ema-pruned` (v at 768), and most others descend from the latter. So: what the file says about itself; else
    epsilon for inpainting and if the name contains "512" or "base"; else v. The note beside the file overrides this.
    """
    looks_base = is_inpainting or "512" in stem or "base" in stem.casefold()
    prediction_type = said or ("epsilon" if looks_base else "v_prediction")
    return prediction_type, 512 if looks_base else 768


def _tuned(family: Family, prediction_type: str | None, is_zero_terminal_snr: bool, size: int | None) -> Defaults:
    """The family's defaults, adjusted to what the checkpoint says about itself."""
    defaults = replace(family.defaults, prediction_type=prediction_type)
    if size is not None:
        defaults = replace(defaults, width=size, height=size)
    if is_zero_terminal_snr:  # the first sigma is infinite then, from which Karras' schedule cannot start
        defaults = replace(defaults, scheduler="ddim", sigmas="default")
    return defaults


def _examples(folder: Path, notes: Notes) -> tuple[Example, ...]:
    """The examples in the notes; a picture counts only if it is in `folder`."""
    examples = []
    for note in notes.examples:
        picture = (folder / note.picture).resolve() if note.picture else None
        if picture is not None and not (picture.is_relative_to(folder.resolve()) and picture.is_file()):
            raise Broken("notes")
        examples.append(Example(prompt=note.prompt, prompt_zh=note.prompt_zh, seed=note.seed, picture=picture))
    return tuple(examples)
