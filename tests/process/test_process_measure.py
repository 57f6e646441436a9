"""Series of requests are by route: an address that somebody makes up adds none."""

import httpx
import pytest
from asty_process.measure import Board, Measure, Measured
from fastapi import FastAPI


async def test_answers_are_counted_by_route_and_a_crash_as_500() -> None:
    measured = Measured("asty_thing")
    app = FastAPI()

    @app.get("/cases/{number}")
    def case(number: int) -> int:
        return 10 // number

    app.add_middleware(Measure, measured=measured)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        for address in ("/cases/1", "/cases/2", "/cases/x", "/made-up-1", "/made-up-2"):
            await client.get(address)
        with pytest.raises(ZeroDivisionError):
            await client.get("/cases/0")
    said = measured.lines()
    assert 'asty_thing_requests_total{route="/cases/{number}",status="200"} 2' in said
    assert 'asty_thing_requests_total{route="/cases/{number}",status="422"} 1' in said
    assert 'asty_thing_requests_total{route="/cases/{number}",status="500"} 1' in said
    assert 'asty_thing_requests_total{route="other",status="404"} 2' in said


def test_whichever_process_of_a_server_is_asked_tells_what_all_of_them_answered() -> None:
    board = Board(3)
    first, second, silent = Measured("asty_thing"), Measured("asty_thing"), Measured("asty_thing")
    for number, one in enumerate((first, second, silent)):
        one.share(board, number)
    first.note("/cases", 200, 0.5)
    second.note("/cases", 200, 0.25)
    second.note("/cases", 404, 0.25)
    assert first.lines() == second.lines() == silent.lines()
    assert 'asty_thing_requests_total{route="/cases",status="200"} 2' in silent.lines()
    assert 'asty_thing_request_seconds_total{route="/cases"} 1.000000' in silent.lines()
