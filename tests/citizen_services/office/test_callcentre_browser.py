"""The telephone line in a real Chromium: who calls, filing for the caller, and the form that goes on on the caller's phone."""

import logging
import re
from collections.abc import Callable
from typing import Any

import pytest
from asty_citizen_services.audit.models import AuditEntry
from asty_citizen_services.identity.models import ContactPoint
from asty_citizen_services.notices.models import Notice
from playwright.sync_api import Page, expect
from sqlalchemy import select

pytestmark = pytest.mark.browser
Open = Callable[[str], Any]
PROCEDURE = "pistopoiitiko-gennisis"
MOBILE = "+306900000000"


def recognised(page: Page) -> None:
    """Find the caller by name and tick three right answers."""
    page.goto("/callcentre?q=δοκιμαστική+μαρία")
    page.get_by_role("button", name=re.compile("Ανάληψη κλήσης")).first.click()
    for label in ("Ονοματεπώνυμο", "Όνομα πατέρα", "Έτος γέννησης"):
        page.get_by_label(label).check()
    page.get_by_role("button", name="Ο καλών είναι αυτό το πρόσωπο").click()
    expect(page.get_by_text("Ταυτοποιήθηκε", exact=True)).to_be_visible()


def through_the_form(page: Page) -> None:
    """Press Continue on each page of a form whose answers are there."""
    for _ in range(8):
        heading = page.get_by_role("heading", level=1).inner_text()
        if "/check" in page.url:
            return
        page.get_by_role("button", name="Συνέχεια", exact=True).last.click()
        expect(page.get_by_role("heading", level=1)).not_to_have_text(heading)
    pytest.fail(f"the form does not end: {page.url}")


def acts(town: Any, subject: str) -> list[str]:
    with town.municipality.database.begin() as session:
        return list(session.scalars(select(AuditEntry.act).where(AuditEntry.subject == f"citizen:{town.people[subject]}")))


def test_an_agent_recognises_a_caller_tells_how_the_case_stands_and_files_for_him_or_her(
    town: Any, opened: Open, check: Callable[[Page], None]
) -> None:
    earlier = town.file()
    with opened("agent") as page:
        page.goto("/callcentre?q=δο")
        expect(page.get_by_text("Πολύ σύντομο")).to_be_visible()
        page.goto("/callcentre")
        page.get_by_label("Όνομα, κινητό, ΑΦΜ ή αριθμός πρωτοκόλλου").fill("δοκιμαστική μαρία")
        page.get_by_role("button", name="Εύρεση").click()
        check(page)
        page.get_by_role("button", name=re.compile("Ανάληψη κλήσης")).first.click()
        expect(page.get_by_text("Δεν έχει ταυτοποιηθεί ακόμη")).to_be_visible()
        expect(page.get_by_text("Ανοιχτές υποθέσεις")).to_have_count(0)
        check(page)
        page.get_by_label("Όνομα πατέρα").check()
        page.get_by_role("button", name="Ο καλών είναι αυτό το πρόσωπο").click()
        expect(page.get_by_role("alert")).to_contain_text("Χρειάζονται τρεις σωστές απαντήσεις")
        expect(page.get_by_label("Όνομα πατέρα")).to_be_checked()
        recognised(page)
        expect(page.get_by_text("Έλεγχος αίτησης και δικαιολογητικών: Τμήμα Δημοτολογίου").first).to_be_visible()
        page.get_by_label("Νέα σημείωση").fill("Ρώτησε για την πορεία")
        page.get_by_role("button", name="Αποθήκευση της σημείωσης").click()
        expect(page.get_by_text("Ρώτησε για την πορεία")).to_be_visible()
        check(page)
        call = page.url.split("#")[0]
        page.get_by_label("Διαδικασία").first.select_option(PROCEDURE)
        page.get_by_role("button", name="Συμπλήρωση").click()
        expect(page.get_by_text("Για λογαριασμό: ΜΑΡΙΑ ΔΟΚΙΜΑΣΤΙΚΗ")).to_be_visible()
        page.get_by_role("button", name="Συνέχεια", exact=True).last.click()
        expect(page.get_by_role("alert")).to_contain_text("Όσα γράψατε έχουν κρατηθεί.")
        town.answer()
        page.goto(page.url)
        through_the_form(page)
        check(page)
        page.get_by_role("button", name="Υποβολή αίτησης").click()
        expect(page.get_by_text("Ελένη Τηλεφωνήτρια").last).to_be_visible()
        check(page)
        case = page.url.rsplit("/", 1)[1]
        page.goto("/callcentre/calls")
        check(page)
        page.goto(call)
        page.get_by_role("button", name="Λήξη της κλήσης").click()
    with opened("citizen") as page:
        page.goto(f"/cases/{case}")
        expect(page.get_by_text("Υποβλήθηκε τηλεφωνικά από")).to_be_visible()
        expect(page.get_by_text("Ελένη Τηλεφωνήτρια")).to_be_visible()
    with opened("officer") as page:
        page.goto(f"/office/cases/{case}")
        expect(page.get_by_role("heading", name="Τηλεφωνική υποβολή")).to_be_visible()
        expect(page.get_by_text("Όνομα πατέρα", exact=True).first).to_be_visible()
    assert str(earlier) != case
    assert {"callcentre.read", "identity.check", "identity.filed_for", "registry.file", "callcentre.end"} <= set(acts(town, "citizen"))


def test_a_caller_goes_on_on_the_phone_by_a_link_that_opens_once_with_a_code(
    town: Any, opened: Open, check: Callable[[Page], None], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with opened("agent") as page:
        recognised(page)
        call = page.url
        page.get_by_label("Διαδικασία").last.select_option(PROCEDURE)
        page.get_by_label("Αριθμός κινητού").fill("2421012345")
        page.get_by_role("button", name="Αποστολή συνδέσμου").click()
        expect(page.get_by_role("alert")).to_contain_text("έχει τη μορφή 69")
        page.get_by_label("Αριθμός κινητού").fill("690 000 0000")
        page.get_by_role("button", name="Αποστολή συνδέσμου").click()
        expect(page.get_by_text("Προς αποστολή")).to_be_visible()
    with town.municipality.database.begin() as session:
        notice = session.scalars(select(Notice).where(Notice.template == "handoff")).one()
        link = str(notice.values["link"]).removeprefix("http://localhost:8420")
    with opened("") as phone:
        phone.goto(link)
        check(phone)
        expect(phone.get_by_text("Μ. Δ.")).to_be_visible()
        assert "ΜΑΡΙΑ" not in phone.content()
        phone.get_by_role("button", name="Αποστολή κωδικού").click()
        expect(phone.get_by_role("status")).to_contain_text("000")
        phone.get_by_label("Κωδικός").fill("not it")
        phone.get_by_role("button", name="Συνέχεια", exact=True).click()
        expect(phone.get_by_role("alert")).to_be_visible()
        code = re.findall(r"text='(\d{6}): ", caplog.text)[-1]
        phone.get_by_label("Κωδικός").fill(code)
        phone.get_by_role("button", name="Συνέχεια", exact=True).click()
        expect(phone.get_by_label("Επώνυμο")).to_have_value("ΔΟΚΙΜΑΣΤΙΚΗ")
        with opened("") as other:
            other.goto(link)
            expect(other.get_by_role("heading", level=1)).to_contain_text("χρησιμοποιήθηκε ήδη")
            other.goto("/handoff")
            expect(other.get_by_role("heading", level=1)).to_contain_text("χρησιμοποιήθηκε ήδη")
        with opened("agent") as page:
            page.goto(call)
            expect(page.get_by_text("Άνοιξε στο κινητό")).to_be_visible()
        town.answer()
        phone.goto("/handoff/applicant")
        through_the_form(phone)
        phone.get_by_role("button", name="Υποβολή αίτησης").click()
        expect(phone.get_by_role("status")).to_contain_text("Αριθμός πρωτοκόλλου")
        number = re.findall(r"\d+/\d{4}", phone.get_by_role("status").inner_text())[0]
        check(phone)
    with opened("agent") as page:
        page.goto(call)
        expect(page.locator("#links ~ ul")).to_contain_text(number)
        page.get_by_label("Αριθμός κινητού").fill("690 111 1111")
        page.get_by_role("button", name="Αποστολή συνδέσμου").click()
        expect(page.get_by_role("alert")).to_contain_text("μόνο στο επιβεβαιωμένο κινητό")
    with town.municipality.database.begin() as session:
        assert session.scalars(select(Notice.values).where(Notice.template == "handoff")).one()["link"] == "—"
        assert session.scalars(select(ContactPoint.address).where(ContactPoint.citizen_id == town.people["citizen"])).all() == [MOBILE]


def test_calls_are_nobody_elses_and_nothing_is_filed_for_somebody_who_was_not_recognised(town: Any) -> None:
    with town.browser("officer") as officer:
        officer.get("/callcentre", 403)
    with town.browser("agent") as agent:
        call = str(agent.post("/callcentre/calls", citizen=str(town.people["citizen-2"])).url).rsplit("/", 1)[1]
        agent.post(f"/callcentre/calls/{call}/drafts", 409, slug="pistopoiitiko-gennisis")
        agent.post(f"/callcentre/calls/{call}/handoffs", 409, slug="pistopoiitiko-gennisis", phone=MOBILE)
        agent.post(f"/callcentre/calls/{call}/identity", 422, asked=["name", "invented", "another"])
        agent.post(f"/callcentre/calls/{call}/identity", document="ΑΔΤ ΑΒ 123456")
        agent.post(f"/callcentre/calls/{call}/end")
        agent.post(f"/callcentre/calls/{call}/drafts", 409, slug="pistopoiitiko-gennisis")
        answer = agent.post("/callcentre/callers", 422, taxid="123456789", lastname="Νέα", firstname="Άννα")
        assert "Δεν είναι ΑΦΜ" in answer.text
        assert 'value="Νέα"' in answer.text
        entered = agent.post("/callcentre/callers", taxid="094014201", lastname="Νέα", firstname="Άννα", birthyear="1950")
        assert "ΑΝΝΑ ΝΕΑ" in entered.text
        new = str(entered.url).rsplit("/", 1)[1]
        agent.post(f"/callcentre/calls/{new}/identity", 422, asked=["name", "taxid", "birthyear"])
        agent.post(f"/callcentre/calls/{new}/identity", document="ΑΔΤ ΑΒ 654321")
        assert "ΑΝΝΑ" in agent.get("/callcentre/calls.csv?q=αννα").text
