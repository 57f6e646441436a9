"""The pack's reader: tolerant to what is new, deaf to what is hostile."""

import struct
import tracemalloc
import uuid

import cbor2
import msgspec
import pytest
from asty_contracts import cbor, envelope
from asty_contracts.envelope import CBOR, JSON, MAX_PACK_BYTES, Claim, PackRefusedError
from asty_contracts.examples import EPOCH, GOLDEN, PACKS
from hypothesis import given, settings
from hypothesis import strategies as st

GOLDEN_JSON = [path.read_bytes() for path in sorted(GOLDEN.glob("pack-*.json"))]
GOLDEN_CBOR = [path.read_bytes() for path in sorted(GOLDEN.glob("pack-*.cbor"))]
CONTENT_TYPES = st.sampled_from([None, "", JSON, CBOR, "application/json; charset=utf-8", "text/plain"])


def record(data: bytes = b"{}", **more: object) -> bytes:
    fields = {"s": 1, "t": 5, "k": "pos", "d": msgspec.Raw(data), **more}
    return msgspec.json.encode({"v": 1, "ep": EPOCH, "recs": [fields]})


def reason(payload: bytes, content_type: str | None = None) -> str:
    with pytest.raises(PackRefusedError) as refused:
        envelope.decode(payload, content_type)
    assert refused.value.detail
    return refused.value.reason


def only_refused_or_sound(payload: bytes, content_type: str | None) -> None:
    """Decode; whatever is taken can be read to its end and written again."""
    try:
        pack = envelope.decode(payload, content_type)
    except PackRefusedError as refused:
        assert refused.reason in ("malformed", "too_big", "unknown_version")  # noqa: PT017
        return
    for each in pack.recs:
        bytes(each.d).decode()
        try:
            envelope.decode_data(each.k, each.d)
        except msgspec.ValidationError:
            continue
    assert envelope.decode(envelope.encode(pack)) == pack


def test_unknown_fields_and_kinds_survive() -> None:
    text = b'{"v":1,"ep":"%s","zone":{"a":[1]},"recs":[{"s":1,"t":5,"k":"noise","d":{"db": 71.50},"x":null}]}' % str(EPOCH).encode()
    (noise,) = envelope.decode(text).recs
    assert (noise.k, bytes(noise.d)) == ("noise", b'{"db": 71.50}')
    assert envelope.decode_data(noise.k, noise.d) is None
    assert envelope.json_text(text) is text, "what is passed on is what was sent"


def test_unknown_fields_of_a_known_kind_are_ignored() -> None:
    assert envelope.decode_data("weight", b'{"kg":1.5,"method":"axle"}') == envelope.decode_data("weight", b'{"kg":1.5}')


@pytest.mark.parametrize(
    ("payload", "wanted"),
    [
        (b"", "malformed"),
        (b"{}", "malformed"),
        (b"[]", "malformed"),
        (b'{"v":1}', "malformed"),
        (b'{"v":0}', "unknown_version"),
        (b'{"v":2,"anything":[1]}', "unknown_version"),
        (record().replace(b'"v":1', b'"v":2'), "unknown_version"),
        (record().replace(b'"v":1', b'"v":"1"'), "malformed"),
        (record(b'{"x":"\xff"}'), "malformed"),
        (record(b"[" * 100_000 + b"]" * 100_000), "malformed"),
        (record(s=0), "malformed"),
        (record(s=-1), "malformed"),
        (record(s=(1 << 63)), "malformed"),
        (record(t=253_402_300_800_000), "malformed"),
        (record(mono=-1), "malformed"),
        (record(k=""), "malformed"),
        (record(k="a\x00"), "malformed"),
        (record(k="k" * 65), "malformed"),
        (record(tq="\n"), "malformed"),
        (b" " * (MAX_PACK_BYTES + 1), "too_big"),
    ],
)
def test_what_is_no_pack_is_refused_with_its_reason(payload: bytes, wanted: str) -> None:
    assert reason(payload) == wanted


def test_a_pack_with_too_many_records_is_refused() -> None:
    recs = [{"s": n, "t": 1, "k": "x", "d": 0} for n in range(1, 1002)]
    assert reason(msgspec.json.encode({"v": 1, "ep": uuid.uuid4(), "recs": recs})) == "too_big"


def test_a_sequence_twice_in_one_pack_is_refused() -> None:
    recs = [{"s": 7, "t": 1, "k": "x", "d": 0}] * 2
    assert reason(msgspec.json.encode({"v": 1, "ep": EPOCH, "recs": recs})) == "malformed"


def test_the_content_type_may_carry_parameters_and_an_unknown_one_is_refused() -> None:
    assert envelope.decode(GOLDEN_JSON[0], "Application/JSON; charset=utf-8") == envelope.decode(GOLDEN_JSON[0])
    assert envelope.decode(GOLDEN_CBOR[0], "application/cbor;v=1") == envelope.decode(GOLDEN_CBOR[0], CBOR)
    assert reason(GOLDEN_JSON[0], "application/xml") == "malformed"


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_reads_the_same_from_json_and_from_cbor(name: str) -> None:
    pack = PACKS[name]
    assert envelope.decode(envelope.encode(pack, CBOR), CBOR) == envelope.decode(envelope.encode(pack))


STRING_REFERENCES = b"\xd9\x01\x00\x9f" + cbor2.dumps("x" * 60_000) + b"\xd8\x19\x00" * 40_000 + b"\xff"
SHARED = b"\xd8\x1c\x81\xd8\x1d\x00"  # a list that holds itself


@pytest.mark.parametrize(
    "payload",
    [
        STRING_REFERENCES,
        SHARED,
        b"\xd8\x23" + cbor2.dumps("(a+)+$"),  # a regular expression
        b"\xc2\x5a\x00\x03\x00\x00" + b"\xff" * 0x30000,  # a number of 196 608 bytes
        b"\x9b" + struct.pack(">Q", 1 << 40),
        b"\xbb" + struct.pack(">Q", 1 << 62),
        b"\xa1\x9b" + struct.pack(">Q", 1 << 30),
        b"\x7b" + struct.pack(">Q", 1 << 63),
        b"\x5b" + struct.pack(">Q", 1 << 30),
        b"\x81" * 200_000,
        b"\x9f" * 200_000,
        b"\xbf" * 200_000,
        b"\x7f" * 200_000,
        b"\x7f\x7f\x61a\xff\xff",
        b"\xbf\x61a\xff",
        b"\xff",
        b"\xf7",
        b"\xf8\x20",
        b"\x1c",
        b"\x3b" + b"\xff" * 8,
        b"\x61\xff",
        cbor2.dumps({"v": 1}) + b"\x00",
        b"\xa1" + cbor2.dumps("x" * 200_000) + cbor2.dumps("\x00" * 60_000),  # six times larger as JSON
    ],
    ids=lambda payload: payload[:6].hex(),
)
def test_hostile_cbor_is_refused_and_costs_little_memory(payload: bytes) -> None:
    tracemalloc.start()
    try:
        assert reason(payload, CBOR) in ("malformed", "too_big")
        assert tracemalloc.get_traced_memory()[1] < 16 * MAX_PACK_BYTES
    finally:
        tracemalloc.stop()


def test_not_a_number_becomes_null_and_never_zero() -> None:
    assert cbor.to_json(cbor2.dumps({"kg": float("nan"), "v": float("inf")})) == b'{"kg":null,"v":null}'


@given(st.binary(max_size=400), CONTENT_TYPES)
def test_random_bytes_are_never_more_than_refused(payload: bytes, content_type: str | None) -> None:
    only_refused_or_sound(payload, content_type)


def _mutated(originals: list[bytes]) -> st.SearchStrategy[bytes]:
    """Golden messages with a few slices replaced."""
    cut = st.tuples(
        st.floats(0, 1), st.integers(0, 8), st.binary(max_size=8) | st.sampled_from([b"[" * 2000, b"9" * 400, b"1e999", b"\\ud800"])
    )

    def apply(original: bytes, cuts: list[tuple[float, int, bytes]]) -> bytes:
        for where, length, instead in cuts:
            at = int(where * len(original))
            original = original[:at] + instead + original[at + length :]
        return original

    return st.builds(apply, st.sampled_from(originals), st.lists(cut, min_size=1, max_size=4))


@settings(max_examples=400)
@given(_mutated(GOLDEN_JSON))
def test_corrupted_json_is_never_more_than_refused(payload: bytes) -> None:
    only_refused_or_sound(payload, None)


@settings(max_examples=400)
@given(_mutated(GOLDEN_CBOR))
def test_corrupted_cbor_is_never_more_than_refused(payload: bytes) -> None:
    only_refused_or_sound(payload, CBOR)


_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=20,
)


@given(_values)
def test_whatever_json_says_travels_through_cbor_unchanged(value: object) -> None:
    text = msgspec.json.encode(value)
    assert msgspec.json.decode(cbor.to_json(cbor.of_json(text))) == msgspec.json.decode(text)


@given(_values)
def test_indefinite_lengths_read_like_definite_ones(value: object) -> None:
    def indefinite(item: object) -> bytes:
        if isinstance(item, list):
            return b"\x9f" + b"".join(map(indefinite, item)) + b"\xff"
        if isinstance(item, dict):
            return b"\xbf" + b"".join(cbor2.dumps(key) + indefinite(each) for key, each in item.items()) + b"\xff"
        if isinstance(item, str):
            return b"\x7f" + b"".join(map(cbor2.dumps, item)) + b"\xff"
        return cbor2.dumps(item)

    assert cbor.to_json(indefinite(value)) == cbor.to_json(cbor2.dumps(value))


@given(st.binary(max_size=300) | _mutated(GOLDEN_CBOR))
def test_the_cbor_check_lets_nothing_through_that_the_decoder_cannot_finish(payload: bytes) -> None:
    try:
        text = cbor.to_json(payload)
    except cbor.CborError:
        return
    msgspec.json.decode(text)


def refused(*numbers: int, **changed: object) -> bytes:
    """A pack that no reader takes, with these sequences."""
    recs = [{"s": s, "t": "no time", "k": "pos", "d": {}} for s in numbers]
    return msgspec.json.encode({"v": 1, "ep": str(EPOCH), "recs": recs, **changed})


@pytest.mark.parametrize("content_type", [JSON, CBOR])
def test_of_a_pack_that_is_refused_its_sequences_can_still_be_told(content_type: str) -> None:
    payload = refused(7, 3, 4, 5, 7)
    if content_type == CBOR:
        payload = cbor.of_json(payload)
    with pytest.raises(PackRefusedError):
        envelope.decode(payload, content_type)
    assert envelope.claim(payload, content_type) == Claim(EPOCH, ((3, 5), (7, 7)))


def test_of_a_pack_that_is_too_big_or_of_a_later_version_too() -> None:
    assert envelope.claim(refused(*range(1, 5001))) == Claim(EPOCH, ((1, 5000),))
    assert envelope.claim(refused(1, v=9, later=[{}])) == Claim(EPOCH, ((1, 1),))


@pytest.mark.parametrize(
    "payload",
    [
        b"{", refused(3)[:-1], refused(), refused(3, ep="truck"), refused(0), refused(1 << 63), b" " * envelope.CLAIM_BYTES + refused(1),
        refused(*range(1, 4000, 2)),
    ],
)  # fmt: skip
def test_where_no_sequence_can_be_read_or_there_are_too_many_nothing_is_claimed(payload: bytes) -> None:
    assert envelope.claim(payload) is None


@given(st.binary(max_size=200), st.sampled_from([None, JSON, CBOR]))
def test_no_bytes_can_make_the_reading_of_a_claim_fail(payload: bytes, content_type: str | None) -> None:
    envelope.claim(payload, content_type)
