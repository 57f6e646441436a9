"""A group of packs says what its packs said, whatever they held."""

import struct
from typing import Any
from uuid import UUID

import msgspec
import pytest
from asty_contracts import envelope, groups, typed
from asty_contracts.envelope import MAX_RECORDS, Pack, Record, decode_data, encode_data
from asty_contracts.examples import DATA, EPOCH, GOLDEN, LATER, NEWER, PACKS
from asty_contracts.groups import FREQUENT, SHAPES, Group, Sent
from asty_contracts.records import KINDS, Position
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

RX = 1_795_500_000_000


def sent(pack: Pack, edge: str = "truck-01") -> Sent:
    text = envelope.encode(pack)
    return Sent(edge, RX, text, typed.read(text))


def said(pack: Pack) -> tuple[Any, ...]:
    """Return what a pack says, without the monotonic clock, in the order of sequences."""
    records = [(it.s, it.t, it.tq, it.k, decode_data(it.k, it.d) or bytes(it.d)) for it in pack.recs]
    return pack.ep, pack.h, sorted(records, key=lambda it: it[0])


def again(*packs: Pack) -> list[Any]:
    return [said(it.pack) for it in groups.decode(groups.encode("demo", [sent(pack) for pack in packs]))]


def pos(s: int, **data: Any) -> Record:
    kind, body = encode_data(Position(39.3, 22.9, **data))
    return Record(s, RX, kind, Raw(body), tq="gnss")


def test_the_golden_groups_hold_every_golden_pack() -> None:
    packs = groups.decode((GOLDEN / "group.msgpack").read_bytes()) + groups.decode((GOLDEN / "group-later.msgpack").read_bytes())
    assert {(it.org, it.edge) for it in packs} == {("demo", "truck-01")}
    assert [said(it.pack) for it in packs] == [
        *(said(pack) for name, pack in PACKS.items() if name not in LATER),
        said(NEWER),
        *(said(PACKS[name]) for name in LATER),
    ]


def test_a_group_is_told_from_json_by_its_first_byte() -> None:
    assert groups.encode("demo", []) == groups.as_sent("demo", []) == b"\x95\xa4demo\x90\x80\x90\x90"


@pytest.mark.parametrize("kind", FREQUENT)
def test_frequent_kinds_have_a_column_for_each_field_of_their_record(kind: str) -> None:
    assert list(SHAPES[kind]) == list(KINDS[kind].__struct_fields__)
    group = msgspec.msgpack.decode(groups.encode("demo", [sent(PACKS[f"pack-{kind}"])]), type=Group)
    assert (list(group.columns), group.rest, group.whole) == ([kind], [], [])


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (Record(9, RX, "tyre", Raw(b'{"bar":8.1}')), "an unknown kind"),
        (Record(9, RX, "pos", Raw(b'{"lat":"north","lon":1}')), "data that does not fit"),
        (Record(9, RX, "pos", Raw(b'{"lat":1,"lon":1,"fix":"a\\u0000"}')), "a NUL character"),
        (Record(9, RX, "pos", Raw(b'{"lat":1,"lon":1,"sats":9223372036854775808}')), "a number that no column holds"),
        (Record(9, RX, "pos", Raw(b'{"lat":1,"lon":1,"sats":-9223372036854775808}')), "the number that means null"),
        (Record(9, RX, "health", Raw(b'{"up":1,"head":99999999999999999999,"acked":0,"held":0}')), "a number beyond MessagePack"),
    ],
    ids=lambda it: it if isinstance(it, str) else "",
)
def test_a_pack_that_is_out_of_the_ordinary_travels_in_the_bytes_in_which_it_was_sent(record: Record, why: str) -> None:
    odd, plain = Pack(EPOCH, [pos(1), record]), Pack(EPOCH, [pos(1)])
    group = msgspec.msgpack.decode(groups.encode("demo", [sent(plain), sent(odd)]), type=Group)
    assert b'"pack":' + envelope.encode(odd) + b"}" in b"".join(group.whole), why


@pytest.mark.parametrize(
    "body",
    [
        b'{"s":0,"t":1,"k":"pos","d":{"lat":1,"lon":1}}',
        b'{"s":1,"t":1,"k":"pos","d":{"lat":1,"lon":1}},{"s":1,"t":2,"k":"pos","d":{"lat":1,"lon":1}}',
        b'{"s":1,"t":999999999999999,"k":"pos","d":{"lat":1,"lon":1}}',
        b'{"s":1,"t":1,"mono":-1,"k":"pos","d":{"lat":1,"lon":1}}',
        b'{"s":1,"t":1,"tq":"","k":"pos","d":{"lat":1,"lon":1}}',
        b'{"s":9223372036854775808,"t":1,"k":"pos","d":{"lat":1,"lon":1}}',
        b",".join(b'{"s":%d,"t":1,"k":"pos","d":{"lat":1,"lon":1}}' % s for s in range(1, MAX_RECORDS + 2)),
    ],
)
def test_what_is_refused_is_never_read_as_typed(body: bytes) -> None:
    text = b'{"ep":"%s","recs":[%s]}' % (str(EPOCH).encode(), body)
    assert typed.read(text) is None
    with pytest.raises(envelope.PackRefusedError):
        envelope.decode_json(text)


def test_sequences_are_told_as_runs() -> None:
    read = typed.read(envelope.encode(Pack(EPOCH, [pos(s) for s in (7, 3, 4, 9, 8)])))
    assert read is not None
    assert read.runs == (3, 2, 7, 3)


EXAMPLES = [data for both in DATA.values() for data in both]
RECORDS = st.lists(st.tuples(st.sampled_from(EXAMPLES), st.integers(-(10**13), 10**13), st.sampled_from(["gnss", "rtc"])), max_size=12)


@given(st.lists(st.tuples(st.uuids(), st.booleans(), RECORDS), max_size=5))
def test_any_packs_of_known_kinds_come_out_as_they_went_in(packs: list[tuple[UUID, bool, list[Any]]]) -> None:
    given_packs = []
    for ep, h, rows in packs:
        records = [Record(s, t, *_encoded(data), tq=tq) for s, (data, t, tq) in enumerate(rows, 1)]
        given_packs.append(Pack(ep, records, h=h))
    assert again(*given_packs) == [said(pack) for pack in given_packs]


def _encoded(data: Any) -> tuple[str, Raw]:
    kind, body = encode_data(data)
    return kind, Raw(body)


def test_a_column_that_an_older_writer_lacks_reads_as_null() -> None:
    group = msgspec.msgpack.decode(groups.encode("demo", [sent(Pack(EPOCH, [pos(1, v=3.0)]))]), type=Group)
    columns = group.columns["pos"]
    assert "alt" not in columns.d, "null throughout"
    assert columns.d["v"] == struct.pack(">d", 3.0)
    newer = msgspec.structs.replace(columns, d={**columns.d, "heading": struct.pack(">d", 1.0)})
    value = msgspec.msgpack.encode(msgspec.structs.replace(group, columns={"pos": newer, "later": columns}))
    [delivered] = groups.decode(value)
    assert decode_data("pos", delivered.pack.recs[0].d) == Position(39.3, 22.9, v=3.0)
