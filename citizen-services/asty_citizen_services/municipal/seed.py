"""Test data for the registers: the persons of TaxisNet's stand-in, their marriages, births, homes and shops. Nobody's."""

import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from asty_citizen_services.identity.taxisnet_double import PERSONS
from asty_citizen_services.municipal.models import RegisterEntry

_SPACE = uuid.UUID("4a6b6f5e-6d0c-4b52-9a3c-a57e00000001")
_STREETS = ("Ερμού 12", "Δημητριάδος 101", "Ιάσονος 7", "Αργοναυτών 33")
_BIRTHS = ("1984-05-17", "1951-02-08", "1999-11-30", "1976-07-21")


def seed(session: Session, now: datetime) -> int:
    """Put the test entries into the registers; what is there already stays. Return how many entries there are."""
    entries = list(_entries())
    for register, record in entries:
        key = uuid.uuid5(_SPACE, f"{register}:{record.get('number') or record.get('afm') or record.get('atak')}")
        row = insert(RegisterEntry).values(id=key, register=register, record=record, test_data=True, made_at=now)
        session.execute(row.on_conflict_do_nothing())
    return len(entries)


def _entries() -> Iterator[tuple[str, dict[str, Any]]]:
    for n, person in enumerate(PERSONS):
        name = f"{person.firstname} {person.lastname}"
        of = {"name": name, "fathername": person.fathername, "mothername": person.mothername, "afm": person.taxid}
        yield "births_and_deaths", of | {"number": f"{n + 1}/{person.birthyear}", "born_on": _BIRTHS[n], "place": "Βόλος"}
        yield "residents", of | {"address": _STREETS[n], "postcode": "38221"}
        yield "families", of | {"number": f"ΔΟΚ-{n + 1:04}"}
        yield (
            "property_debts",
            {"atak": f"0100000000{n + 1}", "debt": "0,00 €" if n != 1 else "184,20 €", "address": _STREETS[n], "afm": person.taxid},
        )
        yield "businesses", {"name": f"ΔΟΚΙΜΑΣΤΙΚΗ ΕΠΙΧΕΙΡΗΣΗ {n + 1}", "afm": person.taxid, "address": _STREETS[n]}
        if n % 2:
            yield "males", of | {"number": f"{person.birthyear}/{n}", "born_on": _BIRTHS[n], "place": "Βόλος"}
    maria, georgios, eleni, nikolaos = (f"{person.firstname} {person.lastname}" for person in PERSONS)
    yield "marriages", {
        "number": "17/2010", "married_on": "2010-09-11", "place": "Βόλος", "first": nikolaos, "second": maria, "ceremony": "Πολιτικός",
    }  # fmt: skip
    yield "marriages", {
        "number": "3/1975", "married_on": "1975-01-26", "place": "Βόλος", "first": georgios, "second": "ΑΝΝΑ ΔΟΚΙΜΑΣΤΙΚΗ",
        "ceremony": "Θρησκευτικός",
    }  # fmt: skip
    yield "partnerships", {"number": "2/2024", "signed_on": "2024-04-19", "first": eleni, "second": "ΔΗΜΗΤΡΙΟΣ ΔΟΚΙΜΑΣΤΙΚΟΣ"}
