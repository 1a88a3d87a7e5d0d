"""Access points that are off at some hours: no page says that somebody is online, or let in, when they are."""

import re
from dataclasses import replace
from datetime import datetime

import pytest
from policed import HOUR, PARIS, Build
from werkzeug.test import TestResponse

from captive_portal.page_facts import page_facts
from captive_portal.standing import Refusal, Standing
from parvis.inventory import Town

LIT = "Mo-Su 06:00-23:00"
OFF = "Extinction du Wi-Fi de ce lieu : 23:00"


def plain(page: TestResponse) -> str:
    """A page's text without the narrow and wide spaces of French."""
    return re.sub(r"\s", " ", page.text)


def at(hour: int, day: int = 15) -> float:
    return datetime(2026, 7, day, hour, 0, tzinfo=PARIS).timestamp()


@pytest.mark.parametrize(("radio", "told"), [(LIT, True), ("", False)])
def test_whose_session_would_outlast_the_radio_is_told_when_it_goes_off(build: Build, radio: str, told: bool) -> None:
    house = build(radio=radio, session=4 * HOUR)
    house.facts = replace(house.facts, session=4 * HOUR)
    house.app.extensions["hall"] = house.hall()
    house.clock.wall = at(20)
    anna = house.visitor()

    first = anna.get("/fr/")
    anna.accepts()

    assert (OFF in plain(first)) is told
    assert (OFF in plain(anna.get("/fr/status"))) is told


def test_a_session_that_ends_before_the_radio_says_nothing_of_it(build: Build) -> None:
    house = build(radio=LIT, session=4 * HOUR)
    house.clock.wall = at(18)
    anna = house.visitor()
    anna.accepts()

    assert "Extinction" not in anna.get("/fr/status").text


@pytest.mark.parametrize(
    ("refusal", "opens"),
    [(Refusal.CLOSED_HOURS, "06:00"), (Refusal.CLOSED_BY_STAFF, "06:00"), (Refusal.BLOCKED, "05:00")],
)
def test_a_place_reopens_when_its_radio_is_lit(build: Build, refusal: Refusal, opens: str) -> None:
    house = build(radio=LIT)
    house.clock.wall = at(22)
    house.stands = Standing(refusal, until=at(5, day=16))

    assert f"demain à {opens}" in plain(house.visitor().get("/fr/"))


def test_the_pages_know_the_radio_hours_of_their_site(town: Town) -> None:
    site = town.sites[0].model_copy(update={"radio_hours": LIT})

    assert page_facts(town, site).radio_hours == LIT
    assert page_facts(town, town.sites[0]).radio_hours == ""
