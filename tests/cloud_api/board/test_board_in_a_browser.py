"""The board in a real Chromium, over a plan of the real planner on real roads: drawn, live, reachable, acted on."""

import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
AXE = Path(__file__).parents[3] / "look/node_modules/axe-core/axe.min.js"
DESK, PHONE = {"width": 1440, "height": 1000}, {"width": 390, "height": 844}
FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAGES = ("/board", "/board/plan", "/board/closures?street=Ερμού", "/board/messages", "/service", "/tickets", "/when?street=Ερμού")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if binary is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, planned_town: Any, web: Any) -> Iterator[Callable[..., Page]]:
    """Return an opener of pages; at the end no page has complained in its console nor asked for anything from outside."""
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    def make(path: str, size: dict[str, int] = DESK, **context: Any) -> Page:
        contexts.append(browser.new_context(viewport=size, reduced_motion="reduce", storage_state=web.signed_in, **context))  # type: ignore[arg-type]
        page = contexts[-1].new_page()
        page.on("console", lambda m: complaints.append(f"{m.text} {m.location['url']}") if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda r: None if r.url.startswith((web.url, "data:", "blob:" + web.url)) else complaints.append(r.url))
        page.goto(web.url + path)
        return page

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


def drawn(page: Page) -> Page:
    """Wait until the map stands still."""
    page.wait_for_selector("[data-map][data-ready]", timeout=60_000)
    return page


def failures(page: Page) -> list[str]:
    """Return what axe-core finds wrong: rule and element."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm ci in look/")
    page.evaluate(AXE.read_text())
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
    return [f"{v['id']}: {n['html'][:160]} {n.get('failureSummary', '')[:200]}" for v in found["violations"] for n in v["nodes"]]


def test_every_page_of_the_board_fits_desk_and_phone_and_everybody_can_use_it(open_page: Callable[..., Page]) -> None:
    page = open_page("/api/docs")
    page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")  # drawing the map takes longer than looking at the page
    page.goto(page.url.replace("/api/docs", PAGES[0]))
    wrong: list[str] = []
    for number, path in enumerate(PAGES):
        if number:
            page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/", 3)[2] + path)
        for size in (DESK, PHONE):
            page.set_viewport_size(size)  # type: ignore[arg-type]
            wrong += [f"{path} {size['width']}: {one}" for one in failures(page)]
            if page.evaluate("document.documentElement.scrollWidth") > size["width"]:
                wrong.append(f"{path} is wider than {size['width']}")
    assert wrong == []


def test_a_stop_that_is_done_moves_the_board_without_a_reload_and_filters_keep_their_place(
    open_page: Callable[..., Page], planned_town: Any, web: Any
) -> None:
    trucks = httpx.get(f"{web.url}/api/board", headers=web.bearer, trust_env=False, timeout=30).json()["trucks"]
    truck = next(one for one in trucks if any(stop["state"] == "next" and stop["kind"] == "bin" for stop in one["stops"]))
    page = drawn(open_page("/board"))
    assert failures(page) == [], "with its map too"
    expect(page.locator("#live-state")).to_have_text("Ζωντανά")
    page.evaluate("window.same = true")
    page.get_by_label("Απορριμματοφόρο", exact=True).select_option(truck["edge"])
    page.get_by_role("button", name="Εμφάνιση").last.click()
    page.wait_for_url(f"**truck={truck['edge']}**")
    following = page.locator(".stop--next .stop__what small").first.inner_text()
    planned_town.put(
        "stop_outcome", key=uuid.uuid4(), day=planned_town.day, edge=truck["edge"], stop=following, outcome="missed", reason="not_out",
        said_by="driver", at=datetime.now(UTC),
    )  # fmt: skip
    planned_town.notify("outcome")
    expect(page.locator(".stop--missed", has_text=following)).to_contain_text("Δεν ήταν έξω ο κάδος", timeout=15_000)
    expect(page.locator(".stop--next .stop__what small").first).not_to_have_text(following)
    assert page.evaluate("window.same")
    page.get_by_role("button", name=f"Στον χάρτη: {truck['vehicle']}").first.click()
    drawn(page)


def test_an_area_drawn_on_the_map_closes_its_streets_and_is_ended(open_page: Callable[..., Page], planned_town: Any) -> None:
    page = drawn(open_page("/board/closures"))
    page.get_by_role("button", name="Σχεδίαση").click()
    box = page.locator(".map canvas").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] * 0.45, box["y"] + box["height"] * 0.45
    for corner in ((x, y), (x + 90, y), (x + 90, y + 70), (x, y + 70)):
        page.mouse.click(*corner)
    expect(page.locator("[data-draw-say]")).to_have_text("Γωνίες που σχεδιάστηκαν: 4")
    page.get_by_role("button", name="Αναίρεση γωνίας").click()
    expect(page.locator("[data-draw-say]")).to_have_text("Γωνίες που σχεδιάστηκαν: 3")
    page.locator("#name").fill("Πανηγύρι πλατείας")
    page.locator("#kind").select_option("event")
    page.get_by_role("button", name="Κλείσιμο για τα οχήματα").click()
    expect(page.get_by_role("status").filter(has_text="Η οδός έκλεισε")).to_be_visible()
    expect(page.locator(".ticket", has_text="Πανηγύρι πλατείας")).to_contain_text("Κλειστό τώρα")
    ((area,),) = planned_town.run("SELECT area FROM fleet.closure WHERE name = 'Πανηγύρι πλατείας'")
    assert len(area["coordinates"][0]) == 4
    page.get_by_role("button", name="Λήξη τώρα Πανηγύρι πλατείας").click()
    expect(page.locator(".ticket", has_text="Πανηγύρι πλατείας")).to_contain_text("Έληξε")


def test_a_truck_is_supposed_away_and_then_really_taken_out_by_keyboard(open_page: Callable[..., Page], planned_town: Any) -> None:
    page = open_page("/board/plan")
    before = planned_town.run("SELECT count(*) FROM fleet.plan"), planned_town.run("SELECT count(*) FROM fleet.plan_trigger")
    page.get_by_label("Απορριμματοφόρο 2").focus()
    page.keyboard.press("Space")
    page.get_by_label("Μια οδός κλείνει").fill("Ερμού")
    page.get_by_role("button", name="Υπολογισμός").focus()
    page.keyboard.press("Enter")
    answer = page.locator("#answer")
    expect(answer).to_contain_text("Τι θα άλλαζε", timeout=60_000)
    expect(answer).to_contain_text(re.compile(r"Απορριμματοφόρο 2: \d+ → 0 στάσεις"))
    assert (planned_town.run("SELECT count(*) FROM fleet.plan"), planned_town.run("SELECT count(*) FROM fleet.plan_trigger")) == before
    assert failures(page) == []
    page.get_by_role("button", name="Εφαρμογή").press("Enter")
    expect(page.get_by_role("status").filter(has_text="ενημερώθηκε")).to_be_visible()
    assert planned_town.run("SELECT kind FROM fleet.plan_trigger WHERE subject = 'truck-02'") == [("breakdown",)]
    assert planned_town.run("SELECT count(*) > 1 FROM fleet.closure WHERE name = 'Ερμού' AND ends > now()") == [(True,)]


def test_without_a_script_the_board_is_read_filtered_and_acted_on(open_page: Callable[..., Page]) -> None:
    page = open_page("/board", java_script_enabled=False)
    expect(page.locator(".lane").nth(1)).to_contain_text("Απορριμματοφόρο 1")
    page.locator("#f-state").select_option("missed")
    page.get_by_role("button", name="Εμφάνιση").last.click()
    expect(page.locator(".stop").first).to_contain_text("Χαμένη")
    page.goto(page.url.split("/board")[0] + "/board/messages")
    page.locator("#to").select_option("truck-01")
    page.locator("#canned").select_option(index=1)
    page.get_by_role("button", name="Αποστολή").click()
    expect(page.locator(".talk__line").first).to_contain_text("Καλέστε το γραφείο")
