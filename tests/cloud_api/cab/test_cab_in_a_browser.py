"""One whole shift in a real Chromium, online, offline and back; and the screens at the size of a tablet and of a phone."""

import io
import math
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from asty_contracts.records import Position
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

pytestmark = pytest.mark.browser
AXE = Path(__file__).parents[3] / "look/node_modules/axe-core/axe.min.js"
TABLET, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PIN, CARD, DRIVER = "246813", "0004512399", "Γιώργος Παπαδόπουλος"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if binary is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def on_roads(busy: Any, roads_url: str) -> None:
    """The server knows Valhalla: it finds a way back for a truck that has left its route."""
    busy.environment["ASTY_VALHALLA_URL"] = roads_url


@pytest.fixture
def tablet_of(browser: Browser, on_roads: None, web: Any) -> Iterator[Callable[..., Page]]:
    """Return a maker of tablets: each has its own storage; at the end none has complained nor asked anything from outside."""
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    def complain(text: str) -> None:
        # being without coverage is what is tested, and a browser says so in its console
        if not any(known in text for known in ("ERR_INTERNET_DISCONNECTED", "ERR_FAILED", "401 (Unauthorized)", "ERR_NETWORK_CHANGED")):
            complaints.append(text)

    def make(size: dict[str, int] = TABLET, **options: Any) -> Page:
        contexts.append(browser.new_context(viewport=size, reduced_motion="reduce", has_touch=True, **options))  # type: ignore[arg-type]
        page = contexts[-1].new_page()
        page.on("console", lambda message: complain(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request", lambda r: None if r.url.startswith((web.url, "data:", "blob:" + web.url)) else complaints.append(f"asked {r.url}")
        )
        page.goto(f"{web.url}/cab")
        return page

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


def failures(page: Page, *, whole: bool = False) -> list[str]:
    """Return what is wrong: what axe-core finds, what is too small for a glove or an arm's length, on a tablet and on a phone.

    axe-core looks at the phone only where it is `whole`: names, roles and colours of a screen are the same there.
    """
    found = []
    for name, size, looks in (("phone", PHONE, whole), ("tablet", TABLET, True)):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        found += [f"{name}: {wrong}" for wrong in (*(_violations(page) if looks else ()), *_small(page))]
    return found


def _violations(page: Page) -> list[str]:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm ci in look/")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
    return [f"{v['id']}: {n['html'][:160]} {n.get('failureSummary', '')[:200]}" for v in found["violations"] for n in v["nodes"]]


def _small(page: Page) -> list[str]:
    found: list[str] = page.evaluate(
        """() => {
          const seen = (e) => e.checkVisibility() && !e.closest('.sr, .map');
          const box = (e) => e.getBoundingClientRect();
          const top = document.querySelector('dialog[open]') ?? document.getElementById('cab');
          const targets = [...top.querySelectorAll('button, input:not(.sr), label.big')].filter(seen)
            .filter((e) => box(e).height < 63.5 || box(e).width < 63.5).map((e) => `target ${e.outerHTML.slice(0, 90)}`);
          const says = (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
          const texts = [...top.querySelectorAll('*')].filter((e) => seen(e) && says(e))
            .filter((e) => parseFloat(getComputedStyle(e).fontSize) < 20).map((e) => `text ${e.outerHTML.slice(0, 90)}`);
          const width = document.documentElement.scrollWidth > innerWidth ? ['wider than the screen'] : [];
          return [...targets, ...texts, ...width];
        }"""
    )
    return found


def sign_in(page: Page, pin: str = PIN) -> None:
    page.get_by_role("button", name="Απορριμματοφόρο 1").click()
    for digit in pin:
        page.get_by_role("button", name=digit, exact=True).click()
    page.get_by_role("button", name="Είσοδος", exact=True).click()


def begin(page: Page) -> None:
    page.get_by_role("button", name="Τα υπόλοιπα εντάξει").click()
    page.get_by_role("button", name="Έναρξη βάρδιας").click()
    page.get_by_role("button", name="Αποδοχή").click()
    expect(page.locator(".stop h2")).to_be_visible()


def controlled(page: Page) -> None:
    """Wait until the service worker has all that a shift without coverage needs."""
    page.evaluate(
        """async () => {
          const { active } = await navigator.serviceWorker.ready;
          while (active.state !== "activated" || !navigator.serviceWorker.controller) await new Promise((go) => setTimeout(go, 20));
        }"""
    )


def sent(page: Page) -> None:
    expect(page.locator(".bar__net")).to_have_text("Σε σύνδεση", timeout=30_000)


def place_of(bin_: dict[str, Any]) -> tuple[float, float]:
    return bin_["lat"], bin_["lon"]


def miss(page: Page, reason: str) -> None:
    page.locator(".reasons").get_by_role("button", name=reason).click()


@pytest.mark.timeout(300)  # thirty looks at seventeen screens, on a machine without a graphics card
def test_a_whole_shift_with_and_without_coverage(
    tablet_of: Callable[..., Page],
    busy: Any,
    routes: Any,
    bins: list[dict[str, Any]],
    ask: Callable[..., list[Any]],
    lift_of: Any,
    eventually: Any,
) -> None:
    street = bins[8]["street"]
    first = routes.put([bins[8], *bins[3:8]], station_after=3)
    page = tablet_of()

    # sign-in: a wrong PIN is told, a right one and a card let in; the truck is remembered
    expect(page.locator("h1")).to_have_text("Σε ποιο όχημα είναι η συσκευή;")
    assert failures(page) == []
    sign_in(page, "135791")
    expect(page.locator(".failed")).to_contain_text("Λάθος PIN")
    assert failures(page) == []
    page.reload()
    page.locator(".keypad").wait_for()
    page.keyboard.type(f"{CARD}")
    page.keyboard.press("Enter")

    # the vehicle check with a defect
    expect(page.locator("h1")).to_contain_text(DRIVER)
    page.get_by_role("group", name="Χωρίς διαρροές").get_by_role("button", name="Βλάβη").click()
    page.get_by_label("Τι δεν πάει καλά;").fill("στραγγίσματα πίσω")
    page.get_by_role("button", name="Τα υπόλοιπα εντάξει").click()
    assert failures(page) == []
    page.get_by_role("button", name="Έναρξη με σημειωμένες βλάβες").click()

    # the route is shown, and accepted
    expect(page.locator("dialog")).to_contain_text("Το σημερινό δρομολόγιο")
    assert failures(page, whole=True) == []
    page.get_by_role("button", name="Αποδοχή").click()
    expect(page.locator(".stop h2")).to_contain_text(street)
    page.wait_for_selector(".map[data-ready]", timeout=60_000)
    assert failures(page, whole=True) == []
    sent(page)
    assert ask("SELECT accepted IS NOT NULL, accepted_by FROM fleet.route WHERE version = %s", first) == [(True, DRIVER)]
    assert ask('SELECT checks @> \'[{"item": "leaks", "ok": false}]\' FROM fleet.duty WHERE ended IS NULL') == [(True,)]

    # the truck's own receiver leads; above 5 km/h the screen says what works
    def drive(bin_: dict[str, Any], v: float) -> None:
        now = int(time.time() * 1000)
        busy.put("truck-01", (now, Position(lat=bin_["lat"], lon=bin_["lon"], v=v, course=90.0)))

    drive(bins[4], 8.0)
    expect(page.locator(".turn__far")).to_contain_text("m", timeout=15_000)
    expect(page.locator(".notes .note--lock")).to_contain_text("29 km/h")
    page.get_by_role("button", name="Ζύγιση").click()
    assert page.locator("dialog .key").count() == 0, "no typing while moving"
    page.get_by_role("button", name="Κλείσιμο").click()

    # off the route: directions from where the truck is, in Greek; its receiver tells of it every second
    astray = max(bins, key=lambda one: min(math.dist(place_of(one), routes.depot), math.dist(place_of(one), place_of(bins[8]))))
    ways: list[Any] = []
    page.on("response", lambda answer: ways.append(answer) if "/api/cab/way" in answer.url else None)
    while not ways:
        drive(astray, 3.0)
        page.wait_for_timeout(1000)
    assert ways[0].status == 200
    turns = [turn["text"] for turn in ways[0].json()["turns"]]
    assert all(re.search("[α-ω]", text) for text in turns)
    expect(page.locator(".turn__text")).to_have_text(re.compile("|".join(map(re.escape, turns))))
    assert failures(page) == []
    drive(bins[8], 0.0)
    expect(page.locator(".notes .note--lock")).to_be_hidden(timeout=15_000)

    # a lift confirms the stop by itself
    now = int(time.time() * 1000)
    busy.put("truck-01", (now, lift_of(bins[8]["tag"], now, 84.0)))
    expect(page.locator(".bar__stop strong")).to_have_text("1", timeout=15_000)
    expect(page.locator(".note--toast")).to_contain_text(f"Ζυγίστηκε: {street}, 84 kg")

    # a new version is there within seconds of its NOTIFY, says what has changed, and waits for a yes
    second = routes.put([bins[8], *bins[4:8], bins[9]], station_after=3, whys={bins[9]["id"]: "Δήλωση πολίτη: ξεχειλίζει"})
    expect(page.locator("dialog h2")).to_have_text("Το δρομολόγιο άλλαξε", timeout=10_000)
    expect(page.locator(".what-changed")).to_contain_text("Νέες στάσεις: 1")
    expect(page.locator(".what-changed")).to_contain_text("Δήλωση πολίτη")
    expect(page.locator(".what-changed")).to_contain_text("Στάσεις που αφαιρέθηκαν: 1")
    assert failures(page) == []
    page.get_by_role("button", name="Αποδοχή").click()

    # messages both ways, one tap each
    ask(
        "INSERT INTO fleet.message (id, day, edge, sender, text, at)"
        " VALUES (gen_random_uuid(), %s, 'truck-01', 'dispatcher', 'Πρώτα η λαϊκή', now()) RETURNING 1",
        routes.day,
    )
    ask('SELECT pg_notify(\'fleet\', \'{"what": "message", "edge": "truck-01"}\')')
    expect(page.locator(".note--message")).to_contain_text("Πρώτα η λαϊκή", timeout=10_000)
    assert failures(page) == []
    page.locator(".note--message").get_by_role("button", name="Ελήφθη").click()
    expect(page.locator(".note--message")).to_have_count(0)
    sent(page)
    lines = ask("SELECT sender, text, read IS NOT NULL FROM fleet.message WHERE text IN ('Πρώτα η λαϊκή', 'Ελήφθη') ORDER BY sender")
    assert lines == [("dispatcher", "Πρώτα η λαϊκή", True), ("driver", "Ελήφθη", False)]

    # without coverage: everything goes on, also through a reload
    controlled(page)
    page.context.set_offline(True)
    expect(page.locator(".bar__net")).to_have_text("Χωρίς σήμα")
    where = page.locator(".stop h2").inner_text()
    miss(page, "Δεν βγήκε κάδος")
    expect(page.locator(".note--toast")).to_contain_text("Δεν βγήκε κάδος")
    picture = io.BytesIO()
    Image.new("RGB", (2000, 1500), "brown").save(picture, "JPEG")
    page.locator(".note--toast input[type=file]").set_input_files({"name": "a.jpg", "mimeType": "image/jpeg", "buffer": picture.getvalue()})
    expect(page.locator(".note--toast")).to_contain_text("Η φωτογραφία κρατήθηκε", timeout=30_000)  # a browser draws it when it is idle
    expect(page.locator(".stop h2")).not_to_have_text(where)
    page.get_by_role("button", name="Έγινε αποκομιδή").click()
    expect(page.locator(".bar__stop strong")).to_have_text("3")  # what the screen shows as done is on the disk
    page.reload()
    expect(page.locator(".bar__net")).to_have_text("Δεν έχουν σταλεί: 3", timeout=20_000)
    expect(page.locator(".bar__stop strong")).to_have_text("3")
    page.wait_for_selector(".map[data-ready]", timeout=60_000)
    assert failures(page) == []
    page.get_by_role("button", name="Ζύγιση και εκφόρτωση").click()
    for digit in "5240":
        page.locator("dialog").get_by_role("button", name=digit, exact=True).click()
    assert failures(page) == []
    page.get_by_role("button", name="Εκφόρτωση", exact=True).click()
    page.get_by_role("button", name="Διάλειμμα", exact=True).click()
    expect(page.locator("dialog h2")).to_have_text("Διάλειμμα τώρα")
    assert failures(page) == []
    page.get_by_role("button", name="Τέλος διαλείμματος").click()
    miss(page, "Υπέρβαρος")
    page.get_by_role("button", name="Αναίρεση").click()
    miss(page, "Χωρίς πρόσβαση")
    page.get_by_role("button", name="Βλάβη").click()
    assert failures(page) == []
    page.get_by_role("button", name="Ελαστικό").click()
    expect(page.locator(".bar__net")).to_have_text("Δεν έχουν σταλεί: 8")
    assert ask(
        "SELECT count(*) FROM fleet.driver_action WHERE kind IN ('outcome', 'unload', 'break_start') AND body->>'version' = %s", str(second)
    ) == [(0,)]

    # back: in order, each exactly once, at the time of its tap
    page.context.set_offline(False)
    sent(page)
    rows = ask(
        "SELECT kind, body->>'reason', body->>'kg', body->>'fault' FROM fleet.driver_action WHERE kind NOT IN ('route', 'message_read')"
        " AND at > (SELECT max(at) FROM fleet.driver_action WHERE kind = 'message') ORDER BY received, at"
    )
    assert [tuple(value for value in row if value) for row in rows] == [
        ("outcome", "not_out"),
        ("outcome",),
        ("unload", "5240.0"),
        ("break_start",),
        ("break_end",),
        ("outcome", "no_access"),
        ("breakdown", "tyre"),
    ]
    [(jpeg,)] = ask("SELECT p.jpeg FROM fleet.photo AS p JOIN fleet.stop_outcome AS o ON o.photo = p.id WHERE o.reason = 'not_out'")
    assert max(Image.open(io.BytesIO(jpeg)).size) == 1280

    # and the planner is told of what concerns it
    told = "SELECT t.kind FROM fleet.plan_trigger AS t JOIN fleet.driver_action AS a ON a.key = t.id ORDER BY t.at"
    eventually(lambda: len(ask(told)) == 3, why="the planner was told")
    assert ask(told) == [("skip",), ("skip",), ("breakdown",)]

    # the list, the messages, the end
    page.get_by_role("button", name="Στάσεις").click()
    expect(page.locator("dialog h2")).to_have_text("Στάσεις: 4 από 6")
    page.get_by_role("button", name="Προηγούμενες").click()
    expect(page.locator("dialog .stop-row").first).to_contain_text("84 kg")
    assert failures(page) == []
    page.get_by_role("button", name="Κλείσιμο").click()
    page.get_by_role("button", name="Μηνύματα").click()
    assert failures(page) == []
    page.get_by_role("button", name="Κλείσιμο").click()
    page.get_by_role("button", name="Λήξη", exact=True).click()
    expect(page.locator("dialog")).to_contain_text("Στάσεις που μένουν: 2")
    page.get_by_role("button", name="Λήξη βάρδιας").click()
    expect(page.locator("h1")).to_contain_text("Η βάρδια έκλεισε")
    expect(page.get_by_role("status")).to_have_text("Όλα έφτασαν στο γραφείο κίνησης.", timeout=15_000)
    assert failures(page) == []
    assert ask("SELECT count(*) FROM fleet.duty WHERE ended IS NULL AND edge = 'truck-01'") == [(0,)]
    page.get_by_role("button", name="Αποσύνδεση").click()
    expect(page.locator("h1")).to_have_text("Είσοδος οδηγού")
