"""The citizens' services of one town: their settings, their processes, and the stand-in for TaxisNet where there is no real one."""

import os
from pathlib import Path

from asty_appliance.home import Home
from asty_appliance.security.settings import Security

MUNICIPALITY = "Δήμος Παραδείγματος"
SERVER, WORKER, DOUBLE, DIRECTORY = "citizen-services", "citizen-worker", "taxisnet-double", "directory-double"
PROCESSES = (SERVER, WORKER, DOUBLE, DIRECTORY)
MOST_PROCESSES = 3
"""Each holds up to 20 connections, and PostgreSQL takes 100 of all programs."""


def portal(ports: dict[str, int]) -> str:
    """Return the portal's address on this machine: a name, since passkeys are bound to one and never to an address."""
    return f"http://localhost:{ports[SERVER]}"


def is_served(security: Security) -> bool:
    """Tell whether the citizens' services run: in production they need an address of their own, behind TLS, from the operator."""
    return not security.production or "ASTY_CITIZEN_ADDRESS" in security.citizens


def has_double(security: Security) -> bool:
    """Tell whether the stand-in signs citizens in: not in production, and not where the operator names a real provider."""
    return not security.production and "ASTY_CITIZEN_TAXISNET_ADDRESS" not in security.citizens


def has_directory_double(security: Security) -> bool:
    """Tell whether the stand-in signs staff in: not in production, and not where the operator names a real directory."""
    return not security.production and "ASTY_CITIZEN_OIDC_ISSUER" not in security.citizens


def signing(home: Home) -> Path:
    """Return where the demo authority lies."""
    return home.run / "signing-ca"


def settings(home: Home, ports: dict[str, int], security: Security) -> dict[str, str]:
    """Return what the programs are told: the operator's own settings before those of a laptop."""
    said = {
        "ASTY_CITIZEN_PORT": str(ports[SERVER]),
        "ASTY_CITIZEN_SECRET": home.secret("citizen"),
        "ASTY_CITIZEN_MUNICIPALITY": MUNICIPALITY,
        "ASTY_CITIZEN_PROCEDURES": str(home.procedures),
    }
    if has_double(security):
        said |= {
            "ASTY_CITIZEN_TAXISNET_ADDRESS": f"http://localhost:{ports['taxisnet']}",
            "ASTY_CITIZEN_TAXISNET_CLIENT": "demo",
            "ASTY_CITIZEN_TAXISNET_SECRET": home.secret("taxisnet"),
        }
    if has_directory_double(security):
        said |= {
            "ASTY_CITIZEN_OIDC_ISSUER": f"http://localhost:{ports['directory']}",
            "ASTY_CITIZEN_OIDC_CLIENT": "demo",
            "ASTY_CITIZEN_OIDC_SECRET": home.secret("directory"),
            "ASTY_CITIZEN_TRUST": str(signing(home)),
        }
    if security.production:
        said |= {"ASTY_PRODUCTION": "1", "ASTY_CITIZEN_PROCESSES": str(min(MOST_PROCESSES, os.cpu_count() or 1))}
    return said | dict(security.citizens)
