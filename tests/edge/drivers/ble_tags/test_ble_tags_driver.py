"""Vests: what their tags advertise, who they are, and whether the scanner is scanning."""

import pytest
from asty_edge.drivers.ble_tags import bthome
from asty_edge.drivers.ble_tags.codec import APPLE, EDDYSTONE, battery_of, decode_eddystone, decode_ibeacon
from asty_edge.drivers.ble_tags.heartbeat import Heartbeat
from asty_edge.drivers.ble_tags.roster import Roster, VestTag
from asty_edge.drivers.framing import Bad
from asty_edge.reading import BeaconHeard
from asty_edge.transports.ble import Advertisement
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from hypothesis import given
from hypothesis import strategies as st

MAC = "54:48:E6:8F:80:A5"
KEY = bytes.fromhex("231d39c1d7cc1ab1aee224cd096db932")
UID = bytes.fromhex("00ee4e414d45535041434531494e535430310000")
UID_NAME = "4e414d45535041434531/494e53543031"


def heard(address: str = MAC, *, manufacturer: bytes | None = None, eddystone: bytes | None = None, bthome_: bytes | None = None):
    service = {uuid: data for uuid, data in ((EDDYSTONE, eddystone), (bthome.BTHOME, bthome_)) if data is not None}
    return Advertisement(7, address, {} if manufacturer is None else {APPLE: manufacturer}, service, -60)


def sealed(objects: bytes, counter: int, key: bytes = KEY, info: bytes = b"\x41") -> bytes:
    count = counter.to_bytes(4, "little")
    box = AESCCM(key, tag_length=4).encrypt(bytes.fromhex(MAC.replace(":", "")) + b"\xd2\xfc" + info + count, objects, None)
    return info + box[:-4] + count + box[-4:]


def roster(key: bytes | None = KEY) -> Roster:
    return Roster.of("vests", [VestTag(MAC, "bthome", key), VestTag(UID_NAME, "eddystone")])


def test_captured_advertisements_say_what_their_source_says(frames):
    for frame in frames("ble_tags"):
        manufacturer = {APPLE: bytes.fromhex(frame["manufacturer"])} if "manufacturer" in frame else {}
        service = {frame["service"]: frame["bytes"]} if "service" in frame else {}
        vest = frame["vest"]
        known = Roster.of("vests", [VestTag(vest["id"], vest["kind"], bytes.fromhex(vest["key"]) if "key" in vest else None)])
        found = known.hear(Advertisement(7, frame["address"], manufacturer, service, -60))
        assert isinstance(found, BeaconHeard), frame["from"]
        assert {key: getattr(found, key) for key in frame["says"]} == frame["says"], frame["from"]
        assert all(getattr(found, key) is None for key in frame["unknown"]), frame["from"]
        assert Roster.of("vests", []).hear(Advertisement(7, frame["address"], manufacturer, service, -60)) is None


def test_an_encrypted_vest_tells_battery_and_movement_and_is_authentic():
    found = roster().hear(heard(bthome_=sealed(bytes.fromhex("0007 0161 2201"), 1)))
    assert found == BeaconHeard("vests", 7, MAC, -60, battery=97.0, moving=True, authentic=True)


def test_a_replayed_advertisement_is_bad_and_a_repeated_one_is_nothing():
    vests = roster()
    first, second = (heard(bthome_=sealed(b"\x22\x01", counter)) for counter in (5, 6))
    assert isinstance(vests.hear(first), BeaconHeard)
    assert vests.hear(first) is None
    assert isinstance(vests.hear(second), BeaconHeard)
    replayed = vests.hear(first)
    assert isinstance(replayed, Bad)
    assert "replayed" in replayed.why
    assert isinstance(vests.hear(heard(bthome_=sealed(b"\x22\x00", 6))), Bad)


def test_a_forged_vest_does_not_move_the_counter():
    vests = roster()
    assert isinstance(vests.hear(heard(bthome_=sealed(b"\x22\x01", 4_000_000_000, key=bytes(16)))), Bad)
    assert isinstance(vests.hear(heard(bthome_=sealed(b"\x22\x01", 1))), BeaconHeard)


@given(place=st.integers(0, 14), flip=st.integers(1, 255))
def test_a_damaged_encrypted_advertisement_is_never_believed(place, flip):
    whole = sealed(bytes.fromhex("0007 0161 2201"), 77)
    broken = whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :]
    assert isinstance(bthome.decode(MAC, broken, KEY), Bad)


def test_a_vest_with_a_key_is_not_heard_in_clear_nor_one_without_a_key_encrypted():
    assert isinstance(roster(KEY).hear(heard(bthome_=bytes.fromhex("40 2201"))), Bad)
    assert isinstance(roster(None).hear(heard(bthome_=sealed(b"\x22\x01", 1))), Bad)
    assert isinstance(roster(None).hear(heard(bthome_=bytes.fromhex("40 2201"))), BeaconHeard)


@pytest.mark.parametrize(
    ("objects", "battery", "moving"),
    [
        ("", None, None),
        ("0163", 99.0, None),
        ("0CC409", 50.0, None),
        ("0163 0CC409", 99.0, None),
        ("02CA09 03BF13 2201", None, True),
        ("FE01 2201", None, None),  # an unknown object has an unknown length: nothing behind it is read
    ],
)
def test_objects_of_bthome(objects, battery, moving):
    assert bthome.decode(MAC, b"\x40" + bytes.fromhex(objects), None) == bthome.Vest(battery, moving, None)


@pytest.mark.parametrize("data", ["", "20 2201", "40 22", "40 01FF", "40 2207", "40 0CC4", "41 0011223344"])
def test_what_is_no_bthome_is_bad(data):
    assert isinstance(bthome.decode(MAC, bytes.fromhex(data), None), Bad)


@given(st.binary(max_size=40))
def test_no_advertisement_raises(data):
    decode_ibeacon(data)
    decode_ibeacon(b"\x02\x15" + data)
    decode_eddystone(data)
    decode_eddystone(b"\x20\x00" + data)
    for info in (b"", b"\x40", b"\x41", b"\x45"):
        for key in (None, KEY):
            bthome.decode(MAC, info + data, key)


def test_a_battery_frame_of_eddystone_belongs_to_the_address_that_said_who_it_is():
    vests = roster()
    tlm = bytes.fromhex("2000 0af0 1580 00000001 00000002")
    assert vests.hear(heard("C0:00:00:00:00:02", eddystone=tlm)) is None
    assert vests.hear(heard("C0:00:00:00:00:02", eddystone=UID)) == BeaconHeard("vests", 7, UID_NAME, -60)
    assert vests.hear(heard("C0:00:00:00:00:02", eddystone=tlm)) == BeaconHeard("vests", 7, UID_NAME, -60, battery=80.0)
    assert vests.hear(heard("C0:00:00:00:00:03", eddystone=tlm)) is None


def test_an_eddystone_tag_that_changes_its_address_leaves_nothing_behind():
    vests = roster()
    for number in range(1000):
        vests.hear(heard(f"C0:00:00:00:{number // 256:02X}:{number % 256:02X}", eddystone=UID))
    assert len(vests._eddystone_at) == 1


@pytest.mark.parametrize("data", ["10 00 03", "30 00", "20 01 00", ""])
def test_other_frames_of_eddystone_are_passed_over(data):
    assert decode_eddystone(bytes.fromhex(data)) is None


@pytest.mark.parametrize(("millivolts", "battery"), [(0, None), (1500, 0.0), (2000, 0.0), (2500, 50.0), (3000, 100.0), (3600, 100.0)])
def test_the_battery_of_a_coin_cell(millivolts, battery):
    assert battery_of(millivolts) == battery


class TestHeartbeat:
    def beats(self, heartbeat: Heartbeat, until: int, *, adverts: tuple[int, ...] = (), restart_works: bool = True) -> list[str]:
        told = []
        for now in range(0, until + 1, 1000):
            for at in adverts:
                if now - 1000 < at <= now:
                    heartbeat.heard(at)
            if now >= heartbeat.next:
                beat = heartbeat.beat(now)
                told.append(beat)
                if beat == "restart" and restart_works:
                    told.append(heartbeat.restarted(now))
        return told

    def test_while_anything_is_heard_the_scanner_is_alive_at_every_beat(self):
        assert self.beats(Heartbeat(5000, 0), 60_000, adverts=tuple(range(0, 60_000, 4000))) == ["alive"] * 13

    def test_after_two_silent_beats_discovery_is_restarted_and_believed_once(self):
        assert self.beats(Heartbeat(5000, 0), 20_000) == ["alive", "alive", "restart", "alive", "alive", "restart", "doubtful"]

    def test_a_scanner_that_hears_nothing_after_a_restart_is_not_called_alive_again(self):
        told = self.beats(Heartbeat(5000, 0), 300_000)
        assert "alive" not in told[5:]
        assert told.count("restart") == 30

    def test_the_first_advertisement_ends_the_doubt(self):
        told = self.beats(Heartbeat(5000, 0), 70_000, adverts=(61_000,))
        assert told[-2:] == ["alive", "alive"]
