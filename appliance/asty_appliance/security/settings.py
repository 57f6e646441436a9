"""Whether this machine serves a real town, read once from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field


class SecuritySettingsError(Exception):
    """A variable holds what it must not: names it and what was expected."""


@dataclass(frozen=True, slots=True)
class Security:
    """`production` allows no plain text. `hosts` are the names and addresses at which edges reach the broker.

    `citizens` and `fleet` are the operator's own settings of the citizens' services and of the fleet's, which go before those of a laptop.
    """

    production: bool = False
    hosts: tuple[str, ...] = ()
    citizens: Mapping[str, str] = field(default_factory=dict)
    fleet: Mapping[str, str] = field(default_factory=dict)


def read(environment: Mapping[str, str] = os.environ) -> Security:  # noqa: TID251  this is the one place
    """Raises SecuritySettingsError."""
    production = environment.get("ASTY_PRODUCTION", "")
    if production not in ("", "0", "1"):
        raise SecuritySettingsError(f"ASTY_PRODUCTION={production!r}: expected 1, or nothing")
    hosts = tuple(host for part in environment.get("ASTY_BROKER_HOSTS", "").split(",") if (host := part.strip()))
    if production == "1" and not hosts:
        raise SecuritySettingsError(
            "ASTY_BROKER_HOSTS is missing: expected the names and addresses at which edges reach the broker, such as mqtt.town.gr,10.0.0.5"
        )
    citizens = {name: value for name, value in environment.items() if name.startswith("ASTY_CITIZEN_")}
    of_fleet = ("ASTY_CLOUD_API_ADDRESS", "ASTY_CLOUD_API_OIDC_ISSUER", "ASTY_CLOUD_API_OIDC_CLIENT", "ASTY_CLOUD_API_OIDC_SECRET")
    fleet = {name: value for name, value in environment.items() if name in of_fleet}
    return Security(production == "1", hosts, citizens, fleet)
