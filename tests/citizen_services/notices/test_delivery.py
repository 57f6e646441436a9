"""A notice reaches every channel that its citizen has and wishes, once, in the day, and its page tells what became of it."""

import json
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from asty_citizen_services.identity.citizens import remember
from asty_citizen_services.identity.models import ContactPoint
from asty_citizen_services.identity.notifier import NotSentError
from asty_citizen_services.identity.taxisnet_double import PERSONS
from asty_citizen_services.notices import delivery, outbox, pages, quiet
from asty_citizen_services.notices.carrier import Parcel, Receipt, RefusedByCarrierError, UnclearError
from asty_citizen_services.notices.models import Notice, NoticeDelivery, PushSubscription
from asty_citizen_services.notices.tasks import Sender
from asty_citizen_services.notices.texts import TEXTS
from sqlalchemy import select

ATHENS = ZoneInfo("Europe/Athens")
WAITING = "SELECT DISTINCT scheduled_at FROM procrastinate_jobs WHERE task_name = 'notices:send' AND scheduled_at IS NOT NULL"
DAY, NIGHT = datetime(2026, 11, 24, 10, 0, tzinfo=UTC), datetime(2026, 11, 24, 21, 0, tzinfo=UTC)


class Post:
    """A carrier that keeps what it is given, or fails as told."""

    def __init__(self, *, repeatable: bool = False) -> None:
        self.repeatable, self.sent, self.fails = repeatable, list[Parcel](), list[Exception]()

    def send(self, parcel: Parcel) -> tuple[str, ...]:
        if self.fails:
            raise self.fails.pop(0)
        self.sent.append(parcel)
        return (f"{parcel.reference}-1", f"{parcel.reference}-2")


@pytest.fixture
def citizen(municipality: Any) -> Iterator[uuid.UUID]:
    """Somebody with a phone, an address and a browser, and no notices."""
    with municipality.database.begin() as session:
        known = remember(session, PERSONS[1], DAY)
        for kind, address in (("phone", "+306941234567"), ("email", "maria@example.gr")):
            session.add(ContactPoint(id=uuid.uuid4(), citizen_id=known, kind=kind, address=address, verified_at=DAY, ended_at=None))
        session.add(
            PushSubscription(id=uuid.uuid4(), citizen_id=known, endpoint="https://p/1", p256dh="k", auth="a", made_at=DAY, ended_at=None)
        )
    yield known
    with municipality.database.begin() as session:
        run = session.connection().exec_driver_sql
        run("DELETE FROM notice_delivery")
        run("DELETE FROM procrastinate_jobs")
        for table in ("notice", "contact_point", "push_subscription", "notice_wish"):
            run(f"DELETE FROM {table} WHERE citizen_id = %s", (known,))


@pytest.fixture
def tell(municipality: Any, citizen: uuid.UUID) -> Callable[..., Any]:
    """Return `tell(now)`: puts a notice and fans it out; gives its deliveries by channel."""

    def put(now: datetime = DAY, key: str = "k1", **more: Any) -> dict[str, NoticeDelivery]:
        with municipality.database.begin() as session:
            outbox.put(
                session, key=key, citizen=citizen, about="case:x", template="filed", language="el", now=now, reference="1/2026",
                subject="Βεβαίωση", **more,
            )  # fmt: skip
            notice = session.scalars(select(Notice).where(Notice.key == key)).one()
            delivery.fan_out(session, notice.id, ATHENS, now)
            rows = session.scalars(select(NoticeDelivery).where(NoticeDelivery.notice_id == notice.id))
            return {row.channel: row for row in rows}

    return put


def row_of(municipality: Any, one: NoticeDelivery) -> NoticeDelivery:
    with municipality.database.begin() as session:
        found: NoticeDelivery = session.get_one(NoticeDelivery, one.id)
        return found


def sender(municipality: Any, **carriers: Post) -> Sender:
    return Sender(municipality.database, carriers, ATHENS, "https://a.gr")


def test_a_notice_goes_once_to_every_channel_however_often_it_is_put(municipality: Any, tell: Any) -> None:
    first, again = tell(), tell()
    assert set(first) == {"sms", "email", "push"} == set(again)
    assert {row.id for row in first.values()} == {row.id for row in again.values()}
    post = Post()
    it = sender(municipality, sms=post)
    it.send(first["sms"].id, DAY)
    it.send(first["sms"].id, DAY)
    assert [parcel.address for parcel in post.sent] == ["+306941234567"]
    assert row_of(municipality, first["sms"]).state == "sent"


def test_whoever_says_no_to_a_channel_gets_nothing_there_and_the_language_is_his(municipality: Any, citizen: uuid.UUID, tell: Any) -> None:
    with municipality.database.begin() as session:
        pages.keep_wish(session, citizen, "sms", "el", DAY, wanted=False)
        pages.keep_wish(session, citizen, "email", "en", DAY, wanted=True)
    made = tell()
    assert set(made) == {"email", "push"}
    post = Post()
    sender(municipality, email=post).send(made["email"].id, DAY)
    assert post.sent[0].subject == "Protocol no. 1/2026"
    with municipality.database.begin() as session:
        acts = session.connection().exec_driver_sql("SELECT details FROM audit_entry WHERE act = 'notices.wish' ORDER BY number").all()
    assert [(row[0]["channel"], row[0]["wanted"]) for row in acts] == [("sms", False), ("email", True)]


def test_no_short_message_wakes_anybody_up_and_a_letter_goes_at_once(municipality: Any, tell: Any) -> None:
    made = tell(NIGHT)
    morning = datetime(2026, 11, 25, 6, 0, tzinfo=UTC)
    assert made["sms"].not_before == morning
    assert made["email"].not_before == NIGHT
    post = Post()
    sender(municipality, sms=post).send(made["sms"].id, NIGHT)
    assert post.sent == []
    with municipality.database.begin() as session:
        due = (
            session.connection()
            .exec_driver_sql(
                "SELECT DISTINCT scheduled_at FROM procrastinate_jobs WHERE task_name = 'notices:send' AND scheduled_at IS NOT NULL"
            )
            .all()
        )
    assert [row[0] for row in due] == [morning]
    urgent = tell(NIGHT, key="k2", urgent=True)
    sender(municipality, sms=post).send(urgent["sms"].id, NIGHT)
    assert len(post.sent) == 1


@pytest.mark.parametrize(
    ("at", "then"),
    [("2026-11-24T05:59:00+00:00", "2026-11-24T06:00:00+00:00"), ("2026-11-24T06:00:00+00:00", "2026-11-24T06:00:00+00:00"),
     ("2026-03-28T20:30:00+00:00", "2026-03-29T05:00:00+00:00"), ("2026-10-24T19:00:00+00:00", "2026-10-25T06:00:00+00:00")],
)  # fmt: skip
def test_quiet_hours_are_local_also_when_clocks_change(at: str, then: str) -> None:
    assert quiet.not_before(datetime.fromisoformat(at), ATHENS) == datetime.fromisoformat(then)


def test_a_tired_carrier_is_tried_again_and_in_the_end_the_page_says_so(municipality: Any, tell: Any) -> None:
    made, post = tell()["email"], Post()
    it = sender(municipality, email=post)
    post.fails = [NotSentError("busy")] * delivery.MOST_TRIES
    for _ in range(delivery.MOST_TRIES):
        with pytest.raises(NotSentError):
            it.send(made.id, DAY)
    it.send(made.id, DAY)
    row = row_of(municipality, made)
    assert (row.state, row.why, post.sent) == ("failed", "busy", [])


@pytest.mark.parametrize(("error", "state"), [(RefusedByCarrierError("gone"), "failed"), (UnclearError("hung up"), "unclear")])
def test_what_may_have_gone_out_or_never_will_is_not_sent_again(municipality: Any, tell: Any, error: Exception, state: str) -> None:
    made, post = tell()["push"], Post()
    post.fails = [error]
    it = sender(municipality, push=post)
    it.send(made.id, DAY)
    it.send(made.id, DAY)
    assert (row_of(municipality, made).state, post.sent) == (state, [])
    with municipality.database.begin() as session:
        ended = session.scalars(select(PushSubscription.ended_at)).one()
    assert (ended is not None) == (state == "failed")


@pytest.mark.parametrize(("repeatable", "state"), [(False, "unclear"), (True, "sent")])
def test_a_worker_that_died_while_sending_repeats_only_what_the_carrier_knows_again(
    municipality: Any, tell: Any, repeatable: bool, state: str
) -> None:
    made, post = tell()["sms"], Post(repeatable=repeatable)
    with municipality.database.begin() as session:
        delivery.take(session, made.id, ATHENS, DAY, "", repeatable={"sms": repeatable})
    sender(municipality, sms=post).send(made.id, DAY)
    assert (row_of(municipality, made).state, len(post.sent)) == (state, 1 if repeatable else 0)


def test_a_long_message_is_delivered_when_all_its_parts_are(municipality: Any, tell: Any) -> None:
    made, post = tell()["sms"], Post()
    sender(municipality, sms=post).send(made.id, DAY)

    def receive(part: int, state: Any) -> str:
        with municipality.database.begin() as session:
            assert delivery.receive(session, Receipt(f"{made.id}-{part}", state, DAY, ""))
        return row_of(municipality, made).state

    assert [receive(1, "delivered"), receive(2, "delivered"), receive(2, "failed")] == ["sent", "delivered", "failed"]
    with municipality.database.begin() as session:
        assert not delivery.receive(session, Receipt("stranger", "delivered", DAY))


def test_the_page_of_notices_finds_without_accents_and_says_what_became_of_each(municipality: Any, citizen: uuid.UUID, tell: Any) -> None:
    made = tell()
    sender(municipality, email=Post()).send(made["email"].id, DAY)
    with municipality.database.begin() as session:
        mine = pages.lines(session, citizen, "el")
    assert [dict(one.channels) for one in mine] == [{"email": "sent", "push": "waiting", "sms": "waiting"}]
    assert len(pages.chosen(mine, "ΒΕΒΑΙΩΣΗ 1/2026", "unread", "-at")) == 1
    assert pages.chosen(mine, "γάμος", "", "-at") == pages.chosen(mine, "", "read", "-at") == []


def test_every_step_of_a_case_has_its_words_in_both_languages() -> None:
    steps = {
        "filed",
        "incomplete",
        "completed",
        "forwarded",
        "issued",
        "rejected",
        "objection_denied",
        "objection_upheld",
        "shelved",
        "overdue",
        "cosign",
    }
    assert steps <= set(TEXTS)
    values = dict.fromkeys(
        ("reference", "subject", "reason", "department", "link", "amount", "code", "station", "rank", "points", "until"), "x"
    )
    for languages in TEXTS.values():
        assert set(languages) == {"el", "en"}
        for text in languages.values():
            assert json.dumps(text.fill(values).body)
