"""What peers taught us: every feature we must or should have, and every rule, is proved by a test named after it."""

import pytest
from peers_page import PAGE, ROOMS, Room, owed, page, proofs, rows, wants_a_test

NOT_YET: dict[str, str] = {}
"""Promised later, and said so on the page."""

each_room = pytest.mark.parametrize("room", ROOMS, ids=[room.title for room in ROOMS])


@each_room
def test_every_feature_and_every_rule_is_on_the_page(room: Room) -> None:
    assert [one for kind in rows(room).values() for one in kind] == room.ids()
    for one, row in rows(room)["features"].items():
        assert row["level"] in {"must", "should", "later", "never"}, one
        assert "stand" in row or row["level"] in {"must", "should"}, f"{one}: say why"


@each_room
def test_every_must_every_should_and_every_rule_has_a_test_named_after_it(room: Room) -> None:
    missing = wants_a_test(room) - set(proofs())

    assert missing - set(NOT_YET) == set(), "name a test after it: test_f09_…, test_g27_…"


def test_what_is_promised_for_later_has_no_test_yet_and_the_page_says_so() -> None:
    assert set(NOT_YET) & set(proofs()) == set(), "it is proved: take it off the list"
    assert set(NOT_YET) == {one for room in ROOMS for one in owed(room)}


def test_no_test_carries_an_id_that_does_not_exist() -> None:
    known = {one for room in ROOMS for kind in rows(room).values() for one in kind}

    assert {one: tests for one, tests in proofs().items() if one not in known} == {}


def test_the_page_says_what_tests_and_rows_say() -> None:
    assert PAGE.read_text("utf-8") == page(), "run script/docs"
