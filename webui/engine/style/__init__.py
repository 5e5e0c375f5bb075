"""Style transfer: one picture's content in another's style, by optimising the pixels themselves."""

from webui.engine.style.optimise import style_transfer

__all__ = ["style_transfer"]
