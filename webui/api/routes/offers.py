"""`GET /api/models/offers`: bundles of models that can be downloaded, and what each would be on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request

from webui.api.access.audience import Audience, open_to
from webui.api.bodies.media_types import JsonRoute
from webui.api.download_schemas import OfferOut
from webui.api.schemas import ERRORS
from webui.api.services import Services, language_asked
from webui.downloads.bundles import Bundle
from webui.downloads.download import State
from webui.downloads.machine import SelfMeasurement
from webui.downloads.offers import Facts
from webui.downloads.setup import Shop
from webui.downloads.views import DownloadView
from webui.texts import Language


def offer_routes(services: Services, shop: Shop, measurement: SelfMeasurement) -> APIRouter:
    """Look, and ask the Hub."""
    router = APIRouter(prefix="/api/models/offers", tags=["models"], responses=ERRORS, route_class=JsonRoute)

    def offers(language: Language) -> list[dict[str, Any]]:
        machine, facts, views = measurement.now(), shop.offers.facts(), shop.downloads.list(with_unlisted=True)
        estimates = shop.offers.estimates(machine) if machine else {}
        cards = shop.offers.recommended(machine) if machine else {}
        return [
            {
                **_bundle_json(bundle, language),
                **_facts_json(bundle, facts.get(bundle.id)),
                "seconds_here": estimates[bundle.id].seconds if machine else None,
                "slow": estimates[bundle.id].is_slow if machine else None,
                "memory_bytes": estimates[bundle.id].memory_bytes if machine else None,
                "fits": estimates[bundle.id].fits if machine else None,
                "recommended": cards.get(bundle.id, []),
                **_download_json(bundle, views, services.catalogue.models_dir),
            }
            for bundle in shop.offers.bundles
        ]

    @router.get("", response_model=list[OfferOut])
    async def list_offers(call: Request) -> Any:
        """Asks nobody: sizes and licences are those that the Hub last told. The first call has this machine measured;
        seconds come with a later one."""
        return await to_thread.run_sync(offers, language_asked(call))

    @router.post("/read", response_model=list[OfferOut])
    @open_to(Audience.OPERATOR)
    async def read_offers(call: Request) -> Any:
        """The same, after asking the Hub about all of them, which takes a while."""
        await to_thread.run_sync(shop.offers.read_all)
        return await to_thread.run_sync(offers, language_asked(call))

    return router


def _bundle_json(bundle: Bundle, language: Language) -> dict[str, Any]:
    return {
        "id": bundle.id,
        "name": bundle.name,
        "purpose": bundle.purpose[language],
        "family": bundle.family,
        "parts": [part.model_dump() for part in bundle.parts],
        "settings": bundle.settings.model_dump(exclude_none=True),
        "prompt_suffix": bundle.prompt_suffix,
        "languages": list(bundle.languages),
        "edits": bundle.edits,
    }


def _facts_json(bundle: Bundle, facts: Facts | None) -> dict[str, Any]:
    """What the Hub said goes before what was read on pages."""
    return {
        "license": (facts and facts.license) or bundle.license.name,
        "may_sell": bundle.license.may_sell,
        "must_agree": None if facts is None else facts.gated,
        "license_pages": [page.model_dump(mode="json") for page in bundle.license.read],
        "size_bytes": None if facts is None else facts.size_bytes,
        "read": None if facts is None else facts.read,
    }


def _download_json(bundle: Bundle, views: tuple[DownloadView, ...], models_dir: Path) -> dict[str, Any]:
    """Its newest download, if there is one; not one whose models have gone since."""
    found = next((view for view in reversed(views) if view.source == {"offer": bundle.id}), None)
    is_gone = (
        found is not None
        and found.state is State.FINISHED
        and any(not (models_dir / place).exists() for place in found.places)
    )
    if found is None or is_gone:
        return {"download": None, "state": None, "places": []}
    return {"download": found.id, "state": found.state, "places": list(found.places)}
