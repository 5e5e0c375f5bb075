"""What the routes need from the rest, given by the composition root, and what a call says about its caller."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from webui.api.bodies.decode import Decoder
from webui.checkpoints.addons import Addons
from webui.checkpoints.catalogue import Catalogue
from webui.checkpoints.hashes import HashBook
from webui.jobs.queue import JobQueue
from webui.jobs.submitting import Submissions
from webui.operator.operator_settings import OperatorSettings
from webui.storage import Storage
from webui.storage.owners import LOCAL, Owner
from webui.texts import Language, Texts, language_of


@dataclass(frozen=True, kw_only=True)
class Services:
    """The services that the routes use."""

    queue: JobQueue
    submissions: Submissions
    catalogue: Catalogue
    addons: Addons
    hashes: HashBook
    storage: Storage
    decoder: Decoder
    texts: Texts
    operator: OperatorSettings


def owner_of(request: Request) -> Owner:
    """The owner of the call, as the guard found out."""
    owner: Owner = getattr(request.state, "owner", LOCAL)
    return owner


def language_asked(request: Request) -> Language:
    """The language for the answer to this call."""
    return language_of(request.headers.get("accept-language"))
