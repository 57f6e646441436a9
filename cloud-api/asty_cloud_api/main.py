"""The composition root: settings to a running application."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

from asty_look import assets
from asty_look.headers import SafeHeaders
from asty_look.pages import Pages
from asty_process.measure import Measure, Measured
from asty_town import TownFileError
from fastapi import Depends, FastAPI
from sqlalchemy.exc import SQLAlchemyError

from asty_cloud_api import database
from asty_cloud_api.board import counter
from asty_cloud_api.board import routes as board
from asty_cloud_api.board.desk import Desk
from asty_cloud_api.cab import pages as cab_pages
from asty_cloud_api.cab import routes as cab
from asty_cloud_api.cab.office import Cab
from asty_cloud_api.cab.raising import keep_raising
from asty_cloud_api.dispatch import interface as dispatch
from asty_cloud_api.dispatch.inbox import Outbox
from asty_cloud_api.dispatch.publishing import publish
from asty_cloud_api.enrolment import commands as enrolment_commands
from asty_cloud_api.enrolment import routes as enrolment
from asty_cloud_api.enrolment.authority import NoAuthorityError
from asty_cloud_api.enrolment.broker import BrokerAwayError
from asty_cloud_api.enrolment.office import Office
from asty_cloud_api.fleet import town_map
from asty_cloud_api.interface import health
from asty_cloud_api.interface import routes as interface
from asty_cloud_api.joints import Joints
from asty_cloud_api.live.feed import Feed
from asty_cloud_api.roads import routes as roads
from asty_cloud_api.roads.closures import Closures
from asty_cloud_api.roads.valhalla import Valhalla
from asty_cloud_api.screens import failures
from asty_cloud_api.screens import routes as screens
from asty_cloud_api.settings import Settings
from asty_cloud_api.staff import routes as staff
from asty_cloud_api.staff.book import Book
from asty_cloud_api.staff.directory import Directory
from asty_cloud_api.staff.gate import Gate

log = logging.getLogger(__name__)
HERE = Path(__file__).parent
RETRY_SECONDS = 5.0


def create_app(settings: Settings) -> FastAPI:
    """Wire the rooms. Nothing is connected until the application starts."""
    engine = database.reading(settings.dsn)
    changing = database.changing(settings.dsn)
    outbox = Outbox(settings.kafka) if settings.kafka else None
    valhalla = Valhalla(settings.valhalla_url) if settings.valhalla_url else None
    closures = Closures(changing, valhalla)
    joints = Joints(changing, outbox, closures, settings.dsn, settings.valhalla_url)
    feed = Feed(settings.dsn)
    pages = Pages(HERE / "templates", HERE / "locale", zone=settings.zone, org=settings.org)
    measured = Measured("asty_cloud_api")
    desk = Desk(engine, changing, pages, feed, settings.zone, joints, joints)
    drivers = Cab(changing)
    book = Book(changing)
    cookies = staff.Cookies(secure=settings.production or (settings.address or "").startswith("https://"))
    directory = Directory(settings.oidc, settings.address) if settings.oidc and settings.address else None
    office = enrolment_commands.office(settings.enrolment, settings.dsn) if settings.enrolment else None

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(feed.listen()), asyncio.create_task(_draw_town(settings))]
        tasks.append(asyncio.create_task(closures.watch(lambda trigger: publish(changing, outbox, trigger))))
        tasks.append(asyncio.create_task(counter.keep_finding(changing, settings.zone)))
        tasks.append(asyncio.create_task(keep_raising(changing, partial(publish, changing, outbox))))
        if office is not None:
            tasks.append(asyncio.create_task(_catch_up(office)))
        yield
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await engine.dispose()
        await changing.dispose()
        if valhalla is not None:
            await valhalla.close()
        await joints.close()
        if office is not None:
            office.engine.dispose()

    app = FastAPI(
        title="Asty fleet",
        version="1",
        description="Refuse trucks, bins, lifts and completeness of data of one town. Programs bring a bearer token; times are UTC.",
        lifespan=life,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        dependencies=[Depends(Gate(book, cookies.session))],
    )
    app.add_route("/static/{name}", assets.serve)
    app.include_router(health.routes(engine, feed, measured))
    app.include_router(interface.routes(engine, pages, feed, settings.zone))
    app.include_router(screens.routes(engine, pages, feed, settings.zone))
    app.include_router(board.routes(desk))
    app.include_router(enrolment.routes(office, settings.enrolment.code if settings.enrolment else None, engine, pages, settings.zone))
    app.include_router(dispatch.routes(changing, outbox, settings.zone))
    app.include_router(roads.routes(closures))
    app.include_router(cab.routes(drivers, feed, settings.zone, joints.way))
    app.include_router(cab_pages.routes(pages, drivers, settings.zone))
    app.include_router(staff.routes(book, cookies, pages, directory))
    staff.install(app, pages)
    failures.install(app, pages, feed)
    app.add_middleware(SafeHeaders)
    app.add_middleware(Measure, measured=measured)
    return app


async def _catch_up(office: Office) -> None:
    """Write the list of revoked certificates once the database answers: a revocation may have been broken off."""
    while True:
        try:
            await asyncio.to_thread(office.enforce)
        except (BrokerAwayError, NoAuthorityError) as error:
            log.warning("event=revocations_not_published why=%r", str(error))
        except SQLAlchemyError as error:
            log.warning("event=revocations_not_published why=%r do=%r", str(error).split("\n", 1)[0], "it is tried again")
            await asyncio.sleep(RETRY_SECONDS)
            continue
        return


async def _draw_town(settings: Settings) -> None:
    """Draw the map's layers from the town file once the database takes them; without a file the map has no streets."""
    if settings.town_file is None:
        return
    while True:
        try:
            if await asyncio.to_thread(town_map.remember_file, settings.dsn, settings.town_file):
                log.info("the map was drawn from %s", settings.town_file)
        except (TownFileError, FileNotFoundError, PermissionError) as error:
            log.error("the map can't be drawn: %s; the pages go on without it; put the file in place and start again", error)  # noqa: TRY400
        except SQLAlchemyError as error:
            log.warning("the map is not drawn yet: %s; trying again", str(error).split("\n", 1)[0])
            await asyncio.sleep(RETRY_SECONDS)
            continue
        return
