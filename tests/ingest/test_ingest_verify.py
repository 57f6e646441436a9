"""What becomes of a message, by table."""

import uuid

import msgspec
import pytest
from asty_contracts import envelope, groups, topics
from asty_contracts.envelope import CBOR, Pack, PackRefusedError
from asty_contracts.examples import EPOCH, GOLDEN, MESSAGES, PACKS
from asty_contracts.stream import EdgeLife, Refused
from asty_ingest.verify import EpochOwners, Incoming, Verifier
from hypothesis import given
from hypothesis import strategies as st

REC = "asty/1/demo/truck-01/up/rec"
BIRTH = "asty/1/demo/truck-01/up/birth"
STATE = "asty/1/demo/truck-01/up/state"
PACK = (GOLDEN / "pack-lift.json").read_bytes()


def judge(topic: str, payload: bytes, content_type: str | None = None, verifier: Verifier | None = None):
    return (verifier or Verifier("demo")).judge(Incoming(topic, payload, rx=77, content_type=content_type))


def birth(**changed: object) -> bytes:
    return msgspec.json.encode(msgspec.structs.replace(MESSAGES["birth"], **changed))


def same(given: Pack, wanted: Pack) -> bool:
    """Tell whether two packs say the same; the monotonic clock does not travel in a group."""

    def said(pack: Pack) -> list[tuple[object, ...]]:
        return [(it.s, it.t, it.tq, it.k, envelope.decode_data(it.k, it.d)) for it in pack.recs]

    return (given.ep, given.h, said(given)) == (wanted.ep, wanted.h, said(wanted))


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_goes_to_the_topic_of_its_lane_with_all_that_it_says(name: str) -> None:
    out = judge(REC, (GOLDEN / f"{name}.json").read_bytes())
    lane = topics.BACKLOG if PACKS[name].h else topics.URGENT if name == "pack-alarm" else topics.TELEMETRY
    assert (out.topic, out.key, out.reason) == (lane, "truck-01", None)
    assert out.records == len(PACKS[name].recs)
    (delivered,) = groups.decode(groups.encode("demo", [out.sent]))
    assert (delivered.org, delivered.edge, delivered.rx) == ("demo", "truck-01", 77)
    assert same(delivered.pack, PACKS[name])


@pytest.mark.parametrize("company", [b"", b'{"s":2,"t":5,"k":"later","d":1}'])
def test_an_alarm_is_urgent_whatever_travels_with_it_and_history_never_is(company: bytes) -> None:
    alarm = b'{"s":1,"t":5,"k":"alarm","d":{"code":"device_lost","on":true}}'
    text = b'{"ep":"%s","h":%s,"recs":[%s]}'
    recs = b",".join(filter(None, (alarm, company)))
    assert judge(REC, text % (str(EPOCH).encode(), b"false", recs)).topic == topics.URGENT
    assert judge(REC, text % (str(EPOCH).encode(), b"true", recs)).topic == topics.BACKLOG


def test_a_cbor_pack_says_the_same_as_one_of_json() -> None:
    out = judge(REC, (GOLDEN / "pack-lift.cbor").read_bytes(), CBOR)
    (delivered,) = groups.decode(groups.encode("demo", [out.sent]))
    assert same(delivered.pack, PACKS["pack-lift"])


def test_an_empty_pack_and_unknown_kinds_and_fields_are_taken() -> None:
    assert judge(REC, (GOLDEN / "pack-empty.json").read_bytes()).reason is None
    out = judge(REC, b'{"v":1,"ep":"%s","new":1,"recs":[{"s":1,"t":-5,"k":"later","d":[],"new":2}]}' % str(EPOCH).encode())
    assert out.reason is None
    assert b'"new":2' in groups.encode("demo", [out.sent])


@pytest.mark.parametrize(("topic", "what", "name"), [(BIRTH, "birth", "birth"), (STATE, "state", "state"), (STATE, "state", "state-will")])
def test_births_states_and_wills_go_to_edge_life(topic: str, what: str, name: str) -> None:
    body = (GOLDEN / f"{name}.json").read_bytes()
    out = judge(topic, body)
    life = msgspec.json.decode(out.value, type=EdgeLife)
    assert (out.topic, out.key, life.what, bytes(life.body)) == (topics.EDGE_LIFE, "truck-01", what, body)


@pytest.mark.parametrize(
    ("topic", "payload", "content_type", "reason"),
    [
        (REC, b"", None, "malformed"),
        (REC, PACK, CBOR, "malformed"),
        (REC, PACK, "text/plain", "malformed"),
        (REC, PACK[:-1], None, "malformed"),
        (REC, PACK + b"x", None, "malformed"),
        (REC, PACK.replace(b'"v":1', b'"v":9'), None, "unknown_version"),
        (REC, PACK + b" " * envelope.MAX_PACK_BYTES, None, "too_big"),
        (BIRTH, b"\xff", None, "malformed"),
        (BIRTH, b"{}", None, "malformed"),
        (BIRTH, birth(edge="truck-02"), None, "wrong_edge"),
        (BIRTH, birth(v=2), None, "unknown_version"),
        (STATE, b"", None, "malformed"),
        (STATE, b"[" * 200_000, None, "malformed"),
        ("asty/1/other/truck-01/up/rec", PACK, None, "bad_topic"),
        ("asty/2/demo/truck-01/up/rec", PACK, None, "bad_topic"),
        ("asty/1/demo/truck-01/dn/ack", b"{}", None, "bad_topic"),
        ("asty/1/demo/truck-01/up/res", b"{}", None, "bad_topic"),
        ("elsewhere", PACK, None, "bad_topic"),
    ],
)
def test_what_cannot_be_taken_is_kept_with_its_reason(topic: str, payload: bytes, content_type: str | None, reason: str) -> None:
    out = judge(topic, payload, content_type)
    refused = msgspec.json.decode(out.value, type=Refused)
    assert out.topic == topics.REFUSED
    assert (out.reason, refused.reason, refused.topic, refused.rx) == (reason, reason, topic, 77)
    assert (refused.size, refused.payload) == (len(payload), payload[:4096])
    assert refused.detail == out.detail != ""


def test_an_epoch_belongs_to_the_edge_that_used_it_first() -> None:
    verifier = Verifier("demo")
    assert judge(REC, PACK, verifier=verifier).reason is None
    assert judge(REC, PACK, verifier=verifier).reason is None
    other = judge(REC.replace("01", "02"), PACK, verifier=verifier)
    assert (other.reason, other.key) == ("wrong_edge", "truck-02")
    assert "truck-01" in other.detail


@pytest.mark.parametrize(("topic", "name"), [(BIRTH, "birth"), (STATE, "state")])
def test_a_birth_or_state_claims_its_epoch_too(topic: str, name: str) -> None:
    verifier = Verifier("demo")
    judge(topic, (GOLDEN / f"{name}.json").read_bytes(), verifier=verifier)
    assert judge(REC.replace("01", "02"), PACK, verifier=verifier).reason == "wrong_edge"


def test_the_memory_of_epochs_is_bounded_and_keeps_those_that_speak() -> None:
    owners = EpochOwners(most=3)
    mine, *others = (uuid.uuid4() for _ in range(10))
    for epoch in others:
        assert owners.owner(mine, "truck-01") == "truck-01"
        owners.owner(epoch, "flood")
    assert owners.owner(mine, "truck-02") == "truck-01"
    assert owners.owner(others[0], "truck-02") == "truck-02", "forgotten long ago"


@given(st.sampled_from([REC, BIRTH, STATE]) | st.text(max_size=60), st.binary(max_size=200), st.sampled_from([None, CBOR]))
def test_any_message_becomes_one_that_kafka_can_have(topic: str, payload: bytes, content_type: str | None) -> None:
    out = judge(topic, payload, content_type)
    assert groups.decode(groups.encode("demo", [out.sent])) if out.sent else msgspec.json.decode(out.value)
    assert (out.reason is not None) == (out.topic == topics.REFUSED)


def test_a_refusal_is_what_the_contract_calls_one() -> None:
    with pytest.raises(PackRefusedError, match="malformed"):
        envelope.decode(b"")


@pytest.mark.parametrize(("changed", "reason"), [({"v": 2}, "unknown_version"), ({"h": "no"}, "malformed"), ({"recs": None}, "too_big")])
def test_a_refused_pack_names_the_records_that_its_edge_can_be_told_of(changed: dict[str, object], reason: str) -> None:
    body = msgspec.json.decode(PACK) | changed
    if reason == "too_big":
        body["recs"] = [{"s": s, "t": 1, "k": "pos", "d": {}} for s in range(1, 1002)]
    out = judge(REC, msgspec.json.encode(body))
    assert (out.topic, out.reason) == (topics.REFUSED, reason)
    refused = msgspec.json.decode(out.value, type=Refused)
    assert (refused.ep, refused.claims) == (EPOCH, ((1, 1001),) if reason == "too_big" else ((84_512, 84_513),))


def test_nobody_is_told_of_the_records_of_another_edges_epoch_nor_of_what_is_no_pack() -> None:
    verifier = Verifier("demo")
    judge(REC, PACK, verifier=verifier)
    for topic, payload in (("asty/1/demo/truck-02/up/rec", PACK), (BIRTH, PACK), ("asty/1/other/truck-01/up/rec", PACK)):
        out = judge(topic, payload, verifier=verifier)
        assert out.reason is not None
        assert msgspec.json.decode(out.value, type=Refused).claims == ()
