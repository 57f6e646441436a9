"""Series of requests are by route: an address that somebody makes up adds none."""

import httpx
import pytest
from asty_process.measure import Measure, Measured
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
