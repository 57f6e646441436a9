"""Each edge has one shard."""

from asty_ingest import shards
from asty_ingest.settings import Shard
from hypothesis import given
from hypothesis import strategies as st


@given(st.from_regex(r"[a-z0-9-]{1,32}", fullmatch=True), st.integers(1, 9))
def test_an_edge_belongs_to_exactly_one_shard(edge: str, count: int) -> None:
    assert sum(shards.belongs(edge, Shard(index, count)) for index in range(count)) == 1


def test_where_an_edge_belongs_never_changes() -> None:
    edges = ("truck-01", "truck-02", "truck-04", "truck-05", "gateway-1")
    assert [edge for edge in edges if shards.belongs(edge, Shard(0, 2))] == ["truck-01", "truck-02", "gateway-1"]


def test_a_fleet_is_spread_over_the_shards() -> None:
    shares = [sum(shards.belongs(f"truck-{n:03}", Shard(index, 4)) for n in range(400)) for index in range(4)]
    assert min(shares) > 60


def test_one_shard_listens_to_every_edge() -> None:
    assert shards.filters("demo", Shard(), ()) == ["asty/1/demo/+/up/state", "asty/1/demo/+/up/birth", "asty/1/demo/+/up/rec"]


def test_one_of_several_listens_to_all_states_and_to_the_edges_that_it_knows() -> None:
    assert shards.filters("demo", Shard(0, 2), ["truck-01"]) == [
        "asty/1/demo/+/up/state",
        "asty/1/demo/truck-01/up/birth",
        "asty/1/demo/truck-01/up/rec",
    ]
