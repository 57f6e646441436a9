"""The edge's configuration: one TOML file, read once into frozen settings. All that is wrong in it is said at once."""

import hashlib
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
import msgspec.inspect
from asty_contracts.ids import is_name
from msgspec import Meta, Struct

from asty_edge.device import DeviceSettings

Port = Annotated[int, Meta(ge=1, le=65535)]
Seconds = Annotated[float, Meta(gt=0, le=86400)]
Section = TypeVar("Section", bound=Struct)


class ConfigError(Exception):
    """The configuration can't be used: `problems` has one line each, with file, line where known, key and what was expected."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class EdgeSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[edge]: who this agent is."""

    id: str
    org: str
    kind: Literal["truck", "gateway"]


class OutboxSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[outbox]: where records wait; `max_bytes` counts records, the file can be up to twice as large."""

    path: str = "outbox.db"
    max_bytes: Annotated[int, Meta(ge=65536)] = 268435456


class TlsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[uplink.tls]: PEM files; `cert` and `key` together are the edge's own certificate."""

    ca: str
    cert: str | None = None
    key: str | None = None


class UplinkSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[uplink]: the broker."""

    host: Annotated[str, Meta(min_length=1)] = "127.0.0.1"
    port: Port = 1883
    encoding: Literal["json", "cbor"] = "json"
    protocol: Literal["3.1.1", "5"] = "3.1.1"
    username: str | None = None
    password: str | None = None
    tls: TlsSettings | None = None


class FusionSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """[fusion]: how readings become records; all in seconds."""

    stable_s: Annotated[float, Meta(ge=0, le=60)] = 0.0
    cycle_timeout_s: Seconds = 180.0
    position_every_s: Seconds = 5.0
    fuel_every_s: Seconds = 30.0
    engine_every_s: Seconds = 60.0
    ppe_every_s: Seconds = 60.0
    vest_absent_s: Seconds = 90.0
    health_every_s: Seconds = 30.0
    fuel_window_s: Seconds = 30.0
    gnss_lost_s: Seconds = 30.0
    device_lost_s: Seconds = 5.0


class Config(Struct, frozen=True):
    """All of it. Paths are absolute; `digest` is the SHA-256 of the file, so that the town knows which one an edge runs."""

    file: Path
    digest: str
    edge: EdgeSettings
    outbox: OutboxSettings
    uplink: UplinkSettings
    fusion: FusionSettings
    devices: tuple[DeviceSettings, ...]

    @property
    def vests(self) -> tuple[str, ...]:
        """The vests that belong to this edge: the ids in every device's `vests` option."""
        lists = [device.options.get("vests", ()) for device in self.devices]
        found = [vest["id"] for vests in lists if isinstance(vests, list) for vest in vests if isinstance(vest, dict) and "id" in vest]
        return tuple(dict.fromkeys(str(vest) for vest in found))

    @property
    def scanner_heartbeat_s(self) -> float:
        """The slowest heartbeat of the vest scanners."""
        beats = [device.options.get("heartbeat_s", 5) for device in self.devices if "vests" in device.options]
        return max((float(beat) for beat in beats if isinstance(beat, int | float)), default=5.0)


_SECTIONS: dict[str, type[Struct]] = {"edge": EdgeSettings, "outbox": OutboxSettings, "uplink": UplinkSettings, "fusion": FusionSettings}


def load(file: Path, *, enrolled: bool = True) -> Config:
    """Read and check the file. Raises ConfigError with every problem found; drivers check their own options when opened.

    Before an edge is enrolled, the files of [uplink.tls] need not be there.
    """
    try:
        raw = file.read_bytes()
        text = raw.decode()
        table = tomllib.loads(text)
    except OSError as error:
        raise ConfigError([f"{file}: cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([f"{file}: is not UTF-8 text: {error}"]) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{file}: is not TOML: {error}"]) from error
    return _Reader(file, text, table, enrolled=enrolled).config(hashlib.sha256(raw).hexdigest())


class _Reader:
    """Walks through the tables and collects what is wrong."""

    def __init__(self, file: Path, text: str, table: dict[str, Any], *, enrolled: bool) -> None:
        self._file = file
        self._enrolled = enrolled
        self._lines = text.splitlines()
        self._table = table
        self._problems: list[str] = []

    def config(self, digest: str) -> Config:
        known = {*_SECTIONS, "device"}
        for name in self._table.keys() - known:
            self._wrong(name, "", f"no such section; there are {', '.join(f'[{one}]' for one in _SECTIONS)} and [[device]]")
        tls = self._take_tls()
        edge, outbox, uplink, fusion = (self._section(name, shape) for name, shape in _SECTIONS.items())
        devices = self._devices()
        self._check_names()
        self._check_encoding()
        if self._problems:
            raise ConfigError(self._problems)
        assert isinstance(edge, EdgeSettings)
        assert isinstance(outbox, OutboxSettings)
        assert isinstance(uplink, UplinkSettings)
        assert isinstance(fusion, FusionSettings)
        uplink = msgspec.structs.replace(uplink, tls=tls)
        outbox = msgspec.structs.replace(outbox, path=self._absolute(outbox.path))
        return Config(self._file, digest, edge, outbox, uplink, fusion, devices)

    def _take_tls(self) -> TlsSettings | None:
        uplink = self._table.get("uplink")
        if not isinstance(uplink, dict) or "tls" not in uplink:
            return None
        self._table["uplink"] = {key: value for key, value in uplink.items() if key != "tls"}
        tls = self._fields("uplink.tls", uplink["tls"], TlsSettings)
        if tls is None:
            return None
        if (tls.cert is None) != (tls.key is None):
            self._wrong("uplink.tls", "cert", "cert and key belong together; one of them is missing")
        paths = {name: self._absolute(path) for name in ("ca", "cert", "key") if (path := getattr(tls, name)) is not None}
        for name, path in paths.items():
            if self._enrolled and not Path(path).is_file():
                self._wrong("uplink.tls", name, f"a PEM file; there is none at {path}")
        return msgspec.structs.replace(tls, **paths)

    def _section(self, name: str, shape: type[Struct]) -> Struct | None:
        return self._fields(name, self._table.get(name, {}), shape)

    def _fields(self, section: str, table: object, shape: type[Section]) -> Section | None:
        if not isinstance(table, dict):
            self._wrong(section, "", f"expected a table [{section}]")
            return None
        fields = {field.name: field for field in msgspec.structs.fields(shape)}
        before = len(self._problems)
        for key in table.keys() - fields.keys():
            self._wrong(section, key, f"no such key; there are {', '.join(name for name in fields if name != 'tls')}")
        values = {}
        for name, field in fields.items():
            if name not in table:
                if field.required:
                    self._wrong(section, name, f"is missing; expected {_expectation(field.type)}")
                continue
            try:
                values[name] = msgspec.convert(table[name], field.type)
            except msgspec.ValidationError:
                self._wrong(section, name, f"expected {_expectation(field.type)}, got {table[name]!r}")
        return None if len(self._problems) > before else shape(**values)

    def _devices(self) -> tuple[DeviceSettings, ...]:
        tables = self._table.get("device", [])
        if not isinstance(tables, list):
            self._wrong("device", "", "expected [[device]] tables, with two brackets")
            return ()
        devices: dict[str, DeviceSettings] = {}
        for number, table in enumerate(tables):
            name, driver = table.get("name"), table.get("driver")
            for key, value in (("name", name), ("driver", driver)):
                if not isinstance(value, str) or not value:
                    self._wrong(f"device.{number}", key, f"expected a text, got {value!r}")
            if isinstance(name, str):
                if name in devices:
                    self._wrong(f"device.{number}", "name", f"{name!r} is the name of two devices; expected different ones")
                options = {key: value for key, value in table.items() if key not in ("name", "driver")}
                devices[name] = DeviceSettings(name, str(driver), options)
        return tuple(devices.values())

    def _check_names(self) -> None:
        edge = self._table.get("edge")
        for key in ("id", "org"):
            if isinstance(edge, dict) and isinstance(value := edge.get(key), str) and not is_name(value):
                self._wrong("edge", key, f"expected 1 to 32 of a-z, 0-9 and inner hyphens, got {value!r}")

    def _check_encoding(self) -> None:
        uplink = self._table.get("uplink")
        if isinstance(uplink, dict) and uplink.get("encoding") == "cbor" and uplink.get("protocol", "3.1.1") != "5":
            self._wrong("uplink", "encoding", 'cbor needs protocol = "5", which carries the content type')

    def _absolute(self, path: str) -> str:
        return str((self._file.parent / path).absolute())

    def _wrong(self, section: str, key: str, what: str) -> None:
        name = ".".join(part for part in (section, key) if part)
        where = f"{self._file}:{line}" if (line := self._line(section, key)) else str(self._file)
        self._problems.append(f"{where}: {name}: {what}")

    def _line(self, section: str, key: str) -> int | None:
        """Find the line of a key, or of its section's head; TOML's reader gives lines for wrong syntax only."""
        name, _, number = section.partition(".")
        in_array = number.isdigit()
        head = rf"\s*\[\[\s*{re.escape(name)}\s*\]\]" if in_array else rf"\s*\[\s*{re.escape(section)}\s*\]"
        skip = int(number) if in_array else 0
        found = None
        for at, line in enumerate(self._lines, 1):
            if re.match(head, line):
                if skip < 0:
                    break
                skip -= 1
                found = at if skip < 0 else None
            elif found and line.lstrip().startswith("["):
                break
            elif found and key and re.match(rf"\s*{re.escape(key)}\s*=", line):
                return at
        return found


def _expectation(kind: Any) -> str:
    """Say in words what a field takes."""
    shape = msgspec.inspect.type_info(kind)
    if isinstance(shape, msgspec.inspect.UnionType):
        shape = next(one for one in shape.types if not isinstance(one, msgspec.inspect.NoneType))
    match shape:
        case msgspec.inspect.LiteralType(values):
            return " or ".join(f'"{value}"' for value in values)
        case msgspec.inspect.IntType(gt=_, ge=low, lt=_, le=high):
            return f"a whole number{_span(low, high)}"
        case msgspec.inspect.FloatType(gt=above, ge=low, lt=_, le=high):
            return f"a number{_span(low if above is None else above, high, open_below=above is not None)}"
        case _:
            return "a text"


def _span(low: float | None, high: float | None, *, open_below: bool = False) -> str:
    least = None if low is None else f"{'more than' if open_below else 'at least'} {low}"
    most = None if high is None else f"at most {high}"
    ends = " and ".join(end for end in (least, most) if end)
    return f", {ends}" if ends else ""
