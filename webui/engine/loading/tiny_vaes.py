"""The tiny decoders in memory, each beside the VAE whose latents it decodes. They are so small that no budget counts
them.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from diffusers import AutoencoderTiny

from webui.checkpoints.catalogue import Catalogue, Checkpoint
from webui.checkpoints.decoding import FOLDER
from webui.checkpoints.refusals import Broken
from webui.checkpoints.tiny_decoders import TinyDecoders
from webui.engine.device import Device
from webui.engine.loading.loaded_checkpoint import LoadedCheckpoint
from webui.engine.previews.tiny_decoder import load_tiny_vae
from webui.errors import InvalidRequest, ModelUnusable


class TinyVaes:
    """Loads each once, as long as its checkpoint stays loaded. For use by one thread."""

    def __init__(self, catalogue: Catalogue, device: Device) -> None:
        self._catalogue = catalogue
        self._device = device
        self._loaded: WeakKeyDictionary[object, AutoencoderTiny] = WeakKeyDictionary()  # by VAE

    def instead_of(self, loaded: LoadedCheckpoint) -> dict[str, AutoencoderTiny]:
        """A component by its name: what decodes in place of the checkpoint's VAE.

        Raises InvalidRequest if there is none for its latents, ModelUnusable for one that cannot be used.
        """
        vae = loaded.components.get("vae")
        if vae is None:
            raise InvalidRequest(field="decoder", reason="no_tiny_decoder")
        if vae not in self._loaded:
            self._loaded[vae] = self._load(loaded.checkpoint, vae)
        return {FOLDER: self._loaded[vae]}

    def _load(self, checkpoint: Checkpoint, vae: Any) -> AutoencoderTiny:
        folder = TinyDecoders(self._catalogue.list()).of(checkpoint)
        if folder is None:
            raise InvalidRequest(field="decoder", reason="no_tiny_decoder")
        try:
            return load_tiny_vae(folder, vae, self._device)
        except Broken as error:
            raise ModelUnusable(model=f"{folder.parent.name}/{folder.name}", reason=error.reason) from error
