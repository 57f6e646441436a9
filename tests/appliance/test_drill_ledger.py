"""The count at the end of a drill sees whatever went wrong between the witnesses' files and the store's rows."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from asty_appliance.drill.ledger import Count, audit
from asty_appliance.drill.outboxes import Destroyed
from asty_appliance.drill.truthfiles import Appended
from asty_contracts.envelope import Pack, Record, encode_data
from asty_contracts.records import KIND_OF, Gap, Health
from asty_contracts.stream import Delivered
from asty_edge.rehearsal.numbered import numbered
from asty_stream.incoming import read
from asty_stream.migrate import migrate
from asty_stream.store.keeper import now_ms
from asty_stream.store.telemetry import telemetry_keeper
from msgspec import Raw, json

EDGE = "drill-001"


@pytest.fixture(scope="module")
def dsn(postgres: Any) -> str:
    migrate(postgres.dsn)
    return str(postgres.dsn)


class Case:
    """One epoch of one edge: 400 numbered records and one of the agent's own, truth and store alike."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.ep = uuid4()
        self.edge = f"drill-{self.ep.hex[:8]}"
        self.t = now_ms()
        data = [numbered(n, self.edge, self.ep) for n in range(1, 401)]
        self.records = [*data, Health(up=1, head=401, acked=0, held=401)]
        self.truth = [
            Appended(self.edge, n if n <= 400 else 0, str(self.ep), self.t + n, KIND_OF[type(one)], n, sure=True)
            for n, one in enumerate(self.records, 1)
        ]
        self.destroyed: list[Destroyed] = []

    async def store(self, records: list[tuple[int, Any]]) -> None:
        packed = []
        for s, data in records:
            kind, body = encode_data(data)
            packed.append(Record(s, self.t + s, kind, Raw(body), tq="rtc"))
        message = json.encode(Delivered("demo", self.edge, self.t, Pack(self.ep, packed)))
        keeper = telemetry_keeper(self.dsn, "demo")
        await keeper.keep(read(message))
        await keeper.close()

    async def store_all(self, but: tuple[int, ...] = ()) -> None:
        await self.store([(s, data) for s, data in enumerate(self.records, 1) if s not in but])

    def execute(self, query: str, *values: object) -> None:
        with psycopg.connect(self.dsn) as connection:
            connection.execute(query, values)  # type: ignore[call-overload]

    def count(self) -> Count:
        return audit(self.dsn, self.truth, self.destroyed)

    def wrong(self) -> dict[str, int]:
        count = self.count()
        return {
            name: n
            for name in ("lost", "doubled", "altered", "destroyed", "damaged", "thinned", "unbalanced", "misreported")
            if (n := getattr(count, name))
        }


@pytest.fixture
def case(dsn: str) -> Any:
    case = Case(dsn)
    yield case
    for table in ("position", "driver", "weight", "alarm", "health", "gap", "other"):
        case.execute(f"DELETE FROM telemetry.{table} WHERE edge = %s", case.edge)
    case.execute("DELETE FROM telemetry.tally WHERE epoch IN (SELECT epoch FROM telemetry.ledger WHERE edge = %s)", case.edge)
    case.execute("DELETE FROM telemetry.ledger WHERE edge = %s", case.edge)


async def test_a_store_that_has_everything_once_passes(case: Case) -> None:
    await case.store_all()
    count = case.count()
    assert (count.produced, count.stored) == (401, 401)
    assert case.wrong() == {}
    assert count.nothing_lost_or_doubled


def test_a_drill_in_which_nothing_was_produced_proves_nothing(case: Case) -> None:
    case.truth = []
    assert not case.count().nothing_lost_or_doubled


@pytest.mark.parametrize("s", [1, 2, 3, 200, 401], ids=["position", "weight", "driver", "alarm", "the agent's own"])
async def test_a_record_that_was_appended_and_is_nowhere_is_lost(case: Case, s: int) -> None:
    await case.store_all(but=(s,))
    assert case.wrong() == {"lost": 1}
    assert f"sequence {s}" in case.count().examples[0]
    assert not case.count().nothing_lost_or_doubled


async def test_a_record_whose_append_was_interrupted_is_lost_to_nobody(case: Case) -> None:
    await case.store_all(but=(3,))
    case.truth[2] = case.truth[2]._replace(s=None, sure=False)
    assert case.wrong() == {}
    assert (case.count().unsure, case.count().recovered) == (1, 0)


async def test_what_a_deleted_outbox_held_is_told_apart_and_nothing_else_is_excused_by_it(case: Case) -> None:
    case.destroyed = [Destroyed(case.edge, case.ep, (4, 5))]
    await case.store_all(but=(4, 5, 6))
    assert case.wrong() == {"lost": 1, "destroyed": 2}


async def test_a_gap_excuses_damage_and_thinned_positions_only(case: Case) -> None:
    case.records.append(Gap(ranges=((3, 3),), n=1, kind="any", why="damaged"))
    case.records.append(Gap(ranges=((9, 10),), n=2, why="outbox_full"))
    case.records.append(Gap(ranges=((17, 17),), n=1, kind="any", why="not_held"))
    await case.store_all(but=(3, 9, 10, 17))
    assert case.wrong() == {"damaged": 1, "thinned": 1, "lost": 2}


async def test_a_stored_record_that_the_edge_reports_as_lost_is_misreported(case: Case) -> None:
    case.records.append(Gap(ranges=((3, 4),), n=2, kind="any", why="not_held"))
    await case.store_all()
    assert case.wrong() == {"misreported": 2}
    assert not case.count().nothing_lost_or_doubled


async def test_a_record_that_is_stored_under_two_numbers_is_doubled(case: Case) -> None:
    await case.store_all()
    await case.store([(500, case.records[2])])
    assert case.wrong() == {"doubled": 1, "altered": 1}, "and its time is another"


async def test_a_row_that_is_there_twice_is_doubled_and_the_ledger_disagrees(case: Case) -> None:
    await case.store_all()
    case.execute("INSERT INTO telemetry.weight SELECT * FROM telemetry.weight WHERE edge = %s AND s = 2", case.edge)
    case.execute("INSERT INTO telemetry.health SELECT * FROM telemetry.health WHERE edge = %s", case.edge)
    assert case.wrong() == {"doubled": 2, "unbalanced": 1}


async def test_a_ledger_that_claims_more_than_there_is_disagrees(case: Case) -> None:
    await case.store_all(but=(401,))
    case.truth.pop()
    case.execute("UPDATE telemetry.ledger SET stored = stored + '{[1000,1001)}' WHERE edge = %s", case.edge)
    assert case.wrong() == {"unbalanced": 1}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE telemetry.driver SET reason = 'another epoch' WHERE edge = %s AND s = 3",
        "UPDATE telemetry.driver SET t = t + interval '1 millisecond' WHERE edge = %s AND s = 3",
        "UPDATE telemetry.position SET lat = lat + 1e-9 WHERE edge = %s AND s = 1",
        "UPDATE telemetry.alarm SET active = false WHERE edge = %s AND s = 200",
        "UPDATE telemetry.weight SET net = true WHERE edge = %s AND s = 2",
    ],
)
async def test_a_row_that_says_something_else_is_altered(case: Case, change: str) -> None:
    await case.store_all()
    case.execute(change, case.edge)
    assert case.wrong() == {"altered": 1}


async def test_a_row_that_nobody_recorded_is_altered(case: Case) -> None:
    await case.store_all()
    await case.store([(600, numbered(999, case.edge, UUID(int=1)))])
    assert case.wrong() == {"altered": 1}


def test_every_numbered_kind_is_in_the_sample(case: Case) -> None:
    kinds: Callable[[list[Any]], set[str]] = lambda records: {KIND_OF[type(one)] for one in records}  # noqa: E731
    assert kinds(case.records) == {"pos", "weight", "driver", "alarm", "health"}
