"""What the page sends becomes a request, or a sentence that names the control."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from types import SimpleNamespace
from typing import Any, cast

import gradio as gr
import pytest
from pydantic import ValidationError

from tests.owners import ANN
from tests.ui.conftest import NotingQueue, submissions_to
from webui.errors import InvalidRequest, JobNotFound, QueueFull
from webui.jobs.queue import JobQueue
from webui.requests import to_dict
from webui.requests.diffusion import Branch, ImageToImage, TextToImage
from webui.requests.style_transfer import StyleTransfer
from webui.storage.owners import LOCAL, Owner, PrivateOwner
from webui.texts import Texts
from webui.ui.language import Words
from webui.ui.submit import Receipt, Submitter, field_defaults, request_from

REFERENCE = "sha256:" + "0" * 64
VALUES: dict[str, Any] = {
    "checkpoint": "starter", "init_image": "", "denoising_strength": 0.6, "content_image": "", "style_image": "",
    "content_weight": 1, "style_weight": 1, "iterations": 200, "size": 384, "prompt": "a lake", "looks": [],
    "negative_prompt": "", "ratio": "1:1", "width": 256, "height": 256, "num_images": 1, "quality": "normal",
    "steps": 20, "guidance_scale": 5, "scheduler": "ddim", "sigmas": "default", "seed": None,
}  # fmt: skip


def receipt_of(queue: NotingQueue, *sent: Any) -> Receipt:
    """What the page hears when it sends that, with `queue` behind its door."""
    submitter = Submitter(cast(JobQueue, queue), submissions_to(queue), Texts(), Words())
    return asyncio.run(submitter.submit(*sent))


class BranchingQueue(NotingQueue):
    """A queue that knows one job."""

    def get(self, owner: Owner, job_id: str) -> Any:
        if job_id != "origin":
            raise JobNotFound(job=job_id)
        return SimpleNamespace(request=ORIGIN)


ORIGIN = TextToImage(prompt="a barn", seed=4, steps=30, width=128, height=128, checkpoint="starter", num_images=2)


def test_a_branch_takes_what_is_free_from_the_controls_and_all_else_from_its_origin() -> None:
    queue = BranchingQueue()
    place = '{"job": "origin", "image": 1, "step": 7}'
    values = VALUES | {"seed": 5, "looks": ["watercolour"]}
    receipt = receipt_of(queue, LOCAL, "en", "text_to_image", values, place)
    ((_, asked),) = queue.submitted
    assert isinstance(asked, TextToImage)
    assert (asked.prompt, asked.looks) == ("a lake", ("watercolour",))
    assert (asked.steps, asked.width, asked.seed, asked.num_images) == (30, 128, 5, 1)
    assert asked.branch_from == Branch(origin=dataclasses.replace(ORIGIN, only_image=1), step=7)
    assert receipt["request"]["branch_from"]["step"] == 7


def test_a_branch_from_what_is_not_there_is_said() -> None:
    queue = BranchingQueue()
    gone = receipt_of(queue, LOCAL, "en", "text_to_image", VALUES, '{"job": "x", "image": 0, "step": 7}')
    assert gone["error"]["message"] == "There is no such job."
    none = receipt_of(queue, LOCAL, "en", "text_to_image", VALUES, '{"job": "origin", "image": 2, "step": 7}')
    assert "the job has no such image" in none["error"]["message"]
    for nonsense in ("{", "[]", '{"job": "origin", "image": -1, "step": "x"}'):
        refused = receipt_of(queue, LOCAL, "en", "text_to_image", VALUES, nonsense)
        assert "message" in refused["error"]
    assert queue.submitted == []


def test_text_to_image_takes_what_it_needs() -> None:
    request = request_from("text_to_image", VALUES)
    assert isinstance(request, TextToImage)
    assert (request.prompt, request.steps, request.seed, request.width) == ("a lake", 20, None, 256)


def test_whole_numbers_from_the_browser_are_integers() -> None:
    request = request_from("text_to_image", VALUES | {"steps": 30.0, "seed": 7.0})
    assert isinstance(request, TextToImage)
    assert (request.steps, request.seed) == (30, 7)


def test_the_other_tasks_take_their_pictures() -> None:
    redrawn = request_from("image_to_image", VALUES | {"init_image": REFERENCE})
    styled = request_from("style_transfer", VALUES | {"content_image": REFERENCE, "style_image": REFERENCE})
    assert isinstance(redrawn, ImageToImage)
    assert redrawn.init_image == REFERENCE
    assert isinstance(styled, StyleTransfer)
    assert styled.size == 384


def test_lists_of_a_style_transfer_come_as_json() -> None:
    lists = {
        "content_image": REFERENCE,
        "style_image": REFERENCE,
        "style_images": f'[{{"image": "{REFERENCE}", "weight": 2}}]',
        "layer_weights": '{"conv1_1": 0.5}',
    }
    styled = request_from("style_transfer", VALUES | lists)
    assert isinstance(styled, StyleTransfer)
    assert [(style.image, style.weight) for style in styled.style_images] == [(REFERENCE, 2.0)]
    assert (styled.layer_weights.conv1_1, styled.layer_weights.conv5_1) == (0.5, 1.0)
    with pytest.raises(ValidationError):
        request_from("style_transfer", VALUES | lists | {"style_images": "[{"})


def test_a_receipt_names_the_job_and_its_owner_has_it(queue: NotingQueue) -> None:
    receipt = receipt_of(queue, ANN, "en", "text_to_image", VALUES)
    assert receipt["job"] == "job-1"
    assert receipt["request"]["prompt"] == "a lake"
    assert queue.submitted[0][0] == ANN


def test_receipts_differ_even_when_they_say_the_same() -> None:
    refused = NotingQueue(QueueFull(waiting=9, retry_after_seconds=30))
    first, second = (receipt_of(refused, LOCAL, "en", "text_to_image", VALUES) for _ in range(2))
    assert first["error"] == second["error"]
    assert first["id"] != second["id"]


@pytest.mark.parametrize(
    ("task", "changed", "field", "sentence"),
    [
        ("text_to_image", {"width": 100}, "width", "“Width” must be between 64 and 2048, in steps of 8."),
        ("text_to_image", {"steps": 0}, "steps", "“Steps” must be between 1 and 150, in steps of 1."),
        ("text_to_image", {"seed": 2**32}, "seed", "“Seed” must be between -1 and 4294967295, in steps of 1."),
        ("text_to_image", {"scheduler": "none"}, "scheduler", "“Scheduler” has an invalid value."),
        ("text_to_image", {"prompt": "x" * 10_001}, "prompt", "Prompt may have up to 10000 characters."),
        ("image_to_image", {}, "init_image", "Input image: choose a picture first."),
        ("style_transfer", {"content_image": REFERENCE}, "style_image", "Style image: choose a picture first."),
    ],
)
def test_a_wrong_value_is_named(
    queue: NotingQueue, task: str, changed: dict[str, Any], field: str, sentence: str
) -> None:
    error = receipt_of(queue, LOCAL, "en", task, VALUES | changed)["error"]
    assert (error["field"], error["message"]) == (field, sentence)
    assert queue.submitted == []


def test_a_wrong_value_is_named_in_chinese(queue: NotingQueue) -> None:
    error = receipt_of(queue, LOCAL, "zh-CN", "image_to_image", VALUES)["error"]
    assert error["message"] == "请先选择图片：输入图片。"


def test_errors_of_the_domain_are_worded() -> None:
    refused = NotingQueue(QueueFull(waiting=9, retry_after_seconds=30))
    error = receipt_of(refused, LOCAL, "en", "text_to_image", VALUES)["error"]
    assert error["kind"] == "queue_full"
    assert error["message"]


def test_a_bug_reaches_the_log_and_not_the_page(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        receipt = receipt_of(NotingQueue(RuntimeError("secret path")), LOCAL, "en", "text_to_image", VALUES)
    assert receipt["error"]["kind"] == "internal"
    assert "secret path" not in str(receipt)
    assert receipt["error"]["log_id"] in caplog.text
    assert "secret path" in caplog.text


def test_a_seed_with_a_fraction_is_not_rounded_but_refused() -> None:
    with pytest.raises(ValidationError):
        request_from("text_to_image", {"prompt": "a lake", "seed": 1.5})


def test_gradio_leaves_the_checking_of_choices_to_the_request(page: gr.Blocks) -> None:
    fields = page.darkroom.fields
    assert fields["checkpoint"].preprocess("gone") == "gone"
    assert fields["num_images"].preprocess(3) == 3
    assert fields["seed"].preprocess(1.5) == 1.5


def test_defaults_are_the_requests_own() -> None:
    found = field_defaults()
    untouched = to_dict(TextToImage(prompt=""))
    told = {name: value for name, value in found.items() if name in untouched and name != "task"}
    assert {"clip_skip", "guidance_end", "num_images"} <= told.keys()
    assert told == {name: untouched[name] for name in told}


def test_what_has_no_default_is_left_out() -> None:
    assert "init_image" not in field_defaults()
    assert "seed" not in field_defaults()
    names = {field.name for field in dataclasses.fields(TextToImage)}
    assert "steps" in names
    assert "steps" not in field_defaults(), "the checkpoint's"


def test_a_refusal_calls_the_control_by_its_label() -> None:
    refused = NotingQueue(InvalidRequest(field="clip_skip", reason="clip_skip_too_deep"))
    error = receipt_of(refused, LOCAL, "en", "text_to_image", VALUES)["error"]
    assert error["field"] == "clip_skip"
    assert error["message"].startswith("“Clip skip” cannot have this value: ")
    assert "text encoder" in error["message"]
    assert "跳过 CLIP 层" in receipt_of(refused, LOCAL, "zh-CN", "text_to_image", VALUES)["error"]["message"]


def test_a_page_that_wrongly_believes_to_be_private_submits_nothing(queue: NotingQueue) -> None:
    believing = (VALUES, "", True)
    assert receipt_of(queue, LOCAL, "en", "text_to_image", *believing)["error"]["kind"] == "private_over"
    assert queue.submitted == []
    assert receipt_of(queue, PrivateOwner("local", "x"), "en", "text_to_image", *believing)["job"] == "job-1"
