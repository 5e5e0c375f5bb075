"""Stopping inside a long step: hooks on a network's blocks that look whether the job was stopped.

Knows nothing of jobs: `check` raises, and the exception unwinds the forward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import nn


def blocks_of(module: nn.Module) -> list[nn.Module]:
    """The parts between which a forward pass may stop: every entry of a list of layers, at any depth.

    In diffusers' and transformers' networks these are the residual, attention and transformer blocks: hundreds at
    most, each some milliseconds long or more, so that a check before each costs nothing that could be measured.
    """
    lists = [part for part in module.modules() if isinstance(part, nn.ModuleList)]
    found = [block for blocks in lists for block in blocks if block is not None]  # diffusers leaves gaps in some
    return found or list(module.children())


@contextmanager
def cancellable(module: nn.Module, check: Callable[[], None], *, backward: bool = False) -> Iterator[None]:
    """While this lasts, `check` runs before `module` and before each of its blocks, and may raise to end the pass.

    With `backward` also on the way back. The hooks are gone afterwards, however it ended.
    """

    def before(_module: nn.Module, _inputs: Any) -> None:
        check()

    with ExitStack() as hooks:
        for block in (module, *blocks_of(module)):
            hooks.callback(block.register_forward_pre_hook(before).remove)
        for block in blocks_of(module) if backward else ():
            hooks.callback(block.register_full_backward_pre_hook(before).remove)
        yield


@contextmanager
def _leaves_cancellable(module: nn.Module, check: Callable[[], None]) -> Iterator[None]:
    """`cancellable` before every single layer: at 2048 pixels one block of a VAE takes seconds on a CPU."""

    def before(_module: nn.Module, _inputs: Any) -> None:
        check()

    with ExitStack() as hooks:
        for part in module.modules():
            if not any(True for _ in part.children()):
                hooks.callback(part.register_forward_pre_hook(before).remove)
        yield


@contextmanager
def all_cancellable(components: dict[str, Any], check: Callable[[], None]) -> Iterator[None]:
    """`cancellable` for every network among a pipeline's components; a VAE's layers each on their own."""
    with ExitStack() as stack:
        for name, component in components.items():
            if isinstance(component, nn.Module):
                hooked = _leaves_cancellable if name == "vae" else cancellable
                stack.enter_context(hooked(component, check))
        yield
