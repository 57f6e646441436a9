"""Everything that is held of a citizen, as a ZIP: data.json for programs, the files and documents as they are."""

import io
import json
import uuid
import zipfile
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Session

from asty_citizen_services.audit.models import AuditEntry
from asty_citizen_services.callcentre.models import Call, CallNote, Handoff
from asty_citizen_services.documents.models import Document
from asty_citizen_services.drafts.models import Draft, Upload
from asty_citizen_services.identity.models import Citizen, ContactPoint, IdentityCheck, Mandate, MandateScan, SignedIn
from asty_citizen_services.notices.models import Notice, NoticeDelivery, NoticeWish, PushSubscription
from asty_citizen_services.payments.models import Fee
from asty_citizen_services.privacy.models import DataRequest
from asty_citizen_services.registry.models import Application, Docket
from asty_citizen_services.workflow.models import CaseTask

README = """Τα δεδομένα σας · Your data

data.json: όσα τηρούμε για εσάς (ώρες σε UTC) · what is held of you (times are UTC)
files/: όσα επισυνάψατε · what you attached
documents/: όσα εκδόθηκαν για εσάς · what was issued to you
"""


def export(session: Session, citizen: uuid.UUID) -> bytes:
    """Return the ZIP. Secrets that open doors (tokens, codes) are left out: they are kept as hashes and say nothing."""
    cases = list(session.scalars(select(Application).where(Application.citizen_id == citizen).order_by(Application.filed_at)))
    ids = [case.id for case in cases]
    documents = list(
        session.scalars(select(Document).where(Document.application_id.in_(ids), Document.state == "delivered", Document.content != b""))
    )
    drafts = list(session.scalars(select(Draft).where(Draft.citizen_id == citizen)))
    uploads = list(
        session.scalars(select(Upload).where(Upload.draft_id.in_([draft.id for draft in drafts]) | Upload.application_id.in_(ids)))
    )
    notices = list(session.scalars(select(Notice).where(Notice.citizen_id == citizen).order_by(Notice.made_at)))
    deeds = list(session.scalars(select(MandateScan).join(Mandate).where(Mandate.citizen_id == citizen)))
    said = {
        "citizen": _row(session.get_one(Citizen, citizen)),
        "contact_points": _rows(session, ContactPoint, citizen),
        "mandates": _rows(session, Mandate, citizen),
        "deeds": [_row(one) for one in deeds],
        "sign_ins": [{"made_at": one.made_at, "seen_at": one.seen_at} for one in _of(session, SignedIn, citizen)],
        "applications": [_row(one) for one in cases],
        "protocol": [_row(one) for one in session.scalars(select(Docket).where(Docket.application_id.in_(ids)).order_by(Docket.at))],
        "steps": [_row(one) for one in session.scalars(select(CaseTask).where(CaseTask.application_id.in_(ids)).order_by(CaseTask.since))],
        "documents": [_row(one) for one in documents],
        "drafts": [_row(one) for one in drafts],
        "files": [_row(one) for one in uploads],
        "notices": [_row(one) for one in notices],
        "deliveries": [
            _row(one) for one in session.scalars(select(NoticeDelivery).where(NoticeDelivery.notice_id.in_([one.id for one in notices])))
        ],
        "wishes": _rows(session, NoticeWish, citizen),
        "browsers": _rows(session, PushSubscription, citizen),
        "calls": _rows(session, Call, citizen),
        "call_notes": [_row(one) for one in session.scalars(select(CallNote).join(Call).where(Call.citizen_id == citizen))],
        "links_by_telephone": _rows(session, Handoff, citizen),
        "identity_checks": _rows(session, IdentityCheck, citizen),
        "data_requests": _rows(session, DataRequest, citizen),
        "fees": _rows(session, Fee, citizen),
        "who_saw_or_changed_it": [
            _row(one)
            for one in session.scalars(select(AuditEntry).where(AuditEntry.subject == f"citizen:{citizen}").order_by(AuditEntry.at))
        ],
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", README)
        archive.writestr("data.json", json.dumps(said, ensure_ascii=False, indent=1, default=_plain))
        for upload in uploads:
            archive.writestr(f"files/{upload.id}-{upload.name.replace('/', '_')}", upload.content)
        for deed in deeds:
            archive.writestr(f"deeds/{deed.mandate_id}-{deed.name.replace('/', '_')}", deed.content)
        for document in documents:
            archive.writestr(f"documents/{document.code}-{document.kind}.pdf", document.content)
    return out.getvalue()


def _of(session: Session, table: Any, citizen: uuid.UUID) -> Iterator[Any]:
    yield from session.scalars(select(table).where(table.citizen_id == citizen))


def _rows(session: Session, table: Any, citizen: uuid.UUID) -> list[dict[str, Any]]:
    return [_row(one) for one in _of(session, table, citizen)]


def _row(one: DeclarativeBase) -> dict[str, Any]:
    """Return a row without contents and keys; hashes stay, they prove what was filed."""
    secret = {"content", "browser_hash", "token_hash", "p256dh", "auth"}
    return {column.key: getattr(one, column.key) for column in one.__mapper__.column_attrs if column.key not in secret}


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if isinstance(value, datetime) else str(value)
