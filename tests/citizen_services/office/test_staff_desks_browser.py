"""The desks beside the case in a real Chromium: accounts, absences, representatives, two signatures, what people ask of their data."""

import asyncio
import re
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from asty_citizen_services.audit.models import AuditEntry
from asty_citizen_services.documents.models import Document
from asty_citizen_services.documents.signing import Mark, from_pkcs12_data
from asty_citizen_services.identity.taxisnet_double import PERSONS
from asty_citizen_services.privacy.models import LegalHold
from asty_citizen_services.registry.models import Application, Docket
from playwright.sync_api import Page, expect
from sqlalchemy import select

pytestmark = pytest.mark.browser
Open = Callable[[str], Any]
TODAY = datetime.now(ZoneInfo("Europe/Athens")).date()


def test_an_administrator_keeps_the_accounts_but_not_the_own_one(town: Any, opened: Open, check: Callable[[Page], None]) -> None:
    with opened("admin") as page:
        page.goto("/staff/accounts")
        check(page)
        page.locator("summary", has_text="Νέος λογαριασμός").click()
        page.get_by_label("Ονοματεπώνυμο").fill("Δήμητρα Νέα")
        page.get_by_label("Όνομα χρήστη").fill("Με Κενά")
        page.get_by_label("Διεύθυνση e-mail").fill("d@example.gr")
        page.get_by_role("button", name="Δημιουργία λογαριασμού").click()
        expect(page.get_by_role("alert")).to_contain_text("μικρά λατινικά γράμματα")
        expect(page.get_by_label("Ονοματεπώνυμο")).to_have_value("Δήμητρα Νέα")
        page.get_by_label("Όνομα χρήστη").fill("dimitra")
        page.locator("#new-department").select_option("esoda")
        page.get_by_role("button", name="Δημιουργία λογαριασμού").click()
        expect(page.get_by_role("status")).to_contain_text("Εμφανίζεται μόνο τώρα")
        check(page)
        first = page.locator('a[href*="/staff/invitation/"]').inner_text()
        page.locator("#department").select_option("paidikoi")
        page.locator("#role").select_option("head")
        page.get_by_role("button", name="Απόδοση ρόλου").click()
        expect(page.get_by_role("status")).to_have_count(0)
        page.get_by_role("button", name=re.compile("Αφαίρεση.*Υπάλληλος, Τμήμα Εσόδων")).click()
        expect(page.get_by_text("Υπάλληλος, Τμήμα Εσόδων")).to_have_count(0)
        page.get_by_role("button", name="Αφαίρεση όλων των κλειδιών").click()
        second = page.locator('a[href*="/staff/invitation/"]').inner_text()
        assert first != second
        page.get_by_role("button", name="Απενεργοποίηση λογαριασμού").click()
        expect(page.get_by_text("Ανενεργός")).to_be_visible()
        page.goto("/staff/accounts?q=δήμητρα&state=shut")
        expect(page.get_by_role("link", name="Δήμητρα Νέα")).to_be_visible()
        page.goto(f"/staff/accounts/{town.people['admin']}")
        expect(page.get_by_text("τον αλλάζει άλλος διαχειριστής")).to_be_visible()
        expect(page.get_by_role("button", name="Απόδοση ρόλου")).to_have_count(0)
        page.goto("/office/signing/everybody")
        expect(page.get_by_role("row", name="Άννα Υπάλληλος").first).to_contain_text("Χωρίς τρόπο υπογραφής")
        check(page)
    with town.browser("admin") as admin:
        admin.post(f"/staff/accounts/{town.people['admin']}/roles", 403, department="esoda", role="head")
        assert "dimitra" in admin.get("/staff/accounts.csv").text
    with town.browser("officer") as officer:
        officer.get("/staff/accounts", 403)


def test_whoever_stands_in_sees_the_work_in_the_inbox_and_takes_it_over(
    town: Any, opened: Open, check: Callable[[Page], None], waiting: Any
) -> None:
    case = town.file()
    with town.browser("officer") as officer:
        officer.post(f"/office/tasks/{waiting(case)['check'].token}/claim")
    with town.browser("stranger") as stranger:
        stranger.get(f"/office/cases/{case}", 404)
    with opened("officer") as page:
        page.goto("/staff/away")
        page.get_by_label("Πρώτη ημέρα").fill(TODAY.isoformat())
        page.get_by_label("Τελευταία ημέρα").fill((TODAY - timedelta(days=1)).isoformat())
        page.get_by_label("Αναπληρωτής").select_option("Ξένη Υπάλληλος")
        page.get_by_role("button", name="Καταχώριση απουσίας").click()
        expect(page.get_by_role("alert")).to_contain_text("Επιλέξτε πρώτη και τελευταία ημέρα")
        page.get_by_label("Τελευταία ημέρα").fill(TODAY.isoformat())
        page.get_by_role("button", name="Καταχώριση απουσίας").click()
        expect(page.get_by_role("row", name="Άννα Υπάλληλος")).to_contain_text("Απουσιάζει")
        check(page)
    with opened("stranger") as page:
        page.goto("/office")
        expect(page.get_by_text("Αναπληρώνετε: Άννα Υπάλληλος")).to_be_visible()
        check(page)
        page.locator(f'a[href="/office/cases/{case}"]').click()
        page.get_by_role("button", name="Ανάληψη από τον συνάδελφο").click()
        expect(page.get_by_text("Το έχω εγώ")).to_be_visible()
    with opened("officer") as page:
        page.goto("/staff/away")
        page.get_by_role("button", name="Επέστρεψε").click()
        expect(page.get_by_role("button", name="Επέστρεψε")).to_have_count(0)
    with town.browser("stranger") as stranger:
        stranger.get(f"/office/cases/{case}", 404)


def test_a_representative_is_recorded_by_the_deed_and_ends_when_it_is_revoked(
    town: Any, opened: Open, check: Callable[[Page], None]
) -> None:
    with opened("officer") as page:
        page.goto("/staff/mandates")
        page.get_by_label("ΑΦΜ του εκπροσώπου").fill("094259216")
        page.get_by_label("ΑΦΜ του νομικού προσώπου").fill("094014201")
        page.get_by_label("Επωνυμία του νομικού προσώπου").fill("Σύλλογος Δοκιμής")
        page.get_by_label("Το έγγραφο που είδατε").fill("Καταστατικό 12/2020, Πρωτοδικείο Βόλου")
        page.get_by_role("button", name="Καταχώριση", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("δεν έχει συνδεθεί ακόμη")
        page.get_by_label("ΑΦΜ του εκπροσώπου").fill(PERSONS[3].taxid)
        scan = page.get_by_label("Σαρωμένο έγγραφο")
        scan.set_input_files({"name": "καταστατικό.pdf", "mimeType": "application/pdf", "buffer": b"MZ" + bytes(400)})
        page.get_by_role("button", name="Καταχώριση", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("Δεκτά είναι μόνο αρχεία PDF και φωτογραφίες")
        scan.set_input_files({"name": "καταστατικό.png", "mimeType": "image/png", "buffer": page.screenshot()})
        page.get_by_role("button", name="Καταχώριση", exact=True).click()
        expect(page.get_by_role("row", name="Σύλλογος Δοκιμής")).to_contain_text("Σε ισχύ")
        deed = str(page.get_by_role("row", name="Σύλλογος Δοκιμής").get_by_role("link").get_attribute("href"))
        check(page)
    case = town.file(citizen="citizen-2")
    with town.municipality.database.begin() as session:
        session.get_one(Application, case).mandate_id = uuid.UUID(deed.split("/")[-2])
    with town.browser("officer") as officer:
        assert officer.get(deed).headers["content-type"] == "image/jpeg"
        assert "Καταστατικό 12/2020" in officer.get(f"/office/cases/{case}").text
        assert officer.get(f"/office/cases/{case}/mandate").content.startswith(b"\xff\xd8")
    with town.browser("stranger") as stranger:
        stranger.get(f"/office/cases/{case}/mandate", 404)
    with town.municipality.database.begin() as session:
        read = select(AuditEntry.stream).where(AuditEntry.act == "identity.read_mandate_scan")
        assert f"case:{case}" in session.scalars(read).all()
    with town.browser("citizen-2") as citizen:
        assert "Σύλλογος Δοκιμής" in citizen.get("/me").text
    with opened("officer") as page:
        page.goto("/staff/mandates?q=δοκιμής&state=valid")
        page.get_by_role("button", name="Ανάκληση").click()
        expect(page.get_by_role("row", name="Σύλλογος Δοκιμής")).to_contain_text("Ανακλήθηκε")
    with town.browser("citizen-2") as citizen:
        assert "Σύλλογος Δοκιμής" not in citizen.get("/me").text


def test_an_officer_signs_elsewhere_and_hands_it_in_before_the_head_signs_as_the_second(
    town: Any, opened: Open, waiting: Any, tmp_path: Path
) -> None:
    case = town.file("dyo-ypografes")
    with town.browser("officer") as officer:
        officer.post(f"/office/cases/{case}/decide", token=str(waiting(case)["check"].token), outcome="complete")
    town.work(case)
    with opened("officer") as page:
        page.goto("/office/signing")
        page.locator("summary", has_text="Λήψη, υπογραφή, κατάθεση").click()
        page.locator("details[open]").get_by_role("button", name="Προσθήκη").click()
        page.goto(f"/office/cases/{case}")
        with page.expect_download() as download:
            page.get_by_role("link", name="Λήψη", exact=True).first.click()
        plain = Path(download.value.path()).read_bytes()
        changed = tmp_path / "changed.pdf"
        changed.write_bytes(plain + b"\n% changed")
        page.get_by_label("Το υπογεγραμμένο αρχείο").set_input_files(changed)
        page.get_by_role("button", name="Υπογραφή", exact=True).click()
        expect(page.get_by_role("alert")).to_be_visible()
        assert list(waiting(case)) == ["first"]
        key = from_pkcs12_data(town.keys["officer"], "μυστικό")
        signed = tmp_path / "signed.pdf"
        with ThreadPoolExecutor(1) as elsewhere:  # Playwright has this thread's event loop
            signing = elsewhere.submit(lambda: asyncio.run(key.sign(plain, Mark("Άννα Υπάλληλος", "Δημοτολόγιο", ""), "Elsewhere")))
            signed.write_bytes(signing.result())
        page.get_by_label("Το υπογεγραμμένο αρχείο").set_input_files(signed)
        page.get_by_role("button", name="Υπογραφή", exact=True).click()
        expect(page.get_by_label("Το υπογεγραμμένο αρχείο")).to_have_count(0)
    assert list(waiting(case)) == ["sign"]
    with opened("head") as page:
        page.goto("/office")
        page.locator(f'a[href="/office/cases/{case}"]').click()
        expect(page.get_by_text("Υπογράφει Άννα Υπάλληλος")).to_be_visible()
        page.get_by_label("Συνθηματικό ή PIN").fill("μυστικό")
        page.get_by_role("button", name="Υπογραφή", exact=True).click()
        expect(page.get_by_label("Συνθηματικό ή PIN")).to_have_count(0)
    town.work(case)
    with town.municipality.database.begin() as session:
        paper = session.scalars(select(Document).where(Document.application_id == case, Document.state == "delivered")).one()
        assert [(one["name"], one["way"]) for one in paper.signatures] == [
            ("Άννα Υπάλληλος", "upload"),
            ("Πέτρος Προϊστάμενος", "pkcs12"),
        ]
        pdf = paper.content
    with town.browser() as anybody:
        answer = anybody.post("/check", files={"file": ("x.pdf", pdf, "application/pdf")}).text
        assert "όπως υπογράφηκε" in answer
        assert "Άννα Υπάλληλος" in answer


def test_what_people_ask_of_their_data_is_answered_by_its_officer_and_a_hold_keeps_a_case(
    town: Any, opened: Open, check: Callable[[Page], None]
) -> None:
    case = town.file(citizen="citizen-2")
    with town.municipality.database.begin() as session:
        reference = session.scalars(select(Docket).where(Docket.application_id == case)).one().reference
    with opened("citizen-2") as page:
        page.goto("/me/data")
        page.get_by_label("Τι ζητάτε").select_option("erasure")
        page.get_by_label("Με δικά σας λόγια").fill("Σβήστε το κινητό μου")
        page.get_by_role("button", name="Αποστολή αιτήματος").click()
        expect(page.get_by_text("Εκκρεμεί")).to_be_visible()
        check(page)
    with opened("dpo") as page:
        page.goto("/office/data-requests")
        check(page)
        page.get_by_role("link", name="ΝΙΚΟΛΑΟΣ ΥΠΟΔΕΙΓΜΑΤΟΣ").click()
        expect(page.get_by_text("Σβήστε το κινητό μου")).to_be_visible()
        with page.expect_download() as download:
            page.get_by_role("button", name="Λήψη του ZIP").click()
        assert Path(download.value.path()).read_bytes().startswith(b"PK")
        page.get_by_role("button", name="Ικανοποιήθηκε").click()
        expect(page.get_by_role("alert")).to_contain_text("Γράψτε την απάντηση")
        page.get_by_label("Έλεγξα ποιος ζητά").check()
        page.get_by_role("button", name="Διαγραφή", exact=True).click()
        expect(page.get_by_role("status")).to_contain_text("Διαγράφηκαν")
        check(page)
        page.get_by_label("Τι θα διαβάσει ο πολίτης").fill("Διαγράψαμε το κινητό σας")
        page.get_by_role("button", name="Ικανοποιήθηκε").click()
        expect(page.get_by_text("Ολοκληρώθηκε")).to_be_visible()
        page.goto("/office/holds")
        page.get_by_label("Αριθμός πρωτοκόλλου").fill("999999/2026")
        page.get_by_label("Γιατί διατηρείται").fill("Διοικητικό Πρωτοδικείο, φάκελος 7")
        page.get_by_role("button", name="Διατήρηση", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("12/2026")
        page.get_by_label("Αριθμός πρωτοκόλλου").fill(reference)
        page.get_by_role("button", name="Διατήρηση", exact=True).click()
        expect(page.get_by_role("row", name=reference)).to_contain_text("Διατηρείται")
        check(page)
        page.get_by_role("button", name="Άρση της διατήρησης").click()
        expect(page.get_by_role("row", name=reference)).to_contain_text("Έληξε")
    with town.municipality.database.begin() as session:
        assert session.scalars(select(LegalHold).where(LegalHold.application_id == case)).one().ended_at is not None
    with town.browser("citizen-2") as citizen:
        assert "Διαγράψαμε το κινητό σας" in citizen.get("/me/data").text
    with town.browser("head") as head:
        head.get("/office/data-requests", 403)
        head.get("/office/holds", 403)


def test_heads_hear_once_of_each_deadline_and_the_new_department_of_what_is_sent_on(town: Any, waiting: Any) -> None:
    from asty_citizen_services.notices.models import Notice, NoticeDelivery
    from asty_citizen_services.workflow import acts
    from asty_citizen_services.workflow.models import CaseTask

    def written(case: Any, template: str) -> list[str]:
        with town.municipality.database.begin() as session:
            rows = select(NoticeDelivery.address).join(Notice).where(Notice.about == f"case:{case}", Notice.template == template)
            return list(session.scalars(rows.order_by(NoticeDelivery.address)))

    case = town.file()
    now = datetime.now(UTC)
    with town.municipality.database.begin() as session:
        due = session.get_one(CaseTask, waiting(case)["check"].token).due_at
    for later in (due - timedelta(hours=1), due + timedelta(hours=1), due + timedelta(hours=2)):
        with town.municipality.database.begin() as session:
            acts.overdue(session, later)
    assert written(case, "overdue") == ["head@example.gr"]
    with town.municipality.database.begin() as session:
        session.get_one(CaseTask, waiting(case)["check"].token).due_at = now - timedelta(days=1)
    with town.municipality.database.begin() as session:
        acts.overdue(session, now)
    assert written(case, "overdue") == ["head@example.gr"] * 2
    with town.browser("officer") as officer:
        assert str(case) in officer.get("/office?state=overdue").text
        assert str(case) not in officer.get("/office?state=rejected").text
        officer.post(
            f"/office/cases/{case}/decide", token=str(waiting(case)["check"].token), outcome="misdirected", department="kathariotita",
            reason="Ανήκει στην καθαριότητα",
        )  # fmt: skip
    town.work(case)
    assert written(case, "handed_over") == ["stranger@example.gr"]
    with town.browser("stranger") as stranger:
        assert f'href="/office/cases/{case}"' in stranger.get("/office").text
        stranger.get(f"/office/cases/{case}")
