"""Turns requests of earlier versions into today's, wherever they were stored: in jobs' rows, pictures and branches'
origins, and in what clients send. Knows no types.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def upgraded(values: Mapping[str, Any], task: str) -> dict[str, Any]:
    """The fields of a request for `task` in version 2; those of a later version stay as they are.

    The result gives the same pixels: a field that version 1 did not have, and whose default draws something else than
    version 1 did, gets the value that draws the same.
    """
    current = dict(values)
    if type(version := values.get("schema_version")) is int and version == 1:
        current["schema_version"] = 2
        if task != "style_transfer":
            current.setdefault("sigma_range", "timesteps")
        if task == "image_to_image":
            current.setdefault("denoising_start", "whole_step")
    return current
