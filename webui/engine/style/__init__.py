"""Style transfer: one picture's content in another's style, by optimising the pixels themselves."""

from webui.engine.style.kept import KeptStyle
from webui.engine.style.transfer import style_transfer

__all__ = ["KeptStyle", "style_transfer"]
