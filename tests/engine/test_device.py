"""Device and number type, without owning them all."""

from __future__ import annotations

import pytest
import torch

from tests.number_types import a_cpu
from webui.engine.device import (
    choose_device,
    cpu_multiplies_bf16,
    is_device_lost,
    is_out_of_memory,
    memory_total_bytes,
    memory_used_bytes,
)


@pytest.mark.parametrize(("has_bf16", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
def test_a_cpu_takes_bf16_only_where_it_multiplies_it(has_bf16: bool, dtype: torch.dtype) -> None:
    with a_cpu(multiplies_bf16=has_bf16):
        assert cpu_multiplies_bf16() is has_bf16
        assert choose_device("cpu").dtype == dtype
        assert choose_device("cpu", "fp16").dtype == dtype  # never fp16 on a CPU
        assert choose_device("cpu", "fp32").dtype == torch.float32


@pytest.mark.parametrize(
    ("limit", "multiplies"),
    [("AVX2", False), ("avx2_vnni_2", False), ("AVX512_CORE", False), ("AVX512_CORE_BF16", True),
     ("AVX512_CORE_AMX", True), ("AVX10_1_512", True), ("ALL", True)],
)  # fmt: skip
def test_a_limit_for_onednn_counts_as_a_lesser_cpu(limit: str, multiplies: bool) -> None:
    with a_cpu(multiplies_bf16=True), pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEDNN_MAX_CPU_ISA", limit)
        assert cpu_multiplies_bf16() is multiplies


@pytest.mark.parametrize(("capability", "precision"), [((8, 0), "bf16"), ((9, 0), "bf16"), ((7, 5), "fp16")])
def test_cuda_takes_bf16_from_ampere_on(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], precision: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _device: "NVIDIA Something")
    device = choose_device()
    assert (device.torch_device.type, device.precision, device.name) == ("cuda", precision, "NVIDIA Something")
    assert choose_device("cpu").is_cpu


def test_a_device_that_is_not_there_is_answered_with_one_that_is(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device("cuda").is_cpu
    assert "no cuda device" in caplog.text


def test_memory_is_counted_in_bytes() -> None:
    device = choose_device("cpu")
    assert 10**7 < memory_used_bytes(device) < memory_total_bytes(device)


@pytest.mark.parametrize(
    ("error", "is_memory", "is_lost"),
    [
        (MemoryError(), True, False),
        (torch.OutOfMemoryError("CUDA out of memory"), True, False),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), True, False),
        (RuntimeError("MPS backend out of memory"), True, False),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), False, True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False, False),
        (ValueError("out of memory"), False, False),
    ],
)
def test_errors_are_told_apart(error: Exception, is_memory: bool, is_lost: bool) -> None:
    assert (is_out_of_memory(error), is_device_lost(error)) == (is_memory, is_lost)
