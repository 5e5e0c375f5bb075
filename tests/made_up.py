"""A request of some later version, with two fields that there are not: all that it says of them stands beside them."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Le
from pydantic import Field, Strict
from pydantic.dataclasses import dataclass

from webui.capabilities import Capability, needs
from webui.requests.diffusion import TextToImage
from webui.requests.field_controls import Control, Group
from webui.requests.field_rules import at_most, inactive
from webui.requests.field_types import CONFIG
from webui.requests.infotext_names import InfotextName, infotext


@dataclass(frozen=True, kw_only=True, config=CONFIG)
class Newer(TextToImage):
    """A text to image whose pictures are sharpened."""

    sharpness: Annotated[
        float,
        Strict(),
        Ge(0.0),
        Le(2.0),
        Field(json_schema_extra={"step": 0.1}),
        needs(Capability.TILING),
        infotext("Sharpness"),
        Control(Group.SAMPLING),
    ] = 0.0
    finish: Annotated[
        Literal["matte", "silky", "high_gloss"],
        inactive("guidance_off", at_most("sharpness", 0)),
        InfotextName("Finish", {"high_gloss": "High gloss"}, aliases=("Surface",)),
        Control(Group.SAMPLING, beside=True),
    ] = "matte"
