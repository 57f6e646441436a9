"""What an operator gets wrong is said in one go."""

import pytest
from asty_process.environment import SettingsError
from asty_stream import settings
from asty_stream.cli import main

GOOD = {"ASTY_ORG": "demo", "ASTY_DATABASE_DSN": "postgresql://h/d", "ASTY_KAFKA_BOOTSTRAP": "127.0.0.1:9092"}


def test_defaults_are_those_of_one_machine() -> None:
    read = settings.read(GOOD)
    assert (read.mqtt.host, read.mqtt.port, read.mqtt.protocol, read.mqtt.ca) == ("127.0.0.1", 1883, "5", None)
    assert (read.kafka_replication, read.batch_packs, read.group) == (1, 200, "asty-stream-demo")


def test_everything_that_is_wrong_is_named_at_once() -> None:
    wrong = {
        "ASTY_ORG": "Demo!",
        "ASTY_MQTT_PORT": "many",
        "ASTY_MQTT_PROTOCOL": "4",
        "ASTY_MQTT_TLS_CERT": "c.pem",
        "ASTY_STREAM_BATCH": "0.5",
    }
    with pytest.raises(SettingsError) as caught:
        settings.read(wrong)
    for name in (*wrong, "ASTY_DATABASE_DSN", "ASTY_KAFKA_BOOTSTRAP"):
        assert name in str(caught.value)


def test_a_command_without_settings_says_so_and_exits_2(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("ASTY_DATABASE_DSN", raising=False)
    assert main(["migrate"]) == 2
    assert "ASTY_DATABASE_DSN is not set" in capsys.readouterr().err


def test_a_database_that_is_not_there_is_said_and_exits_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("ASTY_DATABASE_DSN", "postgresql://nobody@127.0.0.1:1/none?connect_timeout=2")
    assert main(["migrate"]) == 1
    assert "nothing was changed" in capsys.readouterr().err


def test_production_starts_with_no_plain_text() -> None:
    with pytest.raises(SettingsError, match="ASTY_PRODUCTION=1 takes no plain text"):
        settings.read({**GOOD, "ASTY_PRODUCTION": "1"})
