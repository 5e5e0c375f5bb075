"""What a kept step and a branch say of themselves, read again."""

from __future__ import annotations

import json

from webui.metadata.reading import read_pasted
from webui.requests import Request
from webui.requests.diffusion import TextToImage
from webui.rules.branches import branched, step_kept
from webui.storage.metadata import darkroom_json, infotext
from webui.worker.messages import RawImage

LAKE = TextToImage(
    prompt="a lake", seed=4, width=64, height=64, steps=20, checkpoint="x", scheduler="euler", sigmas="default",
    guidance_scale=5.0,
)  # fmt: skip


def raw(**info: str | int | float) -> RawImage:
    return RawImage(width=64, height=64, rgb=b"", seed=4, info=info)


def notes_of(request: Request, **info: str | int | float) -> list[str]:
    found = read_pasted(darkroom_json(request, raw(**info)), lambda _hash, name: (name or "x", True))
    assert found.settings["prompt"] in ("a lake", "a sea")
    assert not {"stop_after", "branch_from", "only_image"} & found.settings.keys()
    return [note.code for note in found.notes]


def test_a_kept_step_says_so_and_how_many_steps_ran() -> None:
    kept = step_kept(LAKE, 0, 7)
    assert notes_of(kept, steps=7) == ["kept_step"]
    assert ", Steps run: 7," in infotext(kept, raw(steps=7))


def test_a_branch_names_its_origin() -> None:
    branch = branched(LAKE, 0, 7, {"prompt": "a sea", "seed": 8})
    assert notes_of(branch, steps=20) == ["branch"]
    assert 'Branch: "step 7 of 20, seed 4"' in infotext(branch, raw(steps=20))
    assert json.loads(darkroom_json(branch, raw()))["request"]["branch_from"]["origin"]["prompt"] == "a lake"
    pasted = read_pasted(infotext(branch, raw(steps=20)), lambda _hash, name: (name or "x", True))
    assert "Branch" not in [name for name, _ in pasted.unknown]
