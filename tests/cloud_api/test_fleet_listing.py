"""What a list promises whatever is typed into it."""

from contextlib import suppress
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from asty_cloud_api.reads.listing import BadQueryError, Listing, day_bounds, folded, parse, statement
from asty_cloud_api.screens.export import csv_lines
from asty_cloud_api.screens.routes import LISTINGS
from hypothesis import given
from hypothesis import strategies as st

ATHENS = ZoneInfo("Europe/Athens")
NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
listings = st.sampled_from(LISTINGS)


@given(
    listing=listings,
    typed=st.dictionaries(
        st.sampled_from(["q", "sort", "page", "edge", "day", "state", "shift", "severity", "evidence"]), st.text(max_size=40)
    ),
)
def test_nothing_that_is_typed_gets_into_the_statement(listing: Listing, typed: dict[str, str]) -> None:
    marked = {name: f"Ω{text}Ω" if name in ("q", "edge") else text for name, text in typed.items()}
    with suppress(BadQueryError):
        made = statement(listing, parse(listing, marked), ATHENS, NOW)
        assert "Ω" not in (made.select + made.order).replace("ΧΨΩΆ", "").replace("ΎΫΏ", "")


@pytest.mark.parametrize("typed", ["ερμου", "ΕΡΜΟΥ", "Ερμού", "ερμού"])
def test_a_search_is_deaf_to_accents_and_capitals(typed: str) -> None:
    assert folded(typed) == folded("Ερμού")
    assert folded("ΑΓΙΟΣ") == folded("άγιος")


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 11, 24), 24)])
def test_a_local_day_is_as_long_as_the_clocks_make_it(day: date, hours: int) -> None:
    begin, end = day_bounds(day, ATHENS)
    assert (end.astimezone(UTC) - begin.astimezone(UTC)).total_seconds() == hours * 3600


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ({"sort": "t; DROP TABLE"}, "sort"),
        ({"page": "0"}, "page"),
        ({"page": "٣"}, "page"),
        ({"q": "x" * 101}, "q"),
        ({"day": "24/11/2026"}, "day"),
        ({"evidence": "?"}, "evidence"),
    ],
)
def test_what_cannot_be_read_is_named(typed: dict[str, str], name: str) -> None:
    lifts = next(listing for listing in LISTINGS if listing.name == "lifts")
    with pytest.raises(BadQueryError) as wrong:
        parse(lifts, typed)
    assert wrong.value.name == name


def test_a_spreadsheet_gets_its_own_commas_and_runs_no_formula() -> None:
    lifts = next(listing for listing in LISTINGS if listing.name == "lifts")
    row = dict.fromkeys((column.key for column in lifts.columns), None) | {"net": 118.5, "vehicle": "=1+1", "flags": ["no_tag"], "t": NOW}
    greek = "".join(csv_lines(lifts, [row], "el", ATHENS, str))  # type: ignore[list-item]
    english = "".join(csv_lines(lifts, [row], "en", ATHENS, str))  # type: ignore[list-item]
    assert greek.startswith("\ufeff")
    assert ";118,5;" in greek
    assert ",118.5," in english
    assert "'=1+1" in greek
    assert "2026-11-24 12:00:00+02:00" in greek
