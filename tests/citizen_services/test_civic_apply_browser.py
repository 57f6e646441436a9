"""A citizen fills in a form on a phone, is corrected politely, loses nothing, and files once."""

import io
import uuid
from collections.abc import Callable
from typing import Any

import pikepdf
import pytest
from asty_citizen_services.drafts.models import Draft, Upload
from asty_citizen_services.registry.models import Application
from asty_citizen_services.workflow.models import CaseTask
from playwright.sync_api import FilePayload, Page, expect
from sqlalchemy import select, text

pytestmark = pytest.mark.browser
MARIA = "ΜΑΡΙΑ ΔΟΚΙΜΑΣΤΙΚΗ"


PRESS_THRICE = """token => Promise.all([1, 2, 3].map(async () => {
  const answer = await fetch(location.pathname.replace("check", "file"), {method: "POST", body: new URLSearchParams({csrf: token})});
  return answer.url;
}))"""


def paper(name: str) -> FilePayload:
    made, out = pikepdf.new(), io.BytesIO()
    made.add_blank_page()
    made.save(out)
    return {"name": name, "mimeType": "application/pdf", "buffer": out.getvalue()}


def go_on(page: Page) -> None:
    page.get_by_role("button", name="Συνέχεια").click()


def fill_details(page: Page) -> None:
    page.get_by_label("Αριθμός δελτίου ταυτότητας").fill("αβ 123456")
    page.get_by_label("Κινητό τηλέφωνο").fill("691 234 5678")
    go_on(page)


def fill_home(page: Page, since: str = "2011") -> None:
    page.get_by_label("Οδός").fill("Ερμού")
    page.get_by_label("Αριθμός").fill("12")
    page.get_by_label("Τ.Κ.").fill("382 21")
    page.get_by_label("Πόλη ή οικισμός").fill("Βόλος")
    for part, value in (("Ημέρα", "5"), ("Μήνας", "3"), ("Έτος", since)):
        page.get_by_label(part).fill(value)
    page.get_by_label("Ιδιόκτητο").check()
    go_on(page)


def test_a_citizen_files_a_certificate_of_residence_from_a_phone(
    page: Page, sign_in: Callable[[Page, str], None], municipality: Any
) -> None:
    page.goto("/services/vevaiosi-monimis-katoikias")
    page.get_by_role("button", name="Έναρξη αίτησης").click()
    sign_in(page, MARIA)
    page.goto("/services/vevaiosi-monimis-katoikias")
    page.get_by_role("button", name="Έναρξη αίτησης").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Τα στοιχεία σας")
    expect(page.get_by_label("Επώνυμο")).to_have_value("ΔΟΚΙΜΑΣΤΙΚΗ")

    go_on(page)  # with what is needed missing
    expect(page.get_by_role("alert")).to_contain_text("Όσα γράψατε έχουν κρατηθεί.")
    page.get_by_role("link", name="Συμπληρώστε: Κινητό τηλέφωνο").click()
    expect(page.get_by_label("Κινητό τηλέφωνο")).to_be_focused()
    fill_details(page)

    expect(page.get_by_role("heading", level=1)).to_have_text("Μόνιμη κατοικία")
    fill_home(page, since="2111")
    expect(page.get_by_role("alert")).to_contain_text("δεν μπορεί να είναι μετά από")
    expect(page.get_by_label("Οδός")).to_have_value("Ερμού")
    fill_home(page)

    expect(page.get_by_role("heading", level=1)).to_have_text("Τι το αποδεικνύει")
    chosen = page.get_by_label("Αποδεικτικά κατοικίας")
    chosen.set_input_files([paper("ρεύμα.pdf"), {"name": "νερό.jpg", "mimeType": "image/jpeg", "buffer": b"<svg onload=alert(1)>"}])
    go_on(page)
    expect(page.get_by_role("alert")).to_contain_text("νερό.jpg: Δεκτά είναι μόνο αρχεία PDF και φωτογραφίες")
    expect(page.get_by_text("ρεύμα.pdf", exact=True)).to_be_visible()
    chosen.set_input_files([paper("μισθωτήριο.pdf"), paper("περιττό.pdf")])
    go_on(page)
    page.get_by_role("link", name="Πίσω").click()
    page.get_by_role("button", name="περιττό.pdf").click()
    expect(page.get_by_text("περιττό.pdf", exact=True)).to_have_count(0)
    go_on(page)

    page.get_by_label("Για τράπεζα").check()
    go_on(page)
    page.get_by_role("button", name="Αποθήκευση για αργότερα").click()
    page.goto("/services/vevaiosi-monimis-katoikias")
    page.get_by_role("button", name="Έναρξη αίτησης").click()  # the draft that was begun, not another
    page.goto(page.url.rsplit("/", 1)[0])
    expect(page.get_by_role("heading", level=1)).to_have_text("Δήλωση")
    page.get_by_label("Δηλώνω υπεύθυνα").check()
    go_on(page)

    expect(page.get_by_role("heading", level=1)).to_have_text("Ελέγξτε τις απαντήσεις σας")
    expect(page.get_by_text("05/03/2011")).to_be_visible()
    draft = page.url.split("/")[-2]
    page.get_by_role("button", name="Υποβολή αίτησης").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Βεβαίωση Μόνιμης Κατοικίας")
    case = uuid.UUID(page.url.split("/")[-1].partition("?")[0])
    with municipality.database.begin() as session:
        filed = session.get_one(Application, case)
        assert filed.answers["identity_card"] == "ΑΒ123456"
        assert filed.answers["mobile"] == "+306912345678"
        assert [task.step for task in session.scalars(select(CaseTask).where(CaseTask.application_id == case))] == ["check"]
        names = session.scalars(select(Upload.name).where(Upload.application_id == case))
        assert set(names) >= {"ρεύμα.pdf", "μισθωτήριο.pdf"}
    page.goto(f"/drafts/{draft}/check")  # it is no draft any more
    expect(page.get_by_role("heading", level=1)).to_have_text("Δεν υπάρχει τέτοιο πρόχειρό σας.")


def test_a_button_pressed_twice_files_once(page: Page, sign_in: Callable[[Page, str], None], municipality: Any) -> None:
    page.goto("/cases")
    sign_in(page, "ΕΛΕΝΗ ΠΑΡΑΔΕΙΓΜΑΤΟΣ")
    page.goto("/services/arrenon-pistopoiitiko")
    page.get_by_role("button", name="Έναρξη αίτησης").click()
    draft = uuid.UUID(page.url.split("/")[-2])
    given = {
        "identity_card": "ΑΒ123456", "mobile": "+306912345678", "person_lastname": "Π", "person_firstname": "Ν", "person_fathername": "Γ",
        "person_mothername": "Ε", "born_on": "1980-01-01", "birthplace": "Βόλος", "purpose": "work", "copies": 1, "truth": True,
    }  # fmt: skip
    with municipality.database.begin() as session:
        found = session.get_one(Draft, draft)
        found.answers = found.answers | given
    page.goto(f"/drafts/{draft}/check")
    token = page.locator("form[action$='/file'] input[name=csrf]").get_attribute("value")
    answers = page.evaluate(PRESS_THRICE, token)
    assert len(set(answers)) == 1
    with municipality.database.begin() as session:
        assert len(session.scalars(select(Application.id).where(Application.key == str(draft))).all()) == 1


def test_what_was_written_when_the_session_ended_is_kept(page: Page, sign_in: Callable[[Page, str], None], municipality: Any) -> None:
    page.goto("/cases")
    sign_in(page, "ΝΙΚΟΛΑΟΣ ΥΠΟΔΕΙΓΜΑΤΟΣ")
    page.goto("/services/vevaiosi-monimis-katoikias")
    page.get_by_role("button", name="Έναρξη αίτησης").click()
    fill_details(page)
    page.get_by_label("Οδός").fill("Δημητριάδος")
    with municipality.database.begin() as session:
        session.execute(text("DELETE FROM session"))
    go_on(page)
    sign_in(page, "ΝΙΚΟΛΑΟΣ ΥΠΟΔΕΙΓΜΑΤΟΣ")
    expect(page.get_by_label("Οδός")).to_have_value("Δημητριάδος")


def test_somebody_elses_draft_is_not_shown(page: Page, sign_in: Callable[[Page, str], None]) -> None:
    page.goto("/cases")
    sign_in(page, "ΝΙΚΟΛΑΟΣ ΥΠΟΔΕΙΓΜΑΤΟΣ")
    page.goto("/services/metadimotefsi")
    page.get_by_role("button", name="Έναρξη αίτησης").click()
    draft = page.url
    page.get_by_role("button", name="Αποσύνδεση").click()
    page.goto(draft)
    sign_in(page, "ΓΕΩΡΓΙΟΣ ΔΟΚΙΜΑΣΤΙΚΟΣ")
    expect(page.get_by_role("heading", level=1)).to_have_text("Δεν υπάρχει τέτοιο πρόχειρό σας.")
