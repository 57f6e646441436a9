"""A list that a person can search, filter, sort and take away: its columns and conditions are data, its query is built from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

PAGE_SIZE = 50
MAX_EXPORT = 100_000
MAX_PAGE = 100_000
_EARLIEST, _LATEST = date(2000, 1, 1), date(2999, 12, 31)

Row = RowMapping
Kind = Literal["text", "code", "number", "kg", "moment", "day", "term", "terms", "state", "percent"]


class BadQueryError(Exception):
    """A query parameter that can't be read: its name, what was given, and what is expected as a term to translate."""

    def __init__(self, name: str, given: str, expected: str) -> None:
        super().__init__(f"{name}={given!r}: {expected}")
        self.name, self.given, self.expected = name, given, expected


@dataclass(frozen=True, slots=True)
class Column:
    """`key` of the row and of the sort; `title` and the words of `terms` are terms to translate."""

    key: str
    title: str
    kind: Kind = "text"
    terms: Mapping[str, str] = field(default_factory=dict)
    shown: bool = True  # false: only in the export


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter with known values: the term and the SQL condition of each."""

    name: str
    title: str
    values: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Exact:
    """A filter for one column's value; `options` is SQL that gives (value, label) to choose from."""

    name: str
    title: str
    column: str
    options: str


@dataclass(frozen=True, slots=True)
class OfDay:
    """A filter for one local day: of a time (`column` is a timestamptz) or of a date column."""

    name: str
    title: str
    column: str
    is_date: bool = False


Filter = Choice | Exact | OfDay


@dataclass(frozen=True, slots=True)
class Listing:
    """`source` is a SELECT whose parameters are :zone, :now and :today; `search` are its text columns; `order` is applied after the sort."""

    name: str
    title: str
    source: str
    columns: tuple[Column, ...]
    search: tuple[str, ...]
    filters: tuple[Filter, ...]
    sort: str
    descending: bool
    order: str
    empty: str

    def column(self, key: str) -> Column | None:
        return next((column for column in self.columns if column.key == key), None)


@dataclass(frozen=True, slots=True)
class Query:
    """What somebody wants to see of a list."""

    q: str = ""
    sort: str = ""
    descending: bool = False
    page: int = 1
    chosen: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    rows: Sequence[Row]
    total: int
    number: int
    size: int

    @property
    def last(self) -> int:
        return max(1, -(-self.total // self.size))


def parse(listing: Listing, given: Mapping[str, str]) -> Query:
    """Read query parameters; those that the list doesn't know are ignored. Raises BadQueryError."""
    sort, descending = listing.sort, listing.descending
    if wanted := given.get("sort"):
        sort, descending = wanted.removeprefix("-"), wanted.startswith("-")
        if listing.column(sort) is None:
            raise BadQueryError("sort", wanted, "There is no such column to sort by.")
    page = given.get("page") or "1"
    if not (page.isascii() and page.isdigit() and 1 <= int(page[:9]) <= MAX_PAGE):
        raise BadQueryError("page", page, "A page is a whole number from 1.")
    q = (given.get("q") or "").strip()
    if len(q) > 100 or "\0" in q:
        raise BadQueryError("q", q[:100], "A search has at most 100 characters.")
    chosen = {filter_.name: value for filter_ in listing.filters if (value := (given.get(filter_.name) or "").strip())}
    for filter_ in listing.filters:
        if filter_.name in chosen:
            _check(filter_, chosen[filter_.name])
    return Query(q, sort, descending, int(page[:9]), chosen)


def _check(filter_: Filter, value: str) -> None:
    match filter_:
        case Choice(name=name, values=values) if value not in values:
            raise BadQueryError(name, value, "There is no such choice.")
        case Exact(name=name) if len(value) > 64 or "\0" in value:
            raise BadQueryError(name, value[:64], "There is no such choice.")
        case OfDay(name=name):
            try:
                day = date.fromisoformat(value)
            except ValueError:
                day = None
            if day is None or not _EARLIEST <= day <= _LATEST:
                raise BadQueryError(name, value, "A day is written like 2026-11-24.")


def day_bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return when a local day begins and ends; it lasts 23 or 25 hours when the clocks change."""
    return datetime.combine(day, time(), zone), datetime.combine(day + timedelta(days=1), time(), zone)


def statement(listing: Listing, query: Query, zone: ZoneInfo, now: datetime) -> tuple[str, dict[str, Any]]:
    """Return the SELECT, without limit, and its parameters. Only what stands in the listing gets into the text."""
    values: dict[str, Any] = {"zone": zone.key, "now": now, "today": day_bounds(now.astimezone(zone).date(), zone)[0]}
    where = []
    if query.q:
        where.append("(" + " OR ".join(f"{folded_sql(column)} LIKE :q" for column in listing.search) + ")")
        values["q"] = "%" + folded(query.q).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    for filter_ in listing.filters:
        if (value := query.chosen.get(filter_.name)) is None:
            continue
        match filter_:
            case Choice(values=choices):
                where.append(f"({choices[value][1]})")
            case Exact(name=name, column=column):
                where.append(f"{column} = :f_{name}")
                values[f"f_{name}"] = value
            case OfDay(name=name, column=column, is_date=True):
                where.append(f"{column} = :f_{name}")
                values[f"f_{name}"] = date.fromisoformat(value)
            case OfDay(name=name, column=column):
                where.append(f"{column} >= :f_{name}_a AND {column} < :f_{name}_b")
                values[f"f_{name}_a"], values[f"f_{name}_b"] = day_bounds(date.fromisoformat(value), zone)
    condition = f" WHERE {' AND '.join(where)}" if where else ""
    direction = "DESC" if query.descending else "ASC"
    sql = f"SELECT * FROM ({listing.source}) AS l{condition} ORDER BY {query.sort} {direction} NULLS LAST, {listing.order}"  # noqa: S608  names come from the listing
    return sql, values


_GREEK = "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΆΈΉΊΪΌΎΫΏάέήίϊΐόύϋΰώς"
_PLAIN = "αβγδεζηθικλμνξοπρστυφχψωαεηιιουυωαεηιιιουυυωσ"


def folded_sql(expression: str) -> str:
    """Return SQL that takes case and accents off Greek and Latin text; it needs no locale of the database, since lower() may know no Greek."""
    return f"translate(lower({expression}), '{_GREEK}', '{_PLAIN}')"


def folded(text_: str) -> str:
    """Take case and accents off what somebody searches for, as `folded_sql` does."""
    return text_.translate(str.maketrans(_GREEK, _PLAIN)).lower()


async def page(
    connection: AsyncConnection, listing: Listing, query: Query, zone: ZoneInfo, now: datetime, *, size: int = PAGE_SIZE
) -> Page:
    """Read one page of a list, and how many rows there are in all."""
    sql, values = statement(listing, query, zone, now)
    total = (await connection.execute(text(f"SELECT count(*) FROM ({sql}) AS n"), values)).scalar_one()  # noqa: S608
    number = min(query.page, max(1, -(-total // size)))
    rows = await connection.execute(text(f"{sql} LIMIT :limit OFFSET :offset"), values | {"limit": size, "offset": (number - 1) * size})
    return Page(rows.mappings().all(), total, number, size)


async def everything(connection: AsyncConnection, listing: Listing, query: Query, zone: ZoneInfo, now: datetime) -> Sequence[Row]:
    """Read the whole list as filtered and sorted, up to MAX_EXPORT rows."""
    sql, values = statement(listing, query, zone, now)
    return (await connection.execute(text(f"{sql} LIMIT :limit"), values | {"limit": MAX_EXPORT})).mappings().all()


async def options(connection: AsyncConnection, listing: Listing) -> dict[str, list[tuple[str, str]]]:
    """Read what the Exact filters of a list can choose from."""
    return {
        filter_.name: [(str(row[0]), str(row[1])) for row in await connection.execute(text(filter_.options))]
        for filter_ in listing.filters
        if isinstance(filter_, Exact)
    }
