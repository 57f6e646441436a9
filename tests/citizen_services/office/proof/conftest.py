"""Everybody at work: a worker that sends real notices, clerks and heads for every procedure, and people at real screens."""

import asyncio
import io
import re
import threading
import tomllib
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pikepdf
import pytest
from asty_citizen_services.database import Database
from asty_citizen_services.documents import profiles
from asty_citizen_services.documents.demo_ca import DemoAuthority
from asty_citizen_services.documents.signing import Mark
from asty_citizen_services.forms.form import Question, widget_of
from asty_citizen_services.identity import accounts
from asty_citizen_services.identity.citizens import remember
from asty_citizen_services.identity.models import ContactPoint
from asty_citizen_services.identity.roles import Role
from asty_citizen_services.identity.taxisnet_double import PERSONS
from asty_citizen_services.notices import gsm7
from asty_citizen_services.notices.smsc_double import Centre
from asty_citizen_services.notices.texts import TEXTS
from asty_citizen_services.procedures.catalogue import load_all
from asty_citizen_services.registry.models import Docket
from asty_citizen_services.settings import MailSettings, NoticeSettings, SmppSettings
from asty_citizen_services.worker import create_queue
from asty_citizen_services.workflow.models import CaseState, CaseTask
from playwright.sync_api import Browser, FilePayload, Locator, Page, expect
from playwright.sync_api import TimeoutError as NotInTimeError
from sqlalchemy import select

PASSPHRASE = "μυστικό"
AXE = Path(__file__).parents[4] / "look/node_modules/axe-core/axe.min.js"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
GRAVE = {"serious", "critical"}
SIZES = {"phone": {"width": 390, "height": 844}, "desk": {"width": 1280, "height": 900}}
MOST_TABS = 200
TRIES = 5
MOBILES = ("+306900000001", "+306900000002", "+306900000003", "+306900000004")


class Mailbox:
    """A mail server for this machine: keeps every letter."""

    def __init__(self) -> None:
        self.letters: list[tuple[str, str, str]] = []
        """To whom, subject, text."""

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 box\r\n")
        while line := (await reader.readline()).strip().upper():
            if line == b"DATA":
                writer.write(b"354 go\r\n")
                letter = message_from_bytes((await reader.readuntil(b"\r\n.\r\n"))[:-5].replace(b"\r\n..", b"\r\n."), policy=default)
                self.letters.append(
                    (str(letter["To"]), str(letter["Subject"]), letter.get_content().replace("\r\n", "\n").split("\n\n")[0])
                )
            writer.write(
                b"250-box\r\n250 8BITMIME\r\n" if line.startswith(b"EHLO") else b"221 bye\r\n" if line == b"QUIT" else b"250 ok\r\n"
            )
            await writer.drain()
            if line == b"QUIT":
                break
        writer.close()


@dataclass
class Post:
    """What went out by SMS (from a message centre that speaks SMPP) and by e-mail."""

    centre: Centre
    mailbox: Mailbox

    def sent(self) -> Counter[tuple[str, str, str]]:
        """Count what went out: channel, to whom, what a phone or a reader shows."""
        found: Counter[tuple[str, str, str]] = Counter(
            ("email", to, f"{subject}\n{text.rstrip()}") for to, subject, text in self.mailbox.letters
        )
        parts: dict[tuple[str, int], list[str]] = {}
        for one in self.centre.submitted:
            if one.total == 1:
                found["sms", one.to, one.text] += 1
                continue
            joined = parts.setdefault((one.to, one.reference), [])
            joined.append(one.text)
            if one.number == one.total:
                found["sms", one.to, "".join(parts.pop((one.to, one.reference)))] += 1
        return found


@dataclass
class Works:
    """A town at work. `clerk` and `chief` may do every department's tasks; citizens are `citizen-0` to `citizen-3`."""

    town: Any
    post: Post
    looked_at: set[Any] = field(default_factory=set)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)

    def first_time(self, *what: Any) -> bool:
        """Tell whether something is met for the first time; what is the same for all procedures is done once."""
        new = what not in self.looked_at
        self.looked_at.add(what)
        return new

    def waiting(self, case: uuid.UUID) -> CaseTask | str | None:
        """Return the task of a person that a case waits for, the end that it came to, or None while the system is at work."""
        with self.town.municipality.database.begin() as session:
            state = session.get_one(CaseState, case)
            tasks = session.scalars(select(CaseTask).where(CaseTask.application_id == case, CaseTask.done_at.is_(None))).all()
            if state.ended:
                return str(state.ended)
            return None if not tasks or any(task.seat == "system" for task in tasks) else tasks[0]

    def waits_for(self, case: uuid.UUID) -> str | None:
        """Return the step of a person that a case waits at."""
        task = self.waiting(case)
        return task.step if isinstance(task, CaseTask) else None

    def reference(self, case: uuid.UUID, direction: str = "in") -> str:
        with self.town.municipality.database.begin() as session:
            found = select(Docket).where(Docket.application_id == case, Docket.direction == direction).order_by(Docket.at.desc()).limit(1)
            return session.scalars(found).one().reference


@pytest.fixture(scope="module")
def works(town: Any) -> Iterator[Works]:
    """The town with its worker, its message centre and its mail server; it is always about noon, so that no quiet hours hold."""
    centre, mailbox, now = Centre("asty", "hush"), Mailbox(), datetime.now(UTC)
    people = {**{f"citizen-{n}": None for n in range(4)}}
    departments = {seat.department for one in load_all().values() for seat in one.manifest.seats.values()}
    authority = DemoAuthority(town.settings.trust, production=False)
    with town.municipality.database.begin() as session:
        for n, who in enumerate(people):
            known = town.people[who] = remember(session, PERSONS[n], now)
            for kind, address in (("phone", MOBILES[n]), ("email", f"{who}@example.gr")):
                session.add(ContactPoint(id=uuid.uuid4(), citizen_id=known, kind=kind, address=address, verified_at=now, ended_at=None))
        for who, name, role in (("clerk", "Ελένη Υπάλληλος", Role.OFFICER), ("chief", "Κώστας Προϊστάμενος", Role.HEAD)):
            town.people[who] = accounts.add(session, username=who, name=name, email=f"{who}@example.gr", by="test", now=now)
            for department in departments:
                accounts.grant(session, town.people[who], department, role, by="test", now=now)
        mark = Mark("Κώστας Προϊστάμενος", "Προϊστάμενος", "")
        key = authority.issue(mark.name, mark.office, PASSPHRASE, now)
        profiles.add(session, town.people["chief"], "pkcs12", mark, {}, key, by="test", now=now)
    answers = tomllib.loads((Path(__file__).parent / "answers.toml").read_text())
    with _servers(town.settings, centre, mailbox):
        yield Works(town, Post(centre, mailbox), answers=answers)


@contextmanager
def _servers(settings: Any, centre: Centre, mailbox: Mailbox) -> Iterator[None]:
    loop = asyncio.new_event_loop()
    ready, over = threading.Event(), asyncio.Event()

    async def serve() -> None:
        sms, smtp = await centre.serve("127.0.0.1", 0), await asyncio.start_server(mailbox.talk, "127.0.0.1", 0)
        notices = NoticeSettings(
            smpp=SmppSettings("127.0.0.1", sms.sockets[0].getsockname()[1], "asty", "hush", "DIMOS"),
            mailbox=MailSettings("127.0.0.1", smtp.sockets[0].getsockname()[1], "no-reply@example.gr", settings.municipality, "none"),
        )
        noon = ZoneInfo(f"Etc/GMT{datetime.now(UTC).hour - 12:+d}")
        database = Database(settings.dsn, size=4)
        queue = create_queue(replace(settings, notices=notices, zone=noon), database)
        async with queue.open_async():
            work = asyncio.create_task(queue.run_worker_async(concurrency=4, install_signal_handlers=False, delete_jobs="successful"))
            ready.set()
            await over.wait()
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work
        database.close()
        sms.close()
        smtp.close()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(20)
    yield
    loop.call_soon_threadsafe(over.set)
    thread.join()
    loop.close()


class Screen:
    """Somebody at a page of the portal, with a hand on a screen or with the keyboard alone."""

    def __init__(self, page: Page, works: Works, size: str, *, keys: bool) -> None:
        self.page, self._works, self._size, self._keys = page, works, size, keys

    def go(self, path: str) -> None:
        self.page.goto(path)
        self.meet()

    def press(self, what: Locator) -> None:
        """Press what leads to another page."""
        with self.page.expect_navigation():
            self.touch(what)
        self.meet()

    def touch(self, what: Locator) -> None:
        """Press what changes the page that is here."""
        if self._keys:
            self._reach(what)
            self.page.keyboard.press("Enter")
        else:
            what.click()

    def button(self, name: str, within: str = "body") -> Locator:
        return self.page.locator(within).get_by_role("button", name=name, exact=True).first

    def write(self, what: Locator, text: str) -> None:
        if self._keys:
            self._reach(what)
            self.page.keyboard.press("ControlOrMeta+a")
            self.page.keyboard.insert_text(text)
        else:
            what.fill(text)

    def tick(self, what: Locator) -> None:
        if not self._keys:
            what.check()
        elif not what.is_checked():
            self._reach(what)
            self.page.keyboard.press("Space")
        expect(what).to_be_checked()

    def choose(self, group: Locator, value: str) -> None:
        """Choose one radio button; by keys with the arrows, as a group of them is one stop."""
        wanted = group.locator(f"input[value='{value}']")
        if not self._keys:
            wanted.check()
            return
        self._reach(group.locator("input"))
        self.page.keyboard.press("Space")
        while not wanted.is_checked():
            self.page.keyboard.press("ArrowDown")

    def select(self, what: Locator, value: str) -> None:
        if not self._keys:
            what.select_option(value)
            return
        self._reach(what)
        while what.input_value() != value:
            before = what.input_value()
            self.page.keyboard.press("ArrowDown")
            assert what.input_value() != before, f"{value} is not offered"

    def attach(self, what: Locator, files: list[FilePayload]) -> None:
        if not self._keys:
            what.set_input_files(files)
            return
        self._reach(what)
        for _ in range(TRIES):  # Chromium drops some keys of a robot that come before it has painted
            with suppress(NotInTimeError):
                with self.page.expect_file_chooser(timeout=3000) as chooser:
                    self.page.keyboard.press("Space", delay=30)
                chooser.value.set_files(files)
                return
        pytest.fail("no choice of files opens by keyboard")

    def answer(self, question: Question, schema: dict[str, Any], name: str, value: Any) -> None:
        """Answer one question of a form, drawn as its file says."""
        at = self.page.locator(f"[id='f-{name}']")
        match widget_of(question, schema):
            case "checkbox":
                self.tick(at)
            case "radios":
                self.choose(at, value)
            case "checkboxes":
                self._ticks(at, value)
            case "select":
                self.select(at, value)
            case "files":
                self.attach(at, [paper(f"{question.label.el[:30]} {n + 1}.pdf") for n in range(value)])
            case "date":
                for part, said in zip(("year", "month", "day"), value.split("-"), strict=True):
                    self.write(self.page.locator(f"[id='f-{name}.{part}']"), said.lstrip("0"))
            case "group":
                self._entries(question, schema["items"]["properties"], name, value)
            case _:
                self.write(at, value)

    def meet(self) -> None:
        """Look at a page: it fits its screen, and axe-core finds nothing grave; once for each kind of page and size."""
        page = self.page
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[self._size]["width"], page.url
        path = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[A-Z0-9]{16}", "*", page.url.split("?")[0].split("#")[0].split("/", 3)[3])
        path = re.sub(r"^services/.*", "services/*", path)
        if not self._works.first_time(self._size, path, page.locator("[role=alert]").count(), page.locator("main form").count()):
            return
        page.evaluate(AXE.read_text())
        found = page.evaluate("rules => axe.run(document, rules)", RULES)
        grave = [f"{v['id']}: {n['html'][:160]}" for v in found["violations"] if v["impact"] in GRAVE for n in v["nodes"]]
        assert grave == [], page.url

    def _ticks(self, group: Locator, values: list[str]) -> None:
        for one in values:
            self.tick(group.locator(f"input[value='{one}']"))

    def _entries(self, question: Question, schemas: dict[str, Any], name: str, entries: list[dict[str, Any]]) -> None:
        for n, entry in enumerate(entries):
            if n:
                self.press(self.page.locator(f"[id='f-{name}'] button[name=add]"))
            for part in question.many:
                self.answer(part, schemas[part.ask], f"{name}.{n}.{part.ask}", entry[part.ask])

    def _reach(self, what: Locator) -> None:
        for _ in range(MOST_TABS):
            if what.evaluate_all("all => all.some(one => one === document.activeElement)"):
                return
            self.page.keyboard.press("Tab")
        pytest.fail(f"{what} can't be reached by keyboard on {self.page.url}")


@pytest.fixture(scope="module")
def at_screen(browser: Browser, works: Works) -> Iterator[Callable[..., Any]]:
    """Return `at_screen(who, size="desk", keys=False)`: somebody signed in at a Screen, which complains of nothing in its console.

    There is one browser for each size, which everybody uses in turn: a new one costs as much as three pages.
    """
    complaints: list[str] = []
    pages: dict[str, Page] = {}

    def opened(size: str) -> Page:
        if size not in pages:
            context = browser.new_context(
                viewport=SIZES[size], base_url=works.town.url, accept_downloads=True  # type: ignore[arg-type]
            )  # fmt: skip
            page = pages[size] = context.new_page()
            page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
            page.on("pageerror", lambda error: complaints.append(str(error)))
        return pages[size]

    @contextmanager
    def sit_down(who: str, size: str = "desk", *, keys: bool = False) -> Iterator[Screen]:
        page = opened(size)
        page.context.clear_cookies()
        if who:
            page.context.add_cookies([{"name": "asty-session", "value": works.town.token_of(who), "url": works.town.url}])
        complaints.clear()
        yield Screen(page, works, size, keys=keys)
        assert [said for said in complaints if "status of 4" not in said] == []

    yield sit_down
    for page in pages.values():
        page.context.close()


@pytest.fixture(scope="session")
def told() -> Callable[..., Counter[tuple[str, str, str]]]:
    """Return `told(who, template, …)`: what goes out for a notice to citizen number `who`, by SMS and by e-mail, in Greek."""

    def both(who: int, template: str, **values: str) -> Counter[tuple[str, str, str]]:
        said = TEXTS[template]["el"].fill(values)
        return Counter(
            [
                ("sms", MOBILES[who].lstrip("+"), gsm7.plan(said.body).text),
                ("email", f"citizen-{who}@example.gr", f"{said.subject}\n{said.body}"),
            ]
        )

    return both


def paper(name: str) -> FilePayload:
    made, out = pikepdf.new(), io.BytesIO()
    made.add_blank_page()
    made.save(out)
    return {"name": name, "mimeType": "application/pdf", "buffer": out.getvalue()}
