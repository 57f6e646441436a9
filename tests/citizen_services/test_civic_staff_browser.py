"""Staff in a real Chromium with a virtual authenticator: the invitation, the passkey, the roles that count."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asty_citizen_services.audit import journal
from asty_citizen_services.identity import accounts
from asty_citizen_services.identity.roles import Role
from playwright.sync_api import Page, expect, sync_playwright

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(web: Any) -> Iterator[Page]:
    """A browser whose device holds passkeys and knows its holder."""
    binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if binary is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=["--no-sandbox"])
        page = browser.new_context(base_url=web.url).new_page()
        cdp = page.context.new_cdp_session(page)
        cdp.send("WebAuthn.enable")
        holds = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}
        cdp.send("WebAuthn.addVirtualAuthenticator", {"options": {**holds, "automaticPresenceSimulation": True}})
        yield page
        browser.close()


@pytest.fixture(scope="module")
def invitation(page: Page, municipality: Any) -> str:
    """The link by which anna has opened her account and registered a passkey; she is signed in."""
    assert municipality.run("departments", "import").returncode == 0
    asked = ("--name", "Άννα Υπαλλήλου", "--email", "anna@example.gr", "--role", "dimotologio:officer")
    done = municipality.run("staff", "add", "anna", *asked)
    assert done.returncode == 0, done.stderr
    path: str = done.stdout.strip().split("8420", 1)[1]
    page.goto(path)
    expect(page.get_by_text("Άννα Υπαλλήλου")).to_be_visible()
    page.get_by_role("button", name="Καταχώριση κλειδιού πρόσβασης").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ο λογαριασμός μου")
    expect(page.get_by_text("Υπάλληλος, Τμήμα Δημοτολογίου")).to_be_visible()
    return path


def test_an_officer_opens_the_account_once_and_then_signs_in_with_the_passkey(page: Page, invitation: str) -> None:
    page.get_by_role("button", name="Αποσύνδεση").click()
    page.goto(invitation)
    expect(page.get_by_role("heading", level=1)).to_have_text("Η πρόσκληση έχει χρησιμοποιηθεί ή έληξε.")
    page.goto("/staff")
    page.get_by_role("button", name="Σύνδεση με κλειδί πρόσβασης").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ο λογαριασμός μου")
    page.goto("/cases")  # an officer is no citizen
    expect(page.get_by_role("heading", level=1)).to_have_text("Σύνδεση")


@pytest.mark.usefixtures("invitation")
def test_a_lent_role_counts_for_its_time_alone_and_says_whose_it_is(page: Page, municipality: Any) -> None:
    now = datetime.now(UTC)
    with municipality.database.begin() as session:
        anna = accounts.named(session, "anna")
        head = accounts.add(session, username="head", name="Κώστας Προϊστάμενος", email="k@example.gr", by="system", now=now)
        accounts.grant(session, head, "lixiarcheio", Role.HEAD, by="system", now=now)
        day = timedelta(days=1)
        accounts.delegate(session, head, anna, "lixiarcheio", Role.HEAD, now - day, now + day, by=f"staff:{head}", now=now)
        with pytest.raises(accounts.AccountError, match="can't be lent on"):
            accounts.delegate(session, anna, head, "lixiarcheio", Role.HEAD, now, now + day, by="x", now=now)
        accounts.be_absent(session, head, now - day, now + day, "άδεια", by="x", now=now)
        assert accounts.is_absent(session, head, now)
        assert not accounts.is_absent(session, head, now + 2 * day)
    page.goto("/staff")
    expect(page.get_by_text("Προϊστάμενος/η τμήματος, Ληξιαρχείο")).to_contain_text("από Κώστας Προϊστάμενος")
    with municipality.database.begin() as session:
        accounts.withdraw(session, head, "lixiarcheio", Role.HEAD, by="system", now=now)
    page.reload()
    expect(page.get_by_text("Τμήμα Δημοτολογίου")).to_be_visible()
    expect(page.get_by_text("Ληξιαρχείο")).to_have_count(0)


@pytest.mark.usefixtures("invitation")
def test_a_shut_account_is_out_at_once_and_its_passkey_opens_nothing(page: Page, municipality: Any) -> None:
    page.goto("/staff")
    assert municipality.run("staff", "shut", "anna").returncode == 0
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Σύνδεση για το προσωπικό του Δήμου")
    page.get_by_role("button", name="Σύνδεση με κλειδί πρόσβασης").click()
    expect(page.get_by_role("alert")).to_contain_text("Το κλειδί πρόσβασης δεν έγινε δεκτό. Δεν έγινε σύνδεση.")
    with municipality.database.begin() as session:
        assert list(journal.verify(session)) == []
