"""What dispatchers, citizens and programs get from the server over a real database."""

import csv
import io
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from msgspec.structs import replace


@pytest.fixture(scope="module")
def http(town: Any, web: Any) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=web.url, timeout=30, headers=web.bearer) as client:
        yield client


def rows(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text[:300]
    return list(csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff"))))


def test_the_board_tells_each_trucks_progress_its_next_stop_and_delay(http: httpx.Client) -> None:
    day = http.get("/api/board").json()
    first, second = day["trucks"]
    assert (first["edge"], first["served"], first["missed"], first["told"]) == ("truck-01", 2, 0, "delivered")
    assert (second["edge"], second["served"], second["missed"], second["told"], second["basis"]) == (
        "truck-02",
        7,
        1,
        "accepted",
        "position",
    )
    assert [stop["state"] for stop in second["stops"][:9]] == ["served"] * 3 + ["missed"] + ["served"] * 4 + ["next"]
    assert second["late_s"] > 600
    ahead = [stop["expected"] for stop in second["stops"][8:]]
    assert ahead == sorted(ahead)
    assert day["plan"] == 1


def test_a_lift_is_the_better_witness_and_what_nobody_planned_is_seen(http: httpx.Client) -> None:
    lifted = {row["Bin"]: row for row in rows(http.get("/service.csv", params={"lang": "en"}))}
    assert (lifted["Κ-001"]["State"], lifted["Κ-001"]["Net"], lifted["Κ-001"]["Said by"]) == ("Served", "118", "Lift")
    assert (lifted["Κ-040"]["State"], lifted["Κ-040"]["Net"]) == ("Unplanned lift", "44")
    missed = rows(http.get("/service.csv", params={"lang": "en", "state": "missed"}))
    assert [(row["Reason"], row["Said by"], row["Note"]) for row in missed] == [("No access", "Driver", "σταθμευμένο όχημα")]
    assert "1 ανύψωση χωρίς βάρος" in http.get("/service").text


def test_the_boards_list_is_filtered_and_taken_away(http: httpx.Client) -> None:
    left = rows(http.get("/board.csv", params={"lang": "en", "truck": "truck-02", "state": "left"}))
    assert len(left) == 6 + 2  # six bins, the station, the depot
    assert {row["Refuse truck"] for row in left} == {"Απορριμματοφόρο 2"}
    assert http.get("/board.csv", params={"state": "nonsense"}).status_code == 422
    assert http.get("/board", params={"day": "tomorrow"}).status_code == 422
    past = http.get("/board", params={"day": "2026-01-01"})
    assert "Δεν έγινε δρομολόγιο" in past.text


def test_the_map_shows_routes_stops_and_what_is_closed(http: httpx.Client) -> None:
    features = http.get("/api/board/map.geojson").json()["features"]
    routes = {f["properties"]["edge"]: f["properties"] for f in features if f["properties"]["layer"] == "route"}
    assert {edge: route["letter"] for edge, route in routes.items()} == {"truck-01": "Α", "truck-02": "Β"}
    assert sum(f["properties"]["layer"] == "stop" and f["properties"]["state"] == "next" for f in features) == 2


def test_a_citizen_is_told_when_and_how_far_and_nothing_of_truck_or_driver(http: httpx.Client, town: Any) -> None:
    stops = http.get("/api/board").json()["trucks"][1]["stops"]
    last = stops[-3]  # the last bin before the station
    told = http.get("/api/eta", params={"bin": last["id"]}).json()
    (answer,) = told["answers"]
    assert (told["known"], answer["state"], answer["live"]) == (True, "coming", True)
    assert answer["begins"] <= last["expected"] <= answer["ends"]
    assert answer["streets_away"] >= 1
    assert "δρόμο" in answer["says"]
    assert http.get("/api/eta", params={"bin": stops[0]["id"]}).json()["answers"][0]["state"] == "passed"
    assert not {"edge", "vehicle", "plate", "lat", "lon", "accepted_by"} & set(answer)
    assert "Απορριμματοφόρο 2" not in str(told)


def test_what_is_not_known_is_said_to_be_not_known(http: httpx.Client) -> None:
    nowhere = http.get("/api/eta", params={"street": "Πουθενά"}).json()
    assert (nowhere["known"], nowhere["answers"][0]["state"]) == (False, "unknown_place")
    assert http.get("/api/eta").status_code == 422
    assert http.get("/api/eta", params={"bin": "Κ-008", "street": "Ερμού"}).status_code == 422
    assert http.get("/api/eta", params={"bin": "Κ-008"}).json()["answers"][0]["state"] == "not_today"
    assert "Ποια οδό εννοείτε;" in http.get("/when", params={"street": "α"}).text


def test_a_message_reaches_the_driver_and_is_seen_as_read(http: httpx.Client, town: Any) -> None:
    sent = http.post("/board/messages", data={"truck": "truck-02", "canned": "Call the office, please.", "line": ""})
    assert sent.status_code == 303
    ((text, sender, day),) = town.run("SELECT text, sender, day FROM fleet.message WHERE edge = 'truck-02'")
    assert (text, sender, day) == ("Καλέστε το γραφείο, παρακαλώ.", "dispatcher", town.day)
    assert "Δεν διαβάστηκε ακόμη" in http.get("/board/messages").text
    town.run("UPDATE fleet.message SET read = now()")
    assert "Δεν διαβάστηκε ακόμη" not in http.get("/board/messages").text
    assert http.post("/board/messages", data={"truck": "truck-02", "line": " "}).status_code == 422
    assert http.post("/board/messages", data={"truck": "truck-99", "line": "γεια"}).status_code == 422
    http.post("/board/messages", data={"truck": "all", "line": "Προσοχή στον πάγο"})
    assert {edge for (edge,) in town.run("SELECT edge FROM fleet.message WHERE text = 'Προσοχή στον πάγο'")} == {"truck-01", "truck-02"}


def test_a_drivers_message_waits_on_the_board_until_it_is_read(http: httpx.Client, town: Any) -> None:
    name = uuid.uuid4()
    town.put("message", id=name, day=town.day, edge="truck-01", sender="driver", text="Σκασμένο λάστιχο", at=datetime.now(UTC))
    assert "Σκασμένο λάστιχο" in http.get("/board").text
    assert http.post("/board/messages/read", data={"name": str(name)}).status_code == 303
    assert "Σκασμένο λάστιχο" not in http.get("/board").text


def test_a_street_is_closed_by_its_name_block_by_block_and_opened_again(http: httpx.Client, town: Any) -> None:
    page = http.get("/board/closures", params={"street": "Ερμού"}).text
    assert page.count("<option value=") > 8
    now = datetime.now(UTC).astimezone()
    local = {"starts": "2026-01-01T07:00", "ends": "2999-01-01T07:00"}
    part = http.get("/api/board/street.geojson", params={"street": "Ερμού", "begin": "1", "end": "3"}).json()["features"]
    assert 1 <= len(part) < len(http.get("/api/board/street.geojson", params={"street": "Ερμού"}).json()["features"])
    closed = http.post("/board/closures", data={"street": "Ερμού", "begin": "1", "end": "3", "kind": "works", **local})
    assert closed.status_code == 303, closed.text[:500]
    kept = town.run("SELECT id, area, kind FROM fleet.closure WHERE name = 'Ερμού' AND starts < %s", now)
    assert {kind for _, _, kind in kept} == {"works"}
    assert len(kept) == len(part)
    assert "Ερμού" in http.get("/board").text
    assert any(f["properties"]["layer"] == "closure" for f in http.get("/api/board/map.geojson").json()["features"])
    ended = http.post("/board/closures/end", data={"ids": [str(name) for name, _, _ in kept]})
    assert ended.status_code == 303
    assert town.run("SELECT count(*) FROM fleet.closure WHERE name = 'Ερμού' AND ends > now()") == [(0,)]


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"ends": "2026-01-01T06:00"}, "λήγει μετά την έναρξή"),
        ({"street": "Πουθενά"}, "δεν έχει τέτοια οδό"),
        ({"street": ""}, "Σχεδιάστε περιοχή"),
        ({"begin": "2"}, "και τις δύο διασταυρώσεις"),
        ({"begin": "2", "end": "99"}, "δεν έχει τέτοια διασταύρωση"),
        ({"area": "not json", "name": "Α"}, "δεν διαβάζεται"),
        ({"area": '{"type": "Polygon", "coordinates": [[[22.9, 39.3], [22.9, 39.3]]]}', "name": "Α"}, "δεν μπορεί να κλείσει"),
    ],
)
def test_a_closure_that_makes_no_sense_closes_nothing_and_keeps_what_was_typed(
    http: httpx.Client, town: Any, typed: dict[str, str], says: str
) -> None:
    before = town.run("SELECT count(*) FROM fleet.closure")
    form = {"street": "Ερμού", "kind": "works", "starts": "2026-01-01T07:00", "ends": "2999-01-01T07:00"} | typed
    answer = http.post("/board/closures", data=form)
    assert answer.status_code == 422
    assert says in answer.text
    assert f'value="{form["starts"]}"' in answer.text
    assert town.run("SELECT count(*) FROM fleet.closure") == before


def test_a_proposed_plan_is_decided_on_once_and_by_whom_is_kept(http: httpx.Client, town: Any) -> None:
    name = uuid.uuid4()
    town.put(
        "plan", id=name, day=town.day, version=2, parent=town.plan, state="proposed", made=datetime.now(UTC), made_by="planner",
        reasons=[{"kind": "overflow", "subject": "Κ-040", "said_by": "citizen"}], figures={"metres": 22_000, "stops": 31, "left_out": 1},
        problem={}, result={"plan": {"left_out": []}, "prepared": []},
    )  # fmt: skip
    assert "Η έκδοση 2 του προγράμματος περιμένει" in http.get("/board").text
    assert "Υπερχείλιση κάδου Κ-040" in http.get("/board/plan").text
    assert http.post(f"/board/plan/{name}/decide", data={"verdict": "reject"}).status_code == 303
    assert town.run("SELECT state, decided_by FROM fleet.plan WHERE id = %s", name) == [("rejected", "Άννα Γεωργίου")]
    again = http.post(f"/board/plan/{name}/decide", data={"verdict": "approve"})
    assert (again.status_code, "δεν περιμένει πια απόφαση" in again.text) == (422, True)


def test_the_plan_says_in_the_readers_language_why_and_against_what(http: httpx.Client, town: Any) -> None:
    told = {"state": "ignored", "said_by": "citizen", "detail": {}, "at": datetime.now(UTC), "answered": datetime.now(UTC)}
    for subject, code, params in (
        ("Κ-041", "on_route", {"stop": "Κ-041", "truck": "truck-02"}),
        ("Κ-042", "bad_number", {"field": "load"}),
    ):
        answer = {"code": code, "params": params}
        town.put("plan_trigger", id=uuid.uuid4(), kind="overflow", subject=subject, why="said in English", answer=answer, **told)
    greek, english = (http.get("/board/plan", params={"lang": lang, "bin": "Κ-040"}).text for lang in ("el", "en"))
    for said in (
        "Σταθερά δρομολόγια του δήμου", "−9,9\xa0km", "Χωρίς όχημα σήμερα τα δρομολόγια: truck-09",
        "Μπορεί να περιμένει: η αποκομιδή του αξίζει σήμερα 0,80\xa0€", "θα κόστιζε 3,40\xa0€ επιπλέον", "δεν παίρνει αυτό το ρεύμα",
        "Κ-041: είναι ήδη στη διαδρομή (Απορριμματοφόρο 2)", "Το φορτίο του δεν είναι έγκυρος αριθμός",
    ):  # fmt: skip
        assert said in greek, said
    for said in ("it can wait", "EUR more", "this stream", "said in English"):
        assert said not in greek, said
    assert "it would cost 3.40\xa0€ more" in english
    assert "αξίζει σήμερα 9,50\xa0€" in http.get("/board/plan", params={"bin": "Κ-001", "lang": "el"}).text
    assert "0,80\xa0€" in http.get("/board").text, "the board says it too"
    town.run("UPDATE fleet.plan SET result = jsonb_set(result, '{explained,fixed_routes}', 'null') WHERE id = %s", town.plan)
    assert "register fixed-routes" in http.get("/board/plan").text, "how to enter them, where there are none"


def test_whoever_may_only_look_is_shown_no_act(http: httpx.Client, busy: Any, web: Any, tmp_path: Any) -> None:
    file = tmp_path / "token"
    assert busy.run("staff", "token", "looks on", "--role", "viewer", "--out", str(file)).returncode == 0
    looks_on = {"Authorization": f"Bearer {file.read_text().strip()}"}
    for path in ("/board", "/board/plan", "/board/closures", "/board/messages", "/service", "/tickets", "/enrolment"):
        page = http.get(path, headers=looks_on)
        assert (page.status_code, re.findall(r'method="post" action="(?!/sign-out)[^"]*"', page.text)) == (200, []), path
    assert 'action="/board/plan/again"' in http.get("/board/plan").text


def test_a_bin_that_must_be_served_becomes_a_trigger(http: httpx.Client, town: Any) -> None:
    assert http.post("/board/plan/must", data={"bin": "Κ-012"}).status_code == 303
    assert http.post("/board/plan/again").status_code == 303
    told = town.run("SELECT kind, subject, said_by, state FROM fleet.plan_trigger WHERE subject IN ('Κ-012', 'again') ORDER BY at")
    assert told == [("must_visit", "Κ-012", "dispatcher", "waiting"), ("street_closed", "again", "dispatcher", "waiting")]
    page = http.get("/board/plan").text
    assert "Πρέπει να αδειάσει σήμερα" in page
    assert "Ζητήθηκε από το γραφείο κίνησης" in page
    assert http.post("/board/plan/must", data={"bin": "nothing"}).status_code == 422


def test_tickets_are_found_closed_with_a_note_and_opened_again(http: httpx.Client, town: Any, busy: Any, lift_of: Any) -> None:
    here, there = town.bins["Κ-010"], town.bins["Κ-020"]
    t = int(datetime.now(UTC).timestamp() * 1000)
    for n in (2, 1):
        lift = lift_of(here["tag"], t - n * 3_600_000, 80.0)
        busy.put("truck-01", (t - n * 3_600_000, replace(lift, lat=there["lat"], lon=there["lon"])))
    assert http.post("/tickets/look").headers["location"] == "/tickets?found=1"
    (row,) = rows(http.get("/tickets.csv", params={"lang": "en"}))
    assert (row["Bin"], row["Times"], row["State"], row["Tag as read"]) == ("Κ-010", "2", "Open", here["tag"])
    ((name,),) = town.run("SELECT id FROM fleet.ticket")
    assert http.post(f"/tickets/{name}/close", data={"note": ""}).status_code == 409
    assert http.post(f"/tickets/{name}/close", data={"note": "Κόλλησε νέα ετικέτα"}).status_code == 303
    assert http.post("/tickets/look").headers["location"] == "/tickets?found=0"
    assert http.post(f"/tickets/{name}/close", data={"note": "ξανά"}).status_code == 409
    assert http.post(f"/tickets/{name}/open").status_code == 303


def test_without_roads_what_if_says_what_is_missing(http: httpx.Client) -> None:
    answer = http.post("/board/plan/what-if", data={"without": "truck-02"})
    assert answer.status_code == 422
    assert "ASTY_VALHALLA_URL" in answer.text
    assert http.post("/board/plan/what-if", data={}).status_code == 422


def test_another_site_cannot_act_through_a_dispatchers_browser(http: httpx.Client, town: Any) -> None:
    before = town.run("SELECT count(*) FROM fleet.message")
    answer = http.post(
        "/board/messages", data={"truck": "truck-01", "line": "x"}, headers={"Authorization": "", "Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403
    assert town.run("SELECT count(*) FROM fleet.message") == before


def test_who_asks_too_often_is_told_to_wait(http: httpx.Client) -> None:
    answers = [http.get("/api/eta", params={"bin": "Κ-008"}) for _ in range(40)]
    assert answers[-1].status_code == 429
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    page = http.get("/when", params={"bin": "Κ-008"})
    assert (page.status_code, "Πολλές ερωτήσεις" in page.text) == (429, True)
