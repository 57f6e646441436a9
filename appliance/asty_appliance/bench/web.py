"""`asty bench web`: how fast the citizens' pages answer and filing gives a number, how long a signed PDF takes, what a page weighs."""

import asyncio
import html
import random
import re
import shutil
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

import httpx
import msgspec
import psycopg
from msgspec import Struct
from msgspec.structs import replace

from asty_appliance import civic
from asty_appliance.bench.machine import describe
from asty_appliance.bench.visits import Spread, Visit, arrivals, load, weigh
from asty_appliance.home import Home, choose_ports
from asty_appliance.program import Program
from asty_appliance.servers import postgres
from asty_appliance.supervision import Supervision
from asty_appliance.town import executable, plan
from asty_appliance.work import WorkFailedError, run_once

PROCEDURE = "pistopoiitiko-gennisis"
ANSWERS = {
    "identity_card": "ΑΒ123456", "mobile": "+306912345678", "fathername": "ΓΕΩΡΓΙΟΣ", "mothername": "ΕΛΕΝΗ",
    "for_whom": "self", "born_on": "1984-05-17", "purpose": "personal",
    "copies": 1, "truth": True,
}  # fmt: skip
PERSONS = 4
"""Whom the stand-in for TaxisNet lets in."""
PROCESSES = 2
"""How many answer: one per core of the machine that the goals are set for."""
WARM_S = 3.0
SEED = 7


@dataclass(frozen=True, slots=True)
class Wanted:
    """How much is asked: pages and filings per second, seconds of each, signed PDFs."""

    pages: float = 200
    filings: float = 20
    seconds: float = 30
    papers: int = 20


class Figures(Struct, frozen=True):
    """What a run came to. Milliseconds; `late_p99` is how late the client itself was, `weight` bytes by address of the first visit."""

    machine: str
    pages_per_second: float
    pages: Spread
    by_kind: dict[str, Spread]
    filings_per_second: float
    filing: Spread
    signed_pdf: dict[str, float]
    weight: dict[str, int]
    late_p99: float | None


@dataclass(slots=True)
class _Citizen:
    """Somebody who is signed in, in a browser of his own."""

    cookie: str
    csrf: str
    cases: list[str] = field(default_factory=list)
    draft: str = ""


def run(home: Home, wanted: Wanted, *, say: Callable[[str], None]) -> Figures:
    """Start PostgreSQL, the citizens' services and the stand-in for TaxisNet; visit, file, sign. Raises NotWellError, WorkFailedError."""
    shutil.rmtree(home.root, ignore_errors=True)
    home.make()
    whole = plan(home, home.data / "no-town", choose_ports(home, preferred=False))
    servers = tuple(one for one in whole.servers if one.name == "postgres")
    processes = tuple(_preforked(one) for one in whole.processes if one.name in (civic.SERVER, civic.DOUBLE))
    served = next(one for one in processes if one.name == civic.SERVER)
    supervision, machine, port = Supervision(home), describe(), whole.ports[civic.SERVER]
    say(machine)
    say("starting PostgreSQL, the citizens' services and the stand-in for TaxisNet")
    try:
        supervision.configure((*servers, *processes))
        supervision.launch()
        supervision.start(servers)
        postgres.create_database(home, whole.ports["postgres"])
        run_once((served.command[0], "migrate"), served.environment)
        run_once((served.command[0], "departments", "import"), served.environment)
        supervision.start(processes)
        with psycopg.connect(whole.dsn, autocommit=True) as connection:
            citizens = [_sign_in(civic.portal(whole.ports), number) for number in range(PERSONS)]
            drafts = _drafts(connection, citizens[0], round(wanted.filings * (wanted.seconds + WARM_S)) * 2 + 40)
            slugs = _slugs(civic.portal(whole.ports))
            say(f"{len(citizens)} citizens are signed in, {len(drafts)} drafts are ready")
            weight = asyncio.run(weigh(port, "/"))
            filing = asyncio.run(_file(port, citizens[0], drafts, wanted, say))
            _check_filed(connection, drafts)
            for one in citizens:
                one.cases = _cases(connection)
            kinds = _visits(citizens[:1], slugs)
            asyncio.run(load(port, arrivals(wanted.pages / 4, WARM_S, SEED), kinds))
            say(f"{wanted.pages:g} pages a second for {wanted.seconds:g} s")
            tally = asyncio.run(load(port, arrivals(wanted.pages, wanted.seconds, SEED + 1), kinds))
        say(f"composing and signing {wanted.papers} documents")
        said = run_once((executable("asty-citizen-services"), "documents", "time", "--runs", str(wanted.papers)), served.environment)
        late = sorted(tally.late)
        return Figures(
            machine, wanted.pages, tally.spread(), {kind: tally.spread(kind) for kind in sorted({*tally.took, *tally.wrong})},
            wanted.filings, filing, msgspec.json.decode(said.strip().splitlines()[-1], type=dict[str, float]), weight,
            round(late[int(0.99 * (len(late) - 1))], 1) if late else None,
        )  # fmt: skip
    finally:
        if supervision.is_running():
            supervision.shut_down()


def _preforked(one: Program) -> Program:
    return replace(one, environment=one.environment | {"ASTY_CITIZEN_PROCESSES": str(PROCESSES)}) if one.name == civic.SERVER else one


def as_table(it: Figures) -> str:
    """Write the figures for people."""
    lines = [f"{it.machine}", f"{'':22} {'n':>6} {'errors':>6} {'p50':>8} {'p95':>8} {'p99':>8} {'worst':>8}  ms"]
    rows = [*it.by_kind.items(), (f"pages at {it.pages_per_second:g}/s", it.pages), (f"filing at {it.filings_per_second:g}/s", it.filing)]
    lines += [f"{name:22} {s.n:6} {s.errors:6} {_ms(s.p50)} {_ms(s.p95)} {_ms(s.p99)} {_ms(s.worst)}" for name, s in rows]
    lines.append("signed PDF: " + ", ".join(f"{name} {value:g}" for name, value in it.signed_pdf.items()))
    lines.append(f"catalogue: {sum(it.weight.values())} bytes in {len(it.weight)} answers; the client was late by {it.late_p99} ms (p99)")
    return "\n".join(lines)


def _ms(value: float | None) -> str:
    return f"{'—' if value is None else value:>8}"


def _sign_in(address: str, number: int) -> _Citizen:
    """Go the whole way through the stand-in's page, as a browser does."""
    with httpx.Client(base_url=address, follow_redirects=True, trust_env=False, timeout=30) as client:
        double = client.get("/sign-in/taxisnet", params={"next": "/cases"})
        link = html.unescape(re.findall(r'href="(/[^"]+/person/[^"]+)"', double.text)[number])
        if client.get(str(double.url.join(link))).status_code != 200:
            raise WorkFailedError("the stand-in for TaxisNet let nobody in: see its log")
        cookies = {cookie.name: cookie.value or "" for cookie in client.cookies.jar}
        said = _Citizen("; ".join(f"{name}={value}" for name, value in cookies.items()), cookies["asty-csrf"])
        started = client.post(f"/services/{PROCEDURE}/start", data={"csrf": said.csrf})
        said.draft = urlsplit(str(started.url)).path
        return said


def _drafts(connection: psycopg.Connection[tuple[object, ...]], citizen: _Citizen, count: int) -> list[str]:
    """Copy the first citizen's draft, filled in, so often: what is measured is filing, not typing."""
    first = uuid.UUID(citizen.draft.split("/")[2])
    connection.execute(
        "UPDATE citizen.draft SET answers = answers || %s::jsonb WHERE id = %s", [msgspec.json.encode(ANSWERS).decode(), first]
    )
    rows = connection.execute(
        "INSERT INTO citizen.draft SELECT gen_random_uuid(), procedure, citizen_id, mandate_id, amends, answers, browser_hash, made_at,"
        " changed_at, filed_at FROM citizen.draft, generate_series(1, %s) WHERE id = %s RETURNING id", [count, first],
    ).fetchall()  # fmt: skip
    return [str(row[0]) for row in rows]


def _check_filed(connection: psycopg.Connection[tuple[object, ...]], drafts: list[str]) -> None:
    """Raises WorkFailedError when what was sent to be filed has no number: a refusal leads back to a page, and looks as quick."""
    counted = connection.execute(
        "SELECT count(*) FILTER (WHERE filed_at IS NOT NULL), (SELECT count(*) FROM citizen.docket)"
        " FROM citizen.draft WHERE id = ANY(%s::uuid[])", [drafts],
    ).fetchone()  # fmt: skip
    if counted is None or counted[0] != counted[1] or not counted[0]:
        raise WorkFailedError(f"drafts filed and numbers given: {counted}; the draft of the benchmark lacks something")


def _slugs(address: str) -> list[str]:
    page = httpx.get(address, trust_env=False, timeout=30).text
    return sorted(set(re.findall(r'href="/services/([a-z0-9-]+)"', page)))


def _cases(connection: psycopg.Connection[tuple[object, ...]]) -> list[str]:
    """Leave the first citizen ten cases, as somebody has; the others go to nobody."""
    connection.execute(
        "UPDATE citizen.application SET citizen_id = (SELECT id FROM citizen.citizen ORDER BY first_seen_at DESC LIMIT 1)"
        " WHERE id NOT IN (SELECT id FROM citizen.application ORDER BY filed_at LIMIT 10)"
    )
    connection.execute("ANALYZE")
    return [str(row[0]) for row in connection.execute("SELECT id FROM citizen.application ORDER BY filed_at LIMIT 10")]


async def _file(port: int, citizen: _Citizen, drafts: list[str], wanted: Wanted, say: Callable[[str], None]) -> Spread:
    left = iter(drafts)

    def visit() -> Visit:
        form = urlencode({"csrf": citizen.csrf})
        return Visit("filing", f"/drafts/{next(left)}/file", citizen.cookie, form, 303)

    await load(port, arrivals(wanted.filings / 2, WARM_S, SEED), visit)
    say(f"{wanted.filings:g} filings a second for {wanted.seconds:g} s")
    began = time.monotonic()
    tally = await load(port, arrivals(wanted.filings, wanted.seconds, SEED + 2), visit)
    say(f"filed in {time.monotonic() - began:.1f} s")
    return tally.spread()


def _visits(citizens: list[_Citizen], slugs: list[str]) -> Callable[[], Visit]:
    """Return whom and what comes next: 6 of 10 are not signed in."""
    dice = random.Random(SEED)  # noqa: S311  no secret
    kinds: dict[str, int] = {
        "catalogue": 20, "search": 5, "service": 25, "check": 10, "catalogue, signed in": 8, "my cases": 12, "case": 10, "form": 10,
    }  # fmt: skip

    def visit() -> Visit:
        kind = dice.choices(list(kinds), list(kinds.values()))[0]
        citizen = dice.choice(citizens)
        match kind:
            case "search":
                return Visit(kind, "/?" + urlencode({"q": dice.choice(("γεννηση", "κατοικια", "τελη"))}))
            case "service":
                return Visit(kind, f"/services/{dice.choice(slugs)}")
            case "check":
                return Visit(kind, "/check")
            case "my cases":
                return Visit(kind, "/cases", citizen.cookie)
            case "case":
                return Visit(kind, f"/cases/{dice.choice(citizen.cases)}", citizen.cookie)
            case "form":
                return Visit(kind, citizen.draft, citizen.cookie)
            case _:
                return Visit(kind, "/", citizen.cookie if kind != "catalogue" else "")

    return visit
