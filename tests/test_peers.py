"""What peers taught us: every feature we must or should have, and every rule, is proved by a test named after it."""

from peers_page import PAGE, page, proofs, rows, wants_a_test

NOT_YET = {
    "F57": "the sealed source log is issue 7",
    "F58": "port mappings for lawful requests are issue 7, with the DPO's decision",
}
"""Promised later, and said so on the page."""


def test_every_feature_and_every_rule_is_on_the_page() -> None:
    assert list(rows()["features"]) == [f"F{number:02}" for number in range(1, 61)]
    assert list(rows()["rules"]) == [f"R{number:02}" for number in range(1, 64)]
    for one, row in rows()["features"].items():
        assert row["level"] in {"must", "should", "later", "never"}, one
        assert "stand" in row or row["level"] in {"must", "should"}, f"{one}: say why"


def test_every_must_every_should_and_every_rule_has_a_test_named_after_it() -> None:
    missing = wants_a_test() - set(proofs())

    assert missing - set(NOT_YET) == set(), "name a test after it: test_f09_…, test_r27_…"


def test_what_is_promised_for_later_has_no_test_yet_and_the_page_says_so() -> None:
    assert set(NOT_YET) & set(proofs()) == set(), "it is proved: take it off the list"
    for one in NOT_YET:
        assert rows()["features"][one]["stand"].startswith("not yet: ")


def test_no_test_carries_an_id_that_does_not_exist() -> None:
    known = set(rows()["features"]) | set(rows()["rules"])

    assert {one: tests for one, tests in proofs().items() if one not in known} == {}


def test_the_page_says_what_tests_and_rows_say() -> None:
    assert PAGE.read_text("utf-8") == page(), "run script/docs"
