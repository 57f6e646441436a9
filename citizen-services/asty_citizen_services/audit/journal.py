"""Writing to the audit, within the transaction of what is written about, and checking all of it."""

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from asty_citizen_services.audit.chain import BEGINNING, Detail, Flaw, Link, flaws
from asty_citizen_services.audit.models import AuditEntry, AuditHead

SEALS = "seals"
_AS_IT_IS = {"synchronize_session": False}  # a head is never an object of the session
_CHANGED_SINCE = text("""
    SELECT h.stream, h.number, encode(h.hash, 'hex') AS hash FROM audit_head h
    WHERE h.stream <> :seals AND EXISTS (SELECT 1 FROM audit_entry e WHERE e.stream = h.stream AND e.number = h.number AND e.at > :since)
    ORDER BY h.stream
""")


def write(session: Session, stream: str, *, at: datetime, actor: str, act: str, subject: str = "", **details: Detail) -> None:
    """Add an entry to a stream, such as `case:<id>`, `citizen:<id>`, `staff:<id>`.

    `actor` is a visitor's `actor` or `system`; `act` is `room.verb`; `subject` names whose data it is, the stream's own without it.
    A transaction that writes to several streams does so in alphabetical order, since each stays locked until the end.
    """
    began = insert(AuditHead).values(stream=stream, number=0, hash=BEGINNING)
    locked = began.on_conflict_do_update(index_elements=["stream"], set_={"number": AuditHead.number}).returning(
        AuditHead.number, AuditHead.hash
    )
    number, before = session.execute(locked).one()
    link = Link(stream, number + 1, at, actor, act, subject or stream, details, before)
    sealed = link.seal()
    session.execute(
        update(AuditHead).where(AuditHead.stream == stream).values(number=link.number, hash=sealed), execution_options=_AS_IT_IS
    )
    session.add(
        AuditEntry(
            stream=stream, number=link.number, at=at, actor=actor, act=act, subject=link.subject,
            details=dict(details), before=before, hash=sealed,
        )
    )  # fmt: skip
    session.flush()


def seal(session: Session, now: datetime) -> int:
    """Write the ends of all streams that grew since the last seal into the stream of seals; return how many.

    A stream that somebody removes whole, or shortens with its end, is then missed by `verify`.
    """
    since = session.scalar(select(AuditEntry.at).where(AuditEntry.stream == SEALS).order_by(AuditEntry.number.desc()).limit(1))
    grown = session.execute(_CHANGED_SINCE, {"seals": SEALS, "since": since or datetime.fromisoformat("1970-01-01T00:00:00Z")}).all()
    if grown:
        ends = {row.stream: f"{row.number}:{row.hash}" for row in grown}
        write(session, SEALS, at=now, actor="system", act="audit.seal", **ends)
    return len(grown)


def verify(session: Session) -> Iterator[Flaw]:
    """Yield everything that is wrong with the audit: altered, missing, cut off."""
    heads = {head.stream: (head.number, head.hash) for head in session.scalars(select(AuditHead))}
    rows = session.scalars(select(AuditEntry).order_by(AuditEntry.stream, AuditEntry.number).execution_options(yield_per=1000))
    sealed: dict[tuple[str, int], str] = {}
    seen: dict[tuple[str, int], str] = {}
    for stream, entries in groupby(rows, key=lambda row: row.stream):
        links = []
        for row in entries:
            links.append(_link(row))
            seen[stream, row.number] = row.hash.hex()
            if stream == SEALS:
                for name, end in row.details.items():
                    upto, _, digest = str(end).partition(":")
                    sealed[name, int(upto)] = digest
        yield from flaws(stream, links, heads.pop(stream, None))
    for stream, (number, _) in heads.items():
        if number:
            yield Flaw(stream, number, "all entries of the stream are missing")
    for (stream, number), digest in sealed.items():
        if seen.get((stream, number)) != digest:
            yield Flaw(stream, number, "it is not what was sealed")


def _link(row: AuditEntry) -> Link:
    return Link(row.stream, row.number, row.at, row.actor, row.act, row.subject, row.details, row.before, row.hash)
