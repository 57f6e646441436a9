"""What a citizen has for himself, in a real Chromium: notices, choices, payments, data; usable by everybody."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from asty_citizen_services.identity.models import Citizen
from asty_citizen_services.identity.taxisnet_double import PERSONS
from asty_citizen_services.payments.desk import Fees
from playwright.sync_api import Page, expect
from sqlalchemy import select

pytestmark = pytest.mark.browser


def test_a_citizen_reads_notices_chooses_channels_sees_payments_and_his_data(
    page: Page, check: Callable[[Page], None], sign_in: Callable[[Page, str], None], municipality: Any, file_for: Callable[..., str]
) -> None:
    page.goto("/notices")
    sign_in(page, "ΜΑΡΙΑ ΔΟΚΙΜΑΣΤΙΚΗ")
    expect(page.get_by_role("heading", level=1)).to_have_text("Οι ειδοποιήσεις μου")
    reference = file_for(f"Βεβαίωση {uuid.uuid4().hex[:6]}")
    page.goto("/notices")
    expect(page.get_by_text(f"Αρ. πρωτ. {reference}").first).to_be_visible()
    check(page)
    page.get_by_label("Αναζήτηση").fill(reference)
    page.get_by_role("button", name="Εμφάνιση").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator("tbody").get_by_role("button").click()
    page.goto(f"/notices?q={reference}&read=read")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Επιλέξτε πώς σας ενημερώνουμε").click()
    check(page)
    page.locator("#sms").select_option("no")
    page.locator("main").get_by_role("button", name="Αποθήκευση").click()
    expect(page.get_by_role("status").filter(has_text="Αποθηκεύτηκε.")).to_be_visible()
    expect(page.locator("#sms")).to_have_value("no")
    check(page)
    with municipality.database.begin() as session:
        citizen = session.scalars(select(Citizen.id).where(Citizen.taxid == PERSONS[0].taxid)).one()
        Fees({}, "99999").open(session, key=reference, citizen=citizen, subject="Τέλος τάφου", cents=1250, now=datetime.now(UTC))
    page.goto("/payments")
    expect(page.get_by_text("12,50 €").first).to_be_visible()
    check(page)
    page.goto("/me/data")
    check(page)
    page.locator("main").get_by_role("button", name="Διαγραφή").click()
    expect(page.get_by_text("Δεν διαγράφηκε τίποτα.")).to_be_visible()
    check(page)
    page.goto("/privacy")
    check(page)
    page.goto("/me/programs")
    page.locator("#name").fill("Λογιστήριο")
    page.locator("form.stack").get_by_role("button").click()
    expect(page.get_by_role("row", name="Λογιστήριο")).to_be_visible()
    check(page)
