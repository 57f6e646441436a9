"""The officers' page /enrolment, over HTTP and in a real Chromium."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asty_cloud_api
import asty_look
import httpx
import pytest
from asty_cloud_api.enrolment import desk, keys, routes
from asty_cloud_api.enrolment.door import MOST_WRONG, WITHIN_S, Door
from asty_cloud_api.enrolment.reads import DEVICES, SIGNS, STATES
from asty_cloud_api.settings import EnrolmentSettings, Settings
from asty_look.terms import OWN, load
from sqlalchemy.orm import Session

CODE = "twelve-letters"
ACT = {"code": CODE}
AXE = Path(asty_look.__file__).parents[1] / "node_modules" / "axe-core" / "axe.min.js"
pytestmark = pytest.mark.skipif(
    not (Path(asty_look.__file__).parent / "static/dist/manifest.json").exists(), reason="the pages are not built"
)


@pytest.fixture(scope="module")
def page(town: Any, serve: Any) -> httpx.Client:
    """The application with an officers' code and the broker to tell."""
    broker = town.office.broker
    enrolment = EnrolmentSettings(town.folder.path, CODE, (broker.host, broker.port), broker.pid_file)
    client: httpx.Client = serve(Settings(org="demo", dsn=town.dsn, enrolment=enrolment))
    return client


@pytest.fixture
def waiting(town: Any) -> Callable[[str], str]:
    """Return `waiting(edge)`: the id of a new request of that edge."""

    def make(edge: str) -> str:
        town.ask(edge, town.claim(edge), keys.new_key())
        with Session(town.office.engine) as session:
            return str(desk.waiting_of(session, edge).id)

    return make


def state(town: Any, edge: str) -> str:
    from asty_cloud_api.enrolment.reads import _SOURCE
    from sqlalchemy import text

    with town.office.engine.connect() as connection:
        return str(
            connection.execute(
                text(f"SELECT state FROM ({_SOURCE}) AS s WHERE edge = :e"), {"e": edge, "now": "2026-11-24T08:00Z"}
            ).scalar_one()
        )


def test_the_officer_sees_the_fingerprint_and_approves(town: Any, page: httpx.Client, waiting: Any) -> None:
    request = waiting("truck-1")
    with Session(town.office.engine) as session:
        shown = desk.waiting_of(session, "truck-1").fingerprint
    html = page.get("/enrolment").text
    assert shown in html
    assert "Περιμένει έγκριση" in html
    done = page.post(f"/enrolment/{request}/approve", data=ACT)
    assert (done.status_code, done.headers["location"]) == (303, "/enrolment?done=approved&edge=truck-1")
    html = page.get(done.headers["location"]).text
    assert "Η συσκευή εγγράφηκε" in html
    assert "Μαρία Παππά" in html
    assert state(town, "truck-1") == "valid"


def test_the_officer_turns_a_device_away_with_a_reason(town: Any, page: httpx.Client, waiting: Any) -> None:
    request = waiting("truck-2")
    assert page.post(f"/enrolment/{request}/refuse", data=ACT).status_code == 422
    assert page.post(f"/enrolment/{request}/refuse", data=ACT | {"why": "άγνωστη συσκευή"}).status_code == 303
    assert state(town, "truck-2") == "refused"
    assert "άγνωστη συσκευή" in page.get("/enrolment?state=refused").text


def test_the_officer_revokes_and_the_device_is_cut_off(town: Any, page: httpx.Client) -> None:
    connected = town.connect(town.enrolled("truck-3"))
    assert 'value="truck-3"' in page.get("/enrolment/revoke?edge=truck-3").text
    done = page.post("/enrolment/revoke", data=ACT | {"edge": "truck-3", "why": "κλοπή"})
    assert done.status_code == 303
    assert connected.gone.get(timeout=20)
    assert state(town, "truck-3") == "revoked"


@pytest.mark.parametrize("given", [{"code": ""}, {"code": "wrong-wrong-wrong"}], ids=str)
def test_nothing_is_decided_without_the_right_code(town: Any, page: httpx.Client, waiting: Any, given: dict[str, str]) -> None:
    request = waiting("truck-4")
    for address, more in (
        (f"/enrolment/{request}/approve", {}),
        (f"/enrolment/{request}/refuse", {"why": "x"}),
        ("/enrolment/revoke", {"edge": "truck-1", "why": "x"}),
    ):
        answer = page.post(address, data=given | more)
        assert answer.status_code in (403, 422)
        assert "Δεν άλλαξε τίποτα" in answer.text
    assert state(town, "truck-4") == "waiting"


def test_without_a_code_the_page_shows_and_decides_nothing(town: Any, http: httpx.Client, waiting: Any) -> None:
    request = waiting("truck-5")
    html = http.get("/enrolment").text
    assert "asty enrol approve truck-5" in html
    assert 'name="code"' not in html
    assert http.post(f"/enrolment/{request}/approve", data=ACT).status_code == 403
    assert state(town, "truck-5") == "waiting"


def test_a_code_can_not_be_guessed_by_trying() -> None:
    door = Door("right-right-right")
    assert [door.knock(f"wrong-{number}", 0.0) for number in range(MOST_WRONG)] == ["wrong"] * MOST_WRONG
    assert door.knock("right-right-right", 1.0) == "shut"
    assert door.knock("right-right-right", WITHIN_S) == "open"
    assert Door(None).knock("", 0.0) == "none"


def test_a_request_decided_meanwhile_is_said_so(page: httpx.Client, waiting: Any) -> None:
    request = waiting("truck-6")
    assert page.post(f"/enrolment/{request}/approve", data=ACT).status_code == 303
    answer = page.post(f"/enrolment/{request}/refuse", data=ACT | {"why": "x"})
    assert (answer.status_code, "Έχει ήδη ληφθεί απόφαση" in answer.text) == (409, True)


def test_devices_are_searched_filtered_sorted_and_taken_away(town: Any, page: httpx.Client) -> None:
    town.enrolled("truck-7")
    town.claim("truck-8")
    table = page.get("/enrolment?q=TRUCK-7").text.split("<tbody")[1]
    assert ("truck-7" in table, "truck-8" in table) == (True, False)
    table = page.get("/enrolment?state=claimed&sort=-edge").text.split("<tbody")[1]
    assert ("truck-7" in table, "truck-8" in table) == (False, True)
    assert "Καμία συσκευή δεν ταιριάζει" in page.get("/enrolment?q=nothing-of-ours").text
    lines = page.get("/enrolment.csv?q=truck-7").text.removeprefix("\ufeff").splitlines()
    assert lines[0].startswith("Όχημα;Ταυτότητα;Κατάσταση;Αποτύπωμα")
    assert "truck-7" in lines[1]


@pytest.mark.parametrize("query", ["state=lost", "page=0", "sort=pem"])
def test_a_wrong_parameter_is_told_in_greek(page: httpx.Client, query: str) -> None:
    answer = page.get(f"/enrolment?{query}")
    assert (answer.status_code, "Δεν γίνεται να εμφανιστεί" in answer.text or "notice" in answer.text) == (422, True)


def test_what_is_typed_comes_back_as_text_never_as_markup(page: httpx.Client) -> None:
    for address in (
        "/enrolment?done=approved&edge=<script>x</script>",
        "/enrolment?q=<script>x</script>",
        "/enrolment/revoke?edge=<script>x</script>",
    ):
        assert "<script>x" not in page.get(address).text


def test_every_word_of_enrolment_has_its_greek() -> None:
    greek = load("el", Path(asty_cloud_api.__file__).parent / "locale", OWN)
    words = {DEVICES.title, DEVICES.empty, *STATES.values(), *(column.title for column in DEVICES.columns)}
    words |= {
        text
        for name, value in vars(routes).items()
        if re.fullmatch(r"_[A-Z]+", name) and isinstance(value, tuple)
        for text in value
        if isinstance(text, str)
    }
    words |= {text for _status, text in routes._VERDICTS.values()}
    assert {word for word in words if greek.gettext(word) == word} == set()
    assert SIGNS.keys() == STATES.keys()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if binary is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.mark.browser
@pytest.mark.parametrize(("width", "query"), [(1280, "?theme=night"), (1280, "?lang=en"), (390, "")])
def test_the_page_is_accessible_and_fits_the_screen(
    town: Any, page: httpx.Client, waiting: Any, browser: Any, width: int, query: str
) -> None:
    waiting("truck-9")
    town.enrolled("truck-10")
    context = browser.new_context(
        extra_http_headers={"Authorization": page.headers["Authorization"]}, viewport={"width": width, "height": 900}
    )
    complaints: list[str] = []
    tab = context.new_page()
    tab.on("console", lambda message: complaints.append(message.text))
    for address in ("/enrolment", "/enrolment/revoke"):
        tab.goto(f"{page.base_url}{address}{query}")
        tab.evaluate(AXE.read_text())
        found = tab.evaluate("axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})")
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]] == []
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
    context.close()
    assert complaints == []


@pytest.mark.browser
def test_an_officer_approves_by_keyboard(town: Any, page: httpx.Client, waiting: Any, browser: Any) -> None:
    waiting("truck-11")
    context = browser.new_context(extra_http_headers={"Authorization": page.headers["Authorization"]})
    tab = context.new_page()
    tab.goto(f"{page.base_url}/enrolment")
    card = tab.locator("section", has=tab.get_by_role("heading", name="truck-11"))
    card.get_by_label("Κωδικός υπαλλήλων").fill(CODE)
    card.get_by_role("button", name="Έγκριση").press("Enter")
    tab.get_by_role("status").get_by_text("Η συσκευή εγγράφηκε").wait_for()
    context.close()
    assert state(town, "truck-11") == "valid"
