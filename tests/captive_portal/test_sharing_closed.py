"""Roaming while one of the buildings is closed: its door keeps its hours, and nobody's acceptance is lost by them."""

import pytest
from house import ANNA
from shared_town import HOUR, SharedTown, Site

from captive_portal.doorkeeper import Outcome
from captive_portal.standing import Refusal

pytestmark = pytest.mark.slow  # a real server

OPENS = 1_767_970_800.0 + 2 * HOUR
CLOSES = OPENS + HOUR


@pytest.fixture
def school(shared: SharedTown) -> Site:
    """Closed now; open for an hour, two hours from now."""
    return shared.site(
        "ecole",
        hours=lambda wall: (OPENS <= wall < CLOSES, OPENS if wall < OPENS else CLOSES if wall < CLOSES else None),
    )


def test_r57_who_accepted_elsewhere_waits_for_the_building_and_then_comes_in_without_a_tap(
    shared: SharedTown, library: Site, school: Site
) -> None:
    library.accepts()
    shared.exchange()
    early, stands = school.appears(), school.doorkeeper.standing(ANNA)
    shared.passes(2 * HOUR)
    shared.exchange()
    remembered = school.doorkeeper.standing(ANNA).remembered

    assert (early, stands.refusal, stands.until) == (False, Refusal.CLOSED_HOURS, OPENS)
    assert remembered, "the first question to the API, or the first page, admits it"
    assert school.doorkeeper.arrived(ANNA, "ecole") is Outcome.ADMITTED
    assert school.door.admitted()[ANNA].seconds == HOUR


def test_r57_a_building_that_closes_ends_its_own_sessions_and_no_others(
    shared: SharedTown, library: Site, school: Site
) -> None:
    shared.exchange()
    shared.passes(2 * HOUR)
    school.accepts()
    shared.exchange()
    assert library.appears()
    shared.passes(HOUR)
    school.doorkeeper.compare()
    shared.exchange()

    assert not school.online()
    assert library.online()
    assert not school.appears(), "it is closed"
    assert library.doorkeeper.standing(ANNA).refusal is None


def test_leaving_where_it_is_closed_already_forgets_everywhere(shared: SharedTown, library: Site, school: Site) -> None:
    library.accepts()
    shared.exchange()
    assert school.doorkeeper.leave(ANNA) is Outcome.NOTHING
    shared.exchange()

    assert not library.online()
    assert not library.appears()
