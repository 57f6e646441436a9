"""All thirteen procedures are there and whole; a fault in a folder is said with file and line."""

import shutil
from pathlib import Path

import pytest
from asty_citizen_services.bpmn.model import CITIZEN
from asty_citizen_services.procedures.catalogue import OWN, ProcedureError, load, load_all


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copied: Path = shutil.copytree(OWN / "arrenon-allagi-onomatos", tmp_path / "arrenon-allagi-onomatos")
    return copied


def test_the_thirteen_procedures_stand_in_their_order_with_the_six_of_the_register_of_males() -> None:
    numbers = [one.manifest.number for one in load_all().values()]
    assert numbers == [*map(str, range(1, 13)), *(f"13.{n}" for n in range(1, 7))]


def test_every_law_is_marked_for_the_municipalitys_lawyer_until_confirmed() -> None:
    for one in load_all().values():
        assert one.manifest.law
        assert one.manifest.needs_lawyer


def test_every_case_can_be_completed_rejected_and_objected_to_by_its_citizen() -> None:
    for one in load_all().values():
        citizens = {step.id for step in one.model.steps.values() if step.lane == CITIZEN}
        assert {"amend", "object"} <= citizens
        assert {"document", "rejection"} <= one.templates


@pytest.mark.parametrize(
    ("file", "was", "becomes", "says"),
    [
        ("manifest.toml", "deadline_days = 50", "deadline_days = 0", r"manifest.toml:\d+: a term is a day or more"),
        ("manifest.toml", "deadline_days = 50", 'deadline_days = "50"', r"manifest.toml:7: Expected `int`"),
        ("manifest.toml", 'question = "proofs"', 'question = "proof"', "does not ask for proof"),
        ("manifest.toml", 'afm = "second_parent_afm"', 'afm = "spouse_afm"', "does not ask for spouse_afm"),
        ("manifest.toml", "[seats]", "[seats", r"manifest.toml:\d+: no TOML"),
        ("manifest.toml", '"Προϊστάμενος/η" =', '"Δήμαρχος" =', "nobody sits in the lane Προϊστάμενος/η"),
        ("form.json", '"format": "afm"', '"format": "vat"', r"form.json:\d+: .*known are"),
        ("process.bpmn", 'asty:does="compose:rejection"', 'asty:does="compose:refusal"', "documents/refusal.html is not there"),
    ],
)
def test_a_fault_is_said_with_its_file(folder: Path, file: str, was: str, becomes: str, says: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert was in text
    path.write_text(text.replace(was, becomes), encoding="utf-8")
    with pytest.raises(ProcedureError, match=says):
        load(folder)


def test_a_folder_without_its_form_says_so(folder: Path) -> None:
    (folder / "form.json").unlink()
    with pytest.raises(ProcedureError, match=r"there is no form\.json"):
        load(folder)


def test_all_faults_of_all_folders_are_said_at_once(tmp_path: Path) -> None:
    for name in ("a", "b"):
        shutil.copytree(OWN / "metadimotefsi", tmp_path / name)
        (tmp_path / name / "process.bpmn").unlink()
    with pytest.raises(ProcedureError) as error:
        load_all(tmp_path)
    assert len(str(error.value).splitlines()) == 2
