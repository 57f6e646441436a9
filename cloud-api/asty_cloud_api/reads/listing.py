"""A list that a person can search, filter, sort and take away: its columns and conditions are data, its query is built from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

PAGE_SIZE = 50
MAX_EXPORT = 100_000
MAX_PAGE = 100_000
MAX_COUNT = 20_000
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
    nullable: bool = True  # false: no row lacks it, so that an index can serve the sort


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
    """`source` is a SELECT whose parameters are :zone, :now and :today; `search` are its text columns; `order` settles ties."""

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

    @property
    def last(self) -> int:
        return max(1, -(-self.total // PAGE_SIZE))

    @property
    def is_more(self) -> bool:
        """Tell whether counting stopped before the end."""
        return self.total >= MAX_COUNT


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


class Statement(NamedTuple):
    """A SELECT without order, its order, and the parameters of both."""

    select: str
    order: str
    values: dict[str, Any]


def statement(listing: Listing, query: Query, zone: ZoneInfo, now: datetime) -> Statement:
    """Return the query of a list. Only what stands in the listing gets into its text; what was typed is a parameter."""
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
    sorted_by = listing.column(query.sort)
    nulls = " NULLS LAST" if sorted_by is None or sorted_by.nullable else ""
    return Statement(
        select=f"SELECT * FROM ({listing.source}) AS l{condition}",  # noqa: S608  the listing's own text
        order=f" ORDER BY {query.sort} {'DESC' if query.descending else 'ASC'}{nulls}, {listing.order}",
        values=values,
    )


_GREEK = "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΆΈΉΊΪΌΎΫΏάέήίϊΐόύϋΰώς"
_PLAIN = "αβγδεζηθικλμνξοπρστυφχψωαεηιιουυωαεηιιιουυυωσ"


def folded_sql(expression: str) -> str:
    """Return SQL that takes case and accents off Greek and Latin text, also where the database's locale knows no Greek."""
    return f"translate(lower({expression}), '{_GREEK}', '{_PLAIN}')"


def folded(text_: str) -> str:
    """Take case and accents off what somebody searches for, as `folded_sql` does."""
    return text_.translate(str.maketrans(_GREEK, _PLAIN)).lower()


async def page(connection: AsyncConnection, listing: Listing, query: Query, zone: ZoneInfo, now: datetime) -> Page:
    """Read one page of a list, and how many rows there are, counted up to MAX_COUNT."""
    select, order, values = statement(listing, query, zone, now)
    counting = f"SELECT count(*) FROM ({select} LIMIT {MAX_COUNT}) AS n"  # noqa: S608  the listing's own text
    total = (await connection.execute(text(counting), values)).scalar_one()
    number = min(query.page, max(1, -(-total // PAGE_SIZE)))
    rows = await _rows(connection, select + order, values, PAGE_SIZE, (number - 1) * PAGE_SIZE)
    return Page(rows, total, number)


async def first(connection: AsyncConnection, listing: Listing, zone: ZoneInfo, now: datetime, size: int) -> Sequence[Row]:
    """Read the first rows of a list in its own order, without counting."""
    select, order, values = statement(listing, Query(sort=listing.sort, descending=listing.descending), zone, now)
    return await _rows(connection, select + order, values, size)


async def everything(connection: AsyncConnection, listing: Listing, query: Query, zone: ZoneInfo, now: datetime) -> Sequence[Row]:
    """Read the whole list as filtered and sorted, up to MAX_EXPORT rows."""
    select, order, values = statement(listing, query, zone, now)
    return await _rows(connection, select + order, values, MAX_EXPORT)


async def _rows(connection: AsyncConnection, sql: str, values: dict[str, Any], limit: int, offset: int = 0) -> Sequence[Row]:
    found = await connection.execute(text(f"{sql} LIMIT :limit OFFSET :offset"), values | {"limit": limit, "offset": offset})
    return found.mappings().all()


async def options(connection: AsyncConnection, listing: Listing) -> dict[str, list[tuple[str, str]]]:
    """Read what the Exact filters of a list can choose from."""
    return {
        filter_.name: [(str(row[0]), str(row[1])) for row in await connection.execute(text(filter_.options))]
        for filter_ in listing.filters
        if isinstance(filter_, Exact)
    }
