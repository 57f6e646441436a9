"""Signing in and out, roles, tokens and who did what, on the real server."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import psycopg
import pytest
from asty_cloud_api.attempts import MOST_WRONG
from asty_cloud_api.settings import Settings
from asty_cloud_api.staff.commands import check_production
from asty_cloud_api.staff.routes import DEMO_PASSPHRASE
from asty_process.environment import SettingsError

PASSPHRASE = "πέντε γλάροι στο μώλο"


@pytest.fixture(scope="module")
def people(web: Any, busy: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    """One account of each role, made by the command."""
    file = tmp_path_factory.mktemp("staff") / "passphrase"
    file.write_text(f"{PASSPHRASE}\n")
    for username, name, role in (("vasilis", "Βασίλης Θ.", "viewer"), ("dimitra", "Δήμητρα Γ.", "dispatcher")):
        done = busy.run("staff", "add", username, name, "--role", role, "--passphrase-file", str(file))
        assert done.returncode == 0, done.stderr


@pytest.fixture
def browser(web: Any, people: None) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=web.url, trust_env=False, timeout=30) as client:
        yield client


def enter(browser: httpx.Client, username: str, passphrase: str = PASSPHRASE, going: str = "/board") -> httpx.Response:
    return browser.post("/sign-in", data={"username": username, "passphrase": passphrase, "next": going})


def rows(busy: Any, sql: str) -> list[Any]:
    with psycopg.connect(busy.dsn, autocommit=True) as connection:
        done = connection.execute(sql)  # type: ignore[call-overload]
        return done.fetchall() if done.description else []


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/board",
        "/board/plan",
        "/board/closures",
        "/board/messages",
        "/service",
        "/tickets",
        "/lifts",
        "/alarms",
        "/missing",
        "/enrolment",
    ],
)
def test_nobody_sees_a_page_of_the_staff_without_a_sign_in_and_is_led_back_after_it(browser: httpx.Client, path: str) -> None:
    away = browser.get(path, params={"q": "α"})
    assert away.status_code == 303
    page = browser.get(away.headers["location"])
    assert "Σύνδεση προσωπικού" in page.text
    assert f'name="next" value="{path}?q=%CE%B1"' in page.text


def test_programs_are_told_to_bring_a_token_and_the_public_asks_freely(browser: httpx.Client) -> None:
    for path in ("/api/lifts", "/api/board", "/live/events", "/api/plans", "/api/closures"):
        answer = browser.get(path)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="asty"')
    assert browser.post("/api/closures", json={}).status_code == 401
    assert browser.get("/api/lifts", headers={"Authorization": "Bearer wrong"}).status_code == 401
    for path in ("/when", "/api/eta?street=x", "/health", "/cab", "/api/streets.geojson", "/api/cab/trucks"):
        assert browser.get(path).status_code == 200, path


def test_a_dispatcher_signs_in_acts_under_their_name_and_signs_out(browser: httpx.Client, busy: Any) -> None:
    entered = enter(browser, " Dimitra ")
    assert (entered.status_code, entered.headers["location"]) == (303, "/board")
    cookie = next(line for line in entered.headers.get_list("set-cookie") if line.startswith("staff="))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Δήμητρα Γ." in browser.get("/board").text
    assert browser.post("/board/plan/must", data={"bin": "Κ-001"}).status_code == 303
    assert rows(busy, "SELECT detail ->> 'by' FROM fleet.plan_trigger WHERE subject = 'Κ-001'") == [("Δήμητρα Γ.",)]
    browser.post("/board/messages", data={"truck": "truck-01", "line": "Καλημέρα"})
    assert rows(busy, "SELECT sent_by FROM fleet.message WHERE text = 'Καλημέρα'") == [("Δήμητρα Γ.",)]
    local = {"starts": "2026-01-01T07:00", "ends": "2999-01-01T07:00", "street": "Ερμού", "kind": "works"}
    assert browser.post("/board/closures", data=local).status_code == 303
    assert rows(busy, "SELECT DISTINCT made_by FROM fleet.closure") == [("Δήμητρα Γ.",)]
    held = browser.cookies["staff"]
    assert browser.post("/sign-out").headers["location"] == "/sign-in?out=1"
    browser.cookies.set("staff", held)
    assert browser.get("/board").status_code == 303, "the session itself has ended, not only its cookie"


def test_whoever_may_only_look_is_told_which_role_is_missing_and_nothing_changes(browser: httpx.Client, busy: Any) -> None:
    enter(browser, "vasilis")
    assert browser.get("/board/plan").status_code == 200
    before = rows(busy, "SELECT count(*) FROM fleet.message")
    answer = browser.post("/board/messages", data={"truck": "truck-01", "line": "x"})
    assert (answer.status_code, "Γραφείο κίνησης" in answer.text, "Δεν άλλαξε τίποτα" in answer.text) == (403, True, True)
    assert rows(busy, "SELECT count(*) FROM fleet.message") == before
    body = {"kind": "must_visit", "subject": "Κ-001", "said_by": "dispatcher"}
    assert browser.post("/api/plan-triggers", json=body).json()["role"] == "dispatcher"


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://elsewhere.gr"}])
def test_another_site_cannot_act_with_a_persons_cookie(browser: httpx.Client, headers: dict[str, str]) -> None:
    enter(browser, "dimitra")
    for path in ("/board/plan/again", "/api/plan-triggers", "/sign-out"):
        assert browser.post(path, headers=headers).status_code == 403
    assert browser.post("/sign-in", headers=headers).status_code == 403
    assert browser.get("/board").status_code == 200


def test_who_leaves_is_signed_out_and_a_new_passphrase_ends_old_sessions(browser: httpx.Client, busy: Any, tmp_path: Any) -> None:
    file = tmp_path / "passphrase"
    file.write_text("άλλες τρεις λέξεις\n")
    assert busy.run("staff", "add", "niki", "Νίκη", "--role", "viewer", "--passphrase-file", str(file)).returncode == 0
    enter(browser, "niki", "άλλες τρεις λέξεις")
    assert busy.run("staff", "leave", "niki").returncode == 0
    assert rows(
        busy, "SELECT count(*) FROM fleet.staff_session AS s JOIN fleet.staff_account AS a ON a.id = s.account WHERE username = 'niki'"
    ) == [(0,)]
    assert enter(browser, "niki", "άλλες τρεις λέξεις").status_code == 422


def test_a_programs_token_reads_as_its_role_allows_and_ends(web: Any, busy: Any, tmp_path: Any) -> None:
    file = tmp_path / "token"
    assert busy.run("staff", "token", "grafana", "--role", "viewer", "--days", "30", "--out", str(file)).returncode == 0
    assert file.stat().st_mode & 0o077 == 0
    token = file.read_text().strip()
    assert token not in str(rows(busy, "SELECT * FROM fleet.machine_token"))
    with httpx.Client(base_url=web.url, trust_env=False, timeout=30, headers={"Authorization": f"Bearer {token}"}) as grafana:
        assert grafana.get("/api/lifts").status_code == 200
        assert grafana.delete("/api/closures/0b2b1d9c-0000-4000-8000-000000000000").status_code == 403
        rows(busy, "UPDATE fleet.machine_token SET expires = now() - interval '1 day' WHERE name = 'grafana'")
    assert "grafana" in busy.run("staff", "tokens").stdout
    assert busy.run("staff", "end-token", "grafana").returncode == 0
    assert rows(busy, "SELECT count(*) FROM fleet.machine_token WHERE name = 'grafana'") == [(0,)]


def test_production_refuses_what_everybody_knows_and_what_nobody_can_open(web: Any, busy: Any, people: None, tmp_path: Any) -> None:
    chosen = Settings(org="demo", dsn=busy.dsn, production=True)
    with pytest.raises(SettingsError, match="ASTY_CLOUD_API_ADDRESS"):
        check_production(chosen)
    chosen = replace(chosen, address="https://stolos.example.gr")
    check_production(chosen)
    demo = busy.run("staff", "demo", "--out", str(tmp_path / "token"))
    assert demo.stdout.split() == ["dispatcher", DEMO_PASSPHRASE]
    assert DEMO_PASSPHRASE in httpx.get(f"{web.url}/sign-in", trust_env=False).text
    with pytest.raises(SettingsError, match="staff leave dispatcher"):
        check_production(chosen)
    assert busy.run("staff", "leave", "dispatcher").returncode == 0
    assert DEMO_PASSPHRASE not in httpx.get(f"{web.url}/sign-in", trust_env=False).text
    rows(busy, "UPDATE fleet.staff_account SET roles = '{viewer}'")
    busy.environment |= {"ASTY_PRODUCTION": "1", "ASTY_CLOUD_API_ADDRESS": "https://stolos.example.gr"}
    try:
        assert "--role administrator" in busy.run("serve").stderr
    finally:
        rows(busy, "UPDATE fleet.staff_account SET roles = '{dispatcher}' WHERE username = 'dimitra'")
        for name in ("ASTY_PRODUCTION", "ASTY_CLOUD_API_ADDRESS"):
            busy.environment.pop(name, None)


def test_wrong_passphrases_are_limited_and_a_known_browser_is_not_shut_out_by_strangers(browser: httpx.Client, web: Any) -> None:
    enter(browser, "dimitra")  # from now on this browser is known
    browser.post("/sign-out")
    with httpx.Client(base_url=web.url, trust_env=False, timeout=30) as stranger:
        answers = [enter(stranger, "dimitra", f"δοκιμή {n}") for n in range(MOST_WRONG + 1)]
        assert [answer.status_code for answer in answers[:-2]] == [422] * (MOST_WRONG - 1)
        assert answers[-1].status_code == 429
        assert int(answers[-1].headers["retry-after"]) > 30
        assert enter(stranger, "dimitra").status_code == 429, "the right one waits too"
    assert enter(browser, "dimitra").status_code == 303
