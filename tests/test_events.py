"""Events on the wire: names, fields, previews as data URIs, and back."""

from __future__ import annotations

import base64
import json

import pytest

from webui.events import (
    Cancelled,
    Event,
    Failed,
    Finished,
    Loading,
    PictureInfo,
    Queued,
    Started,
    Step,
    event_name,
    from_dict,
    to_dict,
)

EVENTS: list[Event] = [
    Queued(position=2, eta_seconds=1.5),
    Started(),
    Loading(checkpoint="starter", fraction=0.5),
    Step(index=1, total=20, phase="denoise", seconds=0.1),
    Finished(images=(PictureInfo(id="x", seed=1, width=64, height=64),), seconds=2.0),
    Failed(kind="out_of_memory", details={"width": 64}),
    Cancelled(),
]


@pytest.mark.parametrize("event", EVENTS, ids=event_name)
def test_there_and_back(event: Event) -> None:
    assert from_dict(event_name(event), json.loads(json.dumps(to_dict(event)))) == event


def test_a_preview_is_a_data_uri_and_is_not_read_back() -> None:
    step = Step(index=1, total=1, phase="denoise", preview=b"\xff\xd8jpeg")
    values = to_dict(step)
    assert base64.b64decode(values["preview"].removeprefix("data:image/jpeg;base64,")) == step.preview
    assert from_dict("step", values) == Step(index=1, total=1, phase="denoise")


def test_an_unknown_event_is_an_error() -> None:
    with pytest.raises(KeyError):
        from_dict("exploded", {})
