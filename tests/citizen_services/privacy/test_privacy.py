"""Data are kept no longer than the law says, given to whom they are about, and erased where it may be; the protocol stays."""

import io
import json
import uuid
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from asty_citizen_services.audit import journal
from asty_citizen_services.audit.models import AuditEntry
from asty_citizen_services.drafts import desk as drafts
from asty_citizen_services.drafts.models import Draft, Upload
from asty_citizen_services.identity import sessions
from asty_citizen_services.identity.citizens import remember
from asty_citizen_services.identity.models import ContactPoint
from asty_citizen_services.identity.taxisnet_double import PERSONS
from asty_citizen_services.privacy import erasing, retention
from asty_citizen_services.procedures import catalogue as procedures
from asty_citizen_services.procedures.manifest import Retention
from asty_citizen_services.registry.models import Application, Docket
from sqlalchemy import select

NOW = datetime.now(UTC)
CATALOGUE = procedures.load_all()
SLUG = "vevaiosi-monimis-katoikias"


@pytest.mark.parametrize(
    ("state", "closed", "end"),
    [
        ("granted", "2026-11-24", "2046-11-24"), ("rejected", "2026-11-24", "2036-11-24"), ("shelved", "2024-02-29", "2034-02-28"),
        ("open", "2026-11-24", None),
    ],
)  # fmt: skip
def test_a_case_is_kept_as_long_as_its_manifest_says_by_how_it_ended(state: str, closed: str, end: str | None) -> None:
    found = retention.ends(Retention(granted=20, rejected=10), state, datetime.fromisoformat(closed).replace(tzinfo=UTC))
    assert (found.date().isoformat() if found else None) == end
    assert retention.ends(Retention(granted=None, rejected=10), "granted", NOW) is None


@pytest.fixture
def case(municipality: Any, file_for: Callable[..., str]) -> Callable[..., tuple[uuid.UUID, str]]:
    """Return `case(state, years)`: a case that ended so many years ago, with a file; gives its id and number."""

    def make(state: str, years: int) -> tuple[uuid.UUID, str]:
        with municipality.database.begin() as session:
            citizen = remember(session, PERSONS[2], NOW)
        reference = file_for(f"Βεβαίωση {uuid.uuid4()}", PERSONS[2].taxid)
        number, year = map(int, reference.split("/"))
        with municipality.database.begin() as session:
            wanted = select(Application).join(Docket, Docket.application_id == Application.id)
            found = session.scalars(wanted.where(Docket.number == number, Docket.year == year)).one()
            found.state, found.answers = state, {"address": "Κοραή 1"}
            found.changed_at = NOW - timedelta(days=366 * years)
            draft = drafts.begin(session, SLUG, citizen, None, {"address": "Κοραή 1"}, b"b", NOW)
            draft.filed_at = NOW
            upload = Upload(
                id=uuid.uuid4(), draft_id=draft.id, application_id=found.id, question="proofs", name="λογαριασμός.pdf",
                media_type="application/pdf", content=b"%PDF-1", sha256=b"x", made_at=NOW,
            )  # fmt: skip
            session.add(upload)
            return found.id, reference

    return make


def content(municipality: Any, case: uuid.UUID) -> tuple[bool, int]:
    """Tell whether a case has its answers, and how many files."""
    with municipality.database.begin() as session:
        answers = session.scalars(select(Application.answers).where(Application.id == case)).one()
        return bool(answers), len(session.scalars(select(Upload.id).where(Upload.application_id == case)).all())


def test_old_cases_lose_their_content_and_keep_their_number_unless_held(municipality: Any, case: Callable[..., Any]) -> None:
    (old, _), (young, _), (opened, _) = case("granted", 21), case("granted", 19), case("open", 40)
    rejected, _ = case("rejected", 11)
    held, number = case("granted", 30)
    assert municipality.run("hold", "place", number, "--why", "δίκη").returncode == 0
    with municipality.database.begin() as session:
        assert erasing.retain(session, CATALOGUE, NOW)["cases"] == 2
    assert [content(municipality, one) for one in (old, rejected)] == [(False, 0)] * 2
    assert [content(municipality, one) for one in (young, opened, held)] == [(True, 1)] * 3
    with municipality.database.begin() as session:
        assert session.scalars(select(Docket.subject).where(Docket.application_id == old)).one().startswith("Βεβαίωση")
        assert list(journal.verify(session)) == []
        assert erasing.retain(session, CATALOGUE, NOW)["cases"] == 0
    assert "1 holds ended" in municipality.run("hold", "end", number).stdout
    with municipality.database.begin() as session:
        assert erasing.retain(session, CATALOGUE, NOW)["cases"] == 1
    unknown = municipality.run("hold", "place", "999/1999", "--why", "x")
    assert (unknown.returncode, "no application" in unknown.stderr) == (1, True)


def test_a_form_that_nobody_touches_is_forgotten_after_the_manifests_days(municipality: Any) -> None:
    days = CATALOGUE[SLUG].manifest.retention.abandoned_draft_days
    with municipality.database.begin() as session:
        citizen = remember(session, PERSONS[2], NOW)
        old = drafts.begin(session, SLUG, citizen, None, {}, b"b", NOW - timedelta(days=days, hours=1)).id
        young = drafts.begin(session, SLUG, citizen, None, {}, b"b", NOW - timedelta(days=days - 1)).id
        assert erasing.retain(session, CATALOGUE, NOW)["drafts"] == 1
        assert (session.get(Draft, old), session.get(Draft, young) is not None) == (None, True)


def test_a_citizen_takes_his_data_and_erases_what_no_law_keeps(municipality: Any, web: Any, case: Callable[..., Any]) -> None:
    opened, number = case("open", 0)
    old, _ = case("granted", 25)
    with municipality.database.begin() as session:
        citizen, other = remember(session, PERSONS[2], NOW), remember(session, PERSONS[3], NOW)
        for who, address in ((citizen, "me@example.gr"), (other, "other@example.gr")):
            session.add(ContactPoint(id=uuid.uuid4(), citizen_id=who, kind="email", address=address, verified_at=NOW, ended_at=None))
        draft = drafts.begin(session, SLUG, citizen, None, {"address": "Κοραή 2"}, b"b", NOW).id
        token = sessions.begin(session, NOW, citizen=citizen)
    with httpx.Client(base_url=web.url, cookies={"asty-session": token}, trust_env=False, timeout=30) as client:
        assert client.get("/me/data").status_code == 200
        form = {"csrf": client.cookies["asty-csrf"]}
        taken = client.post("/me/data/export", data=form)
        with zipfile.ZipFile(io.BytesIO(taken.content)) as archive:
            said = json.loads(archive.read("data.json"))
            assert sum(name.startswith("files/") for name in archive.namelist()) >= 2
        assert {one["address"] for one in said["contact_points"]} == {"me@example.gr"}
        assert any(one["answers"] == {"address": "Κοραή 1"} for one in said["applications"])
        assert f"{said['protocol'][-2]['number']}" in number
        assert "other@example.gr" not in taken.text
        assert client.post("/me/data/erase", data=form).status_code == 422
        done = client.post("/me/data/erase", data=form | {"sure": "yes"})
        assert "Διαγράφηκαν." in done.text
        records = client.get("/privacy")
        assert "20 έτη" in records.text
        assert "άρθρο 279" in records.text
    assert (content(municipality, opened)[0], content(municipality, old)) == (True, (False, 0))
    with municipality.database.begin() as session:
        assert session.get(Draft, draft) is None
        left = set(session.scalars(select(ContactPoint.address)))
        assert "me@example.gr" not in left
        assert "other@example.gr" in left
        acts = session.scalars(select(AuditEntry.act).where(AuditEntry.stream == f"citizen:{citizen}")).all()
    assert {"privacy.export", "privacy.erase_at_wish"} <= set(acts)
