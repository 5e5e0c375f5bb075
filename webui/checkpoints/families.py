"""All families of checkpoints, by id. Knows no torch: both processes read it."""

from __future__ import annotations

from collections.abc import Mapping

from webui.checkpoints.family import Family
from webui.checkpoints.pipeline_families import PIPELINE_FAMILIES
from webui.checkpoints.unet_families import UNET_FAMILIES

FAMILIES: Mapping[str, Family] = {family.id: family for family in (*UNET_FAMILIES, *PIPELINE_FAMILIES)}
