"""A Greek notice costs as little as it can, and its price is known before it is sent."""

import pytest
from asty_citizen_services.notices import gsm7
from hypothesis import given
from hypothesis import strategies as st

GREEK = "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩαβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰΆΈΉΊΌΎΏΪΫ"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Η αίτησή σας πρωτοκολλήθηκε", "H AITHΣH ΣAΣ ΠPΩTOKOΛΛHΘHKE"),
        ("Μεταδημότευση, ΐ και ΰ", "METAΔHMOTEYΣH, I KAI Y"),
        ("«Βεβαίωση» – 12/2026…", '"BEBAIΩΣH" - 12/2026...'),
        ("Sign in: https://a.gr/x", "Sign in: https://a.gr/x"),
        ("κώδικας 123456", "KΩΔIKAΣ 123456"),
    ],
)
def test_greek_goes_out_in_capitals_that_a_short_message_has(written: str, shown: str) -> None:
    planned = gsm7.plan(written)
    assert (planned.text, planned.coding) == (shown, "gsm7")


@pytest.mark.parametrize(("length", "segments"), [(0, 1), (160, 1), (161, 2), (306, 2), (307, 3), (153 * 255, 255)])
def test_segments_are_counted_as_operators_bill_them(length: int, segments: int) -> None:
    assert gsm7.plan("α" * length).segments == segments


@pytest.mark.parametrize(("length", "segments"), [(70, 1), (71, 2), (134, 2), (135, 3)])
def test_signs_beyond_the_alphabet_cost_more_and_are_counted_so(length: int, segments: int) -> None:
    planned = gsm7.plan("中" * length)
    assert (planned.coding, planned.segments) == ("ucs2", segments)


def test_an_escaped_sign_and_a_pair_are_never_cut_in_two() -> None:
    assert [len(gsm7.encode(part, "gsm7")) for part in gsm7.plan("a" * 152 + "€" + "b" * 20).parts] == [152, 22]
    assert [len(part.encode("utf-16-be")) // 2 for part in gsm7.plan("中" * 66 + "😀" + "中" * 20).parts] == [66, 22]


def test_a_text_beyond_255_parts_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(ValueError, match="too long"):
        gsm7.plan("a" * (153 * 255 + 1))


@given(st.text(alphabet=GREEK + " .,;:!?0123456789abcXYZ\n@€[]{}«»", max_size=500))
def test_any_greek_text_is_carried_whole_in_septets(written: str) -> None:
    planned = gsm7.plan(written)
    assert planned.coding == "gsm7"
    octets = [gsm7.encode(part, "gsm7") for part in planned.parts]
    assert "".join(gsm7.decode(part, "gsm7") for part in octets) == planned.text
    assert all(len(part) <= (160 if planned.segments == 1 else 153) for part in octets)
    assert gsm7.greek(planned.text) == planned.text


@given(st.text(max_size=400))
def test_whatever_is_written_arrives_whole(written: str) -> None:
    try:
        planned = gsm7.plan(written)
    except UnicodeEncodeError:
        return
    assert "".join(planned.parts) == planned.text
