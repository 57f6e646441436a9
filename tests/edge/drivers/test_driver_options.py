"""A wrong `[[device]]` table is told in words, all of it at once, before anything is opened."""

import pytest
from asty_edge import drivers
from asty_edge.device import DeviceMisconfiguredError, DeviceSettings

RIGHT = {
    "rfid_fdxb": {"port": "/dev/none"},
    "rfid_em4100": {"port": "/dev/none", "baud": 19200, "framing": "7E1"},
    "scale": {"port": "/dev/none", "dialect": "toledo"},
    "nmea": {"port": "/dev/none"},
    "lift_modbus": {"transport": "tcp", "host": "192.0.2.1", "poll_ms": 50, "word_order": "little", "base": 100},
    "fuel_modbus": {"transport": "rtu", "port": "/dev/none", "device_id": 7, "tank": 300},
    "level_lorawan": {
        "udp_port": 1700,
        "sensors": [
            {
                "id": "24E124713B042517",
                "address": "260B1F2A",
                "nwkskey": "0" * 32,
                "appskey": "1" * 32,
                "bin": "00004B10CA0C0016",
                "empty_mm": 1300,
                "full_mm": 300,
                "full_at": 75,
            }
        ],
    },
    "j1939": {"interface": "socketcan", "channel": "can0", "tank": 300.5},
    "ble_tags": {
        "adapter": "hci1",
        "vests": [
            {"id": "f7826da6-4fa2-4e98-8024-bc5b71e0893e/1/65535", "kind": "ibeacon"},
            {"id": "4e414d45535041434531/494e53543031", "kind": "eddystone"},
            {"id": "54:48:E6:8F:80:A5", "kind": "bthome", "key": "231d39c1d7cc1ab1aee224cd096db932"},
        ],
    },
}
WRONG = [
    ("rfid_fdxb", {}, ["port is missing: expected the path of a serial port"]),
    ("rfid_fdxb", {"port": "x", "dialect": "uhf"}, ["dialect = 'uhf': expected one of \"wl134\", \"tiris\""]),
    ("scale", {"port": 3, "baud": "fast", "framing": "9N1"}, ["port = 3", "baud = 'fast': expected a whole number", "framing = '9N1'"]),
    ("nmea", {"port": "x", "prot": 1}, ["prot: no such key, this driver knows baud, framing, port"]),
    ("nmea", {"port": "x", "baud": True}, ["baud = True"]),
    ("lift_modbus", {}, ["transport is missing: expected one of \"tcp\", \"rtu\"", "host is missing"]),
    ("lift_modbus", {"transport": "tcp", "host": "h", "tcp_port": 70000, "poll_ms": 1}, ["tcp_port = 70000", "poll_ms = 1"]),
    ("lift_modbus", {"transport": "rtu", "port": "x", "host": "h"}, ["host: no such key"]),
    ("lift_modbus", {"transport": "tcp", "host": "h", "word_order": "middle"}, ["word_order = 'middle'"]),
    ("fuel_modbus", {"transport": "tcp", "host": "h", "tank": "full"}, ["tank = 'full': expected a number from 1 to 5000"]),
    ("j1939", {"interface": "virtual", "channel": "x"}, ["interface = 'virtual'"]),
    ("j1939", {"interface": "udp_multicast", "channel": "239.1.1.1"}, ["port is missing"]),
    ("j1939", {"interface": "slcan", "channel": "/dev/x", "bitrate": 123456}, ["bitrate = 123456"]),
    ("level_lorawan", {"udp_port": 0, "sensors": []}, ["udp_port = 0", "sensors = []"]),
    ("ble_tags", {"vests": []}, ["vests = []: expected a list of at least one table"]),
    ("ble_tags", {"vests": [{"id": "x", "kind": "wifi"}]}, ["vests[0].kind = 'wifi'"]),
    ("ble_tags", {"vests": [{"id": "54:48:e6:8f:80:a5", "kind": "bthome"}]}, ["vests[0].id = '54:48:e6:8f:80:a5': expected the tag"]),
    ("ble_tags", {"vests": [{"id": "54:48:E6:8F:80:A5", "kind": "bthome", "key": "secret"}]}, ["vests[0].key = '…': expected 32 hex"]),
    ("ble_tags", {"vests": [{"id": "a" * 8, "kind": "ibeacon", "name": "Μαρία"}]}, ["vests[0].name", "vests[0].id"]),
    ("ble_tags", {"vests": [{"id": "f7826da6-4fa2-4e98-8024-bc5b71e0893e/1/65536", "kind": "ibeacon"}]}, ["vests[0].id"]),
]  # fmt: skip


@pytest.mark.parametrize("kind", drivers.kinds())
def test_a_right_table_opens_nothing(kind):
    device = drivers.load(kind).open_device(DeviceSettings("thing-1", kind, RIGHT[kind]))
    assert (device.counters.frames, device.counters.bad) == (0, 0)


@pytest.mark.parametrize(("kind", "options", "told"), WRONG)
def test_a_wrong_table_names_device_keys_and_what_was_expected(kind, options, told):
    with pytest.raises(DeviceMisconfiguredError) as caught:
        drivers.load(kind).open_device(DeviceSettings("thing-1", kind, options))
    said = str(caught.value)
    assert said.startswith(f"device 'thing-1' ({kind}): ")
    assert [part for part in told if part not in said] == []


def test_a_key_that_encrypts_is_never_repeated_in_a_message():
    table = {"vests": [{"id": "54:48:E6:8F:80:A5", "kind": "ibeacon", "key": "231d39c1d7cc1ab1aee224cd096db932"}]}
    with pytest.raises(DeviceMisconfiguredError) as caught:
        drivers.load("ble_tags").open_device(DeviceSettings("vests", "ble_tags", table))
    assert "231d39c1" not in str(caught.value)
