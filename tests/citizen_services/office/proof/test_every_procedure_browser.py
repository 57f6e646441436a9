"""Every procedure in a real Chromium: from the catalogue to the signed document and the last notice, as citizen and as officer."""

import re
import shutil
import subprocess
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from asty_citizen_services.forms.answers import shown
from asty_citizen_services.identity.taxisnet_double import PERSONS
from asty_citizen_services.notices import gsm7
from asty_citizen_services.notices.texts import TEXTS
from asty_citizen_services.procedures.catalogue import COSIGNER, Procedure, load_all
from asty_citizen_services.workflow.models import CaseTask
from playwright.sync_api import FilePayload, expect

CATALOGUE = load_all()
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("every_procedure")]
BY_KEYS = {"pistopoiitiko-gennisis", "dilosi-diefthynsis-eklogikon"}
"""Taken from end to end by keyboard alone in the short form too: one on a phone, one at a desk."""
OFFICER_ON_A_PHONE = "metadimotefsi"
APPLICANTS = {"antigrafo-praxis-symfonou": 2, "arrenon": 3}
"""Who files, by the slug's beginning, where it is not the first of TaxisNet's test persons."""

type Works = Any
type At = Callable[..., Any]
type Told = Callable[..., Counter[tuple[str, str, str]]]


def short() -> list[Any]:
    sizes = ("phone", "desk")
    return [
        pytest.param(slug, sizes[n % 2], slug in BY_KEYS, id=f"{slug}-{sizes[n % 2]}{'-keys' if slug in BY_KEYS else ''}")
        for n, slug in enumerate(CATALOGUE)
    ]


def long() -> list[Any]:
    return [pytest.param(slug, size, id=f"{slug}-{size}-keys") for slug in CATALOGUE for size in ("phone", "desk")]


@pytest.mark.parametrize(("slug", "size", "keys"), short())
def test_a_procedure_leads_from_the_catalogue_to_the_signed_document(
    slug: str, size: str, keys: bool, works: Works, at_screen: At, told: Told, eventually: Any, tmp_path: Path
) -> None:
    _take(slug, size, keys, works, at_screen, told, eventually, tmp_path)


@pytest.mark.proof
@pytest.mark.parametrize(("slug", "size"), long())
def test_a_procedure_can_be_taken_by_keyboard_alone_on_every_screen(
    slug: str, size: str, works: Works, at_screen: At, told: Told, eventually: Any, tmp_path: Path
) -> None:
    _take(slug, size, True, works, at_screen, told, eventually, tmp_path)


def _take(
    slug: str, size: str, keys: bool, works: Works, at_screen: At, told: Told, eventually: Any, tmp_path: Path
) -> None:  # fmt: skip
    procedure = CATALOGUE[slug]
    who = next((one for begins, one in APPLICANTS.items() if slug.startswith(begins)), 0)
    second = 0 if who else 3
    before = works.post.sent()
    case = _file(procedure, who, second, size, keys, works, at_screen)
    steps = _decide(procedure, case, second, "phone" if slug == OFFICER_ON_A_PHONE else "desk", keys, works, at_screen, eventually)
    reference, out = works.reference(case), works.reference(case, "out")
    said = {"reference": reference, "subject": procedure.manifest.title.el}
    expected = told(who, "filed", **said) + told(who, "issued", reference=out, subject=procedure.manifest.outcome.el)
    if steps["cosign"]:
        link = f"{works.town.settings.address}/cosign/{steps['cosign']}"
        asked = gsm7.plan(TEXTS["cosign"]["el"].fill(said | {"link": link}).body).text
        expected["sms", "306907654321", asked] += 1
    with at_screen(f"citizen-{who}", size, keys=keys) as screen:
        screen.go(f"/cases/{case}")
        drawn(screen.page, "issued")
        file = tmp_path / "document.pdf"
        with screen.page.expect_download() as download:
            screen.touch(screen.page.get_by_role("link", name=f"Λήψη: {procedure.manifest.outcome.el}"))
        download.value.save_as(file)
        if works.first_time("check by file", size, keys):
            screen.go("/check")
            screen.attach(screen.page.get_by_label("Αρχείο PDF"), [as_pdf("document.pdf", file.read_bytes())])
            screen.press(screen.button("Έλεγχος του αρχείου"))
            expect(screen.page.get_by_role("status")).to_contain_text("Το έγγραφο είναι του δήμου και είναι όπως υπογράφηκε.")
        else:
            screen.press(screen.page.locator('main a[href^="/check/"]'))
        expect(screen.page.get_by_text(out, exact=True)).to_be_visible()
        eventually(lambda: (works.post.sent() - before).total() >= expected.total(), why="the notices go out")
        if works.first_time("notices", size, keys):
            screen.go("/notices")
            expect(screen.page.get_by_text(f"Αρ. πρωτ. {out}: το έγγραφο εκδόθηκε").first).to_be_visible()
    assert works.post.sent() - before == expected
    _verify(file)


def _file(procedure: Procedure, who: int, second: int, size: str, keys: bool, works: Works, at_screen: At) -> uuid.UUID:
    """Fill in the form from the catalogue on, and file it."""
    given = works.answers["all"] | works.answers.get(procedure.slug, {})
    people = {"{first}": PERSONS[who].taxid, "{second}": PERSONS[second].taxid}
    given = {name: people.get(value, value) if isinstance(value, str) else value for name, value in given.items()}
    title = procedure.manifest.title.el
    with at_screen(f"citizen-{who}", size, keys=keys) as screen:
        screen.go("/")
        screen.press(screen.page.get_by_role("link", name=title, exact=True))
        expect(screen.page.get_by_role("heading", level=1)).to_have_text(title)
        screen.press(screen.button("Έναρξη αίτησης"))
        for page, questions in shown(procedure.form, given):
            expect(screen.page.get_by_role("heading", level=1)).to_have_text(page.title.el)
            left = [one for one in questions if one.ask in given]
            while True:
                here = [one for one in left if screen.page.locator(f"[id='f-{one.ask}']").count()]
                for question in here:
                    if not (question.prefill and screen.page.locator(f"[id='f-{question.ask}']").input_value()):
                        screen.answer(question, procedure.form.property(question.ask), question.ask, given[question.ask])
                screen.press(screen.button("Συνέχεια", "main .form__do"))
                wrong = screen.page.get_by_role("alert")
                assert wrong.count() == 0, wrong.inner_text()
                if not (left := [one for one in left if one not in here]):
                    break
                assert here, f"{page.id} does not ask for {[one.ask for one in left]}"
        expect(screen.page.get_by_role("heading", level=1)).to_have_text("Ελέγξτε τις απαντήσεις σας")
        screen.press(screen.button("Υποβολή αίτησης"))
        expect(screen.page.get_by_role("heading", level=1)).to_have_text(title)
        case = uuid.UUID(screen.page.url.split("/")[-1].partition("?")[0])
        expect(screen.page.get_by_text(works.reference(case), exact=True)).to_be_visible()
        return case


def _decide(
    procedure: Procedure, case: uuid.UUID, second: int, size: str, keys: bool, works: Works, at_screen: At, eventually: Any
) -> dict[str, Any]:
    """Do what the case waits for, whoever has to do it, until it has come to its end; every answer is the favourable one."""
    done: dict[str, Any] = {"cosign": None}
    model = procedure.model
    while not isinstance(task := eventually(lambda: works.waiting(case), why="the worker does its steps"), str):
        assert isinstance(task, CaseTask)
        step = model.steps[task.step]
        if step.lane == COSIGNER:
            done["cosign"] = task.token
            with at_screen(f"citizen-{second}", "phone", keys=keys) as screen:
                screen.go(f"/cosign/{task.token}")
                screen.tick(screen.page.get_by_label("Διάβασα την αίτηση και συμφωνώ."))
                screen.press(screen.button("Υπογραφή", "main"))
                expect(screen.page.get_by_role("heading", level=1)).to_have_text("Υπογράψατε")
        elif "signature" in step.asks:
            with at_screen("chief", size, keys=keys) as screen:
                screen.go(f"/office/cases/{case}")
                drawn(screen.page, step.id)
                screen.write(screen.page.get_by_label("Συνθηματικό ή PIN"), "μυστικό")
                screen.press(screen.button("Υπογραφή", "main"))
                expect(screen.page.get_by_text(re.compile("υπογεγραμμένο|επιδόθηκε")).first).to_be_visible()
        else:
            with at_screen("clerk" if task.role != "head" else "chief", size, keys=keys) as screen:
                if works.first_time("inbox", size, keys):
                    screen.go("/office")
                    screen.press(screen.page.locator(f'a[href="/office/cases/{case}"]'))
                else:
                    screen.go(f"/office/cases/{case}")
                drawn(screen.page, step.id)
                first = step.outcomes[0].name
                if (closed := screen.page.locator("details.choice summary", has_text=first)).count():
                    screen.touch(closed)
                    screen.press(screen.button(first, "details[open]"))
                else:
                    screen.press(screen.button(first, "main"))
                assert screen.page.get_by_role("alert").count() == 0
    assert task == "issued"
    return done


def as_pdf(name: str, content: bytes) -> FilePayload:
    return {"name": name, "mimeType": "application/pdf", "buffer": content}


def drawn(page: Any, here: str) -> None:
    """Assert that the diagram stands there with its token, and that the list says the same."""
    expect(page.locator("[data-diagram][data-drawn]")).to_be_visible()
    expect(page.locator(f"[data-element-id={here}].here")).to_have_count(1)
    expect(page.locator("[aria-current=step]")).to_have_count(1)


def _verify(file: Path) -> None:
    """Let poppler check the signature, where it is installed."""
    if shutil.which("pdfsig") is None:
        pytest.skip("all but the check by pdfsig was done: apt-get install poppler-utils brings it")
    said = subprocess.run(["pdfsig", "-nocert", file], capture_output=True, text=True, check=False).stdout
    assert said.count("Signature Validation: Signature is Valid.") == 1, said
    assert "Total document signed" in said
