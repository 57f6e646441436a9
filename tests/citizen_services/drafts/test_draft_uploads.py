"""A file is what it is, not what it is called; what could do harm is refused with what to do instead."""

import io
import socket
import zipfile

import pikepdf
import pytest
from asty_citizen_services.drafts.scanner import Clamd, ScannerAwayError
from asty_citizen_services.drafts.uploads import MOST_BYTES, NotTakenError, examine
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def pdf(**root: object) -> bytes:
    made, out = pikepdf.new(), io.BytesIO()
    made.add_blank_page()
    for name, value in root.items():
        made.Root[f"/{name}"] = value
    made.save(out)
    return out.getvalue()


def picture(kind: str = "JPEG", size: tuple[int, int] = (40, 30), **how: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, kind, **how)
    return out.getvalue()


def zipped(size: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("x", b"\0" * size)
    return out.getvalue()


def locked() -> bytes:
    made, out = pikepdf.new(), io.BytesIO()
    made.add_blank_page()
    made.save(out, encryption=pikepdf.Encryption(user="x", owner="y"))
    return out.getvalue()


def with_file() -> bytes:
    made, out = pikepdf.new(), io.BytesIO()
    made.add_blank_page()
    made.attachments["evil.exe"] = pikepdf.AttachedFileSpec(made, b"MZ")
    made.save(out)
    return out.getvalue()


SCRIPT = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert(1)"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("paper.pdf", b""),
        ("paper.pdf", b"%PDF-1.7 nothing"),
        ("paper.pdf", b"MZ\x90\x00" + b"\0" * 500),
        ("paper.pdf", zipped(10_000_000)),
        ("paper.pdf", picture()[:60]),
        ("picture.jpg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
        ("picture.jpg", b"<html><script>alert(1)</script></html>"),
        ("picture.png", EICAR),
        ("script.pdf", pdf(OpenAction=SCRIPT)),
        ("script.pdf", pdf(AA=pikepdf.Dictionary(WC=SCRIPT))),
        ("launch.pdf", pdf(OpenAction=pikepdf.Dictionary(S=pikepdf.Name.Launch, F=pikepdf.String("cmd.exe")))),
        ("locked.pdf", locked()),
        ("with-file.pdf", with_file()),
        ("huge.pdf", b"%PDF-" + b"0" * MOST_BYTES),
        ("bomb.png", picture("PNG", (9000, 9000))),
    ],
    ids=lambda value: value if isinstance(value, str) else "content",
)
def test_what_is_no_plain_paper_is_refused_with_what_to_do(name: str, content: bytes) -> None:
    with pytest.raises(NotTakenError) as error:
        examine(name, content)
    assert error.value.why.endswith(".")


def test_a_picture_loses_where_it_was_taken_and_stands_upright() -> None:
    about = Image.Exif()
    about[0x0112] = 6  # turned by a quarter
    about.get_ifd(0x8825)[2] = (39.0, 21.0, 45.0)
    taken = examine("..\\..\\φωτό του σπιτιού.PNG", picture("JPEG", (40, 30), exif=about))
    assert (taken.name, taken.media_type) == ("φωτό του σπιτιού.jpg", "image/jpeg")
    with Image.open(io.BytesIO(taken.content)) as kept:
        assert kept.size == (30, 40)
        assert dict(kept.getexif()) == {}


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG"])
def test_pictures_of_any_kind_are_kept_as_jpeg_of_a_bounded_size(kind: str) -> None:
    with Image.open(io.BytesIO(examine("x", picture(kind, (5000, 100))).content)) as kept:
        assert kept.format == "JPEG"
        assert max(kept.size) == 4000


def test_a_pdf_is_kept_byte_for_byte() -> None:
    content = pdf()
    assert examine("/etc/passwd", content).content == content
    assert examine("/etc/passwd", content).name == "passwd.pdf"


@given(st.text(), st.sampled_from([b"", b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0"]), st.binary(max_size=400))
def test_whatever_comes_is_refused_in_words_and_never_a_crash(name: str, start: bytes, content: bytes) -> None:
    with pytest.raises(NotTakenError):
        examine(name, start + content)


def test_the_scanner_lets_clean_files_through_and_refuses_the_known_virus(clamd: int) -> None:
    scanner = Clamd("127.0.0.1", clamd)
    scanner.scan(b"clean" * 100_000)
    with pytest.raises(NotTakenError, match="virus"):
        scanner.scan(b"x" * 70_000 + EICAR)


def test_nothing_is_taken_while_the_scanner_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(ScannerAwayError):
        Clamd("127.0.0.1", port).scan(b"x")
