"""Stopping inside a long step: hooks on a network's blocks that ask whether the job has been stopped.

Knows no jobs: `check` raises, and the exception unwinds the forward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import nn

from webui.checkpoints.decoding import FOLDER as TINY


def blocks_of(module: nn.Module) -> list[nn.Module]:
    """The parts between which a forward pass can stop: every entry of every `ModuleList`, at any depth, or else the
    direct children.

    In diffusers' and transformers' networks these are the residual, attention and transformer blocks. There are
    hundreds at most and each takes milliseconds or more, so a check before each costs nothing measurable.
    """
    lists = [part for part in module.modules() if isinstance(part, nn.ModuleList)]
    found = [block for blocks in lists for block in blocks if block is not None]  # diffusers leaves gaps in some
    return found or list(module.children())


@contextmanager
def cancellable(module: nn.Module, check: Callable[[], None], *, backward: bool = False) -> Iterator[None]:
    """While this lasts, `check` runs before `module` and before each of its blocks, and may raise to end the pass.

    With `backward`, it also runs in the backward pass. The hooks are removed afterwards, however the block ends.
    """

    blocks = blocks_of(module)
    with _checked([module, *blocks], blocks if backward else [], check):
        yield


@contextmanager
def _checked(forward: list[nn.Module], backward: list[nn.Module], check: Callable[[], None]) -> Iterator[None]:
    """While this lasts, `check` runs before each of these parts: `forward` on the way there, `backward` on the way
    back.
    """

    def before(_module: nn.Module, _values: Any) -> None:
        check()

    with ExitStack() as hooks:
        for part in forward:
            hooks.callback(part.register_forward_pre_hook(before).remove)
        for part in backward:
            hooks.callback(part.register_full_backward_pre_hook(before).remove)
        yield


def _layers_of(module: nn.Module) -> list[nn.Module]:
    """Every single layer: at 2048 pixels one block of a VAE takes seconds on a CPU."""
    return [part for part in module.modules() if not list(part.children())]


@contextmanager
def all_cancellable(components: dict[str, Any], check: Callable[[], None]) -> Iterator[None]:
    """`cancellable` for every network among a pipeline's `components`; for what decodes, before every single layer."""
    with ExitStack() as stack:
        for name, component in components.items():
            if isinstance(component, nn.Module):
                is_vae = name in ("vae", TINY)
                hooked = _checked(_layers_of(component), [], check) if is_vae else cancellable(component, check)
                stack.enter_context(hooked)
        yield
