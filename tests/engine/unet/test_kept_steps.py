"""What is kept of steps: within its bytes, of the same weights, and never in the way."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from webui.engine.unet.kept_steps import KeptSteps, StepRecorder
from webui.errors import Cancelled

CPU = torch.device("cpu")
ONE = 4 * 2 * 2 * 4  # bytes of a prediction


def prediction(value: float, rows: int = 1) -> torch.Tensor:
    return torch.full((rows, 4, 2, 2), float(value))


def refuse() -> torch.Tensor:
    raise AssertionError("this was known")


def test_a_tape_is_kept_however_its_block_is_left() -> None:
    kept = KeptSteps(100 * ONE)

    def stop_in_the_middle() -> None:
        with kept.recorder(["one", "two"], "weights") as recorder:
            for call in range(3):
                recorder.next(CPU, lambda call=call: torch.cat([prediction(call), prediction(10 + call)]))
            raise Cancelled

    with pytest.raises(Cancelled):
        stop_in_the_middle()
    assert [float(row.mean()) for row in kept.recall(["two"], "weights")] == [10, 11, 12]
    assert kept.size_bytes == 6 * ONE


def test_what_is_known_is_played_and_then_it_goes_on() -> None:
    recorder = StepRecorder(is_recording=True, known=[[prediction(1)[0], prediction(2)[0]]])
    assert float(recorder.next(CPU, refuse).mean()) == 1
    assert float(recorder.next(CPU, refuse).mean()) == 2
    assert float(recorder.next(CPU, lambda: prediction(3)).mean()) == 3
    assert [float(row.mean()) for row in recorder.row(0)] == [1, 2, 3]


def test_a_batch_plays_only_what_is_known_of_all() -> None:
    recorder = StepRecorder(known=[[prediction(1)[0]], []])
    assert float(recorder.next(CPU, lambda: prediction(5, rows=2)).mean()) == 5


def test_what_is_kept_is_a_copy() -> None:
    recorder = StepRecorder(is_recording=True)
    made = recorder.next(CPU, lambda: prediction(1))
    made += 1
    assert float(recorder.row(0)[0].mean()) == 1


def test_other_weights_have_other_steps() -> None:
    kept = KeptSteps(100 * ONE)
    kept.keep("one", "weights", [prediction(1)[0]])
    assert kept.recall(["one"], "other weights") == ()
    assert "one" not in kept


def test_the_one_used_longest_ago_goes_first_and_a_shorter_run_takes_nothing_away() -> None:
    kept = KeptSteps(4 * ONE)
    for name in ("one", "two"):
        kept.keep(name, (), [prediction(1)[0]] * 2)
    kept.recall(["one"], ())
    kept.keep("three", (), [prediction(1)[0]])
    assert [name in kept for name in ("one", "two", "three")] == [True, False, True]
    kept.keep("one", (), [prediction(2)[0]])
    assert len(kept.recall(["one", "two"], ())) == 2
    kept.keep("huge", (), [prediction(1)[0]] * 5)
    assert "huge" not in kept


def test_with_no_memory_nothing_is_copied() -> None:
    kept = KeptSteps(0)
    with kept.recorder(["one"], ()) as recorder:
        given = prediction(1)
        assert recorder.next(CPU, lambda: given) is given
    assert kept.size_bytes == 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_writes_in_its_own_time() -> None:
    cuda: Any = torch.device("cuda")
    kept = KeptSteps(100 * ONE)
    with kept.recorder(["one"], ()) as recorder:
        for call in range(3):
            recorder.next(cuda, lambda call=call: prediction(call).to(cuda))
    rows = kept.recall(["one"], ())
    assert [float(row.mean()) for row in rows] == [0, 1, 2]
    assert not any(row.is_pinned() for row in rows)
