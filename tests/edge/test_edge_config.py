from pathlib import Path

import msgspec
import pytest
from asty_edge import config
from asty_edge.config import ConfigError, EdgeSettings, FusionSettings, OutboxSettings, TlsSettings, UplinkSettings

EDGE = '[edge]\nid = "truck-01"\norg = "demo"\nkind = "truck"\n'


def load(folder, text):
    file = folder / "edge.toml"
    file.write_text(text)
    return config.load(file)


def problems(folder, text):
    with pytest.raises(ConfigError) as caught:
        load(folder, text)
    return caught.value.problems


def test_the_least_configuration_is_three_lines(tmp_path):
    one = load(tmp_path, EDGE)
    assert one.outbox.path == str(tmp_path / "outbox.db"), "relative to the file"
    assert one.outbox.max_bytes == 268435456
    assert (one.uplink.host, one.uplink.port, one.uplink.encoding) == ("127.0.0.1", 1883, "json")
    assert one.devices == ()


def test_a_device_keeps_its_own_options_for_its_driver(tmp_path):
    one = load(tmp_path, EDGE + '[[device]]\nname = "gps"\ndriver = "nmea"\nport = "/dev/x"\nbaud = 4800\n')
    (device,) = one.devices
    assert (device.name, device.driver, device.options) == ("gps", "nmea", {"port": "/dev/x", "baud": 4800})


def test_the_vests_of_an_edge_are_those_of_all_its_scanners(tmp_path):
    scanner = '[[device]]\nname = "{0}"\ndriver = "ble_tags"\nheartbeat_s = {1}\nvests = [{{id = "{2}"}}, {{id = "shared"}}]\n'
    one = load(tmp_path, EDGE + scanner.format("a", 5, "x") + scanner.format("b", 20, "y"))
    assert one.vests == ("x", "shared", "y")
    assert one.scanner_heartbeat_s == 20


def test_everything_wrong_is_said_at_once_with_file_line_key_and_expectation(tmp_path):
    found = problems(
        tmp_path,
        """[edge]
id = "Truck 01"
kind = "boat"
[outbox]
max_bytes = 5
[uplink]
port = 99999
encoding = "cbor"
protocol = "3.1.1"
bogus = 1
[uplink.tls]
ca = "nowhere.pem"
cert = "c.pem"
[nothing]
[fusion]
vest_absent_s = 0
[[device]]
name = "gps"
driver = "nmea"
[[device]]
name = "gps"
driver = 4
""",
    )
    file = tmp_path / "edge.toml"
    expected = {
        f"{file}:1: edge.org: is missing; expected a text",
        f"{file}:2: edge.id: expected 1 to 32 of a-z, 0-9 and inner hyphens, got 'Truck 01'",
        f'{file}:3: edge.kind: expected "gateway" or "truck", got \'boat\'',
        f"{file}:5: outbox.max_bytes: expected a whole number, at least 65536, got 5",
        f"{file}:7: uplink.port: expected a whole number, at least 1 and at most 65535, got 99999",
        f'{file}:8: uplink.encoding: cbor needs protocol = "5", which carries the content type',
        f"{file}:10: uplink.bogus: no such key; there are host, port, encoding, protocol, username, password",
        f"{file}:12: uplink.tls.ca: a PEM file; there is none at {tmp_path / 'nowhere.pem'}",
        f"{file}:13: uplink.tls.cert: cert and key belong together; one of them is missing",
        f"{file}:13: uplink.tls.cert: a PEM file; there is none at {tmp_path / 'c.pem'}",
        f"{file}:14: nothing: no such section; there are [edge], [outbox], [uplink], [fusion] and [[device]]",
        f"{file}:16: fusion.vest_absent_s: expected a number, more than 0 and at most 86400, got 0",
        f"{file}:21: device.1.name: 'gps' is the name of two devices; expected different ones",
        f"{file}:22: device.1.driver: expected a text, got 4",
    }
    assert set(found) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[edge\n", "is not TOML: Expected ']' at the end of a table declaration (at line 1"),
        ("edge = 3\n", "edge: expected a table [edge]"),
        (EDGE + 'device = "x"\n', "edge.device: no such key"),
        ('device = "x"\n' + EDGE, "device: expected [[device]] tables"),
        ('[device]\nname = "x"\n' + EDGE, "device: expected [[device]] tables"),
    ],
)
def test_a_file_of_another_shape_is_explained(tmp_path, text, says):
    assert says in "\n".join(problems(tmp_path, text))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere.toml: cannot be read: No such file"):
        config.load(tmp_path / "nowhere.toml")


def test_the_digest_tells_which_configuration_runs(tmp_path):
    first = load(tmp_path, EDGE)
    assert load(tmp_path, EDGE).digest == first.digest
    assert load(tmp_path, EDGE + "# changed\n").digest != first.digest


@pytest.mark.parametrize(
    ("section", "shape"),
    [
        ("edge", EdgeSettings),
        ("outbox", OutboxSettings),
        ("uplink", UplinkSettings),
        ("uplink.tls", TlsSettings),
        ("fusion", FusionSettings),
    ],
)
def test_every_setting_is_in_the_docs(section, shape):
    page = (Path(__file__).parents[2] / "docs" / "edge.md").read_text()
    assert f"`[{section}]`" in page
    chapter = page.partition(f"`[{section}]`")[2].partition("\n### ")[0]
    missing = [field.name for field in msgspec.structs.fields(shape) if f"`{field.name}`" not in chapter and field.name != "tls"]
    assert not missing
