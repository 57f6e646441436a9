"""What drivers and dispatchers rely on from the server behind the tablets."""

import io
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asty_cloud_api.attempts import MOST_WRONG, Door
from asty_cloud_api.cab import drivers, photos
from asty_cloud_api.cab.session import ON_DUTY, SENDING, Seal, SignIn
from cryptography.fernet import Fernet
from PIL import Image

PIN, CARD = "246813", "0004512399"
NOW = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)


def test_a_tablet_that_guesses_is_shut_out_longer_each_time_and_others_are_not() -> None:
    door = Door()
    for left in range(MOST_WRONG - 1, -1, -1):
        assert door.wait("mine", 0.0) == 0
        assert door.wrong("mine", 0.0) == left
    first = door.wait("mine", 0.0)
    assert first > 0
    assert door.wait("another", 0.0) == 0
    assert door.wait(None, 0.0) == 0
    for _ in range(MOST_WRONG):
        door.wrong("mine", first)
    assert door.wait("mine", first) > first


def test_unknown_devices_share_one_budget_and_a_right_sign_in_among_them_does_not_refill_it() -> None:
    door = Door()
    for _ in range(MOST_WRONG - 1):
        door.wrong(None, 0.0)
    door.wrong(None, 0.0)
    door.right(None, 0.0)
    assert door.wait(None, 0.0) == 0
    door.wrong(None, 0.0)
    assert door.wait(None, 0.0) > 0


def test_a_sign_in_holds_for_a_duty_and_lets_the_queue_home_for_a_week() -> None:
    seal = Seal(Fernet.generate_key())
    token = seal.sign_in(SignIn(uuid.uuid4(), "Α", "truck-01", "d", NOW))
    found = seal.open(token, NOW + ON_DUTY + timedelta(hours=1))
    assert found is not None
    assert not found.holds(NOW + ON_DUTY + timedelta(hours=1))
    assert found.holds(NOW + timedelta(hours=10))
    assert seal.open(token, NOW + SENDING + timedelta(seconds=1)) is None
    assert Seal(Fernet.generate_key()).open(token, NOW) is None
    assert seal.open_device(token, NOW) is None
    assert seal.open(seal.device("d", NOW), NOW) is None


@pytest.mark.parametrize("pin", ["1234", "12345a", "111111", "121212", "123456", "987654"])
def test_a_pin_that_anybody_tries_first_is_not_taken(pin: str) -> None:
    with pytest.raises(drivers.DriverError):
        drivers.add(None, "Α", pin)  # type: ignore[arg-type]


def test_a_photo_keeps_its_picture_and_nothing_else() -> None:
    exif = Image.Exif()
    exif[0x010E] = "at home"
    exif.get_ifd(0x8825)[1] = "N"
    exif[0x0112] = 6
    sent = io.BytesIO()
    Image.new("RGB", (3000, 1000), "red").save(sent, "JPEG", exif=exif)
    clean = Image.open(io.BytesIO(photos.clean(sent.getvalue())))
    assert clean.format == "JPEG"
    assert clean.size == (533, 1600), "upright and smaller"
    assert dict(clean.getexif()) == {}
    assert "exif" not in clean.info


@pytest.mark.parametrize("sent", [b"", b"<svg/>", b"GIF89a", b"\xff\xd8\xff\xe0broken"])
def test_what_is_no_photo_is_refused(sent: bytes) -> None:
    with pytest.raises(photos.NoPhotoError):
        photos.clean(sent)


def test_nothing_is_told_without_a_sign_in(tablet: Any) -> None:
    for path in ("/api/cab/shift", "/api/cab/events"):
        assert tablet.client.get(path).status_code == 401
    assert tablet.client.post("/api/cab/actions", json={"actions": []}).status_code == 401
    assert tablet.sign_in(pin="135790").json()["left"] < MOST_WRONG
    assert tablet.client.get("/api/cab/shift").status_code == 401


def test_a_driver_signs_in_by_pin_or_card_and_out(tablet: Any) -> None:
    assert tablet.sign_in(pin=PIN).status_code == 200
    assert tablet.shift()["vehicle"]["plate"] == "ΚΗΙ 1234"
    assert tablet.client.post("/api/cab/sign-out").status_code == 204
    assert tablet.client.get("/api/cab/shift").status_code == 401
    assert tablet.sign_in(card=CARD).status_code == 200
    cookie = next(c for c in tablet.client.cookies.jar if c.name == "cab")
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.get_nonstandard_attr("SameSite") == "strict"
    assert cookie.path == "/api/cab"


def test_a_whole_day_is_kept_once_however_often_it_is_sent(tablet: Any, routes: Any, bins: list[dict[str, Any]], ask: Any) -> None:
    version = routes.put(bins[:3], station_after=2)
    tablet.sign_in(pin=PIN)
    begin = tablet.action("begin", checks=[{"item": "brakes", "ok": True}, {"item": "leaks", "ok": False, "note": "λάδια"}])
    duty = begin["key"]
    day = [
        begin,
        tablet.action("route", duty=duty, version=version, state="delivered"),
        tablet.action("route", duty=duty, version=version, state="accepted"),
        tablet.action("outcome", duty=duty, stop=bins[0]["id"], outcome="lifted", version=version),
        tablet.action("outcome", duty=duty, stop=bins[1]["id"], outcome="missed", reason="no_access", version=version, lat=39.3, lon=22.9),
        tablet.action("unload", duty=duty, stop="station", n=3, version=version, kg=5240),
        tablet.action("break_start", duty=duty),
        tablet.action("break_end", duty=duty),
        tablet.action("message", duty=duty, text="Ο δρόμος είναι κλειστός"),
        tablet.action("breakdown", duty=duty, fault="lift"),
        tablet.action("end", duty=duty),
    ]
    assert tablet.send(*day[:5]) == [("stored", "")] * 5
    assert tablet.send(*day) == [("known", "")] * 5 + [("stored", "")] * 6
    assert tablet.send(*reversed(day)) == [("known", "")] * 11
    keys = [one["key"] for one in day]
    assert ask("SELECT count(*) FROM fleet.driver_action WHERE key = ANY(%s::uuid[])", keys) == [(11,)]
    assert ask("SELECT stop, outcome, reason, kg FROM fleet.stop_outcome WHERE key = ANY(%s::uuid[]) ORDER BY kg, stop", keys) == [
        ("station", "lifted", None, 5240.0), (bins[0]["id"], "lifted", None, None), (bins[1]["id"], "missed", "no_access", None),
    ]  # fmt: skip
    assert ask("SELECT ended IS NOT NULL, jsonb_array_length(checks) FROM fleet.duty WHERE id = %s", duty) == [(True, 2)]
    [(delivered, seen, accepted, by)] = ask(
        "SELECT delivered IS NOT NULL, seen IS NOT NULL, accepted IS NOT NULL, accepted_by FROM fleet.route WHERE version = %s", version
    )
    assert (delivered, seen, accepted, by) == (True, True, True, "Γιώργος Παπαδόπουλος")
    assert [m["text"] for m in tablet.shift()["messages"]] == ["Ο δρόμος είναι κλειστός"]


def test_an_outcome_on_an_older_version_still_counts(tablet: Any, routes: Any, bins: list[dict[str, Any]]) -> None:
    old = routes.put(bins[10:13])
    routes.put(bins[10:14])
    tablet.sign_in(pin=PIN)
    assert tablet.send(tablet.action("outcome", stop=bins[12]["id"], outcome="missed", reason="damaged", version=old)) == [("stored", "")]
    assert (bins[12]["id"], "missed") in [(o["stop"], o["outcome"]) for o in tablet.shift()["outcomes"]]


def test_one_bad_action_holds_up_no_other_and_is_told_why(tablet: Any, bins: list[dict[str, Any]]) -> None:
    tablet.sign_in(pin=PIN)
    good = tablet.action("outcome", stop=bins[20]["id"], outcome="lifted")
    answers = tablet.send(
        tablet.action("outcome", stop=bins[20]["id"], outcome="missed"),
        tablet.action("dance"),
        tablet.action("unload", stop="station", kg=-4),
        {**tablet.action("end"), "driver": str(uuid.uuid4())},
        {**tablet.action("end"), "edge": "truck-99"},
        {"kind": "end"},
        good,
    )
    assert [state for state, _ in answers] == ["refused"] * 6 + ["stored"]
    assert all(why for state, why in answers if state == "refused")


def test_a_photo_hangs_on_its_outcome_and_is_kept_once(tablet: Any, web: Any, bins: list[dict[str, Any]], ask: Any) -> None:
    tablet.sign_in(pin=PIN)
    missed = tablet.action("outcome", stop=bins[21]["id"], outcome="missed", reason="contaminated")
    tablet.send(missed)
    sent = io.BytesIO()
    Image.new("RGB", (64, 48), "green").save(sent, "PNG")
    photo = str(uuid.uuid4())
    for _ in range(2):
        answer = tablet.client.put(f"/api/cab/photos/{photo}", params={"of": missed["key"]}, content=sent.getvalue())
        assert answer.status_code == 204, answer.text
    assert ask("SELECT photo::text FROM fleet.stop_outcome WHERE key = %s", missed["key"]) == [(photo,)]
    assert tablet.client.get(f"/api/cab/photos/{photo}").status_code == 401, "photos are for the office"
    shown = tablet.client.get(f"/api/cab/photos/{photo}", headers=web.bearer)
    assert shown.headers["content-type"] == "image/jpeg"
    assert tablet.client.put(f"/api/cab/photos/{uuid.uuid4()}", params={"of": missed["key"]}, content=b"no").status_code == 422
    assert tablet.client.put(f"/api/cab/photos/{uuid.uuid4()}", params={"of": missed["key"]}, content=b"0" * 9_000_000).status_code == 413
