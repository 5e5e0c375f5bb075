"""The adapters, by the names that the families' rows use for them. Knows no families."""

from __future__ import annotations

from collections.abc import Mapping

from webui.engine.pipelines.adapters.amused import AmusedAdapter
from webui.engine.pipelines.adapters.counted import PixArtAdapter
from webui.engine.pipelines.adapters.packed import ChromaAdapter, Flux2Adapter, Krea2Adapter, PackedAdapter
from webui.engine.pipelines.adapters.plain import PlainAdapter, ScaledInputAdapter
from webui.engine.pipelines.adapters.sana_sprint import SanaSprintAdapter
from webui.engine.pipelines.adapters.true_cfg import FluxDevAdapter, FluxSchnellAdapter, QwenImageAdapter

ADAPTERS: Mapping[str, PlainAdapter] = {
    "plain": PlainAdapter(),
    "scaled_input": ScaledInputAdapter(),
    "packed": PackedAdapter(),
    "chroma": ChromaAdapter(),
    "flux2": Flux2Adapter(),
    "krea2": Krea2Adapter(),
    "flux_dev": FluxDevAdapter(),
    "flux_schnell": FluxSchnellAdapter(),
    "qwen_image": QwenImageAdapter(),
    "pixart": PixArtAdapter(),
    "amused": AmusedAdapter(),
    "sana_sprint": SanaSprintAdapter(),
}
