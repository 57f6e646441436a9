"""What may be acknowledged, and when."""

from asty_ingest.window import Ticket, Window
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule


def test_acknowledgements_leave_in_the_order_of_arrival() -> None:
    window = Window(10, 1000)
    connection = window.begin()
    first, second, third = (window.take(connection, mid, 10) for mid in (1, 2, 3))
    assert window.settle(second) == []
    assert window.settle(first) == [1, 2]
    assert window.settle(third) == [3]


def test_nothing_of_an_older_connection_is_acknowledged() -> None:
    window = Window(10, 1000)
    old = window.take(window.begin(), 1, 10)
    new = window.take(window.begin(), 1, 10)
    assert window.settle(old) == []
    assert window.settle(new) == [1]


def test_what_kafka_did_not_take_holds_back_all_that_came_after_it() -> None:
    window = Window(10, 1000)
    connection = window.begin()
    failed, fine = window.take(connection, 1, 10), window.take(connection, 2, 10)
    assert window.give_up(failed), "the connection is to be broken off"
    assert window.settle(fine) == []
    assert window.count == 0


def test_a_failure_of_an_older_connection_breaks_off_nothing() -> None:
    window = Window(10, 1000)
    old = window.take(window.begin(), 1, 10)
    window.begin()
    assert not window.give_up(old)


def test_it_is_full_by_count_or_by_bytes_and_an_empty_one_takes_anything() -> None:
    window = Window(2, 100)
    assert window.has_room(1_000_000)
    connection = window.begin()
    one = window.take(connection, 1, 60)
    assert (window.has_room(40), window.has_room(41)) == (True, False)
    window.take(connection, 2, 1)
    assert not window.has_room(1)
    window.settle(one)
    assert window.has_room(99)


def test_a_message_of_qos_0_is_counted_and_not_acknowledged() -> None:
    window = Window(10, 1000)
    connection = window.begin()
    loose, owed = window.take(connection, 0, 10), window.take(connection, 5, 10)
    assert window.count == 2
    assert window.settle(owed) == [5]
    assert window.settle(loose) == []


class Deliveries(RuleBasedStateMachine):
    """Whatever happens in whatever order: acknowledged is a prefix of what came, and only what Kafka has."""

    def __init__(self) -> None:
        super().__init__()
        self.window = Window(1000, 1_000_000)
        self.connection = self.window.begin()
        self.mid = 0
        self.came: list[int] = []
        self.acked: list[int] = []
        self.in_kafka: set[int] = set()
        self.open: list[Ticket] = []

    @rule()
    def reconnect(self) -> None:
        self.connection = self.window.begin()
        self.came, self.acked = [], []

    @rule()
    def take(self) -> None:
        self.mid += 1
        self.came.append(self.mid)
        self.open.append(self.window.take(self.connection, self.mid, 1))

    @precondition(lambda self: self.open)
    @rule(data=st.data(), fails=st.booleans())
    def settle(self, data: st.DataObject, fails: bool) -> None:
        ticket = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
        if fails:
            assert self.window.give_up(ticket) == (ticket.connection == self.connection)
        else:
            self.in_kafka.add(ticket.mid)
            self.acked += self.window.settle(ticket)

    @invariant()
    def acknowledged_is_a_prefix_that_kafka_has(self) -> None:
        assert self.acked == self.came[: len(self.acked)]
        assert set(self.acked) <= self.in_kafka
        assert self.acked == self.came or self.came[len(self.acked)] not in self.in_kafka

    @invariant()
    def the_count_is_what_kafka_holds(self) -> None:
        assert (self.window.count, self.window.bytes) == (len(self.open), len(self.open))


TestDeliveries = Deliveries.TestCase


@given(st.integers(1, 50), st.lists(st.integers(1, 300)))
def test_what_has_room_never_exceeds_the_bounds(most: int, sizes: list[int]) -> None:
    window = Window(most, 1000)
    connection = window.begin()
    for mid, size in enumerate(sizes, 1):
        if window.has_room(size):
            window.take(connection, mid, size)
    assert window.count <= most
    assert window.bytes <= 1000
