"""Style transfer: one picture's content in another's style, by optimising the pixels themselves, or in one pass."""

from webui.engine.style.at_once import InstantTransfer
from webui.engine.style.kept import KeptStyle
from webui.engine.style.transfer import style_transfer

__all__ = ["InstantTransfer", "KeptStyle", "style_transfer"]
