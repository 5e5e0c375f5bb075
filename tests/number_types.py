"""A CPU that pretends to multiply bf16 or not to, and a watch for slow products (`webui/engine/device.py` decides)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

# What takes up to 200 times as long in a number type that the CPU does not multiply; whole operators too, which
# inference mode hands over undivided.
_PRODUCTS = (
    "addbmm", "addmm", "addmv", "baddbmm", "bmm", "conv1d", "conv2d", "conv3d", "convolution", "dot", "einsum", "gru",
    "linear", "lstm", "matmul", "mkldnn", "mm", "mv", "scaled_dot_product",
)  # fmt: skip
_HALVES = (torch.bfloat16, torch.float16)


class NoHalfProducts(TorchDispatchMode):
    """Raises AssertionError where a CPU is to multiply bf16 or fp16."""

    def __torch_dispatch__(
        self, func: Any, types: Sequence[Any], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        name = func.overloadpacket.__name__.strip("_")
        if name.startswith(_PRODUCTS):
            for value in tree_leaves((args, kwargs)):
                if isinstance(value, torch.Tensor) and value.device.type == "cpu" and value.dtype in _HALVES:
                    raise AssertionError(f"{name} in {value.dtype}, which this CPU does not multiply")
        return func(*args, **kwargs)


@contextmanager
def a_cpu(*, multiplies_bf16: bool) -> Iterator[None]:
    """While it lasts, this process believes that its CPU does, or does not, and is held to it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": multiplies_bf16})
        patch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
        if multiplies_bf16:
            yield
        else:
            with NoHalfProducts():
                yield
