"""How a case's diagram reaches the rooms that do its system steps: wired once, for the pages and for the worker."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from asty_citizen_services.database import Database
from asty_citizen_services.documents.papers import Papers
from asty_citizen_services.municipal import pickups
from asty_citizen_services.nursery import desk as nursery
from asty_citizen_services.payments import desk as payments
from asty_citizen_services.procedures.catalogue import Catalogue
from asty_citizen_services.registry.models import Application
from asty_citizen_services.settings import TEST_ORGANISATION, Settings
from asty_citizen_services.workflow import acts
from asty_citizen_services.workflow.desk import Desk, Service


@dataclass(frozen=True)
class Casework:
    """`desk` moves cases, `papers` writes their documents."""

    desk: Desk
    papers: Papers


def wire(settings: Settings, database: Database, catalogue: Catalogue) -> Casework:
    """Wire the rooms behind `asty:does`."""

    def service(session: Session, application: Application) -> Mapping[str, Any]:
        return pickups.facts(session, application)

    def place(session: Session, application: Application) -> Mapping[str, Any]:
        return nursery.place(session, catalogue, application, settings.zone)

    papers = Papers(
        database, catalogue, settings.municipality, settings.address, settings.zone, given=acts.given_last, service=service, place=place
    )
    fees = payments.Fees(catalogue, settings.bank.organisation if settings.bank else TEST_ORGANISATION)
    services: dict[str, Service] = {
        "charge": fees.charge,
        "compose": papers.compose,
        "deliver": papers.deliver,
        "notify": acts.notify,
        "forward": partial(acts.forward, address=settings.address),
    }
    telling = acts.Telling(catalogue, settings.address)
    return Casework(Desk(catalogue, services, telling, (telling.ended, payments.close), settings.zone), papers)
