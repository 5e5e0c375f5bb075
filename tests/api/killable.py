"""Queue, storage and API with the scriptable worker, without the page (which takes seconds to import): a program to
kill. `python -m tests.api.killable PORT DATA_DIR`."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from webui.api.bodies.decode import Decoder
from webui.api.bodies.pictures import store_inline_pictures
from webui.api.error_handlers import install_error_handlers
from webui.api.routes.gallery import gallery_routes
from webui.api.routes.generate import generate_routes
from webui.api.routes.images import image_routes
from webui.api.routes.jobs import job_routes
from webui.api.routes.machine import machine_routes
from webui.api.services import Services
from webui.checkpoints.addons import Addons
from webui.checkpoints.catalogue import Catalogue
from webui.checkpoints.hashes import BOOK_NAME, HashBook
from webui.jobs import JobQueue
from webui.jobs.submitting import Submissions
from webui.operator.operator_settings import OperatorSettings
from webui.settings import Settings
from webui.storage import Storage
from webui.texts import Texts
from webui.worker.local_worker import LocalWorker
from webui.worker.pool import WorkerPool


def main(port: int, data_dir: Path) -> None:
    settings = Settings(data_dir=data_dir)
    storage, catalogue, texts = Storage(data_dir), Catalogue(settings.models_dir), Texts()
    queue = JobQueue(storage, catalogue, WorkerPool([LocalWorker(settings, "tests.fakes:serve")]))
    decoder = Decoder(data_dir / "uploads")
    submissions = Submissions(queue, partial(store_inline_pictures, storage, decoder))
    services = Services(
        queue=queue,
        submissions=submissions,
        catalogue=catalogue,
        addons=Addons(settings.models_dir),
        hashes=HashBook(data_dir / BOOK_NAME),
        storage=storage,
        decoder=decoder,
        texts=texts,
        operator=OperatorSettings(settings, catalogue.others),
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        queue.start()
        yield

    app = FastAPI(lifespan=lifespan)
    install_error_handlers(app, texts)
    for routes in (generate_routes, job_routes, image_routes, gallery_routes, machine_routes):
        app.include_router(routes(services))
    uvicorn.run(app, port=port, log_level="warning")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
