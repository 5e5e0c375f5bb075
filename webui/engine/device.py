"""Where networks compute, and in which number type. The engine chooses once, when it is built; trainings use this too.

Knows no checkpoints.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass

import psutil
import torch

logger = logging.getLogger(__name__)

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
AMPERE = (8, 0)  # the first CUDA compute capability with bf16 tensor cores
# oneDNN's names for instruction sets that multiply bf16; ONEDNN_MAX_CPU_ISA may limit it to a lesser one.
_ISA_WITH_BF16 = ("AVX512_CORE_BF16", "AVX512_CORE_FP16", "AVX512_CORE_AMX", "AVX10_", "ALL", "DEFAULT")


@dataclass(frozen=True)
class Device:
    """A device and the number type that networks use on it. `name` is for people: `NVIDIA H100`, `CPU`."""

    torch_device: torch.device
    dtype: torch.dtype
    name: str

    @property
    def precision(self) -> str:
        """The number type by its short name: `fp32`, `bf16` or `fp16`."""
        return precision_of(self.dtype)

    @property
    def wide_dtype(self) -> torch.dtype:
        """The device's number type if it has float32's range, else float32."""
        return wide(self.dtype)

    @property
    def is_cpu(self) -> bool:
        """Whether this is the CPU."""
        return self.torch_device.type == "cpu"


HOST = Device(torch.device("cpu"), torch.float32, "CPU")  # where there is room for what the device cannot take


def choose_device(device: str = "auto", precision: str = "auto") -> Device:
    """The device that the settings ask for, or with `auto` the best one there is.

    If this machine cannot do what a setting asks for (CUDA without a GPU, fp16 on a CPU), the best choice is used and
    the log says so. The page still works, and its status shows the truth.
    """
    kind = _available_kind(device)
    torch_device = torch.device(kind)
    dtype = best_dtype(torch_device)
    if precision != "auto":
        wanted = PRECISIONS[precision]
        if wanted == torch.float16 and kind == "cpu":
            # measured on a CPU with AVX512_BF16: fp16 multiplies 700 times slower than fp32
            logger.warning("a CPU does not compute in fp16; using %s instead", dtype)
        else:
            dtype = wanted
    return Device(torch_device, dtype, _name_of(torch_device))


def _available_kind(wanted: str) -> str:
    found = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if wanted in ("auto", found, "cpu"):
        return found if wanted == "auto" else wanted
    logger.error("this machine has no %s device; using %s", wanted, found)
    return found


def precision_of(dtype: torch.dtype) -> str:
    """The short name of a number type: `fp32`, `bf16` or `fp16`."""
    return next(name for name, known in PRECISIONS.items() if known == dtype)


def best_dtype(device: torch.device) -> torch.dtype:
    """The number type that the device multiplies natively: bf16, fp16 or float32."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.get_device_capability() >= AMPERE else torch.float16
    if device.type == "mps":
        return torch.float16  # every Apple GPU has it; bf16 needs macOS 14 and an M2
    return torch.bfloat16 if cpu_multiplies_bf16() else torch.float32


def narrow_dtype(stored: str) -> torch.dtype:
    """The 16-bit type to keep weights in that a file holds as `stored` (`F16`, `BF16`, `F32`, … as in its header): that
    of the file, else bf16, in which nothing overflows.
    """
    return torch.float16 if stored == "F16" else torch.bfloat16


def may_keep_narrow(device: Device) -> bool:
    """Whether weights may be kept in 16 bits and computed with in float32: only where the CPU computes in that."""
    return device.is_cpu and device.dtype == torch.float32


def wide(dtype: torch.dtype) -> torch.dtype:
    """`dtype` if it has float32's range, else float32: gradients and some activations overflow fp16."""
    return torch.float32 if dtype == torch.float16 else dtype


def mixed_precision(device: torch.device) -> torch.autocast:
    """A context for training: products in bf16 if the device multiplies it natively, else everything in float32.

    Without native bf16, a convolution takes about 200 times as long in bf16 as in float32.
    """
    if best_dtype(device) == torch.bfloat16:
        return torch.autocast(device.type, torch.bfloat16)
    return torch.autocast(device.type, enabled=False)


def cpu_multiplies_bf16() -> bool:
    """Whether this CPU has bf16 products in hardware: AVX512_BF16, AMX, or Arm's BF16 extension.

    oneDNN computes these products for torch, so a limit set in `ONEDNN_MAX_CPU_ISA` counts as if the CPU had no more.
    """
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "DEFAULT").upper()
    if not limit.startswith(_ISA_WITH_BF16):
        return False
    found = torch.cpu.get_capabilities()
    return any(found.get(name) for name in ("avx512_bf16", "amx_bf16", "arm_bf16", "bf16"))


def _name_of(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return "Apple GPU" if device.type == "mps" else "CPU"


def memory_total_bytes(device: Device) -> int:
    """The device's memory in bytes: video memory, or the machine's memory if the device computes in that."""
    if device.torch_device.type == "cuda":
        return int(torch.cuda.get_device_properties(device.torch_device).total_memory)
    if device.torch_device.type == "mps":
        return int(torch.mps.recommended_max_memory())
    return int(psutil.virtual_memory().total)


def memory_used_bytes(device: Device) -> int:
    """The part of the device's memory that this process uses, in bytes."""
    if device.torch_device.type == "cuda":
        return int(torch.cuda.memory_reserved(device.torch_device))
    if device.torch_device.type == "mps":
        return int(torch.mps.driver_allocated_memory())
    return int(psutil.Process().memory_info().rss)


def release_unused_memory(device: Device) -> None:
    """Returns cached blocks to the device, after something large was freed."""
    if device.torch_device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.torch_device.type == "mps":
        torch.mps.empty_cache()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether `error` means that memory ran out; the CPU's and Apple's allocators say so only in their message."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and (
        "DefaultCPUAllocator" in text or "out of memory" in text or "not enough memory" in text
    )


def is_device_lost(error: BaseException) -> bool:
    """Whether `error` has broken this process's device context, so that nothing will work on the device any more."""
    if is_out_of_memory(error):
        return False
    text = str(error)
    return isinstance(error, RuntimeError) and any(
        sign in text for sign in ("CUDA error", "device-side assert", "CUBLAS_STATUS", "CUDNN_STATUS", "cuDNN error")
    )
