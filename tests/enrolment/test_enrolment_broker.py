"""What the broker's door keeps: proved on a real mosquitto that runs the generated configuration."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asty_cloud_api.enrolment import keys, office
from asty_cloud_api.enrolment.authority import Authority

UP, DOWN = "asty/1/demo/{}/up/rec", "asty/1/demo/{}/dn/ack"


def test_an_enrolled_edge_is_heard_by_ingest_and_hears_its_acknowledgement(town: Any) -> None:
    truck = town.connect(town.enrolled("truck-1"))
    ingest, stream = town.connect(town.service("asty-ingest")), town.connect(town.service("asty-stream"))
    ingest.subscribe("asty/1/demo/+/up/rec")
    truck.subscribe(DOWN.format("truck-1"))
    assert truck.publish(UP.format("truck-1"), b"pack") == "Success"
    assert ingest.hears() == (UP.format("truck-1"), b"pack")
    assert stream.publish(DOWN.format("truck-1"), b"ack", retain=True) == "Success"
    assert truck.hears() == (DOWN.format("truck-1"), b"ack")


def test_an_edge_cannot_write_in_the_name_of_another(town: Any) -> None:
    credentials = town.enrolled("truck-2")
    ingest = town.connect(town.service("asty-ingest"))
    ingest.subscribe("asty/1/demo/+/up/rec")
    for topic in (UP.format("truck-1"), DOWN.format("truck-1"), DOWN.format("truck-2"), "asty/1/other/truck-2/up/rec", "any"):
        thief = town.connect(credentials)  # mosquitto ends a connection over which it has denied something
        assert thief.publish(topic, b"forged") == "Not authorized"
    town.connect(credentials).publish(UP.format("truck-2"), b"own")
    assert ingest.hears() == (UP.format("truck-2"), b"own")


def test_an_edge_cannot_read_what_is_said_to_or_by_another(town: Any) -> None:
    spy, victim, stream = (town.connect(one) for one in (town.enrolled("truck-3"), town.enrolled("truck-4"), town.service("asty-stream")))
    for topic in ("#", "asty/1/demo/+/dn/ack", UP.format("truck-4"), "$SYS/#"):
        spy.subscribe(topic)
    stream.publish(DOWN.format("truck-4"), b"for truck-4", retain=True)
    victim.publish(UP.format("truck-4"), b"from truck-4")
    stream.publish(DOWN.format("truck-3"), b"for truck-3")
    assert spy.hears() == (DOWN.format("truck-3"), b"for truck-3")


def test_an_edge_cannot_take_over_another_ones_session(town: Any) -> None:
    victim = town.connect(town.enrolled("truck-5"), "asty-demo-truck-5")
    thief = town.connect(town.enrolled("truck-6"), "asty-demo-truck-5", clean=False)
    assert thief.is_in
    assert victim.publish(UP.format("truck-5"), b"still here") == "Success"
    assert victim.gone.empty()


def test_a_revoked_edge_is_cut_off_at_once_and_stays_out(town: Any) -> None:
    credentials, neighbour = town.enrolled("truck-7"), town.connect(town.enrolled("truck-8"))
    truck = town.connect(credentials)
    assert truck.is_in
    assert town.office.revoke("truck-7", "officer", "stolen") == 1
    assert truck.gone.get(timeout=20)
    assert not town.connect(credentials).is_in
    assert neighbour.publish(UP.format("truck-8")) == "Success"
    assert neighbour.gone.empty()


def test_two_edges_revoked_in_the_same_second_are_both_out(town: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    both = [town.enrolled("truck-9"), town.enrolled("truck-10")]
    now = datetime.now(UTC)
    monkeypatch.setattr(office, "_now", lambda: now)
    for edge in ("truck-9", "truck-10"):
        town.office.revoke(edge, "officer", "sold")
    assert [town.connect(one).is_in for one in both] == [False, False]


def test_a_revoked_edge_is_in_again_after_a_new_enrolment(town: Any) -> None:
    town.enrolled("truck-11")
    town.office.revoke("truck-11", "officer", "lost")
    assert town.connect(town.enrolled("truck-11")).is_in


def test_the_old_gateway_of_a_truck_is_out_once_its_new_one_is_in(town: Any) -> None:
    old = town.enrolled("truck-12")
    connected = town.connect(old)
    new = town.enrolled("truck-12")
    assert connected.gone.get(timeout=20)
    assert not town.connect(old).is_in
    assert town.connect(new).is_in


def test_an_expired_certificate_is_refused(town: Any) -> None:
    assert not town.connect(town.signed("truck-13", datetime.now(UTC) - timedelta(days=366))).is_in
    assert town.connect(town.signed("truck-13")).is_in


def test_a_certificate_of_another_authority_is_refused_even_with_the_same_name(town: Any) -> None:
    foreign = Authority.create("town", "demo", datetime.now(UTC))
    assert not town.connect(town.signed("truck-1", by=foreign)).is_in


def test_a_claim_opens_nothing_at_the_broker(town: Any) -> None:
    key = keys.new_key()
    claim = town.folder.claims().claim("truck-1", key.public_key(), datetime.now(UTC))
    assert not town.connect(type(town.signed("any"))(claim, key)).is_in


def test_the_brokers_own_certificate_is_no_clients(town: Any) -> None:
    stem = town.folder.broker / "broker"
    own = town.service("../broker/broker")
    assert stem.with_suffix(".key").exists()
    assert not town.connect(own).is_in


@pytest.mark.parametrize("tls", [True, False], ids=["no certificate", "plain text"])
def test_nobody_comes_in_without_a_certificate(town: Any, tls: bool) -> None:
    assert not town.connect(None, tls=tls).is_in
