"""An administrator makes a procedure without Python, and is told of each fault with its file and line."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from asty_citizen_services.documents.facts import facts
from asty_citizen_services.procedures import catalogue, sense
from asty_citizen_services.procedures.catalogue import OWN, load, load_all
from asty_citizen_services.procedures.making import MakingError, Wish, make

PROGRAM = Path(sys.executable).parent / "asty-citizen-services"
WISH = Wish(
    "adeia-kadou", 'Άδεια κάδου «μπαζών» & "υλικών" {1}', "Permit for a skip", "kathariotita", "Υπηρεσία Καθαριότητας", "14", 20, 1250
)


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([PROGRAM, "procedures", *arguments], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def test_a_new_procedure_passes_the_check_and_stands_in_the_catalogue_beside_ours(tmp_path: Path) -> None:
    own = tmp_path / "own"
    made = run(
        "new", "adeia-kadou", "--title", WISH.title, "--title-en", WISH.title_en, "--department", "kathariotita", "--deadline", "20",
        "--fee", "12,50", "--signature", "officer", "--into", str(own),
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    checked = run("check", str(own / "adeia-kadou"))
    assert (checked.returncode, checked.stdout[:12]) == (0, "1 procedures")
    new = load_all(beside=own)["adeia-kadou"]
    assert (new.manifest.number, new.manifest.title.el, new.manifest.fee_cents) == ("14", WISH.title, 1250)
    assert new.manifest.seats["Προϊστάμενος/η"].role == "officer"
    assert list(load_all(beside=own))[-1] == "adeia-kadou"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--title", "Τ", "--title-en", "T", "--department", "nowhere"), "no department nowhere"),
        (("--title", "Τ", "--title-en", "T", "--department", "esoda", "--fee", "ten"), "not ten"),
        (("--title", "Τ", "--title-en", "T", "--department", "esoda", "--deadline", "900"), "more than a year"),
        (("--title-en", "T", "--department", "esoda"), "Title in Greek"),
    ],
)
def test_a_wish_that_makes_no_sense_leaves_nothing_behind(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    made = run("new", "nea", *arguments, "--into", str(tmp_path))
    assert made.returncode == 1
    assert says in made.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_procedure_is_never_written_over_another(tmp_path: Path) -> None:
    make(WISH, tmp_path)
    with pytest.raises(MakingError, match="already"):
        make(WISH, tmp_path)


def test_a_folder_of_the_municipality_takes_the_place_of_ours_of_the_same_name(tmp_path: Path) -> None:
    shutil.copytree(OWN / "metadimotefsi", tmp_path / "metadimotefsi")
    path = tmp_path / "metadimotefsi" / "manifest.toml"
    path.write_text(path.read_text().replace("deadline_days = 50", "deadline_days = 40"))
    assert load_all(beside=tmp_path)["metadimotefsi"].manifest.deadline_days == 40
    assert len(load_all(beside=tmp_path)) == len(load_all())


def test_our_own_folders_have_no_fault() -> None:
    whole, said = sense.check(catalogue.folders())
    assert (len(whole), said) == (18, [])


def test_the_check_knows_what_documents_are_given() -> None:
    given = facts({}, {}, applicant="", filed="", out="", reason="", test_data=True, service={}, place={})
    assert set(given) | {"head", "code", "check_address", "qr", "today"} == sense.FACTS


def in_form(change: Callable[..., None]) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        path = folder / "form.json"
        form = json.loads(path.read_text(encoding="utf-8"))
        change(form["pages"])
        path.write_text(json.dumps(form, ensure_ascii=False, indent=1), encoding="utf-8")

    return edit


def instead(file: str, was: str, becomes: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        path = folder / file
        text = path.read_text(encoding="utf-8")
        assert was in text
        path.write_text(text.replace(was, becomes), encoding="utf-8")

    return edit


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (instead("manifest.toml", "deadline_days = 20", "deadline_days = 20\nprize = 1"), r"manifest.toml:\d+: .*prize"),
        (instead("manifest.toml", "deadline_days = 20", "deadline_days = 2000"), r"manifest.toml:7: 2000 days"),
        (instead("manifest.toml", "deadline_days = 20", "deadline_days = 21"), r"process.bpmn:\d+: the term is 20 days"),
        (instead("manifest.toml", 'department = "kathariotita"', 'department = "polis"'), r"manifest.toml:\d+: no department polis"),
        (instead("manifest.toml", "[[law]]", "[[papers]]\nname = {el='α', en='a'}\n[[laws]]"), r"manifest.toml:\d+: .*laws?"),
        (instead("manifest.toml", 'text = "ν. 2690', 'text = ""\n# "'), r"manifest.toml:\d+: on what law"),
        (instead("manifest.toml", "Permit for a skip", "Άδεια κάδου"), r"manifest.toml:\d+: title: the English text is Greek"),
        (instead("manifest.toml", "granted = 20", "granted = 900"), r"manifest.toml:\d+: kept for 900 years"),
        (in_form(lambda pages: pages[1]["questions"][0]["label"].update(en=" ")), r"form.json:\d+: label of request: the text in en is"),
        (in_form(lambda pages: pages[1]["questions"][0].pop("label")), r"form.json:\d+: .*label"),
        (in_form(lambda pages: pages[2]["questions"][0].update(when={"properties": {"age": {}}})), r"form.json:\d+: .*age was not"),
        (instead("process.bpmn", 'name="Υπηρεσία Καθαριότητας"', 'name="Δήμαρχος"'), r"manifest.toml:\d+: nobody sits in the lane"),
        (instead("process.bpmn", "notify:overdue", "notify:late"), r"process.bpmn:\d+: there is no notice late"),
        (instead("process.bpmn", 'asty:asks="payment"', ""), r"process.bpmn:\d+: a fee is charged and no step waits"),
        (instead("process.bpmn", 'asty:does="charge"', 'asty:does="notify:paid"'), r"manifest.toml:\d+: the process has no step"),
        (instead("documents/document.html", "answers.request", "answers.wish"), r"document.html:10: answers.wish is not there"),
        (instead("documents/document.html", "docket.number", "number"), r"document.html:9: number is not given"),
        (instead("documents/document.html", "docket.number", "record.number"), r"document.html:9: record.number: the manifest names no"),
        (instead("documents/document.html", "{% endblock %}\n{% block body", "{% block body"), r"document.html:\d+: "),
    ],
)  # fmt: skip
def test_each_fault_is_said_with_its_file_and_line(tmp_path: Path, edit: Callable[[Path], None], says: str) -> None:
    folder = make(WISH, tmp_path)
    assert sense.check([folder])[1] == []
    edit(folder)
    said = sense.check([folder])[1]
    assert said
    assert any(re.search(says, line) for line in said), said


def test_a_condition_that_nobody_can_fulfil_is_a_fault(tmp_path: Path) -> None:
    folder = tmp_path / "vevaiosi-mi-ofeilis-tap"
    shutil.copytree(OWN / folder.name, folder)
    instead("form.json", '                "proxy"\n', '                "proxie"\n')(folder)
    assert any("owner is never 'proxie'" in line for line in sense.check([folder])[1])


def test_a_fee_is_by_the_first_rule_that_fits_the_answers(tmp_path: Path) -> None:
    folder = make(WISH, tmp_path)
    path = folder / "manifest.toml"
    rules = """
[[fee]]
cents = 0
why = { el = "Άτομα με αναπηρία", en = "Persons with a disability" }
when = { properties = { request = { const = "αναπηρία" } }, required = ["request"] }
[[fee]]
cents = 250
each = "mobile"
why = { el = "Ανά κάδο", en = "Each skip" }
"""
    path.write_text(path.read_text().replace("fee_cents = 1250\n", "") + rules)
    manifest = load(folder).manifest
    assert manifest.has_fee
    assert [manifest.fee_for(answers) for answers in ({"request": "αναπηρία"}, {"mobile": 3}, {"mobile": "3"}, {})] == [0, 750, 0, 0]
