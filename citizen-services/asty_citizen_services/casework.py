"""How a case's diagram reaches the rooms that do its system steps: wired once, for the pages and for the worker."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from asty_citizen_services.database import Database
from asty_citizen_services.documents.papers import Papers
from asty_citizen_services.municipal import pickups
from asty_citizen_services.nursery import desk as nursery
from asty_citizen_services.procedures.catalogue import Catalogue
from asty_citizen_services.registry.models import Application
from asty_citizen_services.settings import Settings
from asty_citizen_services.workflow import acts
from asty_citizen_services.workflow.desk import Desk, Service


@dataclass(frozen=True)
class Casework:
    """`desk` moves cases, `papers` writes their documents."""

    desk: Desk
    papers: Papers


def wire(settings: Settings, database: Database, catalogue: Catalogue, more: Mapping[str, Service] | None = None) -> Casework:
    """Wire the rooms behind `asty:does`. `more` brings the services of rooms beside these, such as `charge`."""

    def service(session: Session, application: Application) -> Mapping[str, Any]:
        return pickups.facts(session, application)

    def place(session: Session, application: Application) -> Mapping[str, Any]:
        return nursery.place(session, catalogue, application, settings.zone)

    papers = Papers(
        database, catalogue, settings.municipality, settings.address, settings.zone, given=acts.given_last, service=service, place=place
    )
    services: dict[str, Service] = {
        "compose": papers.compose,
        "deliver": papers.deliver,
        "notify": acts.notify,
        "forward": acts.forward,
        "rank": _by_the_ranking,
        "publish": _by_the_ranking,
    }
    return Casework(Desk(catalogue, services | dict(more or {}), acts.Telling(catalogue, settings.address)), papers)


def _by_the_ranking(_session: Session, _application: Application, _what: str, _now: datetime) -> None:
    """The nursery's list is computed from the cases whenever it is read: nothing is kept beside them."""
