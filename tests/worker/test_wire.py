"""Messages survive the pipe as they are, and what is no message is refused without being run."""

from __future__ import annotations

import pickle

import msgspec
import pytest

from tests.settled_requests import settled, settled_over
from webui.events import Loading, Step
from webui.requests import to_dict
from webui.requests.diffusion import WalkEnd
from webui.requests.settled import SettledStyleTransfer
from webui.requests.style_transfer import LayerWeights, WeightedStyle
from webui.worker.messages import (
    MESSAGES,
    Adjust,
    Cancel,
    CancelledJob,
    Done,
    Drawn,
    Emitted,
    Exit,
    FailedJob,
    FromWorker,
    RawImage,
    Ready,
    Run,
    Status,
    ToWorker,
    Watch,
)
from webui.worker.wire import from_bytes, to_bytes

PICTURE = "sha256:" + "a" * 64
ORIGIN = settled_over(PICTURE, mask=PICTURE, seed=2**32 - 1, prompt="湖 \U0001f98a")
REQUESTS = (
    settled(walk_to=WalkEnd(prompt="a forest", seed=2, variation_strength=0.5), num_images=2),
    settled_over(PICTURE, seed=0, guidance_scale=7.5, branch_from={"origin": to_dict(ORIGIN), "step": 3}),
    SettledStyleTransfer(
        content_image=PICTURE,
        style_image=PICTURE,
        style_images=(WeightedStyle(image=PICTURE, weight=0.25),),
        layer_weights=LayerWeights(conv1_1=2.0),
        seed=3,
    ),
)
EXAMPLES: tuple[ToWorker | FromWorker, ...] = (
    *(Run(job_id="a", request=one, is_watched=True, pictures={PICTURE: b"\x89PNG\0"}) for one in REQUESTS),
    Cancel(job_id="a"),
    Watch(job_id="a", is_watched=False),
    Adjust(model_memory_gb=None, idle_minutes=1.5, mirror="https://hf-mirror.com"),
    Exit(),
    Ready(device="CPU", precision="bf16", memory_total_bytes=2**40),
    Emitted(job_id="a", event=Loading(checkpoint="starter", fraction=0.5)),
    Emitted(job_id="a", event=Step(index=1, total=20, phase="denoise", preview=b"\xff\xd8", seconds=0.1)),
    Drawn(job_id="a", image=RawImage(width=1, height=1, rgb=b"\0\x80\xff", seed=7, info={"s": 1.5, "n": 2, "w": "x"})),
    Done(job_id="a"),
    CancelledJob(job_id="a"),
    FailedJob(job_id="a", kind="out_of_memory", details={"width": 8, "device": "CPU"}, traceback="Traceback"),
    Status(memory_used_bytes=5, kept={"a": (0, 2)}),
)


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: type(message).__name__)
def test_every_message_comes_out_as_it_went_in(message: ToWorker | FromWorker) -> None:
    arrived = from_bytes(to_bytes(message))
    assert arrived == message
    assert type(arrived) is type(message)
    if isinstance(message, Drawn):
        assert [type(value) for value in arrived.image.info.values()] == [float, int, str]


def test_all_kinds_are_tried() -> None:
    assert {type(message) for message in EXAMPLES} == set(MESSAGES)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xc1",
        pickle.dumps(Exit()),
        msgspec.msgpack.encode(("Nothing", {})),
        msgspec.msgpack.encode(("Cancel", {})),
        msgspec.msgpack.encode(("Run", {"job_id": "a", "request": {"task": "text_to_video"}, "is_watched": True})),
        msgspec.msgpack.encode({"Exit": {}}),
    ],
)
def test_what_is_no_message_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (msgspec's and pydantic's own are of this kind)
        from_bytes(content)
