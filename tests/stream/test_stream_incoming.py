"""Reading what Kafka holds: nothing a message contains can raise, and nothing is lost on the way."""

import json
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from asty_contracts import envelope, groups
from asty_contracts.envelope import Pack, Record, encode_data
from asty_contracts.examples import GOLDEN
from asty_contracts.groups import Group, Words
from asty_contracts.records import Position
from asty_contracts.stream import Delivered
from asty_stream.incoming import MOST_RECORDS, Received, Unreadable, Whole, apart, read, takes, whole_item
from asty_stream.packed import Packed
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace

RX = 1_795_500_000_000


def delivered(*records: Record) -> bytes:
    return msgspec.json.encode(Delivered("demo", "truck-01", RX, Pack(uuid4(), list(records), h=True)))


def position(s: int = 1) -> Record:
    kind, body = encode_data(Position(39.3, 22.9))
    return Record(s, RX, kind, Raw(body), mono=5, tq="gnss")


def test_a_pack_of_known_kinds_is_read_in_one_go() -> None:
    [pack] = read(delivered(position(1), position(2)))
    assert isinstance(pack, Received)
    assert (pack.org, pack.edge, pack.rx, pack.h) == ("demo", "truck-01", RX, True)
    assert [(item.s, item.t, item.tq, item.d) for item in pack.items] == [(n, RX, "gnss", Position(39.3, 22.9)) for n in (1, 2)]


def test_fields_of_a_newer_edge_are_read_over() -> None:
    [pack] = read(delivered(Record(1, RX, "pos", Raw(b'{"lat":39.3,"lon":22.9,"heading_true":[1,2]}'))))
    assert isinstance(pack, Received)
    assert pack.items[0].d == Position(39.3, 22.9)


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b'{"a":[1,{"b":null}]}', {"a": [1, {"b": None}]}),
        (b'"plain"', "plain"),
        (b'{"a":"x\\u0000y"}', '{"a":"x\\u0000y"}'),
        (b'{"a":1e77777}', '{"a":1e77777}'),
        (b"[" * 600 + b"]" * 600, "[" * 600 + "]" * 600),
    ],
)
def test_an_unknown_kind_keeps_its_whole_record_in_a_form_that_jsonb_takes(body: bytes, kept: Any) -> None:
    [pack] = read(delivered(position(), Record(2, RX, "tyre", Raw(body), mono=7, tq="ntp")))
    assert isinstance(pack, Received)
    typed, other = (item.d for item in pack.items)
    assert typed == Position(39.3, 22.9)
    assert isinstance(other, Whole)
    assert other.mark == "unknown_kind"
    assert json.loads(other.record) == {"s": 2, "t": RX, "mono": 7, "tq": "ntp", "k": "tyre", "d": kept}


GROUP = (GOLDEN / "delivered-group.json").read_bytes()
SINGLE = (GOLDEN / "delivered.json").read_bytes()


def test_a_message_of_one_pack_as_an_older_ingest_wrote_it_is_taken() -> None:
    assert read(SINGLE) == read(b"[" + SINGLE + b"]")


def test_a_group_gives_its_packs_in_order() -> None:
    packs = read(GROUP)
    assert [pack.edge for pack in packs if isinstance(pack, Received)] == ["truck-01", "truck-02"]
    assert all(type(item.d) is not Whole for pack in packs if isinstance(pack, Received) for item in pack.items)


@pytest.mark.parametrize("bad", [b'{"org":"demo"}', b"7", b'{"nul":"\\u0000"}', b"[" + SINGLE + b"]"])
def test_of_a_group_with_one_bad_pack_the_others_are_taken_and_it_is_kept_alone(bad: bytes) -> None:
    first, kept, last = read(b"[" + b",".join([SINGLE, bad, SINGLE]) + b"]")
    assert [first] == [last] == read(SINGLE)
    assert isinstance(kept, Unreadable)
    assert kept.payload == bad


def test_a_record_that_does_not_fit_its_kind_leaves_the_rest_of_the_group_as_it_was() -> None:
    misfit = delivered(position(1), Record(2, RX, "pos", Raw(b'{"lat":"north","lon":1}')))
    first, second = read(b"[" + SINGLE + b"," + misfit + b"]")
    assert [first] == read(SINGLE)
    assert isinstance(second, Received)
    assert [type(item.d) for item in second.items] == [Position, Whole]


def test_a_half_group_is_kept_whole() -> None:
    [said] = read(GROUP[:-1])
    assert isinstance(said, Unreadable)
    assert said.payload == GROUP[:-1]


def test_many_records_are_taken_in_several_transactions_and_in_order() -> None:
    count = MOST_RECORDS // 1000 * 2 + 1
    messages = [delivered(*(position(number * 1000 + n + 1) for n in range(1000))) for number in range(count)]
    parts = list(takes(messages))
    assert [len(part) for part in parts] == [MOST_RECORDS // 1000] * 2 + [1]
    assert [item.s for part in parts for pack in part for item in pack.items] == list(range(1, count * 1000 + 1))


def test_a_misfit_says_what_does_not_fit() -> None:
    [pack] = read(delivered(Record(1, RX, "pos", Raw(b'{"lat":"north","lon":1}'))))
    assert isinstance(pack, Received)
    d = pack.items[0].d
    assert isinstance(d, Whole)
    assert d.mark == "misfit"
    assert "$.lat" in d.why


COLUMNS = (GOLDEN / "group.msgpack").read_bytes()


def test_a_group_in_columns_gives_its_packs_as_they_were_sent() -> None:
    group, *whole = read(COLUMNS)
    assert isinstance(group, Packed)
    wanted = groups.decode(COLUMNS)
    assert group.records + 1 == sum(len(it.pack.recs) for it in wanted)
    for pack, expected in zip([*apart(group), *whole], wanted, strict=True):
        assert isinstance(pack, Received)
        assert (pack.org, pack.edge, pack.rx, pack.ep, pack.h) == expected_of(expected)
        for item, record in zip(sorted(pack.items, key=lambda it: it.s), expected.pack.recs, strict=True):
            assert (item.s, item.t, item.tq) == (record.s, record.t, record.tq)
            assert isinstance(item.d, Whole) or item.d == envelope.decode_data(record.k, record.d)


def expected_of(it: Delivered) -> tuple[Any, ...]:
    return it.org, it.edge, it.rx, it.pack.ep, it.pack.h


def test_a_group_in_columns_that_is_cut_off_is_kept_whole() -> None:
    for end in range(1, len(COLUMNS)):
        [said] = read(COLUMNS[:end])
        assert isinstance(said, Unreadable)
        assert said.payload == COLUMNS[:end]


def changed(**columns: Any) -> bytes:
    """The golden group, the columns of positions changed."""
    group = msgspec.msgpack.decode(COLUMNS, type=Group)
    return msgspec.msgpack.encode(replace(group, columns={"pos": replace(group.columns["pos"], **columns)}))


@pytest.mark.parametrize(
    "value",
    [
        changed(n=[1]),
        changed(s=b"\0" * 7),
        changed(tq=Words(["gnss"], b"\0\7" * 5)),
        changed(tq=Words([])),
        changed(d={"lat": Words(["north"])}),
        changed(d={"fix": b"\0" * 8}),
        changed(d={}),
        msgspec.msgpack.encode(replace(msgspec.msgpack.decode(COLUMNS, type=Group), rest=[(99, Raw(b"\x90"))])),
        msgspec.msgpack.encode(replace(msgspec.msgpack.decode(COLUMNS, type=Group), rest=[])),
    ],
)
def test_a_group_whose_parts_contradict_each_other_is_kept_whole(value: bytes) -> None:
    [said] = read(value)
    assert isinstance(said, Unreadable)
    assert said.payload == value


@given(st.data())
def test_no_damage_to_a_group_in_columns_raises(data: st.DataObject) -> None:
    value = bytearray(COLUMNS)
    for _ in range(data.draw(st.integers(1, 4))):
        value[data.draw(st.integers(0, len(value) - 1))] = data.draw(st.integers(0, 255))
    for said in read(bytes(value)):
        if isinstance(said, Packed):
            apart(said)


@given(st.binary(max_size=200))
def test_no_bytes_raise(value: bytes) -> None:
    [said] = read(value)
    assert isinstance(said, Unreadable)


@given(st.data())
def test_no_damage_to_a_message_raises(data: st.DataObject) -> None:
    value = bytearray(delivered(position(1), Record(2, RX, "tyre", Raw(b'{"a":"b"}'))))
    for _ in range(data.draw(st.integers(1, 4))):
        value[data.draw(st.integers(0, len(value) - 1))] = data.draw(st.integers(0, 255))
    [said] = read(bytes(value))
    assert isinstance(said, Received | Unreadable)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda it: st.lists(it) | st.dictionaries(st.text(), it),
    )
)
def test_whatever_is_set_aside_stays_readable(value: Any) -> None:
    [pack] = read(delivered(Record(1, RX, "tyre", Raw(json.dumps(value).encode()))))
    assert isinstance(pack, Received)
    once = whole_item(pack.items[0], "refused")
    assert isinstance(once.d, Whole)
    assert json.loads(json.loads(once.d.record)) == json.loads(pack.items[0].d.record)
