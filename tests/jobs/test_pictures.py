"""What goes into a job's pictures goes to the worker with the job, wherever it lies and however deep in the request."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.jobs.conftest import House
from tests.jobs.hand_worker import HandWorker
from tests.owners import ANN
from webui.requests.diffusion import Branch, ImageToImage
from webui.requests.style_transfer import StyleTransfer, WeightedStyle
from webui.storage.owners import Owner, PrivateOwner

OWNERS = (ANN, PrivateOwner("ann", "a-session-of-anns-browser"))


def stored(house: House, owner: Owner, content: bytes) -> str:
    return house.storage.of(owner).uploads.add(owner, content, 64, 64)


@pytest.mark.parametrize("owner", OWNERS, ids=("on disk", "in memory"))
def test_a_job_s_pictures_are_read_wherever_they_lie(house: House, hand: HandWorker, owner: Owner) -> None:
    picture, mask = stored(house, owner, b"picture"), stored(house, owner, b"mask")
    size = {"width": 64, "height": 64, "steps": 4, "seed": 1, "denoising_strength": 0.9}
    origin = ImageToImage(init_image=picture, mask=mask, **size)  # type: ignore[arg-type]
    house.queue.submit(owner, replace(origin, branch_from=Branch(origin=origin, step=2)))
    assert hand.read_pictures() == {picture: b"picture", mask: b"mask"}


def test_all_styles_go_along_and_what_was_deleted_meanwhile_does_not(house: House, hand: HandWorker) -> None:
    content, style, further = (stored(house, ANN, content) for content in (b"content", b"style", b"further"))
    styles = (WeightedStyle(image=further),)
    house.queue.submit(ANN, StyleTransfer(content_image=content, style_image=style, style_images=styles))
    uploads = house.storage.uploads
    uploads.path(ANN, style).unlink()
    assert hand.read_pictures() == {content: b"content", further: b"further"}
    uploads.path(ANN, further).unlink()
    uploads.path(ANN, content).unlink()
    assert hand.read_pictures() == {}


def test_nobody_s_job_gets_what_is_another_one_s(house: House, hand: HandWorker) -> None:
    style = stored(house, ANN, b"style")
    house.queue.submit(ANN, StyleTransfer(content_image=style, style_image=style))
    with house.storage.database.transaction() as connection:
        connection.execute("UPDATE uploads SET owner = 'bob'")
    assert hand.read_pictures() == {}
