"""What every page of Asty relies on from the shared look."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from asty_look import preferences
from asty_look.formats import Formats
from asty_look.headers import POLICY
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response

ATHENS = ZoneInfo("Europe/Athens")
EL, EN = Formats("el", ATHENS), Formats("en", ATHENS)
NOON = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (EL.kg(118.0), "118\u00a0kg"),
        (EL.kg(118.5), "118,5\u00a0kg"),
        (EN.kg(118.5), "118.5\u00a0kg"),
        (EL.number(18097), "18.097"),
        (EN.number(18097), "18,097"),
        (EL.kg(None), "—"),
        (EL.kg(0.0), "0\u00a0kg"),
        (EL.clock(datetime(2026, 11, 24, 5, 42, tzinfo=UTC)), "07:42\u00a0EET"),
        (EL.clock(datetime(2026, 7, 1, 4, 42, tzinfo=UTC)), "07:42\u00a0EEST"),
        (EL.moment(datetime(2026, 11, 24, 5, 42, tzinfo=UTC), NOON), "07:42\u00a0EET"),
        (EL.moment(datetime(2026, 11, 23, 5, 42, tzinfo=UTC), NOON), "23\u00a0Νοε, 07:42\u00a0EET"),
        (EL.local_day(date(2026, 11, 24)), "Τρί\u00a024\u00a0Νοε"),
        (EL.iso(datetime(2026, 11, 24, 7, 42, tzinfo=ATHENS)), "2026-11-24T05:42:00Z"),
    ],
)
def test_numbers_and_times_read_as_people_here_write_them(written: str, expected: str) -> None:
    assert written == expected


@given(stored=st.integers(0, 10**9), missing=st.integers(1, 10**6))
def test_what_is_incomplete_never_reads_as_100_percent(stored: int, missing: int) -> None:
    assert not EL.percent(stored / (stored + missing)).startswith("100")


def request(query: str = "", cookie: str = "") -> Request:
    headers = [(b"cookie", cookie.encode())] if cookie else []
    return Request(
        {
            "type": "http",
            "method": "GET",
            "path": "/",
            "query_string": query.encode(),
            "headers": headers,
            "scheme": "https",
            "server": ("a", 443),
        }
    )


@pytest.mark.parametrize(
    ("query", "cookie", "lang", "theme"),
    [
        ("", "", "el", "auto"),
        ("lang=en", "", "en", "auto"),
        ("", "lang=en; theme=night", "en", "night"),
        ("lang=el", "lang=en", "el", "auto"),
        ("lang=xx&theme=pink", "", "el", "auto"),
        ("lang=xx", "lang=en", "en", "auto"),
    ],
)
def test_greek_comes_first_and_the_readers_choice_is_followed(query: str, cookie: str, lang: str, theme: str) -> None:
    chosen = preferences.read(request(query, cookie))
    assert (chosen.lang, chosen.theme) == (lang, theme)


def test_a_choice_is_kept_and_a_wrong_one_is_not() -> None:
    answer = Response()
    asked = request("lang=en&theme=pink")
    preferences.keep(asked, answer, preferences.read(asked))
    cookies = [value for name, value in answer.headers.items() if name == "set-cookie"]
    assert len(cookies) == 1
    assert cookies[0].startswith("lang=en;")
    assert "Secure" in cookies[0]


def test_pages_may_run_no_inline_script_and_load_nothing_from_outside() -> None:
    assert "unsafe" not in POLICY
    assert "http:" not in POLICY
    assert "https:" not in POLICY
    assert "default-src 'none'" in POLICY
