"""The golden messages, from both ends: what is in the field stays readable, and what is written stays the same."""

import msgspec
import pytest
from asty_contracts import envelope, evidence, examples
from asty_contracts.enrolment import EnrolmentAnswer, EnrolmentRefused, EnrolmentRequest
from asty_contracts.envelope import CBOR
from asty_contracts.examples import DATA, GOLDEN, MESSAGES, PACKS
from asty_contracts.life import Ack, Birth, Command, State
from asty_contracts.records import KIND_OF, KINDS, Lift
from asty_contracts.stream import Alert, BinLifted, Delivered, EdgeLife, PlanTrigger, Refused


@pytest.mark.parametrize("name", PACKS)
@pytest.mark.parametrize("encoding", ["json", "cbor"])
def test_a_golden_pack_decodes_to_the_records_it_was_written_from(name: str, encoding: str) -> None:
    payload = (GOLDEN / f"{name}.{encoding}").read_bytes()
    pack = envelope.decode(payload, CBOR if encoding == "cbor" else None)
    wanted = PACKS[name]
    assert (pack.v, pack.ep, pack.h) == (wanted.v, wanted.ep, wanted.h)
    for record, expected in zip(pack.recs, wanted.recs, strict=True):
        assert (record.s, record.t, record.mono, record.tq, record.k) == (expected.s, expected.t, expected.mono, expected.tq, expected.k)
        assert envelope.decode_data(record.k, record.d) == envelope.decode_data(expected.k, expected.d)


@pytest.mark.parametrize("name", MESSAGES)
def test_a_golden_message_decodes_to_what_it_was_written_from(name: str) -> None:
    message = MESSAGES[name]
    assert msgspec.json.decode((GOLDEN / f"{name}.json").read_bytes(), type=type(message)) == message


def test_every_example_encodes_to_the_same_bytes_as_ever() -> None:
    written = {path.name: path.read_bytes() for path in GOLDEN.iterdir()}
    assert examples.golden_bytes() == written


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_golden_with_all_fields_and_one_with_the_fewest(kind: str) -> None:
    full, sparse = DATA[kind]
    assert KIND_OF[type(full)] == KIND_OF[type(sparse)] == kind
    unset = {field.name for field in msgspec.structs.fields(full) if field.required is False and getattr(full, field.name) == field.default}
    assert unset <= {"n", "kind", "why"}, "the full example leaves a field at its default"


def test_every_message_that_crosses_a_process_boundary_has_a_golden() -> None:
    enrolment = {EnrolmentRequest, EnrolmentAnswer, EnrolmentRefused}
    wanted = {Birth, State, Ack, Command, Delivered, EdgeLife, Refused, Alert, BinLifted, PlanTrigger, *enrolment}
    assert {type(message) for message in MESSAGES.values()} == wanted


def test_golden_files_that_exist_are_never_rewritten(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(examples, "GOLDEN", tmp_path)
    (tmp_path / "ack.json").write_bytes(b"as it is in the field")
    examples.main()
    assert (tmp_path / "ack.json").read_bytes() == b"as it is in the field"
    assert (tmp_path / "birth.json").read_bytes() == (GOLDEN / "birth.json").read_bytes()


def test_the_golden_lifts_still_prove_that_nothing_was_changed() -> None:
    for record in envelope.decode((GOLDEN / "pack-lift.cbor").read_bytes(), CBOR).recs:
        lift = envelope.decode_data(record.k, record.d)
        assert isinstance(lift, Lift)
        assert evidence.holds(lift)
        assert not evidence.holds(msgspec.structs.replace(lift, net=999.0))
        assert not evidence.holds(msgspec.structs.replace(lift, prev="00" * 32))


def test_a_lifts_hash_outlives_a_contract_that_adds_a_field() -> None:
    class LaterLift(Lift, frozen=True, omit_defaults=True):
        volume: float | None = None

    (record, _) = PACKS["pack-lift"].recs
    assert evidence.holds(msgspec.json.decode(record.d, type=LaterLift))


def test_absent_values_are_not_on_the_wire_and_read_as_none() -> None:
    kind, data = envelope.encode_data(DATA["fuel"][1])
    assert (kind, data) == ("fuel", b"{}")
    fuel = envelope.decode_data("fuel", b'{"level":null}')
    assert fuel is not None
    assert fuel.level is None
