"""An administrator who makes a mistake in a form file is told which line."""

import json
from pathlib import Path
from typing import Any

import pytest
from asty_citizen_services.forms.form import FormError, load

GOOD = """{
  "schema": {
    "type": "object",
    "properties": {
      "afm": {"type": "string", "format": "afm"},
      "why": {"enum": ["school", "bank"]}
    },
    "required": ["afm"]
  },
  "pages": [
    {
      "id": "you",
      "title": {"el": "Τα στοιχεία σας", "en": "Your details"},
      "questions": [
        {"ask": "afm", "label": {"el": "ΑΦΜ", "en": "Tax number"}, "prefill": "taxid"},
        {"ask": "why", "label": {"el": "Λόγος", "en": "Reason"},
         "options": {"school": {"el": "Σχολείο", "en": "School"}, "bank": {"el": "Τράπεζα", "en": "Bank"}}}
      ]
    }
  ]
}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "form.json"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_file_is_read(tmp_path: Path) -> None:
    form = load(written(tmp_path, GOOD))
    assert [question.ask for question in form.questions()] == ["afm", "why"]
    assert form.question("why").options["bank"].of("en") == "Bank"


@pytest.mark.parametrize(
    ("was", "becomes", "line", "says"),
    [
        ('"format": "afm"', '"format": "afn"', 15, "known are afm"),
        ('"required": ["afm"]', '"required": ["amka"]', 8, "amka is required"),
        ('"ask": "afm"', '"ask": "afn"', 15, "afn is asked"),
        ('"prefill": "taxid"', '"prefill": "tax"', 15, "known are taxid"),
        ('"bank": {"el"', '"banks": {"el"', 17, "each wants a label"),
        ('"id": "you"', '"idd": "you"', 11, "id"),
        ('"type": "object"', '"type": "objekt"', 3, "no JSON Schema"),
        ('"title": {"el": "Τα στοιχεία σας"', '"title": {"el": 5', 13, "Expected `str`"),
        ('"prefill": "taxid"', '"when": {"properties": {"why": {}}}', 15, "asked before"),
    ],
)
def test_a_mistake_is_said_with_its_line(tmp_path: Path, was: str, becomes: str, line: int, says: str) -> None:
    assert was in GOOD
    with pytest.raises(FormError, match=says) as error:
        load(written(tmp_path, GOOD.replace(was, becomes)))
    assert f"form.json:{line}:" in str(error.value)


def test_a_property_that_nobody_asks_for_is_a_mistake(tmp_path: Path) -> None:
    content: dict[str, Any] = json.loads(GOOD)
    content["pages"][0]["questions"].pop()
    with pytest.raises(FormError, match="why must be asked once and is asked 0 times"):
        load(written(tmp_path, json.dumps(content, indent=2)))


def test_what_is_no_json_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(FormError, match="not JSON"):
        load(written(tmp_path, GOOD[:-5]))
