"""What programs and people without a script rely on: the server over a real database."""

import csv
import io
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

TAG = "0123456789ABCDEF"


@pytest.fixture(scope="module")
def http(web: Any) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=web.url, timeout=20, headers=web.bearer) as client:
        yield client


def test_lifts_come_newest_first_with_weight_tag_and_evidence(http: httpx.Client) -> None:
    lifts = http.get("/api/lifts").json()
    assert [lift["net"] for lift in lifts] == [None, 97.5, 118.0, 118.0]
    assert lifts[2] | {"tag": TAG, "bin": "Κ-001", "street": "Οδός Ερμού", "gross": 530.0, "tare": 412.0, "flags": []} == lifts[2]
    assert lifts[1]["tag"] is None
    assert lifts[1]["flags"] == ["no_tag"]
    assert lifts[3]["late"] is True


def test_lifts_can_be_followed_from_where_one_stopped(http: httpx.Client) -> None:
    newest, second, *_ = http.get("/api/lifts").json()
    assert [lift["s"] for lift in http.get("/api/lifts", params={"since": second["t"]}).json()] == [newest["s"]]
    assert http.get("/api/lifts", params={"edge": "truck-02"}).json() == []
    assert len(http.get("/api/lifts", params={"limit": 1}).json()) == 1


def test_edges_say_which_devices_are_lost(http: httpx.Client) -> None:
    edges = {edge["edge"]: edge for edge in http.get("/api/edges").json()}
    assert (edges["truck-01"]["state"], edges["truck-01"]["devices_up"], edges["truck-01"]["held"]) == ("up", 2, 6)
    assert (edges["truck-02"]["state"], edges["truck-02"]["devices_lost"], edges["truck-02"]["faults"]) == ("down", 1, ["vests=lost"])


def test_completeness_accounts_for_what_is_still_on_its_way(http: httpx.Client) -> None:
    shifts = http.get("/api/completeness", params={"edge": "truck-02"}).json()
    assert sum(shift["missing"] for shift in shifts) == 2
    assert sum(shift["produced"] for shift in shifts) == 5
    assert sum(shift["stored"] for shift in shifts) == 3


def test_what_is_missing_is_named_by_range_and_leads_there_from_the_shift(http: httpx.Client) -> None:
    assert '<a href="/missing?edge=truck-02">2<' in http.get("/completeness").text
    rows = list(csv.DictReader(io.StringIO(http.get("/missing.csv?edge=truck-02&lang=en").text.lstrip("\ufeff"))))
    assert [(row["First number"], row["Last number"], row["Records"], row["State"]) for row in rows] == [("3", "4", "2", "Disconnected")]


def test_open_alarms_are_listed(http: httpx.Client) -> None:
    (alarm,) = http.get("/api/alarms").json()
    assert (alarm["edge"], alarm["code"], alarm["severity"]) == ("truck-02", "device_lost", "critical")


def test_the_map_shows_every_bin_by_its_last_lift_and_every_truck(http: httpx.Client) -> None:
    bins = {f["properties"]["id"]: f["properties"] for f in http.get("/api/bins.geojson").json()["features"]}
    assert len(bins) == 40
    assert [bins[name]["state"] for name in ("Κ-001", "Κ-002", "Κ-004")] == ["today", "old", "unknown"]
    trucks = {f["properties"]["edge"]: f for f in http.get("/api/trucks.geojson").json()["features"]}
    assert trucks["truck-01"]["geometry"]["coordinates"] == [22.95, 39.3605]
    assert (trucks["truck-01"]["properties"]["course"], trucks["truck-02"]["properties"]["course"]) == (90.0, None)
    assert trucks["truck-02"]["properties"]["up"] is False


def test_the_towns_own_streets_are_served_once_and_then_from_the_readers_cache(http: httpx.Client) -> None:
    first = http.get("/api/streets.geojson", headers={"Accept-Encoding": "gzip"})
    assert first.headers["content-encoding"] == "gzip"
    assert any(f["properties"].get("name") for f in first.json()["features"])
    assert http.get("/api/areas.geojson").json()["features"]
    again = http.get("/api/streets.geojson", headers={"If-None-Match": f'W/"x", {first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    plain = http.get("/api/streets.geojson", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.json() == first.json()


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "since=yesterday", "edge=A%20B", "edge=%27%3B"])
def test_a_wrong_parameter_is_named_in_json(http: httpx.Client, query: str) -> None:
    answer = http.get(f"/api/lifts?{query}")
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["parameter"] == query.split("=")[0]


@pytest.mark.parametrize("path", ["/lifts?day=2026-13-99", "/lifts.csv?sort=nothing", "/bins?state=blue", "/alarms?page=0"])
def test_a_wrong_parameter_is_told_in_greek_on_a_page(http: httpx.Client, path: str) -> None:
    answer = http.get(path, headers={"Cookie": "lang=el"})
    assert answer.status_code == 422
    assert "Αυτό δεν μπορεί να εμφανιστεί." in answer.text


def test_what_is_typed_comes_back_as_text_never_as_markup(http: httpx.Client) -> None:
    answer = http.get("/lifts", params={"q": '"><script>alert(1)</script>', "day": "<b>"})
    assert "<script>alert" not in answer.text
    assert "<b>" not in answer.text


@pytest.mark.parametrize(
    ("path", "there", "not_there"),
    [
        ("/lifts?q=ερμου", TAG, "97,5"),
        ("/lifts?evidence=no_tag", "97,5", TAG),
        ("/bins?state=old", "Κ-002", "Κ-001"),
        ("/bins?q=κ-004", "Κ-004", "Κ-001"),
        ("/edges?devices=ill", "truck-02", "truck-01"),
        ("/trucks?state=up", "ΚΗΙ 1234", "ΚΗΙ 5678"),
        ("/completeness?state=missing", "Απορριμματοφόρο 2", "Πύλη αμαξοστασίου</td>"),
        ("/missing?state=away", "Απορριμματοφόρο 2", "Απορριμματοφόρο 1</td>"),
        ("/missing?state=lost", "Δεν λείπει τίποτα.", "Απορριμματοφόρο 2</td>"),
        ("/alarms?severity=info", "Κανένας ανοιχτός συναγερμός.", "unplugged"),
        ("/alarm-history?state=begin", "unplugged", "Κανένας συναγερμός δεν ταιριάζει."),
    ],
)
def test_lists_are_searched_and_filtered(http: httpx.Client, path: str, there: str, not_there: str) -> None:
    found = http.get(path).text.split('id="found"')[1]
    assert there in found
    assert not_there not in found


def test_a_list_is_sorted_by_any_column_and_unknown_comes_last(http: httpx.Client) -> None:
    rows = list(csv.DictReader(io.StringIO(http.get("/lifts.csv?sort=net&lang=en").text.lstrip("\ufeff"))))
    assert [row["Net"] for row in rows] == ["97.5", "118", "118", ""]


@pytest.mark.parametrize("name", ["trucks", "lifts", "bins", "edges", "completeness", "missing", "alarms", "alarm-history"])
def test_every_list_opens_in_a_spreadsheet(http: httpx.Client, name: str) -> None:
    answer = http.get(f"/{name}.csv")
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}.csv"'
    rows = list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff")), delimiter=";"))
    assert len(rows) > 1
    assert {len(row) for row in rows} == {len(rows[0])}


def test_the_whole_live_page_is_there_without_a_script(http: httpx.Client) -> None:
    page = http.get("/?lang=el").text
    for words in ("118\u00a0kg", "Χωρίς ετικέτα", "Ασταθής ζύγιση", "ΚΗΙ 1234", "Συσκευή εκτός σύνδεσης", "Πληρότητα δεδομένων"):
        assert words in page, words
    assert re.search(r">\d\d:\d\d\u00a0EES?T</time>", page)
    assert http.get("/?lang=en").text.count("Completeness of data") > 1
    assert " style=" not in page
    assert "<script>" not in page


def test_pages_and_files_carry_the_safe_headers(http: httpx.Client) -> None:
    for path in ("/", "/api/lifts", "/nothing", "/lifts.csv"):
        headers = http.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_assets_are_kept_for_ever_and_come_gzipped(http: httpx.Client) -> None:
    sheet = http.get("/").text.split('rel="stylesheet" href="')[1].split('"')[0]
    answer = http.get(sheet, headers={"Accept-Encoding": "gzip"})
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"].startswith("text/css")
    assert http.get("/static/..%2fassets.py").status_code == 404
    assert http.get("/static/none.css").status_code == 404


def test_the_interfaces_describe_themselves(http: httpx.Client) -> None:
    described = http.get("/api/openapi.json").json()["paths"]
    page = http.get("/api/docs").text
    for path in (
        "/api/edges",
        "/api/lifts",
        "/api/completeness",
        "/api/alarms",
        "/api/bins.geojson",
        "/api/trucks.geojson",
        "/api/streets.geojson",
        "/health",
        "/metrics",
    ):
        assert path in described
        assert path in page


def test_metrics_count_answers_by_route(http: httpx.Client) -> None:
    http.get("/api/alarms")
    said = http.get("/metrics").text
    assert 'asty_cloud_api_requests_total{route="/api/alarms",status="200"}' in said
    assert "asty_cloud_api_database_up 1" in said


def test_an_open_page_is_told_of_a_new_lift_and_catches_up_after_a_cut(http: httpx.Client, busy: Any, lift_of: Any) -> None:
    with http.stream("GET", "/live/events", params={"after": http.get("/").text.split("after=")[1].split('"')[0]}) as events:
        lines = events.iter_lines()
        busy.put("truck-01", (int(time.time() * 1000), lift_of(TAG, int(time.time() * 1000), 61.0)))
        event = next(line for line in lines if line.startswith("id: "))[4:]
        said = json.loads(next(line for line in lines if line.startswith("data: "))[6:])
    assert said == {"kinds": ["lift"], "edges": ["truck-01"]}
    busy.put("truck-02", (int(time.time() * 1000), lift_of(None, int(time.time() * 1000), 62.0)))
    with http.stream("GET", "/live/events", headers={"Last-Event-ID": event}) as events:
        lines = events.iter_lines()
        assert json.loads(next(line for line in lines if line.startswith("data: "))[6:])["edges"] == ["truck-02"]


def test_without_its_database_it_says_so_and_comes_back_by_itself(http: httpx.Client, web: Any, postgres: Any) -> None:
    with http.stream("GET", "/live/events", params={"after": http.get("/").text.split("after=")[1].split('"')[0]}) as events:
        lines = events.iter_lines()
        postgres.server.kill()
        try:
            web.wait(503)
            page = http.get("/?lang=el")
            assert page.status_code == 503
            assert "Η βάση δεδομένων δεν απαντά" in page.text
            assert "./asty status" in page.text
            assert page.headers["retry-after"] == "5"
            answer = http.get("/api/lifts")
            assert answer.status_code == 503
            assert "start PostgreSQL" in answer.json()["advice"]
            assert next(line for line in lines if line.startswith("event: ")) == "event: away"
        finally:
            postgres.server.start()
        web.wait(200)
        assert next(line for line in lines if line.startswith("event: ")) == "event: changed"
    assert http.get("/").status_code == 200
