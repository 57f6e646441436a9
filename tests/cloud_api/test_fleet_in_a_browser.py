"""The screens in a real Chromium: drawn, live, reachable, and clean."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

pytestmark = pytest.mark.browser
AXE = Path(__file__).parents[2] / "look/node_modules/axe-core/axe.min.js"
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


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
def open_page(browser: Browser, web: Any) -> Iterator[Callable[..., Page]]:
    """Return an opener of pages; at the end no page has complained in its console nor asked for anything from outside."""
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    def make(path: str, size: dict[str, int] = DESK, **context: Any) -> Page:
        contexts.append(browser.new_context(viewport=size, storage_state=web.signed_in, **context))  # type: ignore[arg-type]
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request", lambda r: None if r.url.startswith((web.url, "data:", "blob:" + web.url)) else complaints.append(f"asked {r.url}")
        )
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


@pytest.mark.parametrize(
    ("size", "query"), [(DESK, ""), (PHONE, "?lang=en"), (PHONE, "?theme=night")], ids=["greek-desk", "english-phone", "night-phone"]
)
def test_the_live_page_is_drawn_and_fits_and_everybody_can_use_it(open_page: Callable[..., Page], size: dict[str, int], query: str) -> None:
    page = drawn(open_page(f"/{query}", size))
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert page.evaluate("document.documentElement.lang") == ("en" if "lang=en" in query else "el")
    assert failures(page) == []


@pytest.mark.parametrize(
    "path",
    [
        "/lifts",
        "/trucks",
        "/bins",
        "/edges",
        "/completeness",
        "/missing",
        "/alarms",
        "/alarm-history",
        "/api/docs",
        "/bins?q=nothing-like-it",
    ],
)
def test_every_list_fits_a_phone_and_everybody_can_use_it(open_page: Callable[..., Page], path: str) -> None:
    page = open_page(path, PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert failures(page) == []
    page.set_viewport_size(DESK)  # type: ignore[arg-type]
    assert failures(page) == []


def failures(page: Page) -> list[str]:
    """Return what axe-core finds wrong: rule and element."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm ci in look/")
    page.evaluate(AXE.read_text())
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
    return [f"{v['id']}: {n['html'][:160]} {n.get('failureSummary', '')[:200]}" for v in found["violations"] for n in v["nodes"]]


def test_a_new_lift_appears_without_a_reload_and_the_page_keeps_its_place(open_page: Callable[..., Page], busy: Any, lift_of: Any) -> None:
    page = open_page("/")
    expect(page.locator("#live-state")).to_have_text("Ζωντανά")
    page.evaluate("window.same = true")
    page.locator("[data-key=bins-today]").focus()
    now = int(time.time() * 1000)
    busy.put("truck-02", (now, lift_of("0123456789ABCDEF", now, 77.5)))
    expect(page.locator("#lift-list tbody tr").first).to_contain_text("77,5", timeout=15_000)
    assert page.evaluate("window.same")
    assert page.evaluate("document.activeElement.dataset.key") == "bins-today"


def test_a_truck_on_the_list_is_shown_on_the_map(open_page: Callable[..., Page]) -> None:
    page = drawn(open_page("/", reduced_motion="reduce"))
    page.get_by_role("button", name="Στον χάρτη: Απορριμματοφόρο 1").click()
    drawn(page)
    box = page.locator(".maplibregl-canvas").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator(".maplibregl-popup")).to_contain_text("Απορριμματοφόρο 1")
    expect(page.locator(".maplibregl-popup")).to_contain_text("ΚΗΙ 1234")


def test_filters_and_sorting_need_no_reload_and_go_back(open_page: Callable[..., Page]) -> None:
    page = open_page("/lifts")
    page.evaluate("window.same = true")
    page.get_by_label("Τεκμήρια").select_option("no_tag")
    page.get_by_role("button", name="Εμφάνιση").click()
    page.wait_for_url("**/lifts?evidence=no_tag")
    expect(page.locator("#found tbody tr").first).to_contain_text("Χωρίς ετικέτα")
    page.get_by_role("link", name="Καθαρό").click()
    page.wait_for_url("**sort=net**")
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Καθαρό")
    assert page.evaluate("window.same")


def test_without_a_script_filters_lists_and_exports_work(open_page: Callable[..., Page]) -> None:
    page = open_page("/", java_script_enabled=False)
    expect(page.locator("#lift-list tbody tr").first).to_be_visible()
    expect(page.locator(".map__say")).to_contain_text("JavaScript")
    page.get_by_role("link", name="Ανυψώσεις", exact=True).first.click()
    page.locator("#q").fill("Ερμου")
    page.get_by_role("button", name="Εμφάνιση").click()
    expect(page.locator("#found tbody tr").first).to_contain_text("Ερμού")
    with page.expect_download() as download:
        page.get_by_role("link", name="Λήψη CSV").click()
    assert "Ερμού" in Path(download.value.path()).read_text(encoding="utf-8-sig")
    page.get_by_role("link", name="EN").click()
    expect(page.locator("h1")).to_have_text("Lifts")
    page.goto(page.url.split("/lifts")[0])
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_the_keyboard_reaches_the_content_first(open_page: Callable[..., Page]) -> None:
    page = open_page("/edges")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#q")).to_be_focused()


def test_a_device_without_webgl_has_the_lists(browser: Browser, web: Any) -> None:
    context = browser.new_context(storage_state=web.signed_in)
    context.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    page = context.new_page()
    page.goto(web.url)
    expect(page.locator(".map__say")).to_contain_text("δεν μπορεί να σχεδιάσει τον χάρτη")
    expect(page.locator("#truck-list")).to_contain_text("ΚΗΙ 1234")
    context.close()


def test_a_page_that_lost_its_database_comes_back_by_itself(browser: Browser, web: Any, postgres: Any) -> None:
    context = browser.new_context(storage_state=web.signed_in)
    page = context.new_page()
    page.goto(web.url)
    try:
        postgres.server.kill()
        web.wait(503)
        expect(page.locator("#live-state")).to_have_text("Η βάση δεν απαντά: παλαιότερα στοιχεία", timeout=20_000)
        assert page.locator("#lift-list tbody tr").count() > 0
        other = context.new_page()
        other.goto(web.url)
        expect(other.locator("h1")).to_have_text("Η βάση δεδομένων δεν απαντά")
    finally:
        postgres.server.start()
    expect(page.locator("#live-state")).to_have_text("Ζωντανά", timeout=30_000)
    expect(other.locator("h1")).to_have_text("Η αποκομιδή τώρα", timeout=30_000)
    context.close()
