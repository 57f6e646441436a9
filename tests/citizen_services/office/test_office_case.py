"""An officer takes a filed case to the signed document; what is wrong is refused in words; nobody else sees it."""

import subprocess
from datetime import datetime
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from asty_citizen_services.documents.models import Document
from asty_citizen_services.identity.taxisnet_double import PERSONS
from asty_citizen_services.registry.models import Application
from sqlalchemy import select

PASSPHRASE = "μυστικό"


def paper_of(town: Any, case: Any, state: str) -> Document:
    with town.municipality.database.begin() as session:
        return session.scalars(select(Document).where(Document.application_id == case, Document.state == state)).one()


def profile_of(town: Any) -> str:
    from asty_citizen_services.documents import profiles

    with town.municipality.database.begin() as session:
        return str(profiles.of(session, town.people["head"])[0].id)


def to_signature(town: Any, waiting: Any, case: Any, outcome: str = "complete", **given: Any) -> None:
    with town.browser("officer") as officer:
        officer.post(f"/office/cases/{case}/decide", token=str(waiting(case)["check"].token), outcome=outcome, **given)
    town.work(case)


def sign(town: Any, waiting: Any, case: Any, step: str = "sign", secret: str = PASSPHRASE, status: int = 200) -> Any:
    paper = paper_of(town, case, "draft")
    with town.browser("head") as head:
        return head.post(
            f"/office/cases/{case}/sign", status, token=str(waiting(case)[step].token), paper=str(paper.id), sha256=paper.sha256.hex(),
            profile=profile_of(town), secret=secret,
        )  # fmt: skip


def test_an_officer_takes_a_case_to_the_document_that_its_citizen_downloads(town: Any, waiting: Any, tmp_path: Path) -> None:
    case = town.file()
    with town.browser("officer") as officer:
        assert str(case) in officer.get("/office").text
        page = officer.get(f"/office/cases/{case}").text
        assert "Δοκιμαστικά στοιχεία" in page
        assert "ΜΑΡΙΑ ΔΟΚΙΜΑΣΤΙΚΗ" in page
    to_signature(town, waiting, case)
    assert "Υπογραφή" in sign(town, waiting, case).text
    town.work(case)
    paper = paper_of(town, case, "delivered")
    with town.browser("citizen") as citizen:
        assert "Εκδόθηκε" in citizen.get(f"/cases/{case}").text
        pdf = citizen.get(f"/cases/{case}/documents/{paper.id}").content
    with town.browser("citizen-2") as other:
        other.get(f"/cases/{case}/documents/{paper.id}", 404)
    if which("pdfsig"):
        (tmp_path / "paper.pdf").write_bytes(pdf)
        said = subprocess.run(["pdfsig", "-nocert", str(tmp_path / "paper.pdf")], capture_output=True, text=True, check=False).stdout
        assert "Signature is Valid" in said
        text = subprocess.run(["pdftotext", str(tmp_path / "paper.pdf"), "-"], capture_output=True, text=True, check=True).stdout
        assert "17 Μαΐου 1984" in text
        assert "ΔΕΝ ΕΧΕΙ ΝΟΜΙΚΗ ΙΣΧΥ" in text
    with town.browser() as anybody:
        assert "όπως υπογράφηκε" in anybody.get(f"/check/{paper.code}").text
        assert "όπως υπογράφηκε" in anybody.post("/check", files={"file": ("x.pdf", pdf, "application/pdf")}).text
        broken = anybody.post("/check", files={"file": ("x.pdf", pdf + b"\n% more", "application/pdf")}).text
        assert "όπως υπογράφηκε, και" not in broken
        assert "ΜΑΡΙΑ" not in anybody.get(f"/check/{paper.code}").text


@pytest.mark.parametrize("outcome", ["reject", "incomplete", "misdirected"])
def test_a_decision_without_what_it_needs_is_not_taken_and_says_so(town: Any, waiting: Any, outcome: str) -> None:
    case = town.file()
    with town.browser("officer") as officer:
        answer = officer.post(f"/office/cases/{case}/decide", 422, token=str(waiting(case)["check"].token), outcome=outcome)
    assert "Δεν έγινε" in answer.text
    assert list(waiting(case)) == ["check"]


def test_a_wrong_passphrase_signs_nothing_and_leaves_the_step(town: Any, waiting: Any) -> None:
    case = town.file()
    to_signature(town, waiting, case)
    answer = sign(town, waiting, case, secret="λάθος", status=422)
    assert "passphrase" in answer.text or "συνθηματικό" in answer.text
    assert paper_of(town, case, "draft").signatures == []
    assert list(waiting(case)) == ["sign"]


def test_a_step_is_not_signed_past_the_signature(town: Any, waiting: Any) -> None:
    case = town.file()
    to_signature(town, waiting, case)
    with town.browser("head") as head:
        head.post(f"/office/cases/{case}/decide", 422, token=str(waiting(case)["sign"].token), outcome="signed")
    assert list(waiting(case)) == ["sign"]


def test_officers_of_other_departments_and_citizens_see_nothing(town: Any, waiting: Any) -> None:
    case = town.file()
    with town.browser("stranger") as stranger:
        stranger.get(f"/office/cases/{case}", 404)
        stranger.post(f"/office/cases/{case}/decide", 403, token=str(waiting(case)["check"].token), outcome="complete")
        assert str(case) not in stranger.get("/office").text
    with town.browser("citizen") as citizen:
        assert "/staff/sign-in" in str(citizen.get(f"/office/cases/{case}").url)


def test_an_officer_does_not_sign_in_the_heads_place(town: Any, waiting: Any) -> None:
    case = town.file()
    to_signature(town, waiting, case)
    with town.browser("officer") as officer:
        officer.post(f"/office/cases/{case}/decide", 403, token=str(waiting(case)["sign"].token), outcome="returned", reason="x")


def test_a_case_that_came_to_the_wrong_department_goes_on_to_the_right_one(town: Any, waiting: Any) -> None:
    case = town.file()
    due = waiting(case)["check"].due_at
    to_signature(town, waiting, case, "misdirected", department="lixiarcheio", reason="Ανήκει στο ληξιαρχείο")
    task = waiting(case)["check"]
    assert (task.seat, task.role, task.claimed_by) == ("lixiarcheio", "officer", None)
    assert task.due_at == due
    with town.municipality.database.begin() as session:
        it = session.get_one(Application, case)
        assert (it.department, it.state, it.due_at) == ("lixiarcheio", "open", due)
    with town.browser("registrar") as registrar:
        inbox = registrar.get("/office").text
        assert str(case) in inbox
        assert "Διαβιβάστηκε από Τμήμα Δημοτολογίου" in inbox
        registrar.post(f"/office/cases/{case}/decide", token=str(task.token), outcome="complete")
    town.work(case)
    assert (waiting(case)["sign"].seat, waiting(case)["sign"].role) == ("lixiarcheio", "head")


def test_the_figures_are_of_the_period_and_department_that_were_asked_for(town: Any) -> None:
    town.file()
    title = "Πιστοποιητικό Γέννησης"
    today = datetime.now(town.settings.zone).date().isoformat()
    with town.browser("head") as head:
        assert title in head.get(f"/office/statistics?from={today}&to={today}&department=dimotologio").text
        assert title not in head.get("/office/statistics?department=esoda").text
        assert title not in head.get("/office/statistics?from=2001-01-01&to=2001-12-31").text
        assert head.get("/office/statistics.csv?from=2001-01-01&to=2001-12-31").text.count("\n") == 1
        assert title in head.get("/office/statistics.csv?department=dimotologio").text
        assert "Η περίοδος δεν διαβάζεται" in head.get("/office/statistics?from=2026-02-30", 422).text


def test_reading_a_case_is_written_down(town: Any) -> None:
    from asty_citizen_services.audit.models import AuditEntry

    case = town.file()
    with town.browser("officer") as officer:
        officer.get(f"/office/cases/{case}")
    with town.municipality.database.begin() as session:
        acts = session.scalars(select(AuditEntry.act).where(AuditEntry.stream == f"case:{case}")).all()
    assert "office.read" in acts


def test_the_second_signature_is_the_named_persons_alone(town: Any, waiting: Any) -> None:
    nursery = {"parents": "two", "second_parent_afm": PERSONS[3].taxid, "station": "a", "first_work": "full", "children": 2}
    case = town.file("eggrafi-paidikou-stathmou", nursery, "paidikoi")
    link = f"/cosign/{waiting(case)['cosign'].token}"
    with town.browser("citizen") as applicant:
        assert link in applicant.get(f"/cases/{case}").text
        assert "Εδώ ζητείται η υπογραφή άλλου προσώπου" in applicant.post(link, 403, agree="yes").text
    with town.browser("citizen-2") as second:
        assert "Υπογράψατε" in second.post(link, agree="yes").text
    assert set(waiting(case)) == {"check"}
