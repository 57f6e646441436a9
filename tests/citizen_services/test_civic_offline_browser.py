"""The portal as an app in a real Chromium: without a connection, on the home screen, with notices of the browser's own."""

import base64
import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import http_ece
import pytest
from asty_citizen_services.notices.carrier import Parcel
from asty_citizen_services.notices.models import PushSubscription
from asty_citizen_services.notices.push import Push
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import Browser, CDPSession, Page, Worker, expect
from sqlalchemy import select

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


VAPID = b64(ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value.to_bytes(32, "big"))
OF_THE_BROWSER, SHARED = ec.generate_private_key(ec.SECP256R1()), b"0123456789abcdef"
PUBLIC = b64(OF_THE_BROWSER.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
# Chromium without its vendor's service can't subscribe: the page gets a subscription of ours, with keys that the test holds
VENDOR = """
let held = null;
const made = () => ({
  endpoint: "https://push.example.gr/1",
  toJSON: () => ({ endpoint: "https://push.example.gr/1", keys: { p256dh: "PUBLIC", auth: "SHARED" } }),
  unsubscribe: async () => { held = null; return true; },
});
window.asked = 0;
const request = Notification.requestPermission.bind(Notification);
Notification.requestPermission = async () => { window.asked += 1; return request(); };
PushManager.prototype.getSubscription = async () => held;
PushManager.prototype.subscribe = async ({ userVisibleOnly, applicationServerKey }) => {
  if (!userVisibleOnly || applicationServerKey.byteLength !== 65) throw new Error("no key");
  return (held = made());
};
""".replace("PUBLIC", PUBLIC).replace("SHARED", b64(SHARED))


@pytest.fixture(scope="module")
def municipality(municipality: Any) -> Any:
    municipality.environment |= {"ASTY_CITIZEN_PUSH_KEY": VAPID, "ASTY_CITIZEN_PUSH_CONTACT": "mailto:it@example.gr"}
    return municipality


@pytest.fixture
def phone(browser: Browser, portal: Any) -> Iterator[Page]:
    context = browser.new_context(viewport=PHONE, base_url=portal.url, permissions=["notifications"])  # type: ignore[arg-type]
    yield context.new_page()
    context.close()


@pytest.fixture
def vendor() -> Iterator[tuple[str, list[bytes]]]:
    """A push service that takes everything: its address, and the bodies that came."""
    bodies: list[bytes] = []

    class Takes(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(201)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Takes)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/1", bodies
    server.shutdown()
    thread.join()
    server.server_close()


def becomes(page: Page, true: str) -> None:
    """Wait until the JavaScript expression is true; wait_for_function would evaluate text, which the portal's policy forbids."""
    page.evaluate(f"async () => {{ while (!(await {true})) await new Promise((go) => setTimeout(go, 20)); }}")


def worker_of(page: Page) -> Worker:
    """Return the service worker once it controls the page."""
    becomes(page, "navigator.serviceWorker.controller")
    return page.context.service_workers[0]


def test_without_a_connection_the_catalogue_is_there_and_nothing_personal_was_kept(
    phone: Page, check: Callable[[Page], None], sign_in: Callable[[Page, str], None], file_for: Callable[..., str]
) -> None:
    phone.goto("/")
    worker = worker_of(phone)
    phone.goto("/cases")
    sign_in(phone, "ΜΑΡΙΑ ΔΟΚΙΜΑΣΤΙΚΗ")
    expect(phone.get_by_role("heading", level=1)).to_have_text("Οι υποθέσεις μου")
    file_for("Βεβαίωση Μόνιμης Κατοικίας")
    phone.goto("/cases")
    phone.goto("/services/pistopoiitiko-gennisis")
    expect(phone.get_by_text("ΜΑΡΙΑ ΔΟΚΙΜΑΣΤΙΚΗ")).to_be_visible()
    becomes(phone, "caches.match('/services/pistopoiitiko-gennisis')")
    kept = worker.evaluate(
        """async () => {
          const found = {};
          for (const name of await caches.keys()) {
            const cache = await caches.open(name);
            for (const one of await cache.keys()) found[new URL(one.url).pathname] = await (await cache.match(one)).text();
          }
          return found;
        }"""
    )
    pages = {path for path in kept if not path.startswith("/static/")}
    assert pages == {"/", "/accessibility", "/offline", "/services/pistopoiitiko-gennisis"}
    assert not any("ΔΟΚΙΜΑΣΤΙΚΗ" in text for text in kept.values())
    phone.context.set_offline(True)
    phone.goto("/services/pistopoiitiko-gennisis")
    expect(phone.get_by_role("heading", level=1)).to_have_text("Πιστοποιητικό Γέννησης")
    phone.goto("/")
    expect(phone.get_by_role("heading", level=1)).to_have_text("Τι χρειάζεστε από τον Δήμο;")
    phone.goto("/cases")
    expect(phone.get_by_role("heading", level=1)).to_have_text("Είστε εκτός σύνδεσης")
    expect(phone.get_by_text("η πρόχειρη αίτησή σας έχει κρατηθεί στον διακομιστή")).to_be_visible()
    expect(phone.get_by_role("heading", name="You are offline")).to_be_visible()
    check(phone)
    phone.context.set_offline(False)
    phone.get_by_role("link", name="Δοκιμή ξανά").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("Τι χρειάζεστε από τον Δήμο;")


def test_an_update_drops_what_the_version_before_has_kept(phone: Page) -> None:
    phone.goto("/")
    worker_of(phone)
    phone.evaluate("caches.open('asty-portal-before').then((cache) => cache.put('/', new Response('old')))")
    phone.evaluate("navigator.serviceWorker.ready.then((it) => it.unregister())")
    phone.reload()
    becomes(phone, "caches.keys().then((names) => names.length === 1 && names[0] !== 'asty-portal-before')")


def test_chromium_would_put_the_portal_on_the_home_screen(phone: Page) -> None:
    phone.goto("/")
    worker_of(phone)
    devtools: CDPSession = phone.context.new_cdp_session(phone)
    assert devtools.send("Page.getInstallabilityErrors")["installabilityErrors"] == [{"errorId": "in-incognito", "errorArguments": []}]
    manifest = devtools.send("Page.getAppManifest")
    assert manifest["errors"] == []
    for icon in json.loads(manifest["data"])["icons"]:
        assert phone.request.get(icon["src"]).headers["content-type"] == icon["type"]
    assert phone.request.get(str(phone.locator("link[rel=apple-touch-icon]").get_attribute("href"))).ok


def test_a_browser_shows_notices_only_after_a_click_opens_the_case_and_can_be_switched_off(
    phone: Page,
    check: Callable[[Page], None],
    sign_in: Callable[[Page, str], None],
    municipality: Any,
    portal: Any,
    vendor: tuple[str, list[bytes]],
) -> None:
    phone.add_init_script(VENDOR)
    phone.goto("/me/notices")
    sign_in(phone, "ΜΑΡΙΑ ΔΟΚΙΜΑΣΤΙΚΗ")
    expect(phone.get_by_text("Αυτός ο περιηγητής δεν δείχνει ειδοποιήσεις.")).to_be_visible()
    worker = worker_of(phone)
    check(phone)
    assert phone.evaluate("window.asked") == 0
    phone.get_by_role("button", name="Ειδοποιήσεις σε αυτόν τον περιηγητή").click()
    expect(phone.get_by_text("Αυτός ο περιηγητής δείχνει ειδοποιήσεις.")).to_be_visible()
    check(phone)
    address, bodies = vendor
    with municipality.database.begin() as session:
        row = session.scalars(select(PushSubscription).where(PushSubscription.ended_at.is_(None))).one()
        held = {"endpoint": address, "keys": {"p256dh": row.p256dh, "auth": row.auth}}
    case = f"{portal.url}/services/pistopoiitiko-gennisis"
    parcel = Parcel("n1", json.dumps(held), "Το έγγραφό σας είναι έτοιμο", "Αρ. πρωτ. 7/2026", case)
    Push(VAPID, "mailto:it@example.gr").send(parcel)
    said = http_ece.decrypt(bodies[0], private_key=OF_THE_BROWSER, auth_secret=SHARED, version="aes128gcm")
    devtools = phone.context.new_cdp_session(phone)
    registrations: list[Any] = []
    devtools.on("ServiceWorker.workerRegistrationUpdated", lambda event: registrations.extend(event["registrations"]))
    devtools.send("ServiceWorker.enable")
    becomes(phone, "navigator.serviceWorker.controller")
    devtools.send(
        "ServiceWorker.deliverPushMessage",
        {"origin": portal.url, "registrationId": registrations[0]["registrationId"], "data": said.decode()},
    )
    shown = phone.evaluate(
        """async () => {
          const worker = await navigator.serviceWorker.ready;
          for (;;) {
            const [it] = await worker.getNotifications();
            if (it) return [it.title, it.body, it.data.link];
            await new Promise((go) => setTimeout(go, 20));
          }
        }"""
    )
    assert shown == [parcel.subject, parcel.text, case]
    opened = worker.evaluate(
        """async () => {
          let opened = null;
          self.clients.openWindow = async (address) => { opened = address; };
          const [notification] = await self.registration.getNotifications();
          self.dispatchEvent(new NotificationEvent("notificationclick", { notification }));
          while (!opened) await new Promise((go) => setTimeout(go, 20));
          return [opened, (await self.registration.getNotifications()).length];
        }"""
    )
    assert opened == [case, 0]
    phone.get_by_role("button", name="Διακοπή ειδοποιήσεων σε αυτόν τον περιηγητή").click()
    expect(phone.get_by_text("Αυτός ο περιηγητής δεν δείχνει ειδοποιήσεις.")).to_be_visible()
    with municipality.database.begin() as session:
        assert session.scalars(select(PushSubscription).where(PushSubscription.ended_at.is_(None))).all() == []
