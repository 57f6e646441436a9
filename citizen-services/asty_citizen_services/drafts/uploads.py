"""What a file is, whatever it is called: looked into, refused with a reason, or cleaned."""

import io
import warnings
from collections.abc import Iterator
from itertools import chain
from pathlib import PurePosixPath, PureWindowsPath

import pikepdf
import puremagic
from msgspec import Struct
from PIL import Image, ImageOps

MOST_BYTES = 20_000_000
MOST_PIXELS = 60_000_000
LONGEST_SIDE = 4000
"""Pixels to which a photograph is reduced: an A4 page at 340 dots to the inch."""
PICTURES = {"image/jpeg", "image/png", "image/webp"}


class NotTakenError(Exception):
    """The file is not taken: `why` is a term for the page, which says what to do."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Taken(Struct, frozen=True):
    """A file that is kept: its name without a path, its true type, its bytes, cleaned."""

    name: str
    media_type: str
    content: bytes


def examine(name: str, content: bytes) -> Taken:
    """Look into a file. Pictures are drawn anew, without what a camera wrote beside them; a PDF that does anything is refused.

    Raises NotTakenError.
    """
    if not content:
        raise NotTakenError("The file is empty. Choose it again.")
    if len(content) > MOST_BYTES:
        raise NotTakenError("The file is larger than 20 MB. Scan it at a lower resolution, or split it.")
    kind = _kind(content)
    if kind == "application/pdf":
        _look_into_pdf(content)
        return Taken(_plain(name, "pdf"), kind, content)
    if kind in PICTURES:
        return Taken(_plain(name, "jpg"), "image/jpeg", _draw_anew(content))
    raise NotTakenError(
        "Only PDF files and pictures (JPEG, PNG, WebP) are taken. What the file is called does not matter, what it is does."
    )


def _kind(content: bytes) -> str:
    """Return the type that the first bytes tell."""
    try:
        return puremagic.from_string(content[:4096], mime=True) if not content.startswith(b"%PDF-") else "application/pdf"
    except (puremagic.PureError, ValueError):
        return ""


def _plain(name: str, ending: str) -> str:
    stem = PurePosixPath(PureWindowsPath(name).name).stem
    kept = "".join(sign for sign in stem if sign.isprintable() and sign not in '<>:"/\\|?*').strip(" .")[:100]
    return f"{kept or 'file'}.{ending}"


def _look_into_pdf(content: bytes) -> None:
    try:
        with pikepdf.open(io.BytesIO(content)) as pdf:
            if not pdf.pages:
                raise NotTakenError("The PDF has no pages. Save it again, or scan the paper.")
            acts = next(_acting(pdf), None)
    except pikepdf.PasswordError:
        raise NotTakenError("The PDF is locked with a password. Save it without one.") from None
    except (pikepdf.PdfError, ValueError, RecursionError):
        raise NotTakenError("The PDF is damaged and can't be read. Save it again, or scan the paper.") from None
    if acts is not None:
        raise NotTakenError("The PDF holds a program or other files. Print it to a new PDF, and send that one.")


def _acting(pdf: pikepdf.Pdf) -> Iterator[str]:
    """Yield what makes a PDF more than paper: scripts, actions that start something, files in it."""
    for found in chain.from_iterable(_within(one) for one in pdf.objects):
        yield from (key for key in ("/JS", "/JavaScript", "/EmbeddedFiles") if key in found)
        if found.get("/S") in ("/JavaScript", "/Launch", "/ImportData", "/SubmitForm") or found.get("/Type") == "/Filespec":
            yield "/S"


def _within(found: pikepdf.Object) -> Iterator[pikepdf.Object]:
    """Yield the dictionaries that an object is or holds directly; those it only refers to are objects of their own."""
    if isinstance(found, pikepdf.Dictionary | pikepdf.Stream):
        yield found
        inner = [value for _, value in found.items()]
    else:
        inner = list(found) if isinstance(found, pikepdf.Array) else []
    for value in inner:
        if isinstance(value, pikepdf.Object) and not value.is_indirect:
            yield from _within(value)


def _draw_anew(content: bytes) -> bytes:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise NotTakenError("The picture has too many points. Take it at a lower resolution.")
                upright = ImageOps.exif_transpose(picture)
                upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
                out = io.BytesIO()
                upright.convert("RGB").save(out, "JPEG", quality=88, optimize=True)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise NotTakenError("The picture is damaged and can't be read. Take it again.") from None
    return out.getvalue()
