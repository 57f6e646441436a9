"""What the trucks' telemetry knows of a business: how often its bins were emptied in a period, and with how many kilograms."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from babel.numbers import format_decimal
from sqlalchemy import text
from sqlalchemy.orm import Session

from asty_citizen_services.registry.models import Application

_THERE = text("SELECT to_regclass('telemetry.v_lift') IS NOT NULL AND to_regclass('fleet.v_business_bin') IS NOT NULL")
_READ = text("""
    SELECT count(l.s) AS lifts, coalesce(sum(l.net), 0) AS kg, count(DISTINCT b.tag) AS bins
    FROM fleet.v_business_bin AS b LEFT JOIN telemetry.v_lift AS l
        ON l.tag = b.tag AND l.marks IS NULL AND l.day >= :since AND l.day <= :until
    WHERE upper(b.business) IN (upper(:name), :afm)
""")


@dataclass(frozen=True, slots=True)
class Pickups:
    """What was collected between two days, both included. `bins` is how many bins of the business are known."""

    since: date
    until: date
    lifts: int
    kg: float
    bins: int


def of(session: Session, application: Application) -> Pickups | None:
    """Return what telemetry knows of the business of an application; None where there is no telemetry or no business."""
    answers = application.answers
    name, afm = str(answers.get("business_name", "")), str(answers.get("business_afm", ""))
    since = _day(answers.get("from_day"))
    if not (name or afm) or since is None or not session.execute(_THERE).scalar():
        return None
    until = _day(answers.get("to_day")) or application.filed_at.date()
    row = session.execute(_READ, {"name": name, "afm": afm, "since": since, "until": until}).one()
    return Pickups(since, until, row.lifts, float(row.kg), row.bins)


def facts(session: Session, application: Application) -> Mapping[str, Any]:
    """Return what a document may say of it; nothing where no bin of the business is known."""
    found = of(session, application)
    if found is None or not found.bins:
        return {}
    return {"lifts": str(found.lifts), "kg": format_decimal(round(found.kg), locale="el_GR")}


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None
