"""What a kiosk asks, opens and types, and the code of a receipt."""

import json
import shutil
import subprocess
import uuid
from pathlib import Path

import pytest
from asty_citizen_services.kiosk import blank
from asty_citizen_services.kiosk.door import led
from asty_citizen_services.procedures import catalogue
from asty_citizen_services.registry import tracking

GREEK = Path(__file__).parents[2] / "look/src/js/kiosk/greek.js"
SECRET = "a secret of the tests, long enough"


def test_a_kiosk_asks_neither_what_the_sign_in_knows_nor_for_files() -> None:
    whole = catalogue.load_all()
    asked = blank.catalogue(whole)
    assert asked.keys() == whole.keys()
    for slug, one in asked.items():
        names = {question.ask for question in one.form.questions()}
        assert not names & {"afm", "lastname", "firstname", "fathername"}
        assert set(one.form.schema["required"]) <= names
        files = {name for name, schema in one.form.schema["properties"].items() if schema.get("items", {}).get("format") == "file"}
        assert not names & files
        assert names, f"{slug} asks nothing at a kiosk"


@pytest.mark.parametrize(
    ("method", "path", "elsewhere"),
    [
        ("GET", "/", "/kiosk"),
        ("GET", "/office", "/kiosk"),
        ("GET", "/staff/sign-in", "/kiosk"),
        ("POST", "/cases/1/object", "/kiosk"),
        ("GET", "/services/metadimotefsi", "/kiosk/services/metadimotefsi"),
        ("GET", "/kiosk/state", None),
        ("GET", "/sign-in/taxisnet/return", None),
        ("GET", "/static/asty.css", None),
    ],
)
def test_a_kiosk_opens_its_own_pages_alone(method: str, path: str, elsewhere: str | None) -> None:
    assert led(method, path, is_left=False) == elsewhere


def test_a_kiosk_that_somebody_has_left_signed_in_leads_the_next_one_out_first() -> None:
    assert led("GET", "/kiosk/services", is_left=True) == "/kiosk/end"
    assert led("POST", "/kiosk/drafts/1/file", is_left=True) == "/kiosk/end"
    assert led("GET", "/kiosk/end", is_left=True) is None


def test_the_code_of_a_receipt_fits_its_case_alone_and_can_be_typed_with_spaces() -> None:
    case, other = uuid.uuid4(), uuid.uuid4()
    code = tracking.code(SECRET, case)
    assert len(code.replace(" ", "")) == tracking.DIGITS
    assert tracking.fits(SECRET, case, f" {code} ")
    assert tracking.fits(SECRET, case, code.replace(" ", ""))
    assert not tracking.fits(SECRET, other, code)
    assert not tracking.fits("another secret, which is long enough", case, code)
    assert not tracking.fits(SECRET, case, "")
    assert not tracking.fits(SECRET, case, "٤٨٢١٧٧٣٠")


def test_the_keyboard_sets_accents_and_the_sigma_at_a_word_s_end() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed")
    script = f"""
      import {{ accented, settled }} from {json.dumps(GREEK.as_uri())};
      const tonos = {{ tonos: true, dialytika: false }}, both = {{ tonos: true, dialytika: true }};
      console.log(JSON.stringify([
        accented("α", tonos), accented("ι", both), accented("α", both), accented("κ", tonos), accented("σ", tonos),
        settled("κώστασ νίκοσ", true), settled("κώστασ νίκοσ"), settled("οδόςτ"), settled("σ."), settled("ΝΙΚΟΣ"),
      ]));"""
    ran = subprocess.run([node, "--input-type=module", "-e", script], capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == ["ά", "ΐ", "ά", "κ", "σ", "κώστας νίκοσ", "κώστας νίκος", "οδόστ", "σ.", "ΝΙΚΟΣ"]
