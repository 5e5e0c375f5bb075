"""Which checkpoints read English alone. Reads no files: families and the classes of a folder's parts tell."""

from __future__ import annotations

from webui.checkpoints.catalogue import Checkpoint
from webui.checkpoints.families import FAMILIES

# U-Nets were also taught with other encoders in CLIP's place, which read Chinese or Japanese.
_ENGLISH_PARTS = ("CLIPTextModel", "CLIPTextModelWithProjection", "CLIPTokenizer", "CLIPTokenizerFast")


def reads_english_alone(checkpoint: Checkpoint) -> bool:
    """Whether other languages mean nothing to it; False where nobody knows. A checkpoint with a vocabulary of its own
    may be an exception, which only its tokenizer tells.
    """
    family = FAMILIES[checkpoint.family]
    if family.languages != ("en",):
        return False
    if family.adapter is not None or checkpoint.folder is None:
        return True
    parts = checkpoint.folder.components.items()
    return all(
        part.class_name in _ENGLISH_PARTS for name, part in parts if name.startswith(("text_encoder", "tokenizer"))
    )
