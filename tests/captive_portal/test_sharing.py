"""Several gateways, one acceptance: against a real PostgreSQL, with two sites whose clocks disagree."""

import pytest
from house import ANNA
from shared_town import BEA, DAY, HOUR, SharedTown, Site

from captive_portal.doorkeeper import Outcome

pytestmark = pytest.mark.slow  # real servers, and time that has to pass


def test_who_accepted_at_the_library_is_online_at_the_sports_complex_without_a_tap(
    shared: SharedTown, library: Site, sports: Site
) -> None:
    assert not sports.appears()
    assert library.accepts() is Outcome.ADMITTED

    shared.exchange()

    assert sports.appears()
    assert not sports.appears(BEA)


def test_who_appears_before_the_word_of_the_acceptance_is_online_as_soon_as_it_comes(
    shared: SharedTown, library: Site, sports: Site
) -> None:
    library.accepts()
    assert not sports.appears()
    assert not sports.appears(BEA)

    shared.exchange()

    assert sports.online()
    assert not sports.online(BEA)


def test_clocks_that_disagree_change_nothing_about_how_long_an_acceptance_holds(
    shared: SharedTown, library: Site, sports: Site
) -> None:
    library.accepts()
    shared.exchange()
    shared.passes(30 * DAY - HOUR)
    assert sports.appears()

    shared.passes(13 * HOUR)

    assert not sports.appears()
    assert not library.appears()


def test_leaving_at_one_site_ends_the_session_and_the_acceptance_at_every_site(
    shared: SharedTown, library: Site, sports: Site
) -> None:
    library.accepts()
    shared.exchange()
    assert sports.appears()
    shared.passes(60)

    assert sports.doorkeeper.leave(ANNA) is Outcome.LEFT
    shared.exchange()

    assert not library.online()
    assert not library.appears()
    assert not sports.appears()


def test_accepting_again_after_leaving_counts_everywhere(shared: SharedTown, library: Site, sports: Site) -> None:
    library.accepts()
    shared.exchange()
    shared.passes(60)
    library.doorkeeper.leave(ANNA)
    shared.exchange()
    shared.passes(60)

    assert sports.accepts() is Outcome.ADMITTED
    shared.exchange()

    assert sports.online()
    assert library.appears()


@pytest.mark.parametrize("told_first", ["library", "sports"])
def test_the_later_word_stands_whoever_tells_first(
    shared: SharedTown, library: Site, sports: Site, told_first: str
) -> None:
    """Accepted at the library while the database was away, then left at the sports complex; and the reverse."""
    library.accepts(ANNA)
    sports.accepts(ANNA)
    sports.accepts(BEA)
    library.accepts(BEA)
    for site in shared.all:
        site.clock.passes(60)
    sports.doorkeeper.leave(ANNA)
    sports.doorkeeper.leave(BEA)
    for site in shared.all:
        site.clock.passes(60)
    library.doorkeeper.leave(BEA)
    for site in shared.all:
        site.clock.passes(60)
    sports.accepts(BEA)

    first, second = (library, sports) if told_first == "library" else (sports, library)
    assert first.sharing.exchange()
    assert second.sharing.exchange()
    shared.exchange()

    assert not library.online(ANNA)
    assert not library.appears(ANNA)
    assert sports.online(BEA)
    assert library.appears(BEA)


def test_an_acceptance_in_the_middle_of_an_exchange_is_not_undone_by_an_older_leaving(
    shared: SharedTown, library: Site, sports: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.accepts()
    shared.exchange()
    library.clock.passes(60)
    library.doorkeeper.leave(ANNA)
    assert library.sharing.exchange()
    sports.clock.passes(120)
    tell = sports.sharing._tell

    def tell_and_be_overtaken() -> None:
        tell()
        sports.accepts()

    with monkeypatch.context() as overtaken:
        overtaken.setattr(sports.sharing, "_tell", tell_and_be_overtaken)
        assert sports.sharing.exchange()
    assert sports.online()

    shared.exchange()
    assert sports.online()
    assert library.appears()


def test_the_same_acceptance_at_two_sites_is_one_pass(shared: SharedTown, library: Site, sports: Site) -> None:
    library.accepts()
    sports.accepts()

    shared.exchange()
    shared.exchange()

    assert shared.server.says("SELECT count(*) FROM passes") == "1"
    assert library.online()
    assert sports.online()


def test_new_terms_ask_again_whatever_another_site_remembers(shared: SharedTown, library: Site) -> None:
    renewed = shared.site("leo-lagrange", terms="2.0.0")
    library.accepts()
    shared.exchange()

    assert not renewed.appears()
    assert renewed.accepts(terms="2.0.0") is Outcome.ADMITTED


def test_a_site_keeps_its_own_shorter_memory(shared: SharedTown, library: Site) -> None:
    strict = shared.site("leo-lagrange", remember=HOUR)
    library.accepts()
    shared.exchange()
    shared.passes(2 * HOUR)

    assert not strict.appears()
