"""A citizen says that a bin overflows; Kafka, planner, roads and database later, the driver's tablet shows the new route."""

import shutil
import time
from collections.abc import Callable, Iterator

import httpx
import psycopg
import pytest
from asty_appliance import audit, demo
from asty_appliance.home import Home, choose_ports
from asty_appliance.town import token
from playwright.sync_api import Page, expect, sync_playwright

pytestmark = [
    pytest.mark.system,
    pytest.mark.browser,
    pytest.mark.timeout(420),
    pytest.mark.xdist_group("system"),
    pytest.mark.skipif(not shutil.which("dbus-daemon"), reason="dbus-daemon is missing: vests need it (apt-get install dbus-daemon)"),
]
PATIENCE = 120.0
TABLET = {"width": 1280, "height": 800}
FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]


def until[T](look: Callable[[], T | None], what: str) -> T:
    end = time.monotonic() + PATIENCE
    while (found := look()) is None:
        if time.monotonic() > end:
            pytest.fail(f"waited {PATIENCE:.0f} s for: {what}")
        time.sleep(0.2)
    return found


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[demo.Stage]:
    """A town with one truck, whose plan of the day runs."""
    home = Home(tmp_path_factory.mktemp("town") / "home")
    home.make()
    with demo.running(home, seed=7, speed=1.0, lead=0.0, say=print, ports=choose_ports(home, preferred=False), trucks=1) as stage:
        until(lambda: audit.running_plan(stage.town.dsn), "the plan of the day")
        yield stage


@pytest.fixture(scope="module")
def tablet() -> Iterator[Page]:
    binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if binary is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=FLAGS)
        yield browser.new_page(viewport=TABLET)  # type: ignore[arg-type]
        browser.close()


def new_bin(stage: demo.Stage) -> str:
    """Put up a bin beside another one, after the plan of the day was made; return its number."""
    with psycopg.connect(stage.town.dsn) as connection:
        connection.execute(
            "INSERT INTO fleet.bin (id, stream, volume_l, lat, lon, street)"
            " SELECT 'K-999', stream, volume_l, lat + 0.0002, lon, street FROM fleet.bin ORDER BY id LIMIT 1"
        )
    return "K-999"


def says_overflow(stage: demo.Stage, bin_: str) -> None:
    body = {"kind": "overflow", "subject": bin_, "said_by": "citizen", "detail": {}}
    known = {"Authorization": f"Bearer {token(stage.town)}"}
    httpx.post(f"{stage.town.web}/api/plan-triggers", json=body, headers=known, timeout=10, trust_env=False).raise_for_status()


def test_an_overflow_that_a_citizen_reports_changes_the_route_on_the_tablet(stage: demo.Stage, tablet: Page) -> None:
    tablet.goto(f"{stage.town.web}/cab")
    tablet.get_by_role("button", name="Απορριμματοφόρο").first.click()
    for digit in demo.DRIVERS[0][1]:
        tablet.get_by_role("button", name=digit, exact=True).click()
    tablet.get_by_role("button", name="Είσοδος", exact=True).click()
    tablet.get_by_role("button", name="Τα υπόλοιπα εντάξει").click()
    tablet.get_by_role("button", name="Έναρξη βάρδιας").click()
    tablet.get_by_role("button", name="Αποδοχή").click()
    expect(tablet.locator(".stop h2")).to_be_visible()

    bin_ = new_bin(stage)
    began = time.monotonic()
    says_overflow(stage, bin_)
    expect(tablet.locator("dialog h2")).to_have_text("Το δρομολόγιο άλλαξε", timeout=PATIENCE * 1000)
    print(f"from the report to the tablet: {time.monotonic() - began:.1f} s")
    expect(tablet.locator(".what-changed")).to_contain_text("Νέες στάσεις")
    tablet.get_by_role("button", name="Αποδοχή").click()

    def accepted() -> bool | None:
        with psycopg.connect(stage.town.dsn) as connection:
            row = connection.execute(
                "SELECT EXISTS (SELECT FROM jsonb_array_elements(stops) s WHERE s ->> 'id' = %s) FROM fleet.route"
                " WHERE accepted IS NOT NULL AND version > 1 ORDER BY version DESC LIMIT 1",
                [bin_],
            ).fetchone()
        return True if row == (True,) else None

    assert until(accepted, "the dispatcher sees that the driver has accepted the route with that bin")
