"""What travels in columns is stored as what travels record by record."""

import random
from typing import Any

import msgspec
from asty_contracts import envelope, groups, typed
from asty_contracts.envelope import Pack, Record
from asty_contracts.examples import GOLDEN
from asty_contracts.groups import Sent
from asty_contracts.records import Engine, Fuel, Lift, Position, Ppe, RecordData
from asty_contracts.stream import Delivered
from asty_stream.incoming import apart, read
from asty_stream.packed import Packed
from asty_stream.store.telemetry import divided

TABLES = ("position", "fuel", "engine", "ppe", "lift")
DAY = 86_400_000


def some_record(dice: random.Random, now: int) -> RecordData:
    """A record of a frequent kind, or a lift, with any of its fields lacking."""

    def maybe(value: Any) -> Any:
        return dice.choice((value, None))

    number = dice.uniform(-80, 80)
    fix = dice.choice(("gps", "rtk", "dgps", "δορυφόρος", ""))
    return dice.choice(
        (
            Position(number, number, v=maybe(number), alt=maybe(0.0), sats=maybe(dice.randrange(40)), fix=fix),
            Fuel(maybe(number), maybe(1e9), ignition=dice.choice(("yes", "no", "unknown")), src=dice.choice(("j1939", "modbus"))),
            Engine(maybe(900.0), hours=maybe(1e-9)),
            Ppe(dice.choice(("uuid/1/2", "b")), dice.choice(("yes", "no", "unknown")), maybe(80.0), maybe(now - dice.randrange(10**6))),
            Lift(1, now - 9000, now, tag="8000E3C1A2B4D5F6"),
        )
    )  # fmt: skip


def some_packs(dice: random.Random, edge: Any, now: int) -> list[Pack]:
    """Packs of one edge: some sent twice, some with a hole, some with a time that nobody believes, some of the backlog lane."""
    packs = []
    for _ in range(8):
        records = []
        for _ in range(dice.randrange(1, 12)):
            t = now - dice.choice((0, 1000, 400_000, 2 * DAY, 300 * DAY if dice.random() < 0.1 else 7_200_000))
            record = edge.record(some_record(dice, now), t)
            records.append(msgspec.structs.replace(record, tq=dice.choice(("gnss", "none"))))
            edge.s += dice.random() < 0.05
        packs.append(Pack(edge.ep, records, h=dice.random() < 0.3))
    return packs + dice.sample(packs, 2)


def as_group(sent: list[tuple[Any, int, Pack]]) -> bytes:
    packs = []
    for edge, rx, pack in sent:
        text = envelope.encode(pack)
        packs.append(Sent(edge.name, rx, text, typed.read(text)))
    return groups.encode("demo", packs)


def as_json(sent: list[tuple[Any, int, Pack]]) -> bytes:
    return msgspec.json.encode([Delivered("demo", edge.name, rx, pack) for edge, rx, pack in sent])


def stored(store: Any, edge: Any) -> list[Any]:
    rows = []
    for table in TABLES:
        query = (
            f"SELECT to_jsonb(r) - '{{edge,epoch}}'::text[] FROM telemetry.{table} AS r JOIN telemetry.ledger USING (epoch) WHERE ep = %s"
        )
        rows += [{"table": table, **row} for row in store.ask(query, edge.ep)]
    return sorted(rows, key=lambda row: row["s"])


def state(store: Any, edge: Any) -> list[Any]:
    """What is counted, folded and said of an edge."""
    questions = (
        "SELECT stored::text, head FROM telemetry.ledger WHERE ep = %s",
        "SELECT day, shift, t.stored, late, highest FROM telemetry.tally t JOIN telemetry.ledger USING (epoch) WHERE ep = %s ORDER BY 1, 2",
        "SELECT last_record FROM telemetry.edge JOIN telemetry.ledger USING (edge) WHERE ledger.ep = %s",
    )
    return [store.ask(question, edge.ep) for question in questions]


async def test_a_group_is_stored_as_its_packs_would_be_one_by_one(native: Any) -> None:
    for seed in range(12):
        dice = random.Random(seed)
        edges, twins = [native.edge() for _ in range(3)], [native.edge() for _ in range(3)]
        packs = [
            (number, native.now - dice.randrange(5000), pack)
            for number, edge in enumerate(edges)
            for pack in some_packs(dice, edge, native.now)
        ]
        dice.shuffle(packs)
        columns = [(edges[number], rx, pack) for number, rx, pack in packs]
        plain = [(twins[number], rx, msgspec.structs.replace(pack, ep=twins[number].ep)) for number, rx, pack in packs]
        middle = len(packs) // 2
        first = await native.keep(as_group(columns[:middle]), as_group(columns[middle:]))
        second = await native.keep(as_json(plain[:middle]), as_json(plain[middle:]))
        assert (first.stored, first.doubled, first.announced) == (second.stored, second.doubled, second.announced)
        for edge, twin in zip(edges, twins, strict=True):
            assert stored(native, edge) == stored(native, twin)
            assert state(native, edge) == state(native, twin)
        assert dict(first.acks).keys() == {edge.name for edge in edges}


async def test_data_that_is_not_possible_is_kept_whole_and_spoils_no_neighbour_in_its_group(native: Any) -> None:
    edge, other = native.edge(), native.edge()
    misfit = Record(2, native.now, "pos", msgspec.Raw(b'{"lat":99.0,"lon":1}'), tq="gnss")
    spoiled = Pack(edge.ep, [edge.record(Engine(1.0), native.now), misfit])
    packs = [(edge, native.now, spoiled), (other, native.now, Pack(other.ep, other.positions(3, native.now)))]
    outcome = await native.keep(as_group(packs))
    assert outcome.stored == 5
    assert native.sequences(edge) == [1, 2]
    assert native.ask("SELECT s, kind FROM telemetry.other WHERE edge = %s", edge.name) == [(2, "pos")]
    assert native.ask("SELECT s FROM telemetry.position WHERE edge = %s ORDER BY s", other.name) == [1, 2, 3]


def test_a_group_that_the_database_refuses_is_divided_into_its_packs() -> None:
    group, *whole = read((GOLDEN / "group.msgpack").read_bytes())
    assert isinstance(group, Packed)
    [packs] = divided([group, *whole], ValueError("refused"))
    assert packs == [*apart(group), *whole]
    assert [len(half) for half in divided(packs, ValueError("refused"))] == [len(packs) // 2, len(packs) - len(packs) // 2]
