"""Names: topics build and parse to the same, and nothing that isn't ours is taken for ours."""

import pytest
from asty_contracts import topics
from asty_contracts.ids import is_name, is_tag
from asty_contracts.topics import KAFKA_TOPICS, Down, EdgeTopic, Up
from hypothesis import given
from hypothesis import strategies as st

names = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", fullmatch=True)


@given(names, names, st.sampled_from([*Up, *Down]))
def test_a_topic_parses_to_what_it_was_built_from(org: str, edge: str, leaf: Up | Down) -> None:
    topic = EdgeTopic(org, edge, leaf)
    assert topics.parse(str(topic)) == topic


def test_the_topics_of_an_edge_are_those_that_are_documented() -> None:
    assert str(EdgeTopic("demo", "truck-01", Up.RECORDS)) == "asty/1/demo/truck-01/up/rec"
    assert str(EdgeTopic("demo", "truck-01", Down.ACK)) == "asty/1/demo/truck-01/dn/ack"
    assert topics.all_up(Up.BIRTH, org="demo") == "asty/1/demo/+/up/birth"


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "asty/1/demo/truck-01/up",
        "asty/1/demo/truck-01/up/rec/",
        "asty/2/demo/truck-01/up/rec",
        "asty/1/demo/truck-01/up/ack",
        "asty/1/demo/truck-01/dn/rec",
        "asty/1/demo/truck-01/xx/rec",
        "asty/1/demo/+/up/rec",
        "asty/1/demo/#/up/rec",
        "asty/1/demo//up/rec",
        "asty/1/demo/Truck/up/rec",
        "asty/1/δήμος/truck-01/up/rec",
        "asty/1/demo/truck-01\n/up/rec",
        "$SYS/1/demo/truck-01/up/rec",
    ],
)
def test_what_is_not_a_topic_of_ours_is_none(topic: str) -> None:
    assert topics.parse(topic) is None


@given(st.text())
def test_any_text_can_be_parsed(text: str) -> None:
    found = topics.parse(text)
    assert found is None or str(found) == text


def test_a_name_fits_a_topic_level_a_certificate_and_a_key() -> None:
    assert all(map(is_name, ["a", "truck-01", "0", "a" * 32]))
    assert not any(map(is_name, ["", "-a", "a-", "a" * 33, "a/b", "a+", "A", "a_b", "a\n", "ά"]))


def test_a_tag_is_raw_bits_in_upper_case_hex() -> None:
    assert all(map(is_tag, ["00000499602D2000", "06001259E3", "0" * 32]))
    assert not any(map(is_tag, ["", "0600125", "06001259e3", "06001259E", "0" * 34, "06001259E3\n"]))


def test_kafka_topics_have_names_of_their_own_and_partitions() -> None:
    assert len({topic.name for topic in KAFKA_TOPICS}) == len(KAFKA_TOPICS)
    assert all(topic.partitions >= 1 for topic in KAFKA_TOPICS)
