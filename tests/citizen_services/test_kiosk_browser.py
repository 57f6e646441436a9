"""The kiosk in a real Chromium, by touch: filing, the keyboard on the screen, leaving nothing behind, going on with a phone."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from asty_citizen_services.drafts.models import Draft
from asty_citizen_services.identity.models import SignedIn
from asty_citizen_services.registry.models import Application
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import select

pytestmark = pytest.mark.browser

MODULES = Path(__file__).parents[2] / "look/node_modules"
AXE, JSQR = (MODULES / path for path in ("axe-core/axe.min.js", "jsqr/dist/jsQR.js"))
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
STANDING, LYING = {"width": 1080, "height": 1920}, {"width": 1280, "height": 1024}
SMALL = """() => [...document.querySelectorAll("a, button, summary, select, textarea, input, label.q__choice")]
  .filter((it) => it.checkVisibility() && !it.matches(".sr, .skip, .q__choice input, [type=hidden]"))
  .map((it) => [it.outerHTML.slice(0, 120), it.getBoundingClientRect()])
  .filter(([, box]) => box.height < 60 || box.width < 60).map(([html]) => html)"""
READ = """async () => {
  const image = document.querySelector("[data-hand-off] img");
  const canvas = new OffscreenCanvas(600, 600);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0, 600, 600);
  return jsQR(context.getImageData(0, 0, 600, 600).data, 600, 600).data;
}"""


def is_fit(page: Page) -> None:
    """Assert that a page fits both screens, has no small target, and axe-core finds nothing wrong."""
    page.wait_for_load_state()  # its style sheet is there then
    for size in (LYING, STANDING):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], page.url
        assert page.evaluate(SMALL) == [], page.url
        page.evaluate(AXE.read_text())
        found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
        assert [f"{v['id']}: {n['html'][:160]}" for v in found["violations"] for n in v["nodes"]] == [], page.url


def strike(page: Page, *keys: str) -> None:
    for key in keys:
        page.locator(f'[data-keys] [data-key="{key}"]').tap()


def touch(page: Page, label: str, *keys: str) -> None:
    page.get_by_label(label, exact=True).tap()
    strike(page, *keys)


def cookies_of(context: BrowserContext) -> set[str]:
    return {cookie["name"] for cookie in context.cookies()}


@pytest.fixture
def kiosk(browser: Browser, municipality: Any, portal: Any, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A registered screen on its first page."""
    link = municipality.run("kiosk", "add", request.node.name).stdout.strip()
    context = browser.new_context(viewport=STANDING, has_touch=True, base_url=portal.url)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto("/kiosk/register/" + link.rsplit("/", 1)[1])
    page.get_by_role("button", name="Να γίνει περίπτερο").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Τι θέλετε να κάνετε;")
    yield page
    context.close()


def begin(page: Page, service: str = "Πιστοποιητικό Γέννησης") -> None:
    page.get_by_role("link", name="Νέα αίτηση").tap()
    page.get_by_role("link", name=service, exact=True).tap()
    page.get_by_role("button", name="Ξεκινήστε εδώ").tap()
    expect(page.get_by_role("heading", level=1)).to_have_text("Τα στοιχεία σας")


def about_me(page: Page) -> None:
    """Identity card and phone by the keyboard on the screen."""
    touch(page, "Αριθμός δελτίου ταυτότητας", "shift", "α", "shift", "β", *"123456")
    expect(page.get_by_label("Αριθμός δελτίου ταυτότητας")).to_have_value("ΑΒ123456")
    strike(page, "next", *"6941234567")
    page.locator("form .form__do").get_by_role("button", name="Συνέχεια").tap()
    expect(page.get_by_role("heading", level=1)).to_have_text("Το πρόσωπο")


def the_rest(page: Page) -> None:
    page.locator("form .form__do").get_by_role("button", name="Συνέχεια").tap()
    page.get_by_text("Για τράπεζα").tap()
    touch(page, "Πόσα αντίγραφα;", "2")
    page.locator("form .form__do").get_by_role("button", name="Συνέχεια").tap()
    page.get_by_text("Δηλώνω υπεύθυνα").tap()
    page.locator("form .form__do").get_by_role("button", name="Συνέχεια").tap()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ελέγξτε τις απαντήσεις σας")


def test_a_citizen_files_by_touch_alone_takes_the_receipt_and_leaves_nothing_behind(
    kiosk: Page, sign_in: Callable[[Page, str], None], municipality: Any
) -> None:
    page = kiosk
    is_fit(page)
    with page.expect_navigation():
        page.get_by_role("link", name="Νέα αίτηση").tap()
    is_fit(page)
    with page.expect_navigation():
        page.get_by_role("link", name="Πιστοποιητικό Γέννησης", exact=True).tap()
    is_fit(page)
    page.goto("/")  # the portal's own pages are not open here
    expect(page.get_by_role("heading", level=1)).to_have_text("Τι θέλετε να κάνετε;")
    begin(page)
    about_me(page)
    page.get_by_text("Για το παιδί μου").tap()
    page.locator("form .form__do").get_by_role("button", name="Συνέχεια").tap()
    expect(page.get_by_role("alert")).to_be_visible()  # a page that lacks something says what
    is_fit(page)
    touch(page, "Επώνυμο του προσώπου", "shift", "δ", *"οκιμαστικ")
    is_fit(page)
    page.locator('[data-keys] [data-key="ο"]').click(delay=700)  # a long press offers the accents
    page.locator(".key--variant").tap()
    strike(page, "σ", "next", "shift", "ν", "tonos", *"ικοσ", "space", *"παυλοσ", "erase", "erase", *"οσ", "next")
    expect(page.get_by_label("Επώνυμο του προσώπου")).to_have_value("Δοκιμαστικός")
    expect(page.get_by_label("Όνομα του προσώπου", exact=True)).to_have_value("Νίκος παυλος")
    strike(page, *"αι", "dialytika", *"ι", "tonos", "dialytika", "υ", "latin", *"ab@", "greek", "left", "erase")
    expect(page.get_by_label("Πατρώνυμο του προσώπου")).to_have_value("αιϊΰa@")
    strike(page, "next", *"12", "next", *"05", "next", *"2015", "next", "shift", "μ", *"αρ", "tonos", *"ια", "hide")
    expect(page.get_by_label("Μητρώνυμο")).to_have_value("Μαρία")
    the_rest(page)
    expect(page.get_by_text("Νίκος παυλος")).to_be_visible()
    is_fit(page)
    page.get_by_role("link", name="Σύνδεση εδώ με TaxisNet").tap()
    page.get_by_role("link", name="ΜΑΡΙΑ ΔΟΚΙΜΑΣΤΙΚΗ").tap()
    expect(page.get_by_text("ΔΟΚΙΜΑΣΤΙΚΗ", exact=True)).to_be_visible()  # what the sign-in knows is there now
    is_fit(page)
    page.get_by_role("button", name="Υποβολή αίτησης").tap()
    expect(page.get_by_role("heading", level=1)).to_have_text("Η αίτησή σας υποβλήθηκε")
    is_fit(page)
    number, code = (text.strip() for text in page.locator(".kiosk__number strong").all_inner_texts())
    with municipality.database.begin() as session:
        assert session.scalars(select(Application)).one().channel == "kiosk"
        assert session.scalars(select(SignedIn)).all() != []
    receipt = page.url
    page.evaluate("() => { localStorage.setItem('a', 'b'); }")
    page.get_by_role("link", name="Έξοδος και καθαρισμός οθόνης").last.tap()
    expect(page.get_by_role("heading", level=1)).to_have_text("Τι θέλετε να κάνετε;")
    assert cookies_of(page.context) - {"asty-csrf"} == {"asty-kiosk"}
    assert page.evaluate("() => [localStorage.length, sessionStorage.length]") == [0, 0]
    with municipality.database.begin() as session:
        assert session.scalars(select(SignedIn)).all() == []
    page.goto(receipt)
    expect(page.get_by_text("ΔΟΚΙΜΑΣΤΙΚΗ")).to_have_count(0)
    page.goto("/kiosk")

    with page.expect_navigation():
        page.get_by_role("link", name="Πού βρίσκεται η υπόθεσή μου;").tap()
    is_fit(page)
    touch(page, "Αριθμός πρωτοκόλλου", *number)
    touch(page, "Κωδικός απόδειξης", *"00000000")
    page.get_by_role("button", name="Εμφάνιση").tap()
    expect(page.get_by_role("alert")).to_contain_text("δεν ταιριάζουν")
    expect(page.get_by_label("Αριθμός πρωτοκόλλου")).to_have_value(number)
    touch(page, "Κωδικός απόδειξης", *code.replace(" ", ""))
    page.get_by_role("button", name="Εμφάνιση").tap()
    expect(page.get_by_role("heading", level=2, name="Πιστοποιητικό Γέννησης")).to_be_visible()
    expect(page.get_by_text("ΔΟΚΙΜΑΣΤΙΚΗ")).to_have_count(0)
    is_fit(page)
    page.get_by_role("link", name="Έξοδος").first.tap()
    expect(page.get_by_role("heading", level=1)).to_have_text("Τι θέλετε να κάνετε;")
    with page.expect_navigation():
        page.get_by_role("link", name="Πληροφορίες").tap()
    is_fit(page)


def test_a_screen_that_nobody_touches_warns_counts_down_and_is_cleared(kiosk: Page, municipality: Any) -> None:
    page = kiosk
    page.clock.install()
    begin(page)
    about_me(page)
    with municipality.database.begin() as session:
        assert len(session.scalars(select(Draft).where(Draft.citizen_id.is_(None))).all()) == 1
    page.clock.run_for(61_000)
    expect(page.get_by_role("heading", name="Είστε ακόμη εδώ;")).to_be_visible()
    left = int(page.locator("strong[data-left]").inner_text())
    assert 1 <= left <= 15
    is_fit(page)
    page.get_by_role("button", name="Συνεχίζω").tap()
    expect(page.get_by_role("heading", name="Είστε ακόμη εδώ;")).not_to_be_visible()
    page.clock.run_for(45_000)
    expect(page.get_by_role("heading", name="Είστε ακόμη εδώ;")).not_to_be_visible()
    page.clock.run_for(35_000)
    expect(page.get_by_role("heading", level=1)).to_have_text("Τι θέλετε να κάνετε;")
    assert cookies_of(page.context) - {"asty-csrf"} == {"asty-kiosk"}
    with municipality.database.begin() as session:
        assert session.scalars(select(Draft).where(Draft.citizen_id.is_(None))).all() == []
    page.go_back()
    expect(page.get_by_text("ΑΒ123456")).to_have_count(0)
    expect(page.get_by_label("Μητρώνυμο")).to_have_count(0)


def test_a_phone_goes_on_with_what_was_typed_once_and_no_other_phone_can(
    kiosk: Page, browser: Browser, portal: Any, check: Callable[[Page], None], sign_in: Callable[[Page, str], None]
) -> None:
    page = kiosk
    begin(page)
    about_me(page)
    page.get_by_text("Για άλλο πρόσωπο").tap()  # which asks for a file that nobody has at a kiosk
    page.locator("form .form__do").get_by_role("button", name="Συνέχεια").tap()
    expect(page.get_by_role("alert")).to_be_visible()
    for label, keys in (("Επώνυμο του προσώπου", "αβγ"), ("Όνομα του προσώπου", "δεζ"), ("Πατρώνυμο του προσώπου", "ηθι")):
        touch(page, label, *keys)
    touch(page, "Ημέρα", *"12")
    touch(page, "Μήνας", *"5")
    touch(page, "Έτος", *"1980")
    touch(page, "Μητρώνυμο", *"κλμ")
    the_rest(page)
    with page.expect_navigation():
        page.get_by_role("link", name="Συνέχεια στο κινητό").tap()
    is_fit(page)
    page.evaluate(JSQR.read_text())
    link = str(page.evaluate(READ))
    assert link.startswith(f"{portal.url}/continue/")
    phone, other = (browser.new_context(viewport={"width": 390, "height": 844}, base_url=portal.url).new_page() for _ in range(2))
    phone.goto("/continue/" + link.rsplit("/", 1)[1])
    check(phone)
    phone.get_by_role("button", name="Συνέχεια").click()
    expect(page.get_by_text("Ένα κινητό την άνοιξε.")).to_be_visible()
    other.goto("/continue/" + link.rsplit("/", 1)[1])
    expect(other.get_by_role("heading", level=1)).to_have_text("Ο σύνδεσμος δεν ισχύει πια.")
    sign_in(phone, "ΜΑΡΙΑ ΔΟΚΙΜΑΣΤΙΚΗ")
    expect(phone.get_by_label("Μητρώνυμο")).to_have_value("κλμ")
    expect(phone.get_by_label("Εξουσιοδότηση")).to_be_visible()  # the file is asked for here
    expect(page.get_by_role("heading", level=1)).to_have_text("Τι θέλετε να κάνετε;")  # by itself
    phone.goto("/continue/" + link.rsplit("/", 1)[1])
    expect(phone.get_by_role("heading", level=1)).to_have_text("Ο σύνδεσμος δεν ισχύει πια.")
    phone.context.close()
    other.context.close()


def test_the_web_outside_is_no_kiosk_and_a_shut_kiosk_is_none_any_more(
    kiosk: Page, browser: Browser, portal: Any, municipality: Any
) -> None:
    outside = browser.new_context(base_url=portal.url)
    outside.add_cookies([{"name": "asty-kiosk", "value": "made-up", "url": portal.url}])
    page = outside.new_page()
    for path in ("/kiosk", "/kiosk/services", "/kiosk/state", "/kiosk/end"):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 403
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Τι χρειάζεστε από τον Δήμο;")
    outside.close()
    listed = municipality.run("kiosk", "list").stdout
    name = next(line.split("\t")[0] for line in listed.splitlines() if re.search("shut_kiosk", line))
    assert municipality.run("kiosk", "shut", name).returncode == 0
    assert f"{name}\tshut" in municipality.run("kiosk", "list").stdout
    kiosk.goto("/")
    expect(kiosk.get_by_role("heading", level=1)).to_have_text("Τι χρειάζεστε από τον Δήμο;")
