"""Peers are judged by what the database holds, and never become a part of this project."""

import tomllib
from pathlib import Path

import psycopg
import pytest
from asty_appliance.bench.peers import catalogue
from asty_appliance.bench.peers.contenders import TABLE, PeerContender, batch
from asty_appliance.bench.peers.contest import Contest, Entry, as_table
from asty_appliance.bench.peers.trials import Fault, Speed
from asty_appliance.home import CHECKOUT
from asty_contracts.envelope import decode

PEERS = catalogue.peers()


def test_every_folder_of_a_peer_says_what_it_is_and_runs_a_file_that_is_there(tmp_path: Path) -> None:
    assert {it.name for it in PEERS} >= {"aiomqtt_executemany", "paho_copy", "mq_bridge", "pathway", "node_red"}
    for peer in PEERS:
        words, _ = catalogue.command(peer, tmp_path, tmp_path, 1883, "postgresql://x")
        files = [Path(word) for word in words if word.startswith(str(catalogue.HERE))]
        assert files, peer.name
        assert all(file.resolve().exists() for file in files), peer.name
        assert peer.about
        assert bool(peer.python) != bool(peer.node)


def test_what_only_a_peer_needs_is_no_dependency_of_ours() -> None:
    named = {catalogue.bare(it) for peer in PEERS for it in peer.python + peer.node} - {"aiomqtt", "paho-mqtt", "psycopg"}
    ours = set()
    for path in CHECKOUT.glob("*/pyproject.toml"):
        ours |= {catalogue.bare(it) for it in tomllib.loads(path.read_text())["project"].get("dependencies", [])}
    assert named
    assert not named & ours


def test_a_batch_has_the_same_whole_packs_of_every_edge_and_ends_where_it_says() -> None:
    wanted = batch(1000, 20, fleet=7)
    by_topic: dict[str, list[int]] = {}
    for topic, payload in wanted.messages():
        pack = decode(payload)
        by_topic.setdefault(topic, []).extend(it.s for it in pack.recs)
        assert len(pack.recs) == 20
        last = pack.recs[-1].t
    assert len(by_topic) == 7
    assert all(numbers == list(range(1, wanted.each + 1)) for numbers in by_topic.values())
    assert sum(map(len, by_topic.values())) == wanted.readings >= 1000
    assert last == wanted.start + (wanted.each - 1) * 200


@pytest.fixture
def counted(postgres: object) -> PeerContender:
    contender = object.__new__(PeerContender)
    contender._dsn = str(postgres)
    with psycopg.connect(contender._dsn) as connection:
        connection.execute(TABLE.format(columns=""))
    return contender


def test_a_lost_and_a_doubled_reading_of_a_peer_are_both_counted(counted: PeerContender) -> None:
    wanted = batch(40, 20, fleet=2)
    with psycopg.connect(counted._dsn) as connection:
        for edge in wanted.fleet:
            for s in [*range(1, wanted.each), 1, 1]:
                connection.execute(
                    "INSERT INTO peer.position (t, ep, s) VALUES (to_timestamp(%s / 1000.0), %s, %s)",
                    [wanted.start + (s - 1) * 200, str(edge.ep), s],
                )
        connection.commit()
        assert counted.stored(wanted) == (wanted.readings - 2, 4)
        assert not counted.has_all(wanted)
        for edge in wanted.fleet:
            connection.execute(
                "INSERT INTO peer.position (t, ep, s) VALUES (to_timestamp(%s / 1000.0), %s, %s)",
                [wanted.start + (wanted.each - 1) * 200, str(edge.ep), wanted.each],
            )
    assert counted.has_all(wanted)


def test_the_table_says_why_a_peer_has_no_figures() -> None:
    fine = Entry("Asty", "ours", {}, "", [Speed(1, 100, 50, None, "live: 3 of 100 after 300 s")], [Fault("kill -9", 200, 0, 0, 4.0)], "")
    absent = Entry("Other", "theirs", {}, "", [], [], "could not be installed: no wheel")
    text = as_table(Contest("a machine", "2026-11-24T10:00:00Z", 1000, [fine, absent]))
    assert "could not be installed: no wheel" in text
    assert "live: 3 of 100 after 300 s" in text
    assert "0, 0 of 200" in text
