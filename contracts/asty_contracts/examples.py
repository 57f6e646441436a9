"""One example of every message, and the golden bytes that were once written from it.

`python -m asty_contracts.examples` writes what `golden/` lacks and never changes a file that is there: those bytes are in the field.
"""

from pathlib import Path
from uuid import UUID

import msgspec
from msgspec import Raw, Struct

from asty_contracts import envelope, groups, typed
from asty_contracts.enrolment import EnrolmentAnswer, EnrolmentRefused, EnrolmentRequest
from asty_contracts.envelope import CBOR, Pack, Record
from asty_contracts.evidence import chained
from asty_contracts.life import Ack, Birth, Command, DeviceInfo, PointInfo, State
from asty_contracts.records import (
    Alarm,
    BinSeen,
    DeviceHealth,
    Driver,
    Engine,
    Fuel,
    Gap,
    Health,
    Level,
    Lift,
    Position,
    Ppe,
    RecordData,
    Weight,
)
from asty_contracts.stream import Alert, BinLifted, Delivered, EdgeLife, PlanTrigger, Refused

GOLDEN = Path(__file__).parent / "golden"
EPOCH = UUID("5d0f3c7e-8a41-4b62-9c1e-2f6d7a8b9c01")
SESSION = UUID("0b9e4c58-17d2-4f3a-8e65-91a2b3c4d5e6")
T = 1_795_000_000_123  # 2026-11-18T11:06:40.123Z
TAG = "00000499602D2000"

DATA: dict[str, tuple[RecordData, RecordData]] = {
    "pos": (Position(40.770031, 22.390752, v=4.1, course=84.4, alt=97.5, sats=11, hdop=0.8, fix="dgps"), Position(40.77, 22.39)),
    "lift": (
        chained(
            Lift(
                cycle=412,
                started=T - 9000,
                ended=T,
                tag=TAG,
                std="fdxb",
                others=("E28011700000020F",),
                gross=142.5,
                tare=24.5,
                net=118.0,
                stable=True,
                lat=40.770031,
                lon=22.390752,
                fix="gps",
                fix_age=420,
                flags=("two_tags",),
            ),
            prev="9f64a747e1b97f131fabb6b447296c9b6f0201e79fb3c5356e6c77e89b6a806a",
        ),
        chained(Lift(cycle=1, started=T - 8000, ended=T, flags=("no_tag", "no_weight", "no_fix")), prev=""),
    ),
    "bin": (BinSeen(TAG, "fdxb", 40.770031, 22.390752), BinSeen("06001259E3", "em4100")),
    "weight": (Weight(1840.5, net=True), Weight(0.0)),
    "fuel": (Fuel(61.2, 183.6, 4.35, 20_411.5, ignition="yes", pto="no", src="modbus"), Fuel()),
    "engine": (Engine(rpm=1450.125, v=4.2, dist=81_230_445.0, hours=6120.35), Engine()),
    "ppe": (
        Ppe("f7826da64fa24e988024bc5b71e0893e/12/345", "yes", battery=88.0, seen=T - 1500),
        Ppe("f7826da64fa24e988024bc5b71e0893e/12/346", "unknown"),
    ),
    "alarm": (
        Alarm("scale_fault", on=True, device="scale", severity="critical", info="over its range"),
        Alarm("gnss_lost", on=False),
    ),
    "gap": (Gap(((100, 119), (130, 130)), n=21, kind="pos", why="outbox_full"), Gap(((5, 5),), n=1)),
    "health": (
        Health(
            up=86_400,
            head=84_512,
            acked=84_400,
            held=112,
            bytes=65_536,
            rss=41_000_000,
            disk=3_000_000_000,
            devices={"scale": DeviceHealth("up", frames=90_000, bad=3, heard=T, why="3 checksums"), "lift": DeviceHealth("lost")},
        ),
        Health(up=0, head=0, acked=0, held=0),
    ),
    "driver": (Driver("skip", bin="K-0042", reason="blocked", photo="2026/11/18/7f3a.jpg", note="Σταθμευμένο αυτοκίνητο"), Driver("break")),
    "level": (
        Level(TAG, "24E124713B042517", 86.4, 0.345, full_at=75.0, battery=92.0, tilt="no", rssi=-97.0, n=1204),
        Level(TAG, "24E124713B042517"),
    ),
}
"""By kind: the data with every field set, and with none that may be absent."""


def _pack(kind: str, *data: RecordData) -> Pack:
    records = [Record(84_512 + n, T + n, kind, Raw(envelope.encode_data(each)[1]), 553_211 + n, "gnss") for n, each in enumerate(data)]
    return Pack(EPOCH, records)


def _pem(what: str) -> str:
    """Write something as a certificate is written; nothing is in it."""
    return f"-----BEGIN {what}-----\nMAA=\n-----END {what}-----\n"


PACKS: dict[str, Pack] = {
    **{f"pack-{kind}": _pack(kind, *both) for kind, both in DATA.items()},
    "pack-backlog": msgspec.structs.replace(_pack("pos", *DATA["pos"]), h=True),
    "pack-empty": Pack(EPOCH, []),
}
_STATE = State(up=True, session=SESSION, n=17, at=T, ep=EPOCH, head=84_512)
MESSAGES: dict[str, Struct] = {
    "birth": Birth(
        "truck-01",
        "truck",
        "asty-edge 0.1.0",
        "3f1c9a",
        SESSION,
        EPOCH,
        T,
        devices=(DeviceInfo("scale", "scale", (PointInfo("kg", "kg", "weight on the lift"),)), DeviceInfo("gnss", "nmea")),
    ),
    "state": _STATE,
    "state-will": State(up=False, session=SESSION, n=17, at=T),
    "ack": Ack(EPOCH, 84_400, ((84_410, 84_412), (84_420, 84_420))),
    "ack-refused": Ack(EPOCH, 84_400, ((84_410, 84_412),), alone=((84_401, 84_405),), refused=((84_407, 84_407),)),
    "command": Command("c-1", "rebirth"),
    "delivered": Delivered("demo", "truck-01", T + 900, PACKS["pack-lift"]),
    "edge-life": EdgeLife("demo", "truck-01", T + 900, "state", Raw(msgspec.json.encode(_STATE))),
    "refused": Refused("asty/1/demo/truck-01/up/rec", "truck-01", T, "malformed", "truncated", 9, b'{"v":1,"e'),
    "refused-pack": Refused(
        "asty/1/demo/truck-01/up/rec",
        "truck-01",
        T,
        "malformed",
        "time 1 of sequence 84407 is no time",
        812,
        b'{"v":1,"e',
        EPOCH,
        ((84_401, 84_405), (84_407, 84_407)),
    ),
    "alert": Alert("demo", "truck-01", T, "scale_fault", on=True, severity="critical", live=True, device="scale", info="over its range"),
    "bin-lifted": BinLifted("demo", "truck-01", EPOCH, 84_512, T, TAG, 118.0, 40.770031, 22.390752),
    "enrolment-request": EnrolmentRequest(_pem("CERTIFICATE REQUEST"), _pem("CERTIFICATE"), b"\x30\x06\x02\x01\x01\x02\x01\x02"),
    "enrolment-answer": EnrolmentAnswer(
        "approved", "truck-01", "3F2A-91BC-04D7-55E0-8812-6A9F-C0DE-77B3", _pem("CERTIFICATE"), _pem("CERTIFICATE")
    ),
    "enrolment-waiting": EnrolmentAnswer("waiting", "truck-01", "3F2A-91BC-04D7-55E0-8812-6A9F-C0DE-77B3"),
    "enrolment-refused": EnrolmentRefused("the claim was used up", "ask the town's office for a new claim"),
    "plan-trigger": PlanTrigger(
        UUID("7c1f5a90-3f0b-4f1e-9d53-0a1b2c3d4e5f"), T, "skip", "K-0042", "driver", {"edge": "truck-01", "reason": "no_access"}
    ),
}

DELIVERED_GROUP = [Delivered("demo", f"truck-0{n}", T + 900 + n, PACKS[name]) for n, name in enumerate(("pack-pos", "pack-lift"), 1)]
"""One message of telemetry.v1 as ingest wrote it before there were columns."""


NEWER = Pack(EPOCH, [Record(s=9, t=T, k="tyre", d=Raw(b'{"bar":8.1}'))])
"""A pack of a later version, with a kind that this one does not know."""


LATER = ("pack-level",)
"""Kinds that came after the golden group was written; they are in a group of their own."""


def _sent(pack: Pack) -> groups.Sent:
    text = envelope.encode(pack)
    return groups.Sent("truck-01", T + 900, text, typed.read(text))


def golden_bytes() -> dict[str, bytes]:
    """Return what each golden file should hold, by its name."""
    files = {f"{name}.json": msgspec.json.encode(message) for name, message in MESSAGES.items()}
    files["delivered-group.json"] = msgspec.json.encode(DELIVERED_GROUP)
    first = [_sent(pack) for name, pack in PACKS.items() if name not in LATER]
    files["group.msgpack"] = groups.encode("demo", [*first, _sent(NEWER)])
    files["group-later.msgpack"] = groups.encode("demo", [_sent(PACKS[name]) for name in LATER])
    for name, pack in PACKS.items():
        files[f"{name}.json"] = envelope.encode(pack)
        files[f"{name}.cbor"] = envelope.encode(pack, CBOR)
    return files


def main() -> None:
    """Write the golden files that are not there yet."""
    GOLDEN.mkdir(exist_ok=True)
    for name, content in golden_bytes().items():
        if not (GOLDEN / name).exists():
            (GOLDEN / name).write_bytes(content)


if __name__ == "__main__":
    main()
