"""What stands in the simulation's folder: for each edge a configuration for the unmodified agent, and the town's register.

edges/<edge>/edge.toml   edges/<edge>/env   edges/<edge>/dev/…   register.json   fixed-routes.csv   town.osm.pbf   ports.json
"""

import json
import socket
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zlib import crc32
from zoneinfo import ZoneInfo

from asty_firmware_sim.devices.bluez import Radio
from asty_firmware_sim.devices.level_sensors import level_tag
from asty_firmware_sim.scenario import EM4100, GatewaySpec, Scenario, Tag, TruckSpec
from asty_firmware_sim.vests import vest_tag
from asty_firmware_sim.world import World
from asty_firmware_sim.world.bins import EM4100_STREAMS, Bin, Stream
from asty_firmware_sim.world.levels import DEPTH_MM, MOUNTED_MM

_PORTS_FROM, _PORTS = 20_000, 12_000
"""Below the range from which systems give out ports of their own accord (32768 on Linux, 49152 elsewhere)."""

_ZONE = ZoneInfo("Europe/Athens")
_BODY_LITRES = 64_000
"""Of loose refuse: a body of 16 m³ that presses it to a quarter."""
_MEASURES = {"height_m": 3.4, "width_m": 2.5, "weight_t": 16.0, "length_m": 8.2}


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the edges find their MQTT broker. `certs` holds `<edge>.crt` and `<edge>.key`."""

    host: str
    port: int
    org: str = "demo"
    protocol: str = "3.1.1"
    encoding: str = "json"
    ca: Path | None = None
    certs: Path | None = None


@dataclass(frozen=True, slots=True)
class EdgePlace:
    """Where one edge's devices are reached."""

    edge: str
    folder: Path
    tcp: dict[str, int]  # ports by device; that of `levels` is a UDP port

    def line(self, device: str) -> Path:
        """Return the path of a serial device."""
        return self.folder / "dev" / device

    @property
    def radio(self) -> Path:
        """Folder of its private D-Bus."""
        return self.folder / "dbus"


def places(folder: Path, scenario: Scenario) -> dict[str, EdgePlace]:
    """Lay out the folder and fix the TCP ports: once chosen they stay, so that edges find a restarted simulator again."""
    file = folder / "ports.json"
    known: dict[str, dict[str, int]] = json.loads(file.read_text()) if file.is_file() else {}
    taken = {port for ports in known.values() for port in ports.values()}
    free = _free_ports(folder, taken)
    found: dict[str, EdgePlace] = {}
    for edge in scenario.edges:
        devices = _devices_by_port(scenario, edge)
        ports = {name: known.get(edge, {}).get(name) or next(free) for name in devices}
        found[edge] = EdgePlace(edge, folder / "edges" / edge, ports)
        found[edge].line("x").parent.mkdir(parents=True, exist_ok=True)
        found[edge].radio.mkdir(exist_ok=True)
    write_whole(file, json.dumps({edge: place.tcp for edge, place in found.items()}, indent=1) + "\n")
    return found


def _devices_by_port(scenario: Scenario, edge: str) -> list[str]:
    for spec in scenario.truck:
        if spec.edge == edge:
            return _tcp_devices(spec)
    return ["levels"] if any(gateway.edge == edge and gateway.level_sensors for gateway in scenario.gateway) else []


def _tcp_devices(spec: TruckSpec) -> list[str]:
    return (["lift"] if spec.lift == "tcp" else []) + (["fuel"] if spec.fuel == "modbus_tcp" else [])


def _free_ports(folder: Path, taken: set[int]) -> Iterator[int]:
    first = crc32(str(folder.resolve()).encode())
    for step in range(_PORTS):
        port = _PORTS_FROM + (first + step) % _PORTS
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if port not in taken and probe.connect_ex(("127.0.0.1", port)) != 0:
                yield port


def write_files(folder: Path, found: dict[str, EdgePlace], world: World, town_file: Path, broker: Broker) -> None:
    """Write every edge's configuration and environment, and the register. What is there and equal stays untouched."""
    for truck in world.scenario.truck:
        place = found[truck.edge]
        _write_edge(place, _toml(_truck_tables(truck, place), truck.edge, "truck", broker))
    for gateway in world.scenario.gateway:
        place = found[gateway.edge]
        _write_edge(place, _toml(_gateway_tables(gateway, place, world), gateway.edge, "gateway", broker))
    write_whole(folder / "fixed-routes.csv", fixed_routes(world))
    write_whole(folder / "register.json", json.dumps(register(world, town_file), ensure_ascii=False, indent=1) + "\n")


def _write_edge(place: EdgePlace, toml: str) -> None:
    write_whole(place.folder / "edge.toml", toml)
    write_whole(place.folder / "env", f"DBUS_SYSTEM_BUS_ADDRESS={Radio(place.radio).address}\n")


def write_whole(file: Path, text: str) -> None:
    """Write a file so that a reader sees the old or the new, never half of it; an equal file stays untouched."""
    if file.is_file() and file.read_text() == text:
        return
    fresh = file.with_name(f".{file.name}.new")
    fresh.write_text(text)
    fresh.replace(file)


def _truck_tables(spec: TruckSpec, place: EdgePlace) -> list[dict[str, Any]]:
    return [
        _rfid(spec, place),
        {"name": "scale", "driver": "scale", "port": str(place.line("scale")), "dialect": spec.scale},
        {"name": "gnss", "driver": "nmea", "port": str(place.line("gnss"))},
        {"name": "lift", "driver": "lift_modbus", **_modbus("lift", place)},
        _fuel(spec, place),
        _vests(spec.vests, spec.edge),
    ]


def _gateway_tables(spec: GatewaySpec, place: EdgePlace, world: World) -> list[dict[str, Any]]:
    tables = [_vests(spec.vests, spec.edge), {"name": "gnss", "driver": "nmea", "port": str(place.line("gnss"))}]
    if "levels" in place.tcp:
        sensors = [_level_sensor(one) for one in world.levels[spec.edge].bins]
        tables.append({"name": "levels", "driver": "level_lorawan", "udp_port": place.tcp["levels"], "sensors": sensors})
    return tables


def _level_sensor(one: Bin) -> dict[str, Any]:
    tag = level_tag(one.tag)
    keys = {"nwkskey": tag.nwkskey, "appskey": tag.appskey}
    return {
        "id": tag.id,
        "address": tag.address,
        **keys,
        "bin": one.tag,
        "empty_mm": MOUNTED_MM + DEPTH_MM[one.litres],
        "full_mm": MOUNTED_MM,
    }


def _rfid(spec: TruckSpec, place: EdgePlace) -> dict[str, Any]:
    port = str(place.line("rfid"))
    if spec.rfid in EM4100:
        return {"name": "rfid", "driver": "rfid_em4100", "port": port}
    framing = {"framing": "8N1"} if spec.rfid == "tiris" else {}
    return {"name": "rfid", "driver": "rfid_fdxb", "port": port, "dialect": spec.rfid, **framing}


def _modbus(device: str, place: EdgePlace) -> dict[str, Any]:
    if device in place.tcp:
        return {"transport": "tcp", "host": "127.0.0.1", "tcp_port": place.tcp[device]}
    return {"transport": "rtu", "port": str(place.line(device))}


def _fuel(spec: TruckSpec, place: EdgePlace) -> dict[str, Any]:
    if spec.fuel == "j1939":
        return {"name": "can", "driver": "j1939", "interface": "slcan", "channel": str(place.line("can")), "tank": spec.tank}
    return {"name": "fuel", "driver": "fuel_modbus", **_modbus("fuel", place), "tank": spec.tank}


def _vests(tags: tuple[Tag, ...], edge: str) -> dict[str, Any]:
    worn = [vest_tag(tag, edge, worker) for worker, tag in enumerate(tags)]
    tables = [{"id": tag.identity, "kind": tag.kind} | ({"key": tag.key} if tag.key else {}) for tag in worn]
    return {"name": "vests", "driver": "ble_tags", "vests": tables}


def _toml(devices: list[dict[str, Any]], edge: str, kind: str, broker: Broker) -> str:
    uplink: dict[str, Any] = {"host": broker.host, "port": broker.port, "encoding": broker.encoding, "protocol": broker.protocol}
    tables = [("[edge]", {"id": edge, "org": broker.org, "kind": kind}), ("[outbox]", {"path": "outbox.db"}), ("[uplink]", uplink)]
    if broker.ca is not None:
        own = {"cert": str(broker.certs / f"{edge}.crt"), "key": str(broker.certs / f"{edge}.key")} if broker.certs else {}
        tables.append(("[uplink.tls]", {"ca": str(broker.ca), **own}))
    tables += [("[[device]]", device) for device in devices]
    return "\n".join(f"{head}\n" + "".join(f"{key} = {_value(value)}\n" for key, value in table.items()) for head, table in tables)


def _value(value: Any) -> str:
    """Write a TOML value; JSON's strings and numbers are TOML's too."""
    if isinstance(value, list):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(item)}" for key, item in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)


def _shift(now: int) -> dict[str, str]:
    """Eight hours from the full hour before the simulation began: its trucks are on the road at once."""
    begins = datetime.fromtimestamp(now / 1000, _ZONE).hour
    return {"shift_start": f"{begins:02d}:00", "shift_end": f"{(begins + 8) % 24:02d}:00"}


def register(world: World, town_file: Path) -> dict[str, Any]:
    """Return what the town's fleet register knows of the simulated town."""
    scenario = world.scenario
    trucks = [
        {
            "edge": truck.edge,
            "name": truck.name,
            "plate": truck.plate,
            "kind": "truck",
            "capacity_kg": truck.capacity_kg,
            "capacity_l": _BODY_LITRES,
            "streams": [stream.value for stream in Stream if (stream in EM4100_STREAMS) == (truck.rfid in EM4100)],
            **_MEASURES,
            **_shift(world.now),
        }
        for truck in scenario.truck
    ]
    gateways = [{"edge": gateway.edge, "name": gateway.name, "plate": None, "kind": "gateway"} for gateway in scenario.gateway]
    return {
        "bins": [
            {
                "id": one.id,
                "tag": one.tag,
                "stream": one.stream.value,
                "volume": one.litres,
                "lat": round(one.lat, 7),
                "lon": round(one.lon, 7),
                "street": one.street,
            }
            for one in world.bins
        ],
        "vehicles": trucks + gateways,
        "depot": _point(world.depot, "Αμαξοστάσιο Δήμου"),
        "transfer_station": _point(world.transfer_station, "Σταθμός Μεταφόρτωσης Απορριμμάτων"),
        "town": str(town_file),
    }


def fixed_routes(world: World) -> str:
    """Return the rounds that the town drove before it had a plan, as CSV: each truck empties its own bins, the nearest one next.

    The stream of which it has most from Monday to Saturday, the others on Tuesdays, Thursdays and Saturdays besides.
    """
    lines = ["weekday,truck,bin"]
    for weekday in range(1, 7):
        for edge, truck in world.trucks.items():
            streams = Counter(one.stream for one in truck.bins)
            main = max(streams, key=lambda stream: (streams[stream], stream), default=None)
            today = [one for one in truck.bins if one.stream == main or weekday % 2 == 0]
            lines += [f"{weekday},{edge},{one.id}" for one in _nearest_next(today, world.depot)]
    return "\n".join(lines) + "\n"


def _nearest_next(bins: Sequence[Bin], start: tuple[float, float]) -> list[Bin]:
    left, order, at = list(bins), list[Bin](), start
    while left:
        nearest = min(left, key=lambda one: (one.lat - at[0]) ** 2 + (0.77 * (one.lon - at[1])) ** 2)
        left.remove(nearest)
        order.append(nearest)
        at = (nearest.lat, nearest.lon)
    return order


def _point(at: tuple[float, float], name: str) -> dict[str, Any]:
    return {"lat": round(at[0], 7), "lon": round(at[1], 7), "name": name}
