"""How wide what a checkpoint's text encoders say is: what embeddings and LoRAs must fit. Reads configs."""

from __future__ import annotations

import json
import logging

from webui.checkpoints.catalogue import Checkpoint

_log = logging.getLogger(__name__)


def text_widths(checkpoint: Checkpoint) -> tuple[int, ...]:
    """How wide the checkpoint's text encoders are, from their configs."""
    root = checkpoint.path if checkpoint.form == "folder" else checkpoint.components
    widths = []
    for name in ("text_encoder", "text_encoder_2"):
        config = root / name / "config.json" if root is not None else None
        if config is None or not config.is_file():
            continue
        try:
            widths.append(int(json.loads(config.read_text(encoding="utf-8"))["hidden_size"]))
        except (OSError, ValueError, LookupError, TypeError) as error:
            _log.warning("cannot read the config of %s’s text encoder: %s", checkpoint.id, error)
    return tuple(widths)
