"""The composition root of the pages: settings to a running application."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from anyio.to_thread import current_default_thread_limiter
from asty_look import assets
from asty_look.headers import SafeHeaders
from asty_process.measure import Measure, Measured
from fastapi import Depends, FastAPI

from asty_citizen_services import casework, csrf, failures, health
from asty_citizen_services.bodies import BodyLimit
from asty_citizen_services.callcentre.filing_pages import FilingPages
from asty_citizen_services.callcentre.handoff_pages import HandoffPages
from asty_citizen_services.callcentre.pages import Agents
from asty_citizen_services.cookies import Cookies
from asty_citizen_services.database import CONNECTIONS, Database
from asty_citizen_services.documents import trust
from asty_citizen_services.documents.check import Check
from asty_citizen_services.documents.compose import Letterhead, compose, new_code
from asty_citizen_services.drafts.filling import Filling
from asty_citizen_services.drafts.scanner import Clamd
from asty_citizen_services.handover import api as handover
from asty_citizen_services.handover.desk import Events
from asty_citizen_services.identity import directory_pages, me, sign_in, staff_pages
from asty_citizen_services.identity.account_pages import AccountPages
from asty_citizen_services.identity.away_pages import AwayPages
from asty_citizen_services.identity.oidc import Directory
from asty_citizen_services.identity.passkeys import RelyingParty
from asty_citizen_services.identity.taxisnet import TaxisNet
from asty_citizen_services.interface.openness import Openness
from asty_citizen_services.interface.personal import Personal
from asty_citizen_services.interface.programs import Programs
from asty_citizen_services.interface.public import Public
from asty_citizen_services.kiosk.door import KioskDoor
from asty_citizen_services.kiosk.filling_pages import KioskFilling
from asty_citizen_services.kiosk.hand_off_pages import HandOffPages
from asty_citizen_services.kiosk.pages import KioskPages
from asty_citizen_services.notices import carriers as notices
from asty_citizen_services.notices import receipts_api
from asty_citizen_services.notices.pages import Pages as NoticePages
from asty_citizen_services.office.fees_pages import FeesPages
from asty_citizen_services.office.figures_pages import FiguresPages
from asty_citizen_services.office.mandate_pages import MandatePages
from asty_citizen_services.office.nursery_pages import NurseryPages
from asty_citizen_services.office.pages import Office
from asty_citizen_services.office.profile_pages import ProfilePages
from asty_citizen_services.office.signing import Signing
from asty_citizen_services.payments import bank
from asty_citizen_services.payments.pages import Pages as PaymentPages
from asty_citizen_services.portal import routes as portal
from asty_citizen_services.portal.apply import Apply
from asty_citizen_services.portal.following import FollowingPages
from asty_citizen_services.portal.nursery import NurseryCasePages
from asty_citizen_services.privacy.officer_pages import OfficerPages
from asty_citizen_services.privacy.pages import Pages as PrivacyPages
from asty_citizen_services.procedures import catalogue as procedures
from asty_citizen_services.registry.filing import Desk as Counter
from asty_citizen_services.screens import Screens
from asty_citizen_services.settings import Settings

HERE = Path(__file__).parent


def create_app(settings: Settings) -> FastAPI:
    """Wire the rooms. Nothing is connected until somebody asks. Raises ProcedureError when a folder is wrong."""
    database = Database(settings.dsn)
    screens = Screens(HERE / "templates", HERE / "locale", zone=settings.zone, org=settings.org)
    screens.municipality = settings.municipality
    party = RelyingParty(settings.domain, settings.municipality, settings.address)
    catalogue = procedures.load_all(beside=settings.procedures)
    cases = casework.wire(settings, database, catalogue)
    counter = Counter(settings.municipality, settings.zone, on_filed=(cases.desk.begin,))
    scanner = Clamd(*settings.scanner) if settings.scanner else None
    filling = Filling(screens, catalogue, counter, settings.zone, scanner)
    authorities = trust.read(settings.trust)
    office = Office(database, screens, catalogue, cases.desk, settings.zone)
    measured = Measured("asty_citizen")
    login = TaxisNet(settings.taxisnet, settings.address + sign_in.BACK) if settings.taxisnet else None
    cookies = Cookies(settings.is_tls)
    carriers = notices.chosen(settings.notices)

    def write(folder: Path, template: str, facts: Mapping[str, Any], now: datetime) -> bytes:
        head = Letterhead(settings.municipality, "", settings.address)
        return compose(folder, template, facts, head, new_code(), now, settings.zone)

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        current_default_thread_limiter().total_tokens = CONNECTIONS
        yield
        database.close()
        if login is not None:
            login.close()

    app = FastAPI(
        title="Asty citizen services",
        version="1",
        description="Procedures, cases and protocol of one municipality. Times are UTC.",
        lifespan=life,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        dependencies=[Depends(csrf.guard)],
    )
    app.state.cookies, app.state.database, app.state.measured = cookies, database, measured
    app.add_route("/static/{name}", assets.serve)
    # addresses are tried in this order: what most people open comes first
    app.include_router(
        portal.routes(
            database,
            screens,
            catalogue,
            settings.zone,
            cases.desk,
            settings.address,
            settings.secret,
            pays_online=settings.bank is not None,
        )
    )
    app.include_router(Apply(database, filling, cases.desk).routes())
    app.include_router(health.routes(database, measured))
    app.include_router(sign_in.routes(database, cookies, screens, login, settings.address))
    app.include_router(NoticePages(database, screens, settings.zone, settings.notices).routes())
    if settings.notices.gateway is not None:
        app.include_router(receipts_api.routes(database, settings.notices.gateway.key))
    app.include_router(PaymentPages(database, screens, settings, write).routes())
    if settings.bank is not None:
        app.include_router(bank.routes(database, settings.bank.secret))
    app.include_router(PrivacyPages(database, screens, catalogue).routes())
    app.include_router(OfficerPages(database, screens, catalogue, settings.zone).routes())
    if settings.documents is not None and settings.documents.secret:
        app.include_router(
            handover.routes(database, Events(settings.municipality, settings.zone, cases.desk.route), settings.documents.secret)
        )
    app.include_router(Programs(database, screens).routes())
    app.include_router(me.routes(database, cookies, screens, carriers, settings.secret))
    app.include_router(staff_pages.routes(database, cookies, screens, party, has_directory=settings.oidc is not None))
    app.include_router(AccountPages(database, screens, settings.zone, settings.address).routes())
    app.include_router(AwayPages(database, screens, settings.zone).routes())
    agents = Agents(database, screens, filling, cases.desk, settings.zone, settings.address)
    app.include_router(agents.routes())
    app.include_router(FilingPages(agents).routes())
    app.include_router(HandoffPages(database, screens, cookies, filling, carriers, settings.secret).routes())
    if settings.oidc is not None:
        directory = Directory(settings.oidc, settings.address + directory_pages.BACK)
        app.include_router(directory_pages.routes(database, cookies, directory))
    app.include_router(KioskPages(database, screens, cookies, catalogue, login, settings.address, settings.secret).routes())
    app.include_router(HandOffPages(database, filling, settings.address).routes())
    app.include_router(KioskFilling(database, filling, settings.address, settings.secret).routes())
    app.include_router(FollowingPages(database, screens, catalogue, cases.desk).routes())
    app.include_router(Check(database, screens, authorities).routes())
    app.include_router(Public(database, screens, catalogue, authorities, settings.zone, settings.secret).routes())
    app.include_router(Personal(database, filling, cases.desk, settings.secret).routes())
    app.include_router(ProfilePages(office).routes())
    app.include_router(Signing(office, cases.papers, authorities, settings.timestamps).routes())
    app.include_router(FiguresPages(office).routes())
    app.include_router(MandatePages(office, scanner).routes())
    app.include_router(FeesPages(office).routes())
    nurseries = NurseryPages(office, settings.municipality, settings.address, settings.timestamps)
    app.include_router(nurseries.routes())
    app.include_router(NurseryCasePages(database, screens, catalogue, nurseries.year_of, nurseries.give_up).routes())
    app.include_router(office.routes())
    failures.install(app, screens)
    app.add_middleware(BodyLimit)
    app.add_middleware(KioskDoor, database=database, cookies=cookies)
    app.add_middleware(SafeHeaders)
    app.add_middleware(Openness)
    app.add_middleware(Measure, measured=measured)
    return app
