"""Beginning, keeping, taking up and giving up drafts."""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from asty_citizen_services.drafts.models import Draft, Upload
from asty_citizen_services.drafts.uploads import NotTakenError, Taken
from asty_citizen_services.forms.answers import Answers
from asty_citizen_services.forms.form import Form

MOST_FILES = 30


def browser_hash(csrf: str) -> bytes:
    """Name a browser by its form token."""
    return hashlib.sha256(csrf.encode()).digest()


def begin(
    session: Session, procedure: str, citizen: uuid.UUID | None, mandate: uuid.UUID | None, answers: Answers, browser: bytes, now: datetime
) -> Draft:
    """Begin a draft with what is known already."""
    draft = Draft(
        id=uuid.uuid4(), procedure=procedure, citizen_id=citizen, mandate_id=mandate, amends=None, answers=answers, browser_hash=browser,
        made_at=now, changed_at=now, filed_at=None,
    )  # fmt: skip
    session.add(draft)
    session.flush()
    return draft


def amending(
    session: Session, application: uuid.UUID, procedure: str, citizen: uuid.UUID, answers: Answers, browser: bytes, now: datetime
) -> Draft:
    """Take up, or begin, the draft that completes a filed application."""
    found = session.scalars(
        select(Draft).where(Draft.amends == application, Draft.citizen_id == citizen, Draft.filed_at.is_(None))
    ).one_or_none()
    if found is not None:
        return found
    draft = begin(session, procedure, citizen, None, answers, browser, now)
    draft.amends = application
    session.flush()
    return draft


def take(session: Session, draft: uuid.UUID, citizen: uuid.UUID, *, lock: bool = True) -> Draft | None:
    """Return a draft of a citizen that is not filed; None when there is none. Who only shows it does not `lock` it."""
    found = select(Draft).where(Draft.id == draft, Draft.citizen_id == citizen, Draft.filed_at.is_(None))
    return session.scalars(found.with_for_update() if lock else found).one_or_none()


def of_browser(session: Session, draft: uuid.UUID, browser: bytes) -> Draft | None:
    """Lock a draft that this browser wrote last: it may still be written to, not read, when the session has ended."""
    return session.scalars(
        select(Draft).where(Draft.id == draft, Draft.browser_hash == browser, Draft.filed_at.is_(None)).with_for_update()
    ).one_or_none()


def of_nobody(session: Session, draft: uuid.UUID, browser: bytes) -> Draft | None:
    """Lock a draft that nobody has signed for, which this browser may go on with."""
    found = of_browser(session, draft, browser)
    return found if found is not None and found.citizen_id is None else None


def adopt(draft: Draft, citizen: uuid.UUID, form: Form, known: Answers, browser: bytes, now: datetime) -> None:
    """Make a draft of nobody a citizen's: what the sign-in says counts, of the rest what was typed comes first."""
    fixed = {question.ask for question in form.questions() if question.fixed}
    draft.citizen_id = citizen
    draft.answers = known | draft.answers | {name: value for name, value in known.items() if name in fixed}
    draft.browser_hash, draft.changed_at = browser, now


def mine(session: Session, citizen: uuid.UUID) -> Sequence[Draft]:
    """Return what a citizen has begun and not filed, newest first."""
    return session.scalars(
        select(Draft).where(Draft.citizen_id == citizen, Draft.filed_at.is_(None), Draft.amends.is_(None)).order_by(Draft.changed_at.desc())
    ).all()


def keep(draft: Draft, form: Form, page_questions: Sequence[str], answers: Mapping[str, Any], browser: bytes, now: datetime) -> None:
    """Put a page's answers in place of the earlier ones; a fixed answer stays what the login gave."""
    fixed = {question.ask for question in form.questions() if question.fixed and question.ask in draft.answers}
    kept = {name: value for name, value in draft.answers.items() if name not in page_questions or name in fixed}
    draft.answers = kept | {name: value for name, value in answers.items() if name in page_questions and name not in fixed}
    draft.browser_hash, draft.changed_at = browser, now


def add_file(session: Session, draft: Draft, question: str, taken: Taken, now: datetime) -> Upload:
    """Keep a file with a draft's question. Raises NotTakenError when there are too many."""
    if len(session.scalars(select(Upload.id).where(Upload.draft_id == draft.id)).all()) >= MOST_FILES:
        raise NotTakenError("A form takes 30 files at most. Put several pages into one PDF.")
    upload = Upload(
        id=uuid.uuid4(), draft_id=draft.id, application_id=None, question=question, name=taken.name, media_type=taken.media_type,
        content=taken.content, sha256=hashlib.sha256(taken.content).digest(), made_at=now,
    )  # fmt: skip
    session.add(upload)
    session.flush()
    return upload


def file_names(session: Session, draft: Draft) -> dict[str, str]:
    """Return the names of a draft's files by their id; of an amending draft also those that were filed before."""
    wanted = Upload.draft_id == draft.id
    if draft.amends is not None:
        wanted = wanted | (Upload.application_id == draft.amends)
    return {str(row.id): row.name for row in session.execute(select(Upload.id, Upload.name).where(wanted))}


def filed(session: Session, draft: Draft, application: uuid.UUID, now: datetime) -> None:
    """Mark a draft as filed: its files are the application's from now on."""
    draft.filed_at = now
    session.execute(update(Upload).where(Upload.draft_id == draft.id).values(application_id=application))


def give_up(session: Session, draft: Draft) -> None:
    """Delete a draft with its files."""
    session.execute(delete(Upload).where(Upload.draft_id == draft.id))
    session.delete(draft)


def forget(session: Session, procedure: str, days: int, now: datetime) -> int:
    """Delete drafts of a procedure that nobody has touched for so many days; return how many."""
    old = session.scalars(
        select(Draft).where(Draft.procedure == procedure, Draft.filed_at.is_(None), Draft.changed_at < now - timedelta(days=days))
    ).all()
    for draft in old:
        give_up(session, draft)
    return len(old)
