"""The published JSON Schemas say what the messages are."""

from pathlib import Path

import jsonschema
import msgspec
import pytest
from asty_contracts import schemas
from asty_contracts.examples import GOLDEN, MESSAGES, PACKS

SCHEMAS = schemas.schemas()
VARIANTS = {"state-will": "state", "ack-refused": "ack", "refused-pack": "refused", "enrolment-waiting": "enrolment-answer"}
PUBLISHED = Path(__file__).parents[2] / "docs" / "schemas"


def test_the_published_files_are_the_current_ones() -> None:
    published = {path.name: path.read_bytes() for path in PUBLISHED.iterdir()}
    assert published == schemas.files(), "write them again: python -m asty_contracts.schemas"


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_valid_json_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])


@pytest.mark.parametrize("name", [*PACKS, *MESSAGES])
def test_golden_messages_fit_their_schema(name: str) -> None:
    schema = SCHEMAS["pack" if name in PACKS else VARIANTS.get(name, name)]
    jsonschema.Draft202012Validator(schema).validate(msgspec.json.decode((GOLDEN / f"{name}.json").read_bytes()))


def test_data_that_does_not_fit_its_kind_breaks_the_schema_and_an_unknown_kind_does_not() -> None:
    pack = msgspec.json.decode((GOLDEN / "pack-weight.json").read_bytes())
    validator = jsonschema.Draft202012Validator(SCHEMAS["pack"])
    pack["recs"][0]["d"] = {"kg": "heavy"}
    assert not validator.is_valid(pack)
    pack["recs"][0]["k"] = "of-a-later-contract"
    assert validator.is_valid(pack)
