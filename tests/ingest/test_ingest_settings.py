"""What an operator may set, and what is said when it is wrong."""

import re
from pathlib import Path

import pytest
from asty_ingest import settings
from asty_ingest.settings import Shard, Tls, from_environment
from asty_process.environment import SettingsError

FEWEST = {"ASTY_ORG": "demo", "ASTY_KAFKA_BOOTSTRAP": "127.0.0.1:9092"}
PAGE = Path(__file__).parents[2] / "docs" / "ingest.md"


def test_two_variables_are_enough() -> None:
    read = from_environment(FEWEST)
    assert (read.org, read.mqtt_host, read.mqtt_port, read.mqtt_protocol) == ("demo", "127.0.0.1", 1883, "5")
    assert (read.shard, read.kafka_replication, read.metrics_port, read.mqtt_tls) == (Shard(0, 1), 1, None, None)


def test_all_variables_are_read(tmp_path: Path) -> None:
    files = {name: tmp_path / name for name in ("CA", "CERT", "KEY")}
    for path in files.values():
        path.touch()
    read = from_environment(
        {
            **FEWEST,
            "ASTY_MQTT_HOST": "mqtt.example.gr",
            "ASTY_MQTT_PROTOCOL": "3.1.1",
            "ASTY_MQTT_USERNAME": "ingest",
            "ASTY_MQTT_PASSWORD": "secret",
            **{f"ASTY_MQTT_TLS_{name}": str(path) for name, path in files.items()},
            "ASTY_KAFKA_REPLICATION": "3",
            "ASTY_INGEST_SHARD": "2/5",
            "ASTY_INGEST_MAX_IN_FLIGHT": "50",
            "ASTY_INGEST_METRICS_PORT": "9105",
        }
    )
    assert (read.mqtt_port, read.mqtt_protocol, read.mqtt_username, read.mqtt_password) == (8883, "3.1.1", "ingest", "secret")
    assert read.mqtt_tls == Tls(files["CA"], files["CERT"], files["KEY"])
    assert (read.kafka_replication, read.shard, read.max_in_flight, read.metrics_port) == (3, Shard(2, 5), 50, 9105)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("ASTY_ORG", "", "ASTY_ORG is not set"),
        ("ASTY_ORG", "Δήμος", "ASTY_ORG='Δήμος': expected 1 to 32 of a-z, 0-9 and inner hyphens"),
        ("ASTY_KAFKA_BOOTSTRAP", "", "ASTY_KAFKA_BOOTSTRAP is not set"),
        ("ASTY_MQTT_PORT", "0", "ASTY_MQTT_PORT='0': expected a number from 1 to 65535"),
        ("ASTY_MQTT_PORT", "١٢", "ASTY_MQTT_PORT='١٢': expected a number from 1 to 65535"),
        ("ASTY_MQTT_PROTOCOL", "4", "ASTY_MQTT_PROTOCOL='4': expected 5 or 3.1.1"),
        ("ASTY_MQTT_TLS_CA", "/no/such/file", "ASTY_MQTT_TLS_CA='/no/such/file': expected a file"),
        ("ASTY_MQTT_TLS_CERT", "/dev/null", "ASTY_MQTT_TLS_CERT and ASTY_MQTT_TLS_KEY: expected both"),
        ("ASTY_INGEST_SHARD", "2/2", "ASTY_INGEST_SHARD='2/2': expected i/n with 0 <= i < n"),
        ("ASTY_INGEST_SHARD", "one", "ASTY_INGEST_SHARD='one': expected i/n with 0 <= i < n"),
        ("ASTY_INGEST_METRICS_PORT", "-1", "ASTY_INGEST_METRICS_PORT='-1': expected a number from 0 to 65535"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(variable: str, value: str, said: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(said)):
        from_environment({**FEWEST, variable: value})


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(SettingsError, match=r"ASTY_ORG.*ASTY_KAFKA_BOOTSTRAP") as wrong:
        from_environment({"ASTY_MQTT_PORT": "x"})
    assert "ASTY_MQTT_PORT" in str(wrong.value)


def test_each_variable_is_described_in_the_docs() -> None:
    source = Path(settings.__file__).read_text()
    variables = set(re.findall(r'"(ASTY_[A-Z_]+[A-Z])"', source)) | {f"ASTY_MQTT_TLS_{name}" for name in ("CA", "CERT", "KEY")}
    assert not [variable for variable in variables if f"`{variable}`" not in PAGE.read_text()]


def test_production_starts_with_no_plain_text() -> None:
    with pytest.raises(SettingsError, match="ASTY_PRODUCTION=1 takes no plain text"):
        from_environment({**FEWEST, "ASTY_PRODUCTION": "1"})
