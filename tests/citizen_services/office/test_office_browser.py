"""Officer and citizen in a real Chromium: from the inbox to the signed document, the correction, the rejection and the objection."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}
Open = Callable[[str], Any]


@pytest.fixture
def opened(browser: Browser, town: Any) -> Open:
    """Return `opened(who)`: a page on which somebody is signed in, which must not complain in its console."""

    @contextmanager
    def open_as(who: str) -> Iterator[Page]:
        complaints: list[str] = []
        context = browser.new_context(viewport=PHONE, base_url=town.url, accept_downloads=True)  # type: ignore[arg-type]
        if who:
            context.add_cookies([{"name": "asty-session", "value": town.token_of(who), "url": town.url}])
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        context.close()
        assert [said for said in complaints if "status of 4" not in said] == []

    return open_as


def drawn(page: Page, here: str) -> None:
    """Assert that the diagram stands there with its token, and that the list says the same."""
    expect(page.locator("[data-diagram][data-drawn]")).to_be_visible()
    expect(page.locator(f"[data-element-id={here}].here")).to_have_count(1)
    expect(page.locator("[aria-current=step]")).to_have_count(1)


def test_an_officer_takes_a_case_to_the_signed_document_and_the_citizen_takes_it_home(
    town: Any, opened: Open, check: Callable[[Page], None]
) -> None:
    case = town.file()
    with opened("officer") as page:
        page.goto("/office")
        check(page)
        page.get_by_label("Αναζήτηση").fill("γεννησης δοκιμαστικη")
        page.get_by_role("button", name="Εμφάνιση").click()
        page.locator(f'a[href="/office/cases/{case}"]').click()
        expect(page.get_by_text("Δοκιμαστικά στοιχεία, κανενός")).to_be_visible()
        drawn(page, "check")
        check(page)
        page.get_by_role("button", name="Ανάληψη", exact=True).click()
        expect(page.get_by_text("Το έχω εγώ")).to_be_visible()
        page.get_by_label("Νέα σημείωση").fill("Τηλεφώνησε")
        page.get_by_role("button", name="Αποθήκευση σημείωσης").click()
        expect(page.get_by_text("Τηλεφώνησε")).to_be_visible()
        page.get_by_role("button", name="Πλήρης").click()
    town.work(case)
    with opened("head") as page:
        page.goto(f"/office/cases/{case}")
        drawn(page, "sign")
        check(page)
        page.get_by_label("Συνθηματικό ή PIN").fill("λάθος")
        page.get_by_role("button", name="Υπογραφή", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("Ελέγξτε το συνθηματικό")
        page.get_by_label("Συνθηματικό ή PIN").fill("μυστικό")
        page.get_by_role("button", name="Υπογραφή", exact=True).click()
        expect(page.get_by_text("υπογεγραμμένο").first).to_be_visible()
        for path in ("/office/signing", "/office/statistics", "/office/nursery"):
            page.goto(path)
            check(page)
    town.work(case)
    with opened("citizen") as page:
        page.goto(f"/cases/{case}")
        drawn(page, "issued")
        check(page)
        with page.expect_download() as download:
            page.get_by_role("link", name="Λήψη").first.click()
        file = Path(download.value.path())
        assert file.read_bytes().startswith(b"%PDF")
        page.goto("/check")
        check(page)
        page.get_by_label("Αρχείο PDF").set_input_files(file)
        page.get_by_role("button", name="Έλεγχος του αρχείου").click()
        expect(page.get_by_role("status")).to_contain_text("είναι όπως υπογράφηκε")
        check(page)
        page.goto("/nursery/ranking")
        check(page)


def test_a_file_is_completed_and_a_rejection_is_objected_to(town: Any, opened: Open, check: Callable[[Page], None]) -> None:
    case = town.file()
    with opened("officer") as page:
        page.goto(f"/office/cases/{case}")
        page.locator("summary", has_text="Ελλιπής").click()
        page.locator("details[open]").get_by_label("Αιτιολογία").fill("Δεν διαβάζεται η ημερομηνία")
        page.locator("details[open]").get_by_role("button", name="Ελλιπής").click()
        expect(page.get_by_role("alert")).to_contain_text("Διαλέξτε τι πρέπει να συμπληρωθεί")
        expect(page.locator("details[open]").get_by_label("Αιτιολογία")).to_have_value("Δεν διαβάζεται η ημερομηνία")
        page.locator("details[open]").get_by_label("Ημερομηνία γέννησης").check()
        page.locator("details[open]").get_by_role("button", name="Ελλιπής").click()
    town.work(case)
    with opened("citizen") as page:
        page.goto(f"/cases/{case}")
        expect(page.get_by_text("Δεν διαβάζεται η ημερομηνία")).to_be_visible()
        drawn(page, "amend")
        check(page)
        page.get_by_role("button", name="Συμπλήρωση φακέλου").click()
        expect(page.get_by_role("group", name="Ημερομηνία γέννησης")).to_be_visible()
        page.get_by_role("button", name="Συνέχεια").click()
        while "/check" not in page.url:
            page.get_by_role("button", name="Συνέχεια").click()
        page.locator(".form__do button").first.click()
    with opened("officer") as page:
        page.goto(f"/office/cases/{case}")
        page.locator("summary", has_text="Απόρριψη").click()
        page.locator("details[open]").get_by_label("Αιτιολογία").fill("Δεν προκύπτει έννομο συμφέρον")
        page.locator("details[open]").get_by_role("button", name="Απόρριψη").click()
    town.work(case)
    with opened("head") as page:
        page.goto(f"/office/cases/{case}")
        page.get_by_label("Συνθηματικό ή PIN").fill("μυστικό")
        page.get_by_role("button", name="Υπογραφή", exact=True).click()
    town.work(case)
    with opened("citizen") as page:
        page.goto(f"/cases/{case}")
        drawn(page, "object")
        check(page)
        page.get_by_text("Υποβάλλω ένσταση").click()
        page.get_by_label("Οι λόγοι της ένστασης").fill("Το έννομο συμφέρον είναι προφανές")
        page.get_by_role("button", name="Υποβολή ένστασης").click()
        drawn(page, "hear")
    with opened("head") as page:
        page.goto(f"/office/cases/{case}")
        expect(page.get_by_text("Το έννομο συμφέρον είναι προφανές")).to_be_visible()
        page.locator("summary", has_text="Δεκτή").first.click()
        page.locator("details[open]").get_by_label("Αιτιολογία").fill("Βάσιμη")
        page.locator("details[open]").get_by_role("button", name="Δεκτή").click()
        drawn(page, "check")


def test_the_second_parent_signs_by_the_link_and_nobody_else(town: Any, opened: Open, check: Callable[[Page], None]) -> None:
    from asty_citizen_services.identity.taxisnet_double import PERSONS

    nursery = {"parents": "two", "second_parent_afm": PERSONS[3].taxid, "station": "a", "first_work": "full", "children": 2}
    case = town.file("eggrafi-paidikou-stathmou", nursery, "paidikoi")
    with opened("citizen") as page:
        page.goto(f"/cases/{case}")
        check(page)
        link = page.locator('a[href^="/cosign/"]').get_attribute("href")
        assert link is not None
        page.goto(link)
        expect(page.get_by_role("heading", level=1)).to_contain_text("Εδώ ζητείται η υπογραφή άλλου προσώπου")
    with opened("citizen-2") as page:
        page.goto(link)
        check(page)
        page.get_by_label("Διάβασα την αίτηση και συμφωνώ.").check()
        page.get_by_role("button", name="Υπογραφή").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Υπογράψατε")
    with opened("officer") as page:
        page.goto(f"/office/cases/{case}")
        drawn(page, "check")
        page.goto("/office/nursery")
        expect(page.get_by_text("Πλήρης εργασία")).to_be_visible()
        check(page)
