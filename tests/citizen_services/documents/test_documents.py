"""A document is accessible, says where it is checked, and its signatures show any later change."""

import io
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from shutil import which
from typing import Any
from zoneinfo import ZoneInfo

import pikepdf
import pytest
from asn1crypto import x509
from asty_citizen_services.documents.compose import Letterhead, TemplateWrongError, compose, grouped, new_code, read_code
from asty_citizen_services.documents.demo_ca import DemoAuthority, NotInProductionError
from asty_citizen_services.documents.places import FIELD, seal
from asty_citizen_services.documents.signing import KeySigner, Mark, NotSignedError, from_pkcs12
from asty_citizen_services.documents.verify import NoPdfError, signatures
from asty_citizen_services.procedures.catalogue import OWN
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

ATHENS = ZoneInfo("Europe/Athens")
NOW = datetime(2026, 11, 24, 22, 30, tzinfo=UTC)
HEAD = Letterhead("Δήμος Δοκιμής", "Δημοτολόγιο", "https://polites.example.gr")
CODE = "7Q2M4X8K1N5P3R6T"
FOLDER = OWN / "vevaiosi-monimis-katoikias" / "documents"
FACTS: dict[str, Any] = {
    "docket": {"number": "1234/2026"},
    "applicant": "ΠΑΠΑΔΟΠΟΥΛΟΥ ΜΑΡΙΑ",
    "answers": {"fathername": "ΓΕΩΡΓΙΟΣ", "afm": "094259216", "since": "2011-03-05"},
    "address": "Ερμού 12, 38221 Βόλος",
    "record": {"number": "17"},
    "test_data": True,
}
MARK = Mark("Ελένη Δοκιμαστική", "Προϊσταμένη Δημοτολογίου", "Έκδοση βεβαίωσης")


@pytest.fixture(scope="module")
def paper() -> bytes:
    return compose(FOLDER, "document", FACTS, HEAD, CODE, NOW, ATHENS)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> DemoAuthority:
    authority = DemoAuthority(tmp_path_factory.mktemp("ca"), production=False)
    authority.prepare(datetime.now(UTC))
    return authority


@pytest.fixture(scope="module")
def signer(authority: DemoAuthority, tmp_path_factory: pytest.TempPathFactory) -> KeySigner:
    path = tmp_path_factory.mktemp("keys") / "eleni.p12"
    path.write_bytes(authority.issue(MARK.name, MARK.office, "μυστικό", datetime.now(UTC)))
    return from_pkcs12(path, "μυστικό")


def roots(authority: DemoAuthority) -> list[x509.Certificate]:
    return [x509.Certificate.load(authority.certificate.public_bytes(Encoding.DER))]


def text_of(pdf: bytes, folder: Path) -> str:
    path = folder / "paper.pdf"
    path.write_bytes(pdf)
    return subprocess.run(["pdftotext", "-layout", str(path), "-"], check=True, capture_output=True, text=True).stdout


def test_a_document_is_a_tagged_pdf_that_names_its_language_and_title(paper: bytes) -> None:
    with pikepdf.open(io.BytesIO(paper)) as pdf:
        assert pdf.Root.MarkInfo.Marked
        assert str(pdf.Root.Lang) == "el"
        with pdf.open_metadata() as metadata:
            assert metadata["pdfuaid:part"] == "1"
            assert metadata["dc:title"] == "Βεβαίωση Μόνιμης Κατοικίας"


@pytest.mark.skipif(which("pdftotext") is None, reason="poppler-utils is not installed: apt install poppler-utils")
def test_a_document_says_what_was_filed_the_local_day_and_where_to_check_it(paper: bytes, tmp_path: Path) -> None:
    text = text_of(paper, tmp_path)
    assert "Βεβαίωση Μόνιμης Κατοικίας" in text
    assert "1234/2026" in text
    assert "25 Νοεμβρίου 2026" in text  # half past midnight in Athens
    assert "5 Μαρτίου 2011" in text
    assert "7Q2M-4X8K-1N5P-3R6T" in text
    assert "ΔΕΝ ΕΧΕΙ ΝΟΜΙΚΗ ΙΣΧΥ" in text


def test_a_template_that_asks_for_what_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "document.html").write_text("{{ answers.nothing_such }}")
    with pytest.raises(TemplateWrongError, match="nothing_such"):
        compose(tmp_path, "document", FACTS, HEAD, CODE, NOW, ATHENS)


@pytest.mark.parametrize(
    "content",
    [
        '<img src="file:///etc/passwd" alt="x">',
        '<link rel="stylesheet" href="https://evil.example/x.css">',
        "{{ answers.__class__.__mro__ }}",
        "{% include '/etc/passwd' %}",
    ],
)
def test_a_template_reaches_neither_other_files_nor_the_network_nor_python(tmp_path: Path, content: str) -> None:
    (tmp_path / "document.html").write_text(content)
    with pytest.raises(TemplateWrongError):
        compose(tmp_path, "document", FACTS, HEAD, CODE, NOW, ATHENS)


async def test_each_signer_is_seen_in_a_place_of_his_own_and_the_document_stays_accessible(signer: KeySigner, tmp_path: Path) -> None:
    pdf = compose(FOLDER, "document", FACTS, HEAD, CODE, NOW, ATHENS, signers=2)
    for n, name in enumerate(("Ελένη Δοκιμαστική", "Πέτρος Προϊστάμενος"), 1):
        shown = seal(name, "Δημοτολόγιο", NOW, ATHENS, grouped(CODE))
        pdf = await signer.sign(pdf, Mark(name, "Δημοτολόγιο", "Έκδοση", shown), FIELD.format(n=n))
    assert [(one.field, one.whole, one.covers_all) for one in await signatures(pdf, [])] == [
        ("signature_1", True, True),
        ("signature_2", True, True),
    ]
    with pikepdf.open(io.BytesIO(pdf)) as signed:
        assert len(signed.pages) == 1
        fields = list(signed.Root.AcroForm.Fields)
        boxes = [[float(side) for side in field.Rect] for field in fields]
        assert boxes[0][2] <= boxes[1][0], "side by side"
        for n, field in enumerate(fields, 1):
            assert str(field.TU) == f"Θέση ψηφιακής υπογραφής {n}"
            numbers = list(signed.Root.StructTreeRoot.ParentTree.Nums)
            tag = numbers[numbers.index(field.StructParent) + 1]
            assert (tag.S, tag.K.Obj.T) == ("/Form", field.T)
        assert signed.pages[0].obj.Tabs == "/S"
    if which("pdftotext"):
        said = text_of(pdf, tmp_path)
        assert said.count("Ψηφιακά υπογεγραμμένο από") == 2
        assert "Πέτρος Προϊστάμενος" in said
        assert "25/11/2026 00:30 EET (UTC+02:00)" in said


async def test_two_sign_one_after_the_other_and_both_signatures_hold(paper: bytes, signer: KeySigner, authority: DemoAuthority) -> None:
    once = await signer.sign(paper, MARK, "officer")
    twice = await signer.sign(once, Mark("Δήμαρχος", "Δήμαρχος", "Έγκριση"), "mayor")
    found = await signatures(twice, roots(authority))
    assert [(one.field, one.name, one.whole, one.trusted) for one in found] == [
        ("officer", "Ελένη Δοκιμαστική", True, True),
        ("mayor", "Δήμαρχος", True, True),
    ]
    assert all("ΔΟΚΙΜΑΣΤΙΚΗ ΑΡΧΗ" in one.issuer for one in found)


def pdfsig(path: Path) -> str:
    return subprocess.run(["pdfsig", "-nocert", str(path)], check=False, capture_output=True, text=True).stdout


@pytest.mark.skipif(which("pdfsig") is None, reason="poppler-utils is not installed: apt install poppler-utils")
async def test_another_program_accepts_the_signature(paper: bytes, signer: KeySigner, tmp_path: Path) -> None:
    path = tmp_path / "signed.pdf"
    path.write_bytes(await signer.sign(paper, MARK, "officer"))
    said = pdfsig(path)
    assert "Signature Validation: Signature is Valid." in said
    assert "ETSI.CAdES.detached" in said


async def test_one_changed_byte_breaks_the_signature(paper: bytes, signer: KeySigner, authority: DemoAuthority) -> None:
    signed = bytearray(await signer.sign(paper, MARK, "officer"))
    place = signed.index(b"stream\n") + 20
    signed[place] ^= 1
    [found] = await signatures(bytes(signed), roots(authority))
    assert not found.whole


async def test_a_signature_of_an_unknown_authority_is_whole_and_not_trusted(paper: bytes, signer: KeySigner) -> None:
    [found] = await signatures(await signer.sign(paper, MARK, "officer"), [])
    assert found.whole
    assert not found.trusted


async def test_what_is_added_after_the_signature_is_seen(paper: bytes, signer: KeySigner, authority: DemoAuthority) -> None:
    signed = await signer.sign(paper, MARK, "officer")
    [before] = await signatures(signed, roots(authority))
    writer = IncrementalPdfFileWriter(io.BytesIO(signed))
    writer.add_stream_to_page(0, writer.add_object(generic.StreamObject(stream_data=b"0 0 m 9 9 l S")))
    added = io.BytesIO()
    writer.write(added)
    [after] = await signatures(added.getvalue(), roots(authority))
    assert before.covers_all
    assert after.whole
    assert not after.covers_all


async def test_a_paper_without_signature_has_none_and_a_picture_is_no_pdf(paper: bytes) -> None:
    assert await signatures(paper, []) == ()
    for junk in (b"", b"GIF89a", b"%PDF-1.7\n%%EOF", paper[:500]):
        with pytest.raises(NoPdfError):
            await signatures(junk, [])


def test_a_wrong_passphrase_says_what_to_check(authority: DemoAuthority, tmp_path: Path) -> None:
    path = tmp_path / "key.p12"
    path.write_bytes(authority.issue("Ν. Δοκιμαστικός", "Ληξίαρχος", "right", datetime.now(UTC)))
    with pytest.raises(NotSignedError, match="passphrase"):
        from_pkcs12(path, "wrong")


def test_the_demo_authority_does_not_start_in_production(tmp_path: Path) -> None:
    with pytest.raises(NotInProductionError):
        DemoAuthority(tmp_path, production=True)


@given(st.text())
def test_whatever_is_typed_as_a_code_is_a_code_or_none(text: str) -> None:
    code = read_code(text)
    assert code is None or len(code) == 16


def test_a_code_is_read_as_people_write_it() -> None:
    code = new_code()
    assert read_code(grouped(code).lower()) == code
    assert read_code("7q2m 4x8k-iN5P-3R6T") == CODE
    assert read_code("7Q2M4X8K1N5P3R6") is None
