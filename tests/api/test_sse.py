"""Frames of server-sent events, and the comments that keep a silent line open."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from webui.api.sse import frame, stream


def test_a_frame_is_one_line_of_ascii_whatever_it_carries() -> None:
    data = {"prompt": "雪\n\r\u2028\ud800", "n": 1.5}
    sent = frame(data, event="step", id=7)
    lines = sent.decode("ascii").split("\n")
    assert lines[:2] == ["id: 7", "event: step"]
    assert lines[3:] == ["", ""]
    assert json.loads(lines[2].removeprefix("data: ")) == data
    with pytest.raises(ValueError, match="JSON"):
        frame({"n": float("nan")})


def collect(frames: AsyncIterator[bytes], most: int) -> list[bytes]:
    async def run() -> list[bytes]:
        sent: list[bytes] = []
        body = stream(frames, keep_alive_seconds=0.02).body_iterator
        async for chunk in body:
            sent.append(bytes(chunk))  # type: ignore[arg-type]
            if len(sent) == most:
                break
        await body.aclose()  # type: ignore[attr-defined]
        return sent

    return asyncio.run(run())


def test_a_silent_source_is_kept_alive_and_not_disturbed() -> None:
    async def slow() -> AsyncIterator[bytes]:
        await asyncio.sleep(0.05)
        yield frame(1)
        yield frame(2)

    sent = collect(slow(), 99)
    assert sent[0].startswith(b":")
    assert [chunk for chunk in sent if not chunk.startswith(b":")] == [frame(1), frame(2)]


def test_a_caller_who_goes_ends_the_source() -> None:
    ended: list[bool] = []

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield frame(0)
                await asyncio.sleep(10)
        finally:
            ended.append(True)

    assert collect(endless(), 2)[0] == frame(0)
    assert ended == [True]
