"""The bank's statement file against our fees: what matched, what was paid before, what is unknown, what differs."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from asty_process.environment import OperatorError
from sqlalchemy.orm import Session

from asty_citizen_services.audit import journal
from asty_citizen_services.payments import desk
from asty_citizen_services.payments.desk import Outcome, Word

HEAD = ("paid_at", "code", "amount", "bank_reference")

NAMES: Mapping[Outcome, str] = {
    "paid": "newly paid",
    "late": "not owed any more, to go back",
    "known": "paid before",
    "unknown": "unknown code",
    "differs": "other amount or second payment",
}


class StatementError(OperatorError):
    """The file is no statement: says the line and what was expected. Nothing was changed."""


@dataclass
class Report:
    """The lines of a statement by what became of them."""

    lines: dict[Outcome, list[Word]] = field(default_factory=lambda: {"paid": [], "late": [], "known": [], "unknown": [], "differs": []})

    def text(self) -> str:
        """Write the report: a line for each kind, then each payment that somebody has to look at."""
        said = [f"{NAMES[kind]}: {len(words)}, {desk.euros(sum(word.cents for word in words))}" for kind, words in self.lines.items()]
        for kind in ("late", "unknown", "differs"):
            said += [f"{NAMES[kind]}: {word.fee} {desk.euros(word.cents)} {word.bank_reference}" for word in self.lines[kind]]
        return "\n".join(said)


def read(text: str) -> Iterator[Word]:
    """Read a statement: CSV with `;`, the columns paid_at (ISO 8601 with offset), code, amount (12.50 or 12,50), bank_reference.

    Raises StatementError.
    """
    rows = csv.DictReader(io.StringIO(text.lstrip("\ufeff")), delimiter=";")
    if tuple(rows.fieldnames or ()) != HEAD:
        raise StatementError(f"line 1: expected {';'.join(HEAD)}")
    for number, row in enumerate(rows, 2):
        word = _word(row)
        if word is None:
            raise StatementError(f"line {number}: expected a time with its offset, a code, an amount of euros and a reference")
        yield word


def reconcile(session: Session, text: str, actor: str, now: datetime) -> Report:
    """Take every payment of a statement, in one transaction; the same file again changes nothing. Raises StatementError."""
    report = Report()
    for word in list(read(text)):
        report.lines[desk.take(session, word, "statement")].append(word)
    counts: dict[str, Any] = {str(kind): len(words) for kind, words in report.lines.items()}
    journal.write(session, "payments", at=now, actor=actor, act="payments.reconcile", **counts)
    return report


def _word(row: dict[str, Any]) -> Word | None:
    try:
        at, cents = datetime.fromisoformat(row["paid_at"]), Decimal(row["amount"].replace(",", ".")) * 100
        whole = at.tzinfo is not None and cents == int(cents) and cents > 0 and row["code"] and row["bank_reference"]
    except (ValueError, ArithmeticError, AttributeError, TypeError):
        return None
    return Word(row["code"], int(cents), row["bank_reference"], at) if whole else None
