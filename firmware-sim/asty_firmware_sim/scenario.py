"""A scenario: which trucks and gateways there are, with which devices, and what goes wrong when. TOML; docs/simulator.md."""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct, field

Rfid = Literal["wl134", "rdm6300", "id12", "tiris"]
Scale = Literal["st_gs", "toledo", "mt_sics"]
Lift = Literal["tcp", "rtu"]
FuelSource = Literal["j1939", "modbus_tcp", "modbus_rtu"]
Tag = Literal["ibeacon", "eddystone", "bthome", "bthome_plain"]
FaultName = Literal[
    "no_tag", "swapped_tag", "unstable_weight", "lift_fault", "gnss_loss", "unplugged_serial", "silent_scanner", "fuel_theft"
]
SerialName = Literal["rfid", "scale", "gnss"]
Count = Annotated[int, Meta(ge=0, le=100_000)]
Seconds = Annotated[float, Meta(ge=0, le=86_400)]
EM4100: tuple[Rfid, ...] = ("rdm6300", "id12")
"""Readers that hear 125 kHz tags; the others hear FDX-B."""


class ScenarioError(Exception):
    """The scenario can't be used; says the file, the key and what was expected."""


class TruckSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """[[truck]]: `reader` decides which bins it collects: EM4100 tags are on recycling and glass, FDX-B tags on the rest."""

    edge: str
    name: str
    plate: str
    rfid: Rfid = "wl134"
    scale: Scale = "st_gs"
    lift: Lift = "tcp"
    fuel: FuelSource = "j1939"
    vests: tuple[Tag, ...] = ("ibeacon", "ibeacon", "ibeacon")
    capacity_kg: Annotated[float, Meta(gt=0)] = 4200.0
    tank: Annotated[float, Meta(gt=0)] = 200.0  # l


class GatewaySpec(Struct, frozen=True, forbid_unknown_fields=True):
    """[[gateway]]: fixed at the depot's gate; `level_sensors` of the town's bins have a sensor that it hears, each `level_every` s."""

    edge: str
    name: str
    vests: tuple[Tag, ...] = ("ibeacon",)
    level_sensors: Count = 0
    level_every: Annotated[float, Meta(ge=1, le=86_400)] = 600.0


class FaultSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """[[fault]]: `at` seconds of town time after the start, `for` seconds; without `for` a lift's fault spoils the next lift only."""

    name: FaultName
    where: str
    at: Seconds = 0.0
    lasts: Seconds | None = field(default=None, name="for")
    device: SerialName = "rfid"  # of unplugged_serial


class Scenario(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. `random` are faults by rate: so many per edge and hour of town time."""

    name: str
    truck: tuple[TruckSpec, ...]
    gateway: tuple[GatewaySpec, ...] = ()
    fault: tuple[FaultSpec, ...] = ()
    random: dict[FaultName, Annotated[float, Meta(ge=0, le=60)]] = {}
    bins: Count = 140
    tagless_bins: Count = 1

    @property
    def edges(self) -> tuple[str, ...]:
        """All edges, trucks first."""
        return (*(truck.edge for truck in self.truck), *(gateway.edge for gateway in self.gateway))


def load(which: str, *, trucks: int | None = None) -> Scenario:
    """Return a built-in scenario by name, or one from a TOML file; with `trucks`, cut down or repeated to so many trucks.

    Raises ScenarioError.
    """
    builtin = files("asty_firmware_sim") / "scenarios" / f"{which}.toml"
    try:
        text = builtin.read_text() if "/" not in which and builtin.is_file() else Path(which).read_text()
        scenario = msgspec.convert(tomllib.loads(text), Scenario)
    except OSError as error:
        raise ScenarioError(f"{which}: no built-in scenario and no readable file ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{which}: is not UTF-8 text: {error}") from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ScenarioError(f"{which}: {error}") from error
    scenario = scenario if trucks is None else _with_trucks(scenario, trucks)
    _check(which, scenario)
    return scenario


def _check(which: str, scenario: Scenario) -> None:
    if not scenario.truck:
        raise ScenarioError(f"{which}: truck: expected at least one [[truck]]")
    if len(set(scenario.edges)) != len(scenario.edges):
        raise ScenarioError(f"{which}: edge: the same edge stands twice")
    for fault in scenario.fault:
        if fault.where not in scenario.edges:
            raise ScenarioError(f"{which}: fault.where: {fault.where!r} is none of {', '.join(scenario.edges)}")


def _with_trucks(scenario: Scenario, count: int) -> Scenario:
    if count < 1:
        raise ScenarioError(f"trucks: {count}, expected at least 1")
    models = scenario.truck
    fleet = [models[k % len(models)] for k in range(count)]
    numbered = tuple(
        model
        if k < len(models)
        else msgspec.structs.replace(model, edge=f"truck-{k + 1:02d}", name=f"Απορριμματοφόρο {k + 1}", plate=f"ΚΗΗ-{4101 + k}")
        for k, model in enumerate(fleet)
    )
    kept = {truck.edge for truck in numbered} | {gateway.edge for gateway in scenario.gateway}
    return msgspec.structs.replace(
        scenario,
        truck=numbered,
        bins=max(scenario.bins, 40 * count),
        fault=tuple(fault for fault in scenario.fault if fault.where in kept),
    )
