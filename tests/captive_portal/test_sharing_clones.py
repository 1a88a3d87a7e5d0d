"""One MAC address at two sites at once is reported; a resident who walks from one site to the other is not."""

import pytest
from house import ANNA
from shared_town import BEA, SECRET, SharedTown, Site

from captive_portal.devices import key
from captive_portal.elsewhere import LOOK_SECONDS, Senders

pytestmark = pytest.mark.slow  # real servers


@pytest.fixture
def both(shared: SharedTown, library: Site, sports: Site) -> tuple[Site, Site]:
    """Two sites that have admitted Anna's address."""
    library.accepts()
    sports.accepts()
    shared.exchange()
    return library, sports


def looks(shared: SharedTown, *senders: Site) -> None:
    """A look's time passes, in which Anna's address sends at *senders*; then everybody looks."""
    shared.passes(LOOK_SECONDS + 0.5)
    for site in senders:
        site.sends()
    shared.exchange()


def reports(*sites: Site) -> list[float | None]:
    return [site.value("portal_shared_seen_twice_total") for site in sites]


def test_a_cloned_address_that_sends_at_two_sites_is_reported_once_at_each(
    shared: SharedTown, both: tuple[Site, Site], capfd: pytest.CaptureFixture[str]
) -> None:
    for _ in range(8):
        looks(shared, *both)

    assert reports(*both) == [1, 1]
    said = capfd.readouterr().err
    assert said.count("one address sends at two sites at once") == 2
    assert ANNA.text not in said
    assert key(ANNA, SECRET) not in said


def test_who_walks_to_the_other_site_and_back_is_not_reported(shared: SharedTown, both: tuple[Site, Site]) -> None:
    library, sports = both
    for here, there in ((library, sports), (sports, library), (library, sports)):
        for _ in range(5):
            looks(shared, here)
        looks(shared, here, there)
        for _ in range(5):
            looks(shared, there)

    assert reports(library, sports) == [0, 0]


def test_what_is_sent_to_a_device_that_has_gone_does_not_count(shared: SharedTown, both: tuple[Site, Site]) -> None:
    library, sports = both
    session = library.door.admitted()[ANNA].session
    for n in range(8):
        library.door.bytes[session] = (100, 1000 * n)
        looks(shared, sports)

    assert reports(library, sports) == [0, 0]


def test_two_residents_at_two_sites_are_not_one(shared: SharedTown, library: Site, sports: Site) -> None:
    library.accepts(ANNA)
    sports.accepts(BEA)
    shared.exchange()
    for _ in range(8):
        shared.passes(LOOK_SECONDS + 0.5)
        library.sends(ANNA)
        sports.sends(BEA)
        shared.exchange()

    assert reports(library, sports) == [0, 0]


def test_after_the_database_was_away_nobody_is_reported_for_the_time_between(
    shared: SharedTown, both: tuple[Site, Site]
) -> None:
    library, sports = both
    for _ in range(3):
        looks(shared, library)
    shared.server.stop()
    for site in both:
        site.clock.passes(300)
        site.sends()
        assert not site.sharing.exchange()
    shared.server.start()
    for _ in range(4):
        looks(shared, sports)

    assert reports(library, sports) == [0, 0]


def test_of_who_pauses_nothing_is_kept_in_the_database(shared: SharedTown, both: tuple[Site, Site]) -> None:
    looks(shared, *both)
    looks(shared, *both)
    kept = shared.server.says("SELECT count(*) FROM moving")
    looks(shared)

    assert kept == "2"
    assert shared.server.says("SELECT count(*) FROM moving") == "0"


def test_a_gateway_that_is_lost_is_forgotten_within_the_hour(shared: SharedTown, both: tuple[Site, Site]) -> None:
    looks(shared, *both)
    assert shared.server.says("SELECT count(*) FROM moving") == "2"
    shared.passes(3700)

    assert both[1].sharing.exchange()
    assert shared.server.says("SELECT count(*) FROM moving") == "0"


def test_a_look_that_comes_late_proves_nothing() -> None:
    book = Senders()
    book.look({1: 10}, 0.0)
    book.look({1: 20}, 20.0)

    assert book.look({1: 30}, 20.0 + 2 * LOOK_SECONDS + 1) == (set(), {1})
    assert book.look({1: 40}, 100.0) == ({1}, set())
