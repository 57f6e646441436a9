"""What an operator gets wrong is said in one go, whatever process reads it."""

import re
from collections.abc import Callable

import pytest
from asty_process.environment import Environment, SettingsError


@pytest.mark.parametrize(
    ("variable", "value", "read", "said"),
    [
        ("ASTY_ORG", "", Environment.town, "ASTY_ORG is not set: expected"),
        ("ASTY_ORG", "Δήμος", Environment.town, "ASTY_ORG='Δήμος': expected 1 to 32 of a-z, 0-9 and inner hyphens"),
        ("ASTY_DATABASE_DSN", "", Environment.database, "ASTY_DATABASE_DSN is not set: expected a PostgreSQL address"),
        ("ASTY_TIMEZONE", "Greece", Environment.zone, "ASTY_TIMEZONE='Greece': expected a time zone"),
        ("ASTY_TIMEZONE", "../etc/passwd", Environment.zone, "expected a time zone"),
        ("P", "70000", lambda it: it.port("P", 1), "P='70000': expected a number from 1 to 65535"),
        ("P", "٤٤", lambda it: it.port("P", 1), "P='٤٤': expected a number"),
        ("N", "nan", lambda it: it.number("N", 1, 0, 9), "N='nan': expected a number from 0 to 9"),
        ("O", "c", lambda it: it.one_of("O", ("a", "b")), "O='c': expected a or b"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(variable: str, value: str, read: Callable[[Environment], object], said: str) -> None:
    environment = Environment({variable: value})
    read(environment)
    with pytest.raises(SettingsError, match=re.escape(said)):
        environment.done()


def test_all_that_is_wrong_is_said_at_once_and_nothing_when_all_fits() -> None:
    environment = Environment({"A": "x", "B": "y"})
    environment.port("A", 1), environment.one_of("B", ("a",)), environment.needed("C", "something")
    with pytest.raises(SettingsError, match=r"A='x'.*B='y'.*C is not set"):
        environment.done()
    fits = Environment({"A": "8080", "ASTY_ORG": "demo"})
    assert (fits.port("A", 1), fits.town(), fits.zone().key) == (8080, "demo", "Europe/Athens")
    fits.done()


@pytest.mark.parametrize(("value", "is_production"), [("", False), ("0", False), ("1", True), ("yes", True)])
def test_a_typing_mistake_never_makes_a_towns_own_system_a_laptop(value: str, *, is_production: bool) -> None:
    assert Environment({"ASTY_PRODUCTION": value}).is_production() is is_production


def test_an_empty_variable_is_one_that_is_not_set() -> None:
    environment = Environment({"HOST": "", "PORT": "", "FOLDER": ""})
    assert (environment.text("HOST", "127.0.0.1"), environment.port("PORT", 99), environment.path("FOLDER")) == ("127.0.0.1", 99, None)
    environment.done()
