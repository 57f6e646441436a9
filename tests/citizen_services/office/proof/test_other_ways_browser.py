"""What does not go straight, in a real Chromium: an incomplete file, a rejection, an objection, the wrong office, files that do harm."""

import io
import logging
import uuid
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from asty_citizen_services.audit.models import AuditEntry
from asty_citizen_services.drafts.models import Upload
from asty_citizen_services.notices.texts import TEXTS
from playwright.sync_api import FilePayload, Locator, expect
from sqlalchemy import select

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("other_ways")]
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
SUBJECT = "Πιστοποιητικό Γέννησης"

type Works = Any
type At = Callable[..., Any]
type Told = Callable[..., Counter[tuple[str, str, str]]]


def opened(screen: Any, outcome: str) -> Locator:
    """Open what an outcome asks for."""
    screen.touch(screen.page.locator("summary", has_text=outcome).first)
    found: Locator = screen.page.locator("details[open]")
    return found


def test_a_file_is_completed_rejected_objected_to_and_taken_up_again(
    works: Works, at_screen: At, told: Told, eventually: Any
) -> None:  # fmt: skip
    before = works.post.sent()
    case = works.town.file(citizen="citizen-0")
    said = {"reference": works.reference(case), "subject": SUBJECT}
    with at_screen("clerk") as screen:
        screen.go(f"/office/cases/{case}")
        wrong = opened(screen, "Ελλιπής")
        wrong.get_by_label("Αιτιολογία").fill("Δεν διαβάζεται η ημερομηνία.")
        screen.press(wrong.get_by_role("button", name="Ελλιπής"))
        expect(screen.page.get_by_role("alert")).to_contain_text("Διαλέξτε τι πρέπει να συμπληρωθεί")
        expect(wrong.get_by_label("Αιτιολογία")).to_have_value("Δεν διαβάζεται η ημερομηνία.")
        wrong.get_by_label("Ημερομηνία γέννησης").check()
        screen.press(wrong.get_by_role("button", name="Ελλιπής"))
    eventually(lambda: works.waits_for(case) == "amend")
    with at_screen("citizen-0", "phone") as screen:
        screen.go(f"/cases/{case}")
        expect(screen.page.get_by_text("Δεν διαβάζεται η ημερομηνία.")).to_be_visible()
        screen.press(screen.button("Συμπλήρωση φακέλου"))
        expect(screen.page.get_by_text("Το ζητά ο υπάλληλος")).to_be_visible()
        screen.page.get_by_role("group", name="Ημερομηνία γέννησης").get_by_label("Ημέρα").fill("18")
        while "/check" not in screen.page.url:
            screen.press(screen.button("Συνέχεια", "main .form__do"))
        screen.press(screen.page.locator(".form__do button").first)
    eventually(lambda: works.waits_for(case) == "check")
    with at_screen("clerk") as screen:
        screen.go(f"/office/cases/{case}")
        expect(screen.page.get_by_text("18/05/1984").first).to_be_visible()
        reject = opened(screen, "Απόρριψη")
        reject.get_by_label("Αιτιολογία").fill("Δεν προκύπτει έννομο συμφέρον.")
        screen.press(reject.get_by_role("button", name="Απόρριψη"))
    eventually(lambda: works.waits_for(case) == "sign_no")
    with at_screen("chief") as screen:
        screen.go(f"/office/cases/{case}")
        screen.write(screen.page.get_by_label("Συνθηματικό ή PIN"), "λάθος")
        screen.press(screen.button("Υπογραφή", "main"))
        expect(screen.page.get_by_role("alert")).to_contain_text("Ελέγξτε το συνθηματικό")
        screen.write(screen.page.get_by_label("Συνθηματικό ή PIN"), "μυστικό")
        screen.press(screen.button("Υπογραφή", "main"))
    eventually(lambda: works.waits_for(case) == "object")
    with at_screen("citizen-0", "phone") as screen:
        screen.go(f"/cases/{case}")
        expect(screen.page.get_by_text("Δεν προκύπτει έννομο συμφέρον.")).to_be_visible()
        screen.touch(screen.page.get_by_text("Υποβάλλω ένσταση"))
        screen.write(screen.page.get_by_label("Οι λόγοι της ένστασης"), "Το έννομο συμφέρον είναι προφανές.")
        screen.press(screen.button("Υποβολή ένστασης"))
    eventually(lambda: works.waits_for(case) == "hear")
    with at_screen("chief") as screen:
        screen.go(f"/office/cases/{case}")
        expect(screen.page.get_by_text("Το έννομο συμφέρον είναι προφανές.")).to_be_visible()
        accept = opened(screen, "Δεκτή")
        accept.get_by_label("Αιτιολογία").fill("Βάσιμη.")
        screen.press(accept.get_by_role("button", name="Δεκτή"))
        for path in ("/office/signing", "/office/statistics", "/office/nursery", "/nursery/ranking"):
            screen.go(path)
    eventually(lambda: works.waits_for(case) == "check")
    expected = (
        told(0, "filed", **said)
        + told(0, "incomplete", **said, reason="Δεν διαβάζεται η ημερομηνία.")
        + told(0, "completed", **said)
        + told(0, "rejected", reference=works.reference(case, "out"), subject=f"Απόρριψη: {SUBJECT}")
    )
    eventually(lambda: (works.post.sent() - before).total() >= expected.total(), why="the notices go out")
    assert works.post.sent() - before == expected


def test_a_misdirected_file_goes_on_to_the_right_department_where_it_is_known_and_its_citizen_is_told(
    works: Works, at_screen: At, told: Told, eventually: Any
) -> None:  # fmt: skip
    before = works.post.sent()
    case = works.town.file(citizen="citizen-0")
    said = {"reference": works.reference(case), "subject": SUBJECT}
    with at_screen("clerk") as screen:
        screen.go(f"/office/cases/{case}")
        wrong = opened(screen, "Αναρμόδια")
        wrong.get_by_label("Αρμόδια υπηρεσία").select_option("lixiarcheio")
        wrong.get_by_label("Αιτιολογία").fill("Η πράξη τηρείται στο Ληξιαρχείο.")
        screen.press(wrong.get_by_role("button", name="Αναρμόδια"))
    said |= {"department": "Ληξιαρχείο", "reason": "Η πράξη τηρείται στο Ληξιαρχείο."}
    expected = told(0, "filed", **said) + told(0, "forwarded", **said)
    received = TEXTS["handed_over"]["el"].fill(said | {"link": f"{works.town.settings.address}/office/cases/{case}"})
    for who in ("registrar", "clerk", "chief"):
        expected["email", f"{who}@example.gr", f"{received.subject}\n{received.body}"] += 1
    eventually(lambda: (works.post.sent() - before).total() >= expected.total(), why="the notices go out")
    assert works.post.sent() - before == expected
    with at_screen("citizen-0", "phone") as screen:
        screen.go(f"/cases/{case}")
        expect(screen.page.get_by_text("Διαβίβαση και ενημέρωση του πολίτη").first).to_be_visible()
        expect(screen.page.locator("dd", has_text="Ληξιαρχείο")).to_be_visible()
    with at_screen("chief") as screen:
        screen.go("/office?department=lixiarcheio")
        screen.press(screen.page.locator(f'a[href="/office/cases/{case}"]'))
        expect(screen.page.get_by_text("Η πράξη τηρείται στο Ληξιαρχείο.")).to_be_visible()
        expect(screen.page.locator("[data-element-id=check].here")).to_have_count(1)


def file(name: str, kind: str, content: bytes) -> FilePayload:
    return {"name": name, "mimeType": kind, "buffer": content}


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("word/document.xml", b"\0" * 200_000_000)
    return out.getvalue()


def scripted() -> bytes:
    made, out = pikepdf.new(), io.BytesIO()
    made.add_blank_page()
    made.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert(1)"))
    made.save(out)
    return out.getvalue()


def test_files_that_lie_or_do_harm_are_refused_in_greek_and_written_down(
    works: Works, at_screen: At, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kind_of_docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    script = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    no_paper = "Δεκτά είναι μόνο αρχεία PDF και φωτογραφίες"
    harmful = [
        (file("λογαριασμός.pdf", "application/pdf", b"MZ\x90\0" + bytes(400)), no_paper),
        (file("μισθωτήριο.docx", kind_of_docx, bomb()), no_paper),
        (file("σχέδιο.svg", "image/svg+xml", script), no_paper),
        (file("δοκιμή.pdf", "application/pdf", EICAR), "Βρέθηκε ιός στο αρχείο. Δεν κρατήθηκε."),
        (file("έξυπνο.pdf", "application/pdf", scripted()), "Το PDF περιέχει πρόγραμμα ή άλλα αρχεία."),
    ]
    with at_screen("citizen-0", "phone") as screen:
        screen.go("/services/vevaiosi-monimis-katoikias")
        screen.press(screen.button("Έναρξη αίτησης"))
        draft = uuid.UUID(screen.page.url.split("/")[-2])
        screen.go(f"/drafts/{draft}/proof")
        chosen = screen.page.get_by_label("Αποδεικτικά κατοικίας")
        chosen.set_input_files([payload for payload, _ in harmful])
        screen.press(screen.button("Συνέχεια", "main .form__do"))
        for payload, why in harmful:
            expect(screen.page.get_by_role("alert")).to_contain_text(f"{payload['name']}: {why}")
        huge = tmp_path / "μεγάλο.pdf"
        with huge.open("wb") as out:
            out.write(b"%PDF-1.7\n")
            out.truncate(200_000_000)
        chosen.set_input_files(huge)
        with caplog.at_level(logging.WARNING):
            screen.press(screen.button("Συνέχεια", "main .form__do"))
        expect(screen.page.get_by_role("heading", level=1)).to_have_text("Όσα στείλατε είναι πολύ μεγάλα.")
        expect(screen.page.get_by_text("Κάθε αρχείο έχει όριο 20 MB")).to_be_visible()
        assert any("were sent and not taken" in one.getMessage() for one in caplog.records)
    with works.town.municipality.database.begin() as session:
        assert session.scalars(select(Upload).where(Upload.draft_id == draft)).all() == []
        refusals = session.scalars(select(AuditEntry).where(AuditEntry.act == "drafts.refuse_file"))
        assert {one.details["name"] for one in refusals} >= {payload["name"] for payload, _ in harmful}
