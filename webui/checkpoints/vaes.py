"""VAEs of their own: found by id or by name, and the one beside a checkpoint. Reads headers, never weights."""

from __future__ import annotations

from webui.checkpoints.catalogue import Catalogue, Checkpoint
from webui.checkpoints.fitting import Fitting
from webui.checkpoints.library import Library, vae_path_beside
from webui.checkpoints.model import Model
from webui.errors import InvalidRequest, ModelUnusable


def vae_beside(catalogue: Catalogue, checkpoint: Checkpoint) -> Model | None:
    """`<name>.vae.safetensors` beside `<name>.safetensors`, if there is one."""
    path = vae_path_beside(checkpoint)
    if path is None or not path.is_file():
        return None
    return next((model for model in Library(catalogue).look(("vae",)) if model.path == path), None)


def vae_named(catalogue: Catalogue, asked: str, checkpoint: Checkpoint) -> Model:
    """The VAE with this id, or else of this name, as other programs write it.

    Raises InvalidRequest for one that is not there, cannot be read, or is made for other latents.
    """
    found = _find(Library(catalogue).look(("vae",)), catalogue.renamed.now(asked) or asked)
    if found is None:
        raise InvalidRequest(field="vae", reason="no_such_vae", name=asked[:80])
    problem = found.problem or Fitting(checkpoint).why_not(found)
    if problem is not None:
        reason = problem.details["reason"] if isinstance(problem, ModelUnusable) else "unreadable"
        raise InvalidRequest(field="vae", reason=str(reason))
    return found


def vae_id(catalogue: Catalogue, asked: str) -> str | None:
    """The id of the VAE that an id or a file's name means; None where none is here that can be read."""
    found = _find(Library(catalogue).look(("vae",)), catalogue.renamed.now(asked) or asked)
    return found.id if found is not None and found.problem is None else None


def _find(models: tuple[Model, ...], asked: str) -> Model | None:
    name = asked.rsplit("/", 1)[-1].removesuffix(".safetensors").casefold()
    by_id = (model for model in models if model.id == asked)
    return next(by_id, next((model for model in models if model.name.casefold() == name), None))
