"""What a page says of the end is what happens: the session's length or the building's closing, the earlier of both."""

import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from babel.support import Translations
from house import ANNA, House
from page_faults import ill_made
from policed import HOUR, PARIS, Build

from captive_portal import branding
from captive_portal.page_facts import page_facts
from captive_portal.web.terms import terms
from captive_portal.web.wording import duration
from parvis.inventory import Town
from parvis.languages import LANGUAGES, Language

HOURS = "Mo-Fr 08:30-17:30"
WHY = "Le lieu ferme à cette heure-là."
CATALOGUES = Path(branding.__file__).parent / "web/translations"


def said(language: Language, french: str) -> str:
    return str(Translations.load(CATALOGUES, [language]).gettext(french))


def at(hour: int, minute: int = 0) -> float:
    return datetime(2026, 7, 15, hour, minute, tzinfo=PARIS).timestamp()  # a Wednesday


@pytest.fixture
def house(build: Build) -> House:
    made = build(hours=HOURS, session=4 * HOUR)
    object.__setattr__(made.facts, "session", 4 * HOUR)
    made.clock.wall = at(16, 30)
    return made


def text(page: str) -> str:
    """What the page's main part says, the terms left out."""
    main = page.partition("<main")[2].partition("</main>")[0]
    return re.sub(r"\s+", " ", re.sub(r"<details>.*</details>|<[^>]+>", " ", main, flags=re.DOTALL))


def length(house: House, language: Language) -> str:
    return re.sub(r"\s+", " ", duration(house.facts.session, language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_f05_r57_an_hour_before_closing_no_page_promises_more_in_any_language(house: House, language: Language) -> None:
    anna = house.visitor()
    before = anna.get(f"/{language}/")
    summary = text("<main" + before.text.partition("<main")[2].partition("<details>")[2].partition('lang="fr"')[0])
    anna.accepts(language)
    after = anna.get(f"/{language}/status")
    remaining = anna.get("/api/captive").json["seconds-remaining"]

    assert "17:30" in text(before.text)
    assert length(house, language) not in text(before.text)
    assert language in {"fr", "en"} or ("17:30" in summary and length(house, language) not in summary)
    assert "17:30" in text(after.text)
    assert 'datetime="2026-07-15T17:30+02:00"' in after.text
    assert remaining == HOUR
    assert said(language, WHY) in text(after.text)
    assert said(language, WHY) not in text(in_the_morning(house, language))
    assert (ill_made(before, language), ill_made(after, language)) == ([], [])


def in_the_morning(house: House, language: Language) -> str:
    """The status page of whoever accepted in the morning."""
    house.visitor().leaves()
    house.clock.wall = at(9)
    other = house.visitor()
    other.accepts(language)
    return other.get(f"/{language}/status").text


@pytest.mark.parametrize(
    ("hour", "minute", "closing"), [(8, 31, False), (13, 29, False), (13, 31, True), (17, 29, True)]
)
def test_the_first_page_names_the_closing_only_where_it_comes_before_the_sessions_end(
    house: House, hour: int, minute: int, closing: bool
) -> None:
    house.clock.wall = at(hour, minute)
    page = text(house.visitor().get("/fr/").text)

    assert ("17:30" in page) is closing
    assert (length(house, "fr") in page) is not closing


@pytest.mark.parametrize("fraction", [0.0, 0.001, 0.4, 0.999])
def test_every_page_names_the_same_minute_though_the_kernel_counts_whole_seconds(house: House, fraction: float) -> None:
    house.clock.wall += fraction
    anna = house.visitor()
    before = text(anna.get("/fr/").text)
    anna.accepts()

    assert "17:30" in before
    assert "17:30" in text(anna.get("/fr/status").text)
    assert "17:30" in text(anna.get("/fr/mes-donnees").text)


def test_the_page_that_is_kept_for_everybody_changes_with_the_hour(house: House) -> None:
    """The shelf's clock stands still in a second; the building's does not."""
    house.clock.wall = at(13, 29)
    anna = house.visitor()
    morning = text(anna.get("/fr/").text)
    house.clock.passes(120)

    assert length(house, "fr") in morning
    assert "17:30" in text(anna.get("/fr/").text)


def test_who_presses_after_the_building_has_closed_reads_when_it_opens(house: House) -> None:
    house.clock.wall = at(17, 15)
    anna = house.visitor()
    form = {"token": anna.token()}
    house.clock.passes(HOUR / 4)

    answer = anna.post("/fr/accept", form)

    assert answer.headers["Location"] == "/fr/"
    assert "demain à 08:30" in text(anna.get("/fr/").text)
    assert house.gateway.admitted() == {}


def test_who_is_on_the_page_while_the_building_closes_is_led_to_the_reason(house: House) -> None:
    anna = house.visitor()
    anna.accepts()
    assert anna.get("/fr/status").status_code == 200
    house.clock.passes(HOUR)
    house.doorkeeper.compare()

    assert anna.get("/fr/status").headers["Location"] == "/fr/"
    assert "demain à 08:30" in text(anna.get("/fr/").text)
    assert anna.get("/api/captive").json["captive"] is True


def test_more_time_that_cannot_be_had_is_not_said_to_have_been_given(house: House) -> None:
    """The form of a page that was shown in time is sent twice: the second time there is nothing left to give."""
    house.clock.wall = at(12)
    anna = house.visitor()
    anna.accepts()
    house.clock.passes(80 * 60)
    form = {"token": anna.token("/fr/status", "extend")}
    house.clock.passes(15 * 60)
    first = anna.post("/fr/extend", form)
    house.clock.passes(5 * 60)
    again = anna.post("/fr/extend", form)

    assert first.headers["Location"] == "/fr/status?extended=1"
    assert again.headers["Location"] == "/fr/status"
    assert house.gateway.admitted()[ANNA].seconds == at(17, 30) - house.clock.wall
    assert house.value("portal_extensions_total", result="refused") == 1


@pytest.mark.parametrize(("language", "words"), [("fr", "jusqu'à la fermeture"), ("en", "until the place closes")])
def test_the_terms_name_the_closing_where_the_door_keeps_hours(town: Town, language: Language, words: str) -> None:
    facts = page_facts(town, town.sites[0])
    texts = [terms(replace(facts, keeps_hours=keeps), "2.0.0", language).html for keeps in (True, False)]

    assert [words in text for text in texts] == [True, False]
    assert facts.keeps_hours is (town.policy(town.sites[0]).hours == "building")
