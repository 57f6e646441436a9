"""What the matrices rest on, without a server: the plan of what is asked, and which pairs a closed street may change."""

import numpy as np
from asty_cloud_api.roads.affected import affected
from asty_cloud_api.roads.blocks import plan
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays


@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=14)), st.integers(1, 60), st.integers(0, 20))
def test_every_wanted_pair_is_asked_once_and_in_blocks_small_enough(wanted: np.ndarray, largest: int, spare: int) -> None:
    asked = np.zeros(wanted.shape, int)
    for block in plan(wanted, largest, spare):
        assert block.pairs <= largest or len(block.sources) == 1
        part = np.ix_(block.sources, block.targets)
        assert block.pairs <= 2 * wanted[part].sum() + spare or len(block.sources) == 1
        asked[part] += 1
    assert asked.max(initial=0) <= 1
    assert (asked[wanted] == 1).all()


@st.composite
def graphs(draw: st.DrawFn) -> tuple[np.ndarray, tuple[int, int]]:
    """A directed graph as lengths of edges, inf where there is none, and one of its edges."""
    size = draw(st.integers(3, 9))
    lengths = np.full((size, size), np.inf)
    pairs = draw(st.lists(st.tuples(st.integers(0, size - 1), st.integers(0, size - 1), st.integers(1, 40)), min_size=3, max_size=40))
    for a, b, length in pairs:
        if a != b:
            lengths[a, b] = 2 * length
    edges = np.argwhere(np.isfinite(lengths))
    if not len(edges):
        lengths[0, 1], edges = 2.0, np.array([[0, 1]])
    a, b = edges[draw(st.integers(0, len(edges) - 1))]
    return lengths, (int(a), int(b))


def shortest(lengths: np.ndarray) -> np.ndarray:
    """Floyd and Warshall's times, NaN where there is no way."""
    times = lengths.copy()
    np.fill_diagonal(times, 0)
    for by in range(len(times)):
        times = np.minimum(times, times[:, by, None] + times[by])
    return np.where(np.isinf(times), np.nan, times).astype(np.float32)


@given(graphs())
def test_no_pair_whose_way_a_closure_changes_is_overlooked(drawn: tuple[np.ndarray, tuple[int, int]]) -> None:
    lengths, (a, b) = drawn
    before = shortest(lengths)
    half = np.float32(lengths[a, b] / 2)
    closed = lengths.copy()
    closed[a, b] = np.inf
    after = shortest(closed)
    touched = affected(before, before[:, [a]] + half, half + before[[b]], slack=0.0)
    changed = (np.isnan(before) != np.isnan(after)) | (np.nan_to_num(before) != np.nan_to_num(after))
    assert not (changed & ~touched).any()
