"""From a procedure's template to a tagged PDF that names where it can be checked."""

import io
import secrets
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname
from zoneinfo import ZoneInfo

import segno
import weasyprint
from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from msgspec import Struct
from weasyprint.urls import FatalURLFetchingError, URLFetcher

from asty_citizen_services.documents.places import Place, reserve

HERE = Path(__file__).parent / "letter"
CODE_SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no sign is mistaken for another when it is read out on the phone."""
CODE_LENGTH = 16
_POINTS = 0.75
"""A CSS pixel."""
_MONTHS = (
    *("Ιανουαρίου", "Φεβρουαρίου", "Μαρτίου", "Απριλίου", "Μαΐου", "Ιουνίου"),
    *("Ιουλίου", "Αυγούστου", "Σεπτεμβρίου", "Οκτωβρίου", "Νοεμβρίου", "Δεκεμβρίου"),
)


class TemplateWrongError(Exception):
    """A document's template can't be filled: says which, and what it asked for in vain."""


class Letterhead(Struct, frozen=True):
    """What stands on every document of the municipality."""

    municipality: str
    department: str
    address: str
    """Where documents are checked, such as https://polites.example.gr; the code follows after /check/."""


def new_code() -> str:
    """Return a fresh code of 80 bits by which a document can be checked."""
    return "".join(secrets.choice(CODE_SIGNS) for _ in range(CODE_LENGTH))


def grouped(code: str) -> str:
    """Write a code in fours, as people read it."""
    return "-".join(code[n : n + 4] for n in range(0, len(code), 4))


def read_code(text: str) -> str | None:
    """Read a code as people write it (small letters, O for 0, I and L for 1, blanks, hyphens); None when it is none."""
    code = text.upper().translate(str.maketrans("OIL", "011", " -\t\n"))
    return code if len(code) == CODE_LENGTH and set(code) <= set(CODE_SIGNS) else None


def compose(
    folder: Path, template: str, facts: Mapping[str, Any], head: Letterhead, code: str, now: datetime, zone: ZoneInfo, signers: int = 0
) -> bytes:
    """Fill `template`.html of a procedure's documents and return it as PDF/UA-1, with a place for each of the `signers`.

    `facts` are what the template may name. Raises TemplateWrongError.
    """
    environment = ImmutableSandboxedEnvironment(
        loader=ChoiceLoader([FileSystemLoader(folder), FileSystemLoader(HERE)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters["day"] = day
    environment.filters["number"] = number
    address = f"{head.address}/check/{code}"
    given = {
        "head": head,
        "code": grouped(code),
        "check_address": address,
        "qr": segno.make(address, error="m").svg_data_uri(scale=4, border=2, dark="#15202b"),
        "today": day(now.astimezone(zone).date().isoformat()),
        "signers": signers,
    }
    try:
        html = environment.get_template(f"{template}.html").render(dict(facts) | given)
    except TemplateError as error:
        raise TemplateWrongError(f"{folder / template}.html: {error}") from error
    out = io.BytesIO()
    page = weasyprint.HTML(string=html, base_url=f"{HERE}/", url_fetcher=_OnlyOwn(allowed_protocols=("data", "file")))
    try:
        document = page.render(pdf_variant="pdf/ua-1")
        document.write_pdf(out, pdf_variant="pdf/ua-1")
    except FatalURLFetchingError as error:
        raise TemplateWrongError(f"{folder / template}.html: {error}") from error
    return reserve(out.getvalue(), _places(document))


def _places(document: weasyprint.Document) -> list[Place]:
    """Return where the letter leaves room for signers: its boxes `signature_1`, `signature_2` and so on, in points from below."""
    found = {
        name: Place(n, (left * _POINTS, (page.height - bottom) * _POINTS, right * _POINTS, (page.height - top) * _POINTS))
        for n, page in enumerate(document.pages)
        for name, (left, top, right, bottom) in page.anchors.items()
        if name.startswith("signature_")
    }
    return [found[name] for name in sorted(found)]


def day(value: str | date | None) -> str:
    """Write a day in Greek: 5 Μαρτίου 1984; nothing for none."""
    if not value:
        return ""
    when = date.fromisoformat(value) if isinstance(value, str) else value
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"


def number(value: Any, unit: str = "") -> str:
    """Write a number as Greeks do, with its unit: 1.064,5 τ.μ.; nothing for none."""
    if not value:
        return ""
    written = f"{float(value):,.10g}".translate(str.maketrans(",.", ".,"))
    return f"{written} {unit}" if unit else written


class _OnlyOwn(URLFetcher):  # type: ignore[misc]
    """Fetches what the letter itself brings: a template reaches neither the network nor other files."""

    def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> Any:
        if not url.startswith("data:") and Path(url2pathname(urlsplit(url).path)).parent != HERE:
            raise FatalURLFetchingError(f"a document may not fetch {url}")
        return super().fetch(url, headers)
