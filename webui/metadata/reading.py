"""What the texts of a picture, or a text that somebody pastes, say about how it was made: as settings of ours, with
what has no place among them and notes on the rest. Any text gives an answer; nothing here raises.

Tried in this order: our own JSON, that of other programs, A1111's line (also of Forge, SD.Next and Fooocus), and
ComfyUI's graph, first as it ran, then as it was drawn.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from pydantic import ValidationError

from webui.metadata.comfyui import read_prompt, read_workflow
from webui.metadata.described import Described
from webui.metadata.embedded_texts import MAX_TEXT_BYTES, Text
from webui.metadata.findings import MAX_UNKNOWN, FindCheckpoint, Findings, FindVae, Note, no_vae, set_checkpoint
from webui.metadata.from_comfyui import read_picture
from webui.metadata.from_infotext import read_settings, source_of
from webui.metadata.from_programs import read_described
from webui.metadata.infotext import read_infotext
from webui.metadata.programs import described, described_in
from webui.metadata.xmp import XMP_USER_COMMENT, xmp_texts
from webui.requests import REQUESTS, Request, from_dict, to_dict
from webui.requests.field_types import MAX_SEED, SCHEMA_VERSION
from webui.requests.fields import picture_fields
from webui.rules.again import image_of, made_again

_INFOTEXT_NAMES = ("parameters", "UserComment", "Comment", "ImageDescription", "text", XMP_USER_COMMENT)
_FILLED_IN = ("resolved_prompts", "resolved_from", "schema_version")  # by the program, not by a person


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What was found.

    - `source`: `darkroom a1111 forge sdnext comfyui invokeai fooocus novelai swarmui easydiffusion drawthings`, or
      `none` if no settings were found.
    - `settings`: fields of a request, `task` among them, all with valid values.
    - `unknown`: names and values as they were written.
    - `again`: the request that makes the picture again, if our own JSON is complete.
    """

    source: str
    settings: dict[str, Any]
    unknown: tuple[tuple[str, str], ...] = ()
    notes: tuple[Note, ...] = ()
    again: Request | None = None


def read_texts(texts: Iterable[Text], find: FindCheckpoint, find_vae: FindVae = no_vae) -> Inspection:
    """The most that the texts of one picture say."""
    named = {text.name: text.text for text in reversed(tuple(texts))}  # the first of each name
    named |= xmp_texts(named.get("XMP", ""))
    candidates = [("infotext", named.get(name)) for name in _INFOTEXT_NAMES]
    candidates += [(name, named.get(name)) for name in ("prompt", "workflow")]
    ours = _read("darkroom", named.get("darkroom", ""), find)
    others = _read_described(described(named), find)
    found = (_read(kind, text, find) for kind, text in candidates if text)
    return _with_vae(_first(one for one in chain((ours, others), found) if one is not None), find_vae)


def read_pasted(text: str, find: FindCheckpoint, find_vae: FindVae = no_vae) -> Inspection:
    """What a text says that is one of all these, nobody knows which."""
    kinds = ("darkroom", "prompt", "workflow") if text.lstrip().startswith("{") else ("infotext",)
    others = (_read_described(described_in(text), find) for _ in (text,))
    found = (_read(kind, text, find) for kind in kinds)
    in_order = chain(found, others) if kinds[0] == "darkroom" else chain(others, found)
    return _with_vae(_first(one for one in in_order if one is not None), find_vae)


def _with_vae(found: Inspection, find_vae: FindVae) -> Inspection:
    """With the id of the VAE that was named, or the name among what is unknown. A1111 writes out that it chose none."""
    named = found.settings.get("vae")
    if named is None:
        return found
    settings = {name: value for name, value in found.settings.items() if name != "vae"}
    if settings.get("decoder") == "tiny":  # A1111 names the VAE even where TAESD decoded in its place
        return replace(found, settings=settings)
    if (id := find_vae(named)) is not None:
        return replace(found, settings=settings | {"vae": id})
    is_none = named.casefold() in ("automatic", "none")
    unknown = found.unknown if is_none else (*found.unknown, ("VAE", named))[:MAX_UNKNOWN]
    return replace(found, settings=settings, unknown=unknown)


def _first(found: Iterable[Inspection]) -> Inspection:
    """The first inspection with settings, with what the one before it could not use: a task that this version does not
    know.
    """
    before = Inspection(source="none", settings={})
    for one in found:
        if one.settings:
            unknown = (*before.unknown, *one.unknown)[:MAX_UNKNOWN]
            return replace(one, unknown=unknown, notes=(*before.notes, *one.notes))
        before = one
    return before


def _read(kind: str, text: str, find: FindCheckpoint) -> Inspection | None:
    findings = Findings()
    if kind == "infotext":
        infotext = read_infotext(text) if not text.lstrip().startswith("{") or _json(text) is None else None
        if infotext is None:
            return None
        read_settings(infotext, findings, find)
        return _inspection(source_of(infotext), findings)
    values = _json(text)
    if kind == "darkroom":
        return _read_ours(values, findings, find)
    picture = read_prompt(values) if kind == "prompt" else read_workflow(values)
    if picture is None:
        return None
    read_picture(picture, findings, find)
    return _inspection("comfyui", findings)


def _read_described(found: Described | None, find: FindCheckpoint) -> Inspection | None:
    if found is None:
        return None
    findings = Findings()
    read_described(found, findings, find)
    return _inspection(found.source, findings)


def _json(text: str) -> Any:
    """The parsed JSON; None if it is not JSON, or too much of it."""
    if len(text) > MAX_TEXT_BYTES:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _read_ours(values: Any, findings: Findings, find: FindCheckpoint) -> Inspection | None:
    if not isinstance(values, dict) or not isinstance(values.get("request"), dict):
        return None
    asked: dict[str, Any] = values["request"]
    task, version = asked.get("task"), asked.get("schema_version")
    if not isinstance(task, str):
        return None
    if type(version) is int and version > SCHEMA_VERSION:
        findings.note("newer")
    if task not in REQUESTS:
        findings.refuse("task", task)
        return _inspection("none", findings)
    info: dict[str, Any] = values["info"] if isinstance(values.get("info"), dict) else {}
    again: Request | None = None
    try:
        request = from_dict(asked)
        again = _again(request, values.get("seed"), info)
        whole: dict[str, Any] = to_dict(request)
        settings = {name: value for name, value in whole.items() if name not in _FILLED_IN}
    except (ValidationError, TypeError, ValueError):  # of another version: field by field
        settings = {"task": task}
        for name, value in asked.items():
            fields = {"task": task, **dict.fromkeys(picture_fields(REQUESTS[task]), "sha256:" + "0" * 64), name: value}
            if name not in (*_FILLED_IN, "task") and _is_request(fields):
                settings[name] = value
            elif name not in (*_FILLED_IN, "task") and value is not None:
                findings.refuse(name, value)
    findings.settings = settings
    if settings.pop("walk_to", None) is not None:
        findings.note("walk")
    settings.pop("only_image", None)
    if (step := settings.pop("stop_after", None)) is not None:
        findings.note("kept_step", step=step)
    if (branch := settings.pop("branch_from", None)) is not None:
        findings.note("branch", step=branch["step"])
    seed = values.get("seed")
    if _is_seed(seed):
        settings["seed"] = seed  # of this picture, which may be one of several
    if "variation_seed" in info and _is_request({**settings, "variation_seed": info["variation_seed"]}):
        settings["variation_seed"] = info["variation_seed"]
    _read_our_checkpoint(settings, info, findings, find)
    if isinstance(info.get("prompt"), str) and info["prompt"] != settings.get("prompt"):
        findings.note("wildcards", prompt=info["prompt"][:400])
    return replace(_inspection("darkroom", findings), again=again)


def _again(request: Request, seed: Any, info: dict[str, Any]) -> Request | None:
    """The request, for this picture only; None if nothing says which of the request's images it is."""
    image = image_of(request, seed, info) if _is_seed(seed) else None
    return None if image is None else made_again(request, image)


def _is_seed(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_SEED


def _read_our_checkpoint(
    settings: dict[str, Any], info: dict[str, Any], findings: Findings, find: FindCheckpoint
) -> None:
    checkpoint, hash = settings.pop("checkpoint", None), info.get("checkpoint_hash")
    if isinstance(checkpoint, str):
        set_checkpoint(findings, find, hash if isinstance(hash, str) else None, checkpoint)


def _is_request(values: dict[str, Any]) -> bool:
    try:
        from_dict(values)
    except (ValidationError, TypeError, ValueError):
        return False
    return True


def _inspection(source: str, findings: Findings) -> Inspection:
    return Inspection(
        source=source,
        settings=findings.settings,
        unknown=tuple(findings.unknown),
        notes=tuple(findings.notes),
    )
