"""The promise of the whole: whatever is lost on the way, in the end everything is stored exactly once, or accounted for."""

import shutil
import tempfile
from pathlib import Path

import msgspec
from asty_contracts.life import Ack
from asty_contracts.records import Alarm, Gap, Position, Weight
from asty_edge.event import Event, Moment
from asty_edge.outbox import Outbox
from asty_edge.ranges import Ranges
from asty_edge.uplink.machine import Uplink
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

LANES = st.booleans()
EVERYTHING = 10_000


class Town:
    """The other end: a broker's log for each lane, and a store that takes a pack in one transaction."""

    def __init__(self):
        self.log = {False: [], True: []}
        self.ledger = Ranges()
        self.rows = {}
        self.gaps = Ranges()

    def store(self, lane, packs):
        for _ in range(min(packs, len(self.log[lane]))):
            for held in self.log[lane].pop(0):
                if held.s in self.ledger:
                    continue
                assert held.s not in self.rows, "stored twice"
                self.rows[held.s] = held
                self.ledger.add(held.s, held.s)
                if held.k == "gap":
                    ranges = Ranges(msgspec.json.decode(held.d, type=Gap).ranges)
                    self.gaps.update(ranges)
                    self.ledger.update(ranges)

    def ack(self, epoch):
        pairs = list(self.ledger)
        upto = pairs[0][1] if pairs and pairs[0][0] == 1 else 0
        above = [pair for pair in pairs if pair[0] > upto]
        starts = [upto, *(last for _, last in above)]
        miss = tuple((before + 1, first - 1) for before, (first, _) in zip(starts, above, strict=False))
        return Ack(epoch, upto, miss)


class Delivery(RuleBasedStateMachine):
    @initialize(max_bytes=st.sampled_from([1 << 20, 3000]))
    def begin(self, max_bytes):
        self.folder = Path(tempfile.mkdtemp())
        self.max_bytes = max_bytes
        self.now = 1_000_000
        self.town = Town()
        self.wire = []
        self.acks = []
        self.born = {}
        self.refused = 0
        self.sent_before_restart = Ranges()
        self.open()

    def open(self):
        self.outbox = Outbox.open(self.folder / "outbox.db", self.max_bytes)
        self.outbox._db.execute("PRAGMA synchronous = OFF")  # power cuts are tested elsewhere; here it only costs time
        self.machine = Uplink(self.outbox.epoch, self.outbox.acked, self.outbox.head)
        self.is_connected = False

    @rule(kinds=st.lists(st.sampled_from(["pos", "pos", "pos", "weight", "alarm"]), min_size=1, max_size=60))
    def append(self, kinds):
        when = Moment(self.now, self.now, "gnss")
        events = []
        for number, kind in enumerate(kinds):
            if kind == "pos":
                events.append(Event(when, Position(lat=40.0 + number, lon=22.0)))
            elif kind == "weight":
                events.append(Event(when, Weight(kg=float(number))))
            else:
                events.append(Event(when, Alarm(code=f"a{number}", on=True)))
        appended = self.outbox.append(events, self.machine.on_their_way)
        assert appended.refused <= kinds.count("pos"), "only positions may be refused"
        self.refused += appended.refused
        self.machine.appended(appended.first, appended.last, appended.urgent, self.now)
        for held in self.outbox.peek(Ranges([(appended.first, appended.last)]), EVERYTHING, 1 << 30):
            self.born[held.s] = held

    @rule(ms=st.sampled_from([10, 300, 1500, 12_000, 70_000]))
    def wait(self, ms):
        self.now += ms

    @precondition(lambda self: not self.is_connected)
    @rule()
    def connect(self):
        self.machine.connected(self.now)
        self.is_connected = True

    @precondition(lambda self: self.is_connected)
    @rule(arrives=st.lists(st.booleans(), max_size=8))
    def lose_the_connection(self, arrives):
        """Packs on the wire may still arrive, but their PUBACKs do not."""
        for keep, (_, held, lane) in zip([*arrives, *[False] * len(self.wire)], self.wire, strict=False):
            if keep:
                self.town.log[lane].append(held)
        self.wire.clear()
        self.machine.disconnected()
        self.is_connected = False

    @rule()
    def pump(self):
        while (want := self.machine.want(self.now)) is not None:
            held = self.outbox.peek(want.numbers, want.limit, 5000)
            pack = self.machine.sent(want, [one.s for one in held], self.now)
            if pack is not None:
                self.wire.append((pack, held, want.historical))

    @precondition(lambda self: self.is_connected)
    @rule(packs=st.integers(0, 8), ms=st.sampled_from([0, 1500]))
    def flow(self, packs, ms):
        """What usually happens, so that the unusual has something to break."""
        self.append(["pos", "weight", "pos", "alarm"])
        self.now += ms
        self.pump()
        if self.wire:
            self.broker_takes(packs)

    @precondition(lambda self: self.wire)
    @rule(packs=st.integers(1, 8))
    def broker_takes(self, packs):
        for _ in range(min(packs, len(self.wire))):
            pack, held, lane = self.wire.pop(0)
            self.town.log[lane].append(held)
            self.machine.puback(pack, self.now)

    @rule(lane=LANES, packs=st.integers(1, 8))
    def store(self, lane, packs):
        self.town.store(lane, packs)

    @rule(lane=LANES)
    def log_is_forgotten(self, lane):
        self.town.log[lane].clear()

    @rule(lane=LANES)
    def log_is_read_again(self, lane):
        self.town.log[lane] += self.town.log[lane][-5:]

    @rule(arrives=st.booleans())
    def acknowledge(self, arrives):
        ack = self.town.ack(self.outbox.epoch)
        self.acks.append(ack)
        if arrives:
            self.hear(ack)

    @precondition(lambda self: self.acks)
    @rule(data=st.data())
    def an_old_acknowledgement_arrives(self, data):
        self.hear(data.draw(st.sampled_from(self.acks)))

    def hear(self, ack):
        self.machine.acknowledged(ack, self.now)
        self.outbox.acknowledge(self.machine.acked)

    @rule(seldom=st.integers(0, 9))
    def edge_is_killed_and_starts_again(self, seldom):
        """Seldom, because a start sends everything again and so forgives what was lost before."""
        if seldom != 9:
            return
        self.sent_before_restart.update(self.machine.on_their_way)
        self.wire.clear()
        self.outbox.close()
        self.open()

    def teardown(self):
        if not hasattr(self, "town"):
            return
        try:
            self.settle()
        finally:
            self.outbox.close()
            shutil.rmtree(self.folder)

    def settle(self):
        if not self.is_connected:
            self.connect()
        for _ in range(400):
            self.pump()
            self.broker_takes(len(self.wire))
            for lane in (False, True):
                self.town.store(lane, EVERYTHING)
            self.hear(self.town.ack(self.outbox.epoch))
            if self.outbox.held == 0:
                break
            self.now = max(self.now + 1, self.machine.wake_at(self.now) or 0)
        self.judge()

    def judge(self):
        head = self.outbox.head
        assert self.outbox.held == 0, f"left behind: {self.machine._todo} {self.machine._out}"
        assert self.town.ledger == Ranges([(1, head)])
        assert self.town.rows.keys() | set().union(*[range(a, b + 1) for a, b in self.town.gaps]) == set(range(1, head + 1))
        both = self.town.gaps.common(Ranges.of(self.town.rows))
        both.subtract(self.sent_before_restart)
        assert not both, "given up, and yet stored"
        assert len(self.town.gaps) == self.outbox.given_up
        assert all(self.born[s].k == "pos" for first, last in self.town.gaps for s in range(first, last + 1) if s in self.born)
        assert all(self.town.rows[s] == self.born[s] for s in self.town.rows.keys() & self.born.keys())


Delivery.TestCase.settings = settings(max_examples=80, stateful_step_count=50, deadline=None)
TestDelivery = Delivery.TestCase
