"""Where signers stand on a document: places reserved when it is written, and what each signature shows there."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pikepdf
import weasyprint
from msgspec import Struct
from pikepdf import Array, Dictionary, Name, String
from pyhanko.pdf_utils.layout import AxisAlignment, Margins, SimpleBoxLayoutRule
from pyhanko.stamp import StaticStampStyle

FIELD = "signature_{n}"
WIDTH_MM, HEIGHT_MM = 77, 25
"""What letter.css leaves free for each signer."""
_PRINTED, _SIGNATURES_EXIST = 4, 1
_WHOLE = SimpleBoxLayoutRule(x_align=AxisAlignment.ALIGN_MID, y_align=AxisAlignment.ALIGN_MID, margins=Margins(0, 0, 0, 0))
_STYLE = """
@page { size: %dmm %dmm; margin: 0 }
html { font: 8.5pt/1.35 "Commissioner", "DejaVu Sans", "Liberation Sans", sans-serif; color: #15202b }
body { margin: 0.4mm; box-sizing: border-box; height: %.1fmm; padding: 1.6mm 2.5mm; border: 0.7pt solid #7b8794; overflow: hidden }
p { margin: 0 } .small { font-size: 7pt; color: #4a5866 } .name { font-size: 10pt; font-weight: 700 }
"""


class Place(Struct, frozen=True):
    """A rectangle on a page, both ends in points from its lower left corner."""

    page: int
    rectangle: tuple[float, float, float, float]


class Seal(Struct, frozen=True):
    """What a signature shows: who, in which office, when with the zone, and the document's code, grouped."""

    name: str
    office: str
    at: str
    code: str


def seal(name: str, office: str, now: datetime, zone: ZoneInfo, code: str) -> Seal:
    """Say who signs now, in the time of the municipality."""
    local = now.astimezone(zone)
    return Seal(name, office, f"{local:%d/%m/%Y %H:%M} {local.tzname()} (UTC{local:%:z})", code)


def reserve(pdf: bytes, places: Sequence[Place]) -> bytes:
    """Return a tagged PDF with an empty field for each signer, told to screen readers by a tag of its own (PDF/UA-1, 7.18)."""
    if not places:
        return pdf
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as document:
        fields = [_field(document, n, place) for n, place in enumerate(places, 1)]
        document.Root.AcroForm = document.make_indirect(Dictionary(Fields=Array(fields), SigFlags=_SIGNATURES_EXIST))
        document.save(out)
    return out.getvalue()


def _field(document: pikepdf.Pdf, n: int, place: Place) -> pikepdf.Object:
    page, tree = document.pages[place.page], document.Root.StructTreeRoot
    key = int(tree.get("/ParentTreeNextKey", 0)) or _next_key(tree)
    said = String(f"Θέση ψηφιακής υπογραφής {n}")
    field = document.make_indirect(
        Dictionary(
            Type=Name.Annot, Subtype=Name.Widget, FT=Name.Sig, T=String(FIELD.format(n=n)), TU=said, Contents=said, F=_PRINTED,
            Rect=Array(place.rectangle), P=page.obj, StructParent=key,
        )
    )  # fmt: skip
    top = tree.K[0] if isinstance(tree.K, Array) else tree.K
    tag = document.make_indirect(Dictionary(Type=Name.StructElem, S=Name.Form, P=top, Alt=said))
    tag.K = Dictionary(Type=Name.OBJR, Obj=field, Pg=page.obj)
    top.K = Array([*(top.K if isinstance(top.K, Array) else [top.K]), tag])
    tree.ParentTree.Nums = Array([*tree.ParentTree.Nums, key, tag])
    tree.ParentTreeNextKey = key + 1
    page.obj.Annots = Array([*page.obj.get("/Annots", Array()), field])
    page.obj.Tabs = Name.S
    return field


def _next_key(tree: pikepdf.Object) -> int:
    return max((int(key) for key in list(tree.ParentTree.Nums)[::2]), default=-1) + 1


@contextmanager
def look(shown: Seal) -> Iterator[StaticStampStyle]:
    """Give what pyHanko draws into a reserved place, with its own letters embedded."""
    html = (
        f"<style>{_STYLE % (WIDTH_MM, HEIGHT_MM, HEIGHT_MM - 0.8)}</style><p class=small>Ψηφιακά υπογεγραμμένο από</p>"
        f"<p class=name>{escape(shown.name)}</p><p>{escape(shown.office)}</p><p>{escape(shown.at)}</p>"
        f"<p class=small>Κωδικός ελέγχου: {escape(shown.code)}</p>"
    )
    with TemporaryDirectory() as folder:
        path = Path(folder) / "seal.pdf"
        weasyprint.HTML(string=html).write_pdf(path)
        yield StaticStampStyle.from_pdf_file(str(path), border_width=0, background_opacity=1.0, background_layout=_WHOLE)
