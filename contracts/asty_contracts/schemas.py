"""JSON Schemas (draft 2020-12) of every message, for who reads the wire without Python.

`python -m asty_contracts.schemas [FOLDER]` writes them to FOLDER, docs/schemas unless told otherwise.
"""

import sys
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from asty_contracts.enrolment import EnrolmentAnswer, EnrolmentRefused, EnrolmentRequest
from asty_contracts.envelope import Pack
from asty_contracts.life import Ack, Birth, Command, State
from asty_contracts.records import KINDS
from asty_contracts.stream import Alert, BinLifted, Delivered, EdgeLife, PlanTrigger, Refused

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TYPES: dict[str, type[Struct]] = {
    "pack": Pack,
    "birth": Birth,
    "state": State,
    "ack": Ack,
    "command": Command,
    "delivered": Delivered,
    "edge-life": EdgeLife,
    "refused": Refused,
    "alert": Alert,
    "bin-lifted": BinLifted,
    "enrolment-request": EnrolmentRequest,
    "enrolment-answer": EnrolmentAnswer,
    "enrolment-refused": EnrolmentRefused,
    "plan-trigger": PlanTrigger,
}


def schemas() -> dict[str, dict[str, Any]]:
    """Return the schema of each message by its name."""
    return {name: _schema(name, shape) for name, shape in TYPES.items()}


def files() -> dict[str, bytes]:
    """Return what each schema file holds, by its name."""
    return {f"{name}.json": msgspec.json.format(msgspec.json.encode(schema), indent=2) + b"\n" for name, schema in schemas().items()}


def _schema(name: str, shape: type[Struct]) -> dict[str, Any]:
    with_records = shape in (Pack, Delivered)
    shapes = (shape, *KINDS.values()) if with_records else (shape,)
    (top, *_), parts = msgspec.json.schema_components(shapes, ref_template="#/$defs/{name}")
    if with_records:
        parts["Record"]["allOf"] = [_data_of(kind, data) for kind, data in KINDS.items()]
    return {"$schema": DIALECT, "title": name, **top, "$defs": dict(sorted(parts.items()))}


def _data_of(kind: str, data: type[Struct]) -> dict[str, Any]:
    """A record of this kind has such data; one of another kind may hold anything."""
    return {
        "if": {"properties": {"k": {"const": kind}}},
        "then": {"properties": {"d": {"$ref": f"#/$defs/{data.__name__}"}}},
    }


def main() -> None:
    """Write all schemas to the folder given, or to docs/schemas."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/schemas")
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files().items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
