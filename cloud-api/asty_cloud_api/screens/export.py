"""A list as CSV that opens in a spreadsheet of the reader's language."""

import csv
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

from asty_look.preferences import Language

from asty_cloud_api.reads.listing import Listing, Row

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_lines(listing: Listing, rows: Sequence[Row], lang: Language, zone: ZoneInfo, say: Callable[[str], str]) -> Iterator[str]:
    """Yield the export: UTF-8 mark, titles, rows. Greek spreadsheets part cells by `;` and write a decimal comma.

    Times are local with their offset; a text that a spreadsheet would run as a formula is quoted.
    """
    greek = lang == "el"
    buffer = StringIO()
    writer = csv.writer(buffer, delimiter=";" if greek else ",", lineterminator="\r\n")

    def line(cells: Sequence[str]) -> str:
        buffer.seek(0)
        buffer.truncate()
        writer.writerow(cells)
        return buffer.getvalue()

    yield "\ufeff" + line([say(column.title) for column in listing.columns])
    for row in rows:
        yield line([_cell(row[column.key], column.terms, greek, zone, say) for column in listing.columns])


def _cell(value: Any, terms: Any, greek: bool, zone: ZoneInfo, say: Callable[[str], str]) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return value.astimezone(zone).isoformat(sep=" ", timespec="seconds")
        case date():
            return value.isoformat()
        case bool():
            return say("yes") if value else say("no")
        case int():
            return str(value)
        case float():
            return f"{value:.10g}".replace(".", ",") if greek else f"{value:.10g}"
        case list():
            return ", ".join(say(terms.get(item, item)) for item in value)
        case _:
            text = say(terms.get(value, str(value))) if terms else str(value)
            return f"'{text}" if text.startswith(_FORMULA) else text
