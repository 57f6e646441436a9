"""Which messages are in flight between MQTT and Kafka, and which of them may be acknowledged. Waits for nothing, locks nothing."""

from collections import deque
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Ticket:
    """One message in flight: its MQTT id, its size, the connection it came by."""

    connection: int
    mid: int
    size: int
    settled: bool = False


class Window:
    """Messages in flight, bounded by count and bytes.

    Acknowledgements leave in the order in which the messages came (MQTT 5, 4.6), and only on the connection that brought them:
    after a reconnect the broker sends again what was not acknowledged. What Kafka still holds of an older connection counts as in
    flight until it is settled.
    """

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._order: deque[Ticket] = deque()
        self._connection = 0
        self.count = 0
        self.bytes = 0

    def begin(self) -> int:
        """A new connection begins: nothing of the older ones is acknowledged any more. Return its number."""
        self._connection += 1
        self._order.clear()
        return self._connection

    def has_room(self, size: int) -> bool:
        """Tell whether a message of that size may be taken; an empty window takes any."""
        return self.count == 0 or (self.count < self._most and self.bytes + size <= self._most_bytes)

    def take(self, connection: int, mid: int, size: int) -> Ticket:
        ticket = Ticket(connection, mid, size)
        if connection == self._connection and mid:  # QoS 0 has no id and is not acknowledged
            self._order.append(ticket)
        self.count += 1
        self.bytes += size
        return ticket

    def settle(self, ticket: Ticket) -> list[int]:
        """Kafka has the message: return the MQTT ids that may be acknowledged now, in their order."""
        self._leave(ticket)
        ticket.settled = True
        ready = []
        while self._order and self._order[0].settled:
            ready.append(self._order.popleft().mid)
        return ready

    def give_up(self, ticket: Ticket) -> bool:
        """Kafka did not take the message. Tell whether its connection is still the current one, which then has to be broken off."""
        self._leave(ticket)
        return ticket.connection == self._connection

    def _leave(self, ticket: Ticket) -> None:
        self.count -= 1
        self.bytes -= ticket.size
