"""What programs rely on: filing once, the citizen's own things alone, problems in two languages, open data without persons."""

import io
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pikepdf
import pytest
import schemathesis
from asty_citizen_services.interface.statistics import Counted, told
from asty_citizen_services.rates import Limit
from hypothesis import HealthCheck, settings

Ask = Callable[..., Any]
BIRTH = "pistopoiitiko-gennisis"
ANSWERS = {
    "identity_card": "ΑΒ 123456", "mobile": "+306912345678", "fathername": "ΓΕΩΡΓΙΟΣ", "mothername": "ΕΛΕΝΗ",
    "for_whom": "self", "born_on": "1984-05-17", "purpose": "personal",
    "copies": 1, "truth": True,
}  # fmt: skip

PERSON_WORDS = {"citizen", "afm", "lastname", "answers"}


@pytest.fixture
def described(town: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(Limit, "check", lambda _limit, _key: None)
    schema = schemathesis.openapi.from_url(f"{town.url}/api/openapi.json")
    town.held = town.key()
    return schema.include(path_regex="^/api/v1/")


calls = schemathesis.pytest.from_fixture("described")


@calls.parametrize()
@settings(max_examples=12, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_no_call_breaks_the_interface_or_is_answered_outside_its_description(case: schemathesis.Case, town: Any) -> None:
    checks = schemathesis.checks
    case.call_and_validate(
        headers={"Authorization": f"Bearer {town.held}"},
        checks=[
            checks.not_a_server_error, checks.CHECKS.get_one("status_code_conformance"), checks.CHECKS.get_one("content_type_conformance"),
            checks.CHECKS.get_one("response_schema_conformance"), checks.CHECKS.get_one("response_headers_conformance"),
        ],
    )  # fmt: skip


def test_a_program_fills_in_a_form_and_files_it_once_however_often_it_sends(town: Any, ask: Ask) -> None:
    key = town.key()
    begun = ask("POST", "/me/drafts", key, json={"procedure": BIRTH})
    assert begun.status_code == 201
    draft = begun.json()
    assert draft["answers"]["afm"]
    assert {one["field"] for one in draft["lacks"]} >= {"truth"}
    assert ask("POST", f"/me/drafts/{draft['id']}/filing", key).status_code == 422
    here = f"/me/drafts/{draft['id']}"
    kept = ask("PUT", here, key, json={"answers": ANSWERS | {"afm": "000000000"}}, headers={"If-Match": begun.headers["etag"]})
    assert kept.json()["lacks"] == []
    assert kept.json()["answers"]["afm"] == draft["answers"]["afm"]  # what the login gave stays
    late = ask("PUT", here, key, json={"answers": {}}, headers={"If-Match": begun.headers["etag"]})
    assert late.status_code == 412
    filed, again = ask("POST", f"{here}/filing", key), ask("POST", f"{here}/filing", key)
    assert (filed.status_code, again.status_code) == (201, 200)
    assert filed.json() == again.json()
    case = ask("GET", f"/me/cases/{filed.json()['case']}", key).json()
    assert case["reference"] == filed.json()["reference"]
    assert [one["id"] for one in ask("GET", "/me/cases", key).json()["items"]].count(case["id"]) == 1


def test_the_same_idempotency_key_files_once_and_never_something_else(town: Any, ask: Ask) -> None:
    key, sent = town.key(), {"Idempotency-Key": uuid.uuid4().hex}
    body = {"procedure": BIRTH, "answers": ANSWERS}
    first, second = (ask("POST", "/me/applications", key, json=body, headers=sent) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200), first.text
    assert first.json() == second.json()
    other = ask("POST", "/me/applications", key, json={**body, "answers": ANSWERS | {"copies": 2}}, headers=sent)
    assert (other.status_code, other.json()["type"]) == (409, "/api/v1/problems#key-reused")


def test_a_case_stands_open_to_its_number_with_its_code_and_to_nothing_else(town: Any, ask: Ask) -> None:
    body = {"procedure": BIRTH, "answers": ANSWERS}
    receipt = ask("POST", "/me/applications", town.key(), json=body, headers={"Idempotency-Key": uuid.uuid4().hex}).json()
    said = ask("GET", "/cases/standing", params={"number": receipt["reference"], "code": receipt["code"].replace(" ", "")})
    assert said.status_code == 200
    assert PERSON_WORDS.isdisjoint(said.text.split('"'))
    assert said.json()["state_text"]["el"]
    wrong = ask("GET", "/cases/standing", params={"number": receipt["reference"], "code": "0000 0000"})
    nowhere = ask("GET", "/cases/standing", params={"number": "999999/2026", "code": receipt["code"]})
    assert wrong.status_code == nowhere.status_code == 404
    assert wrong.json() == nowhere.json()


def test_a_key_opens_its_citizens_things_alone_reads_only_when_it_may_not_file_and_ends_when_taken_back(town: Any, ask: Ask) -> None:
    body = {"procedure": BIRTH, "answers": ANSWERS}
    mine = ask("POST", "/me/applications", town.key(), json=body, headers={"Idempotency-Key": uuid.uuid4().hex}).json()
    other = town.key(1)
    assert ask("GET", f"/me/cases/{mine['case']}", other).status_code == 404
    reading = town.key(may_file=False)
    assert ask("GET", f"/me/cases/{mine['case']}", reading).status_code == 200
    assert ask("POST", "/me/drafts", reading, json={"procedure": BIRTH}).json()["type"].endswith("#reads-only")
    town.key()  # takes the earlier one back
    gone = ask("GET", "/me/cases", reading)
    assert (gone.status_code, gone.headers["www-authenticate"]) == (401, "Bearer")
    with httpx.Client(base_url=town.url, trust_env=False, timeout=60) as client:
        client.cookies.set("asty-session", town.session_of())
        assert client.get("/api/v1/me/cases").status_code == 401  # no cookie counts: another site's page could send it


def test_a_file_that_is_not_what_it_says_is_refused_with_the_reason_and_a_good_one_is_kept(town: Any, ask: Ask) -> None:
    key = town.key(1)
    slug, question = next(
        (item["slug"], name)
        for item in ask("GET", "/procedures", params={"limit": 100}).json()["items"]
        for name, of in ask("GET", f"/procedures/{item['slug']}").json()["form"]["schema"]["properties"].items()
        if of.get("items", {}).get("format") == "file"
    )
    draft = ask("POST", "/me/drafts", key, json={"procedure": slug}).json()
    here = f"/me/drafts/{draft['id']}/files/{question}"
    refused = ask("POST", here, key, files={"file": ("a.pdf", b"<svg onload=alert(1)>")})
    assert (refused.status_code, refused.json()["type"]) == (422, "/api/v1/problems#not-taken")
    assert "PDF" in refused.json()["errors"][0]["detail"]
    kept = ask("POST", here, key, files={"file": ("σκαν.pdf", a_pdf())})
    assert kept.status_code == 201
    assert ask("GET", f"/me/drafts/{draft['id']}", key).json()["answers"][question] == [kept.json()["id"]]


def test_a_paper_that_is_not_ours_is_told_so(ask: Ask) -> None:
    assert ask("POST", "/documents/check", files={"file": ("a.pdf", a_pdf())}).json()["verdict"] == "unsigned"
    assert ask("POST", "/documents/check", files={"file": ("a.pdf", b"nothing")}).json()["type"].endswith("#no-pdf")
    assert ask("GET", "/documents/0000-0000-0000-0000").status_code == 404


def test_problems_are_greek_or_english_as_asked_and_keep_their_kind(ask: Ask) -> None:
    greek, english = ask("GET", "/procedures/nothing"), ask("GET", "/procedures/nothing", headers={"Accept-Language": "en-GB,el;q=0.5"})
    assert greek.headers["content-type"] == english.headers["content-type"] == "application/problem+json"
    assert (greek.json()["title"], english.json()["title"]) == ("Δεν υπάρχει τέτοιο πράγμα εδώ.", "There is no such thing here.")
    assert greek.json()["type"] == english.json()["type"]
    nowhere = ask("GET", "/no-such-address")
    assert (nowhere.status_code, nowhere.headers["content-type"]) == (404, "application/problem+json")


def test_what_is_public_may_be_kept_and_read_by_other_sites_and_what_is_personal_not(town: Any, ask: Ask) -> None:
    first = ask("GET", "/procedures", params={"limit": 5})
    assert first.headers["access-control-allow-origin"] == "*"
    assert ask("GET", "/procedures", params={"limit": 5}, headers={"If-None-Match": first.headers["etag"]}).status_code == 304
    seen = [*first.json()["items"]]
    following = first.json()["next"]
    while following:
        page = ask("GET", following.removeprefix("/api/v1")).json()
        seen += page["items"]
        following = page["next"]
    assert len({one["slug"] for one in seen}) == len(seen) == first.json()["total"]
    mine = ask("GET", "/me/cases", town.key())
    assert "access-control-allow-origin" not in mine.headers
    assert mine.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("counts", "seen"),
    [
        ((4, 4, 0, 0, 4, 2.0), (None, None, None, None, None)),
        ((20, 10, 5, 5, 15, 2.04), (20, 10, 5, 5, 2.0)),
        ((20, 18, 2, 0, 20, 2.0), (20, None, None, None, 2.0)),
        ((20, 10, 5, 2, 18, 2.0), (20, None, None, None, 2.0)),
        ((20, 20, 0, 0, 20, None), (20, 20, 0, 0, None)),
    ],
)
def test_open_data_tell_no_count_of_one_to_four_nor_let_it_be_worked_out(counts: tuple[Any, ...], seen: tuple[Any, ...]) -> None:
    assert told("x", "2026-11", *counts) == Counted("x", "2026-11", *seen)


def test_open_data_come_as_json_and_csv_with_the_same_rows(ask: Ask) -> None:
    said = ask("GET", "/statistics", params={"year": 2026}).json()["items"]
    rows = ask("GET", "/statistics.csv", params={"year": 2026}).text.splitlines()
    assert rows[0] == "procedure,month,filed,granted,rejected,running,median_days"
    assert len(rows) == len(said) + 1


def test_the_description_is_a_page_of_ours_and_keys_are_given_shown_once_and_taken_back_there(town: Any) -> None:
    with httpx.Client(base_url=town.url, trust_env=False, timeout=60) as client:
        page = client.get("/api/docs").text
        assert [path for path in town.app.openapi()["paths"] if path.startswith("/api/v1") and path not in page] == []
        client.cookies.clear()
        client.cookies.update({"asty-session": town.session_of(1), "asty-csrf": "t" * 32})
        given = client.post("/me/programs", data={"csrf": "t" * 32, "name": "Λογιστήριο", "may": "read", "days": "30"})
        assert given.status_code == 200, given.text[given.text.index("<main") :][:1500]
        key = given.text.split('<code class="code">')[1].split("<")[0]
        assert client.get("/api/v1/me/cases", headers={"Authorization": f"Bearer {key}"}).status_code == 200
        later = client.get("/me/programs").text
        assert key not in later
        ending = later.split('action="/me/programs/')[1].split('"')[0]
        client.post(f"/me/programs/{ending}", data={"csrf": "t" * 32})
        assert "Λογιστήριο" not in client.get("/me/programs").text
        assert client.get("/api/v1/me/cases", headers={"Authorization": f"Bearer {key}"}).status_code == 401


def a_pdf() -> bytes:
    out = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(out)
    return out.getvalue()
