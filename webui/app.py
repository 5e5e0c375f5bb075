"""The composition root: joins catalogue, storage, queue, page, API and guard into one app. Nothing else does."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

from anyio import to_thread
from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute

import webui
from webui.api.access import gradio_routes
from webui.api.access.attempts import Attempts
from webui.api.access.audience import Audience, declare, declared
from webui.api.access.guard import Guard
from webui.api.access.logins import Logins, read_secret
from webui.api.access.our_routes import OurRoutes
from webui.api.access.passwords import Passwords
from webui.api.access.slowing import Slowing
from webui.api.bodies.decode import Decoder
from webui.api.bodies.pictures import store_inline_pictures
from webui.api.compression import Compression
from webui.api.desktop import show_in_folder
from webui.api.error_handlers import install_error_handlers
from webui.api.routes.boards import board_routes
from webui.api.routes.bundle import bundle_routes
from webui.api.routes.catalogue import catalogue_routes
from webui.api.routes.docs import install_docs
from webui.api.routes.downloads import download_routes
from webui.api.routes.gallery import gallery_routes
from webui.api.routes.generate import generate_routes
from webui.api.routes.help import help_routes
from webui.api.routes.images import image_routes
from webui.api.routes.inspect import inspect_routes
from webui.api.routes.jobs import job_routes
from webui.api.routes.local_files import local_file_routes
from webui.api.routes.login import login_routes
from webui.api.routes.machine import machine_routes
from webui.api.routes.model_changes import model_change_routes
from webui.api.routes.models import model_routes
from webui.api.routes.offers import offer_routes
from webui.api.routes.picture_facts import picture_fact_routes
from webui.api.routes.private import private_routes
from webui.api.routes.prompt_check import prompt_check_routes
from webui.api.routes.settings import settings_routes
from webui.api.routes.steps import step_routes
from webui.api.routes.stream import stream_routes
from webui.api.routes.style_now import style_now_routes
from webui.api.routes.unknown import unknown_routes
from webui.api.routes.walk import walk_routes
from webui.api.services import Services
from webui.checkpoints.addons import Addons
from webui.checkpoints.catalogue import Catalogue
from webui.checkpoints.converted import KINDS, converted_files
from webui.checkpoints.converting import Converter
from webui.checkpoints.hashes import BOOK_NAME, HashBook
from webui.checkpoints.library import Library
from webui.checkpoints.other_folders import other_folders
from webui.downloads.first_model import FirstModel
from webui.downloads.local_files import LocalFiles
from webui.downloads.machine import SelfMeasurement, installed_torch
from webui.downloads.options import DownloadOptions
from webui.downloads.setup import Shop, open_shop
from webui.jobs.queue import JobQueue
from webui.jobs.submitting import Submissions
from webui.metadata.finding import CheckpointFinder
from webui.operator.operator_settings import OperatorSettings
from webui.presets import Presets
from webui.prompts.check.check import PromptCheck
from webui.settings import Settings
from webui.share.link import Share, ShareState
from webui.share.tunnel import Tunnel
from webui.storage import Storage
from webui.storage.housekeeping import Housekeeper
from webui.storage.owners import LOCAL, Owner
from webui.texts import Texts
from webui.ui.page import build_page, mount_page, routers_of
from webui.worker.local_worker import LocalWorker
from webui.worker.pool import WorkerPool
from webui.worker.status import WorkerState

_DESCRIPTION = """\
The same requests and events as the page. Send a request, follow the job's events, fetch the pictures.

A picture in a request is base64, a `data:` URI, or the `sha256:…` that `POST /api/images` answered. Fields that a
request leaves out take the checkpoint's defaults, which the job shows. Errors are `{"error": {"kind", "message",
"hint"}}`, in the language of `Accept-Language` (English or Simplified Chinese); 422 is a list that names the fields.
If there are logins, send user and password with HTTP Basic."""
ENGINE = "webui.engine.worker:serve"  # a name and not the function: this process never loads torch
SELF_MEASUREMENT = "webui.engine.self_measurement"  # the same
_log = logging.getLogger(__name__)


def build(
    settings: Settings,
    *,
    worker_target: str = ENGINE,
    announce: Callable[[Share], None] | None = None,
    download_options: DownloadOptions | None = None,
    self_measurement: str = SELF_MEASUREMENT,
) -> FastAPI:
    """The whole app, not yet running: its lifespan starts and ends worker, queue and tunnel.

    `worker_target` names the worker process's function; `announce` hears of the public link when it is open or has
    failed, from a thread; `download_options` say where models come from, by default what the environment says;
    `self_measurement` names the program that measures this machine. Raises FolderInUse and the like for the data
    folder, and ValueError for settings that would let strangers in without a login
    (`webui.share.link.settings_with_login` adds one).
    """
    if settings.is_public and not settings.logins:
        raise ValueError("others can reach this app, so it needs a login")
    os.environ.update(_quiet_environment(settings))
    texts = Texts(are_for_guests=bool(settings.logins))
    hashes = HashBook(settings.data_dir / BOOK_NAME)
    others = other_folders(settings)
    catalogue = Catalogue(settings.models_dir, others, hashes.known, converted_files(settings))
    addons = Addons(settings.models_dir, others, catalogue.converted)
    storage = Storage(settings.data_dir, (LOCAL, *map(Owner, settings.logins)))
    try:
        operator = OperatorSettings(settings, others)
        pool = WorkerPool([LocalWorker(operator.now(), worker_target)])
        operator.on_change(pool.adjust)
        queue = JobQueue(
            storage,
            catalogue,
            pool,
            presets_dir=settings.presets_dir,
            expects_cpu=_expects_cpu(settings),
            addons=addons,
        )
        share = ShareState()
        decoder = Decoder(settings.data_dir / "uploads")
        options = partial(operator.download_options, download_options)
        shop = open_shop(settings.models_dir, settings.data_dir, settings.presets_dir, options)
        operator.on_change(lambda _: shop.downloads.pace.set_limit(options().bytes_per_second))
        machine = SelfMeasurement(settings, self_measurement, lambda: queue.status().running > 0)
        converter = Converter()
        submissions = Submissions(queue, partial(store_inline_pictures, storage, decoder))
        services = Services(
            queue=queue,
            submissions=submissions,
            catalogue=catalogue,
            addons=addons,
            hashes=hashes,
            storage=storage,
            decoder=decoder,
            texts=texts,
            operator=operator,
        )
        app = FastAPI(
            title="Darkroom",
            version=webui.__version__,
            description=_DESCRIPTION,
            docs_url=None,
            redoc_url=None,
            lifespan=lambda app: _running(settings, services, shop, machine, converter, share, announce or _log_share),
        )
        presets = Presets(settings.presets_dir)
        page = build_page(
            catalogue=services.catalogue, presets=presets, texts=services.texts, settings=operator.now, share=share
        )
        _add_routes(app, settings, services, shop, machine, converter, routers_of(page))
        mount_page(app, page)
    except BaseException:
        storage.close()
        raise
    return app


def _expects_cpu(settings: Settings) -> bool:
    """Whether pictures will be drawn on a processor, as the settings or the installed torch say; torch's own index
    marks the wheels that know nothing else. Where torch states no version, its first worker tells.
    """
    return settings.device == "cpu" or (settings.device == "auto" and (installed_torch() or "").endswith("+cpu"))


def _quiet_environment(settings: Settings) -> dict[str, str]:
    """Settings of Gradio and the Hub's client that can only be given as variables; the worker process inherits them."""
    return {
        "GRADIO_ANALYTICS_ENABLED": "False",
        "GRADIO_TEMP_DIR": str(settings.data_dir / "gradio"),  # not shared with other people's Gradio on this machine
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
    }


def _add_routes(
    app: FastAPI,
    settings: Settings,
    services: Services,
    shop: Shop,
    machine: SelfMeasurement,
    converter: Converter,
    of_the_page: Sequence[APIRouter],
) -> None:
    """The API, the page's own routes, and the guard in front of everything."""
    install_error_handlers(app, services.texts)
    secret = read_secret(settings.data_dir / "secret")
    logins = Logins(settings.logins, secret, cookie_name=f"darkroom-{settings.port}")
    passwords = Passwords(logins, Attempts(), Slowing())
    library = Library(services.catalogue)
    files = LocalFiles(settings.models_dir, services.catalogue.others, shop.space, converter.convert)
    of_persons = (
        generate_routes(services),
        style_now_routes(services),
        walk_routes(services),
        prompt_check_routes(services, PromptCheck(services.catalogue, settings.presets_dir, services.addons)),
        job_routes(services),
        step_routes(services),
        stream_routes(services),
        image_routes(services),
        picture_fact_routes(services),
        inspect_routes(services, CheckpointFinder(services.catalogue, services.hashes)),
        gallery_routes(services),
        board_routes(services),
        bundle_routes(services),
        private_routes(services, settings.port),
        catalogue_routes(services),
        model_routes(services, library),
        machine_routes(services, shop.downloads.counts),
        help_routes(services.texts),
        *of_the_page,
    )
    routers = (
        *declared(Audience.OPERATOR, download_routes(services, shop.downloads), local_file_routes(files)),
        *declared(Audience.PERSONS, offer_routes(services, shop, machine)),
        *declared(Audience.PERSONS, *of_persons),
        *declared(Audience.OPERATOR, model_change_routes(services, library, show_in_folder)),
        *declared(Audience.OPERATOR, settings_routes(services.operator)),
        *declared(Audience.ANYBODY, login_routes(logins, passwords, services.texts)),
    )
    routers += declared(Audience.PERSONS, unknown_routes(routers))
    install_docs(app)
    declare(Audience.PERSONS, app.routes)
    served: list[BaseRoute] = list(app.routes)  # each once: the app has those of routers a second time, bundled
    for router in routers:
        app.include_router(router)
        served += router.routes
    ours = OurRoutes(served)  # Gradio's are not there yet
    app.add_middleware(Compression, lasting=gradio_routes.LASTING)
    app.add_middleware(Guard, routes=ours, settings=settings, logins=logins, passwords=passwords, texts=services.texts)


@asynccontextmanager
async def _running(
    settings: Settings,
    services: Services,
    shop: Shop,
    machine: SelfMeasurement,
    converter: Converter,
    share: ShareState,
    announce: Callable[[Share], None],
) -> AsyncIterator[None]:
    """Worker, queue, downloads and tunnel live as long as the server does."""
    tunnel = Tunnel(settings, share, announce)
    housekeeper = Housekeeper(services.storage)
    first_model = FirstModel(
        settings.data_dir, shop, machine, lambda: services.queue.status().worker.state is WorkerState.READY
    )
    try:
        services.queue.start()
        housekeeper.start()
        shop.downloads.start()
        first_model.start()
        services.catalogue.converted.start(converter.convert, partial(_look_once, services))
        if settings.share:
            tunnel.start()
        yield
    finally:
        tunnel.close()
        first_model.leave()
        await to_thread.run_sync(machine.close)
        await to_thread.run_sync(first_model.close)
        converter.close()
        await to_thread.run_sync(services.catalogue.converted.close)
        await to_thread.run_sync(shop.downloads.close)
        await to_thread.run_sync(services.queue.close)
        await to_thread.run_sync(housekeeper.close)
        services.storage.close()


def _look_once(services: Services) -> None:
    """At what the page would show from the start, if nobody had to wait for the headers; and for what is pickled."""
    services.addons.loras()
    Library(services.catalogue).look(KINDS)


def _log_share(share: Share) -> None:
    if share.url:
        _log.info("public link, for everybody with the login: %s", share.url)
