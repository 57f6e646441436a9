"""Lists as a spreadsheet takes them."""

import csv
import io
from collections.abc import Iterable, Sequence

from starlette.responses import Response


def csv_of(heads: Sequence[str], rows: Iterable[Sequence[object]], lang: str) -> str:
    """Write a table: `;` in Greek, `,` in English, with the mark by which spreadsheets know UTF-8; nothing is read as a formula."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if lang == "el" else ",")
    writer.writerow(heads)
    writer.writerows([plain(str(cell)) for cell in row] for row in rows)
    return "\ufeff" + out.getvalue()


def plain(cell: str) -> str:
    """Keep a spreadsheet from reading a text as a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t") else cell


def answer(text: str, name: str) -> Response:
    """Hand a table out as a file."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)
