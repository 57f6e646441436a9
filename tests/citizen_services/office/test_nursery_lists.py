"""A nursery's list is frozen when it is published, changed by objections only into the next, and moves up when a place is given up."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asty_citizen_services.notices.models import Notice
from asty_citizen_services.nursery import desk, publishing
from asty_citizen_services.nursery.desk import FINAL, POINTS, PROVISIONAL
from asty_citizen_services.nursery.models import NurseryList
from asty_citizen_services.nursery.publishing import Draft, NotNowError
from asty_citizen_services.nursery.ranking import Lists, Move, Seat, Station, Table, moved, read
from asty_citizen_services.procedures.catalogue import OWN
from asty_citizen_services.registry.models import Docket
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

SLUG = "eggrafi-paidikou-stathmou"
TABLE = read(OWN / SLUG / POINTS)
PLACES = TABLE.stations["infants"].places


def seat(name: str, rank: int, *, taken: bool) -> Seat:
    return Seat(name, f"{name}/2026", 50 - rank, rank, taken)


def test_a_place_that_is_given_up_goes_to_the_best_who_waits_and_is_placed_once() -> None:
    name = TABLE.stations["a"].name
    table = Table({"a": Station(1, name), "b": Station(1, name)}, ())
    lists: Lists = {
        "a": (seat("first", 1, taken=True), seat("third", 2, taken=False), seat("fourth", 3, taken=False)),
        "b": (seat("second", 1, taken=True), seat("third", 2, taken=False), seat("fourth", 3, taken=False)),
    }
    assert moved(table, lists, []) == ()
    assert moved(table, lists, ["third"]) == (), "who only waits leaves no place"
    assert moved(table, lists, ["first", "second"]) == (Move("third", "a", "first"), Move("fourth", "b", "second"))
    assert moved(table, lists, ["third", "first"]) == (Move("fourth", "a", "first"),)
    assert moved(table, lists, ["first", "third"]) == (Move("third", "a", "first"), Move("fourth", "a", "third"))


@pytest.fixture(scope="module")
def filed(town: Any) -> list[uuid.UUID]:
    """One application more than the infants' nursery has places; the last one has the fewest points."""
    answers = {
        "parents": "one",
        "station": "infants",
        "children": 1,
        "income": 30_000.0,
        "child_firstname": "Νήπιο",
        "child_lastname": "Αόρατο",
    }
    earners = [{"first_work": "full"}] * PLACES + [{"first_work": "unemployed"}]
    return [town.file(SLUG, answers | work, "paidikoi") for work in earners]


def code_of(town: Any, case: uuid.UUID) -> str:
    with town.municipality.database.begin() as session:
        return str(session.scalars(select(Docket).where(Docket.application_id == case, Docket.direction == "in")).one().reference)


def told(town: Any, case: uuid.UUID) -> set[str]:
    with town.municipality.database.begin() as session:
        return set(session.scalars(select(Notice.template).where(Notice.about == f"case:{case}")))


def test_a_list_is_published_signed_objected_to_and_moves_up(town: Any, filed: list[uuid.UUID], waiting: Any) -> None:
    last, year, now = filed[-1], datetime.now(town.settings.zone).year, datetime.now(UTC)
    with town.browser("") as anybody:
        assert "Δεν έχει δημοσιευτεί τίποτα ακόμη" in anybody.get("/nursery/ranking").text
    with town.browser("officer") as officer:
        officer.post("/office/nursery/publish", 403, kind=PROVISIONAL)
    with town.browser("head") as head:
        page = head.get("/office/nursery").text
        profile = page.split('name="profile"')[1].split('<option value="')[1].split('"')[0]
        assert (
            "Ο πίνακας δεν υπογράφηκε" in head.post("/office/nursery/publish", 422, kind=PROVISIONAL, profile=profile, secret="λάθος").text
        )
        assert "Δεν έχει δημοσιευτεί προσωρινός" in head.post("/office/nursery/publish", 409, kind=FINAL, profile=profile).text
        head.post("/office/nursery/publish", kind=PROVISIONAL, profile=profile, secret="μυστικό")
        assert (
            "Η προθεσμία ενστάσεων δεν έληξε"
            in head.post("/office/nursery/publish", 409, kind=FINAL, profile=profile, secret="μυστικό").text
        )
    assert "nursery_provisional_place" in told(town, filed[0])
    assert "nursery_provisional_waits" in told(town, last)

    with town.browser("") as anybody:
        page = anybody.get("/nursery/ranking").text
        assert all(code_of(town, case) in page for case in filed)
        assert "Αόρατο" not in page
        found = anybody.get(f"/nursery/ranking?q={code_of(town, last)}").text
        assert (found.count("Σε αναμονή"), found.count('class="code strong"')) == (1, 1)
        pdf = anybody.get("/nursery/lists/" + page.split("/nursery/lists/")[1].split('"')[0]).content
        checked = anybody.post("/check", files={"file": ("list.pdf", pdf, "application/pdf")}).text
        assert "είναι όπως υπογράφηκε" in checked

    with town.browser("citizen") as parent, town.browser("citizen-2") as stranger, town.browser("head") as head:
        stranger.get(f"/nursery/cases/{last}", 404)
        assert "Σε αναμονή" in parent.get(f"/nursery/cases/{last}").text
        parent.post(f"/nursery/cases/{last}/object", 422, words=" ")
        parent.post(f"/nursery/cases/{last}/object", words="Είμαι σε πλήρη εργασία και τρίτεκνη")
        parent.post(f"/nursery/cases/{last}/object", 409, words="Ξανά")
        page = head.get("/office/nursery").text
        objection = page.split("/office/nursery/objections/")[1].split('"')[0]
        later = now + timedelta(days=TABLE.objection_days + 7)
        with town.municipality.database.begin() as session, pytest.raises(NotNowError, match="nobody has decided"):
            publishing.next_version(session, year, FINAL, later)
        head.post(f"/office/nursery/objections/{objection}", 422, outcome="accepted", reason="Σωστό", points="πολλά")
        head.post(f"/office/nursery/objections/{objection}", outcome="accepted", reason="Αποδείχθηκε", points="99")
        head.post(f"/office/nursery/objections/{objection}", 409, outcome="denied", reason="Ξανά")
    assert "nursery_accepted" in told(town, last)

    with town.municipality.database.begin() as session:
        provisional = desk.publications(session, year)[0]
        lists = desk.frozen(session, SLUG, TABLE, year, town.settings.zone)
        final = publishing.publish(
            session, TABLE, Draft(year, FINAL, lists, provisional.document_id), town.people["head"], town.settings.zone, later
        )  # fmt: skip
        assert final.version == 2
        assert desk.seats(provisional)["infants"][-1].application == str(last), "what was published first stays as it was"
        ranks = {one.application: (one.rank, one.taken) for one in desk.seats(final)["infants"]}
    loser = filed[-2]
    assert ranks[str(last)] == (1, True)
    assert ranks[str(loser)] == (PLACES + 1, False)
    assert "nursery_final_waits" in told(town, loser)
    with town.municipality.database.begin() as session, pytest.raises(NotNowError, match="final list of this year"):
        publishing.next_version(session, year, FINAL, later)
    with town.municipality.database.begin() as session, pytest.raises(NotNowError, match="can be objected to"):
        publishing.object_to(session, year, loser, "Αργά", "test", later)

    with town.browser("officer") as officer:
        officer.post(f"/office/cases/{loser}/decide", token=str(waiting(loser)["check"].token), outcome="complete")
    assert list(waiting(loser)) == ["place"]
    with town.browser("citizen") as parent:
        parent.post(f"/nursery/cases/{last}/withdraw", 422)
        assert "Ανακλήθηκε" in parent.post(f"/nursery/cases/{last}/withdraw", sure="yes").text
        assert "Θέση" in parent.get(f"/nursery/cases/{loser}").text
    assert "nursery_moved_up" in told(town, loser)
    assert list(waiting(loser)) == ["charge"], "the case of who moved up goes on by itself"
    town.work(loser)
    assert list(waiting(loser)) == ["sign"]
    with town.browser("") as anybody:
        page = anybody.get("/nursery/ranking").text
        assert (page.count("Θέση, από αναμονή"), page.count("Ανακλήθηκε")) == (1, 1)
    with town.browser("officer") as officer:
        officer.post("/office/nursery/withdraw", 422, code="99999/1999")
        officer.post("/office/nursery/withdraw", 409, code=code_of(town, last))
        officer.post("/office/nursery/withdraw", code=code_of(town, filed[0]))


def test_a_published_list_can_not_be_altered(town: Any) -> None:
    with pytest.raises(DBAPIError, match="never changed"), town.municipality.database.begin() as session:
        session.execute(text("UPDATE citizen.nursery_list SET version = 7"))
    with town.municipality.database.begin() as session:
        assert sorted(session.scalars(select(NurseryList.version))) == [1, 2]
