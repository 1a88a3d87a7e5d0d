"""What the map says of each place: in shape and words as well as colour."""

import re
from datetime import UTC, datetime

import pytest

from captive_portal.opendata.map_page import Language, page
from captive_portal.opendata.sites import Seen, sites_rows
from parvis.inventory import Town

NOW = datetime(2026, 11, 30, 10, tzinfo=UTC)


def shown(town: Town, state: str, language: Language = "fr") -> str:
    rows = sites_rows(town, {site.site: Seen(state, NOW) for site in town.sites})
    return page(rows, "Ville de Cachan", "wifi@cachan.example", "2026-11-30", language)


@pytest.mark.parametrize(
    ("state", "framed"), [("Opérationnel", 0), ("Fermé (horaires)", 0), ("Partiel", 4), ("Indisponible", 4)]
)
def test_acc05_a_place_that_does_not_work_has_another_shape(town: Town, state: str, framed: int) -> None:
    made = shown(town, state)

    assert made.count("stroke-dasharray") == framed
    assert ("Un cadre pointillé" in made) == bool(framed)


def test_a_place_that_is_closed_for_the_night_is_not_red(town: Town) -> None:
    assert "#8a1f11" not in shown(town, "Fermé (horaires)").partition("</style>")[2]
    assert 'class="shut"' in shown(town, "Fermé (horaires)")


@pytest.mark.parametrize(("language", "said"), [("fr", "Indisponible"), ("en", "Not available")])
def test_a_number_of_the_map_says_its_state_to_who_cannot_see_it(town: Town, language: Language, said: str) -> None:
    labels = re.findall(r'aria-label="([^"]*)"', shown(town, "Indisponible", language))

    assert len(labels) == len(town.sites)
    assert all(label.endswith(f", {said}") for label in labels)


def test_the_day_of_the_data_is_told_as_the_page_speaks(town: Town) -> None:
    assert '<time datetime="2026-11-30">30/11/2026</time>' in shown(town, "Opérationnel")
