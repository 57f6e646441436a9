"""The portal in a real Chromium: signing in and out, the catalogue, the cases; usable by everybody."""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
type Check = Callable[[Page], None]
type SignIn = Callable[[Page, str], None]


def test_a_citizen_finds_a_service_without_accents_and_reads_what_it_needs(page: Page, check: Check, sign_in: SignIn) -> None:
    page.goto("/")
    check(page)
    page.get_by_label("Αναζήτηση στις υπηρεσίες").fill("μονιμης κατοικιας")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Βεβαίωση Μόνιμης Κατοικίας").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Βεβαίωση Μόνιμης Κατοικίας")
    expect(page.get_by_text("Νομική βάση")).to_be_visible()
    check(page)
    page.goto("/?q=χωχω")
    expect(page.get_by_text("Καμία υπηρεσία δεν περιέχει αυτές τις λέξεις.")).to_be_visible()
    page.goto("/?lang=en")
    expect(page.get_by_role("heading", level=1)).to_have_text("What do you need from the municipality?")
    for path in ("/accessibility", "/offline", "/sign-in", "/nowhere"):
        page.goto(path)
        check(page)


def test_a_citizen_signs_in_sees_his_cases_and_signs_out(
    page: Page, check: Check, sign_in: SignIn, portal: Any, file_for: Callable[..., str]
) -> None:
    page.goto("/cases")  # leads to the sign-in, and back here
    sign_in(page, "ΜΑΡΙΑ ΔΟΚΙΜΑΣΤΙΚΗ")
    expect(page.get_by_role("heading", level=1)).to_have_text("Οι υποθέσεις μου")
    expect(page.get_by_text("Δεν έχετε ακόμη υποθέσεις.")).to_be_visible()
    check(page)
    reference = file_for("Βεβαίωση Μόνιμης Κατοικίας")
    file_for("Πιστοποιητικό Γέννησης")
    page.reload()
    expect(page.locator("tbody tr")).to_have_count(2)
    check(page)
    page.get_by_label("Αναζήτηση").fill("κατοικιας")
    page.get_by_role("button", name="Εμφάνιση").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_role("link", name="Λήψη CSV").click()
    assert reference in Path(download.value.path()).read_text(encoding="utf-8-sig")
    page.get_by_role("link", name="Βεβαίωση Μόνιμης Κατοικίας").click()
    expect(page.get_by_text(reference, exact=True)).to_be_visible()
    expect(page.get_by_text("Δήμος Δοκιμής").first).to_be_visible()
    check(page)
    case = page.url
    page.get_by_role("button", name="Αποσύνδεση").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Αποσυνδεθήκατε")
    check(page)
    page.goto(case)  # somebody else does not see it
    sign_in(page, "ΓΕΩΡΓΙΟΣ ΔΟΚΙΜΑΣΤΙΚΟΣ")
    expect(page.get_by_role("heading", level=1)).to_have_text("Δεν υπάρχει τέτοια υπόθεσή σας.")


def test_a_sign_in_that_was_refused_or_began_elsewhere_says_so(page: Page, check: Check, sign_in: SignIn) -> None:
    page.goto("/sign-in")
    page.get_by_role("link", name="Συνέχεια στο TaxisNet").click()
    page.get_by_role("link", name="Άρνηση εισόδου").click()
    expect(page.get_by_role("alert")).to_contain_text("Η σύνδεση δεν ολοκληρώθηκε.")
    check(page)
    page.goto(f"/sign-in/taxisnet/return?state={uuid.uuid4()}&code=stolen")
    expect(page.get_by_role("alert")).to_contain_text("ξεκίνησε σε άλλον περιηγητή")
