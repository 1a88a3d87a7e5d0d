"""A shared database that is away, frozen, old or full of nonsense: nobody's acceptance waits, nothing told is lost."""

import socket
import threading
import time
from dataclasses import replace

import psycopg
import pytest
from house import ANNA
from shared_town import BEA, SharedTown, Site

from captive_portal import sharing, store_passes, store_shared
from captive_portal.doorkeeper import NotStored, Outcome
from captive_portal.store_shared import Line
from parvis.addresses import MacAddress

pytestmark = pytest.mark.slow  # real servers, and time that has to pass


def test_while_the_database_is_away_each_gateway_admits_its_own_and_reconciles_after(
    shared: SharedTown, library: Site, sports: Site
) -> None:
    shared.exchange()
    shared.server.stop()

    assert library.accepts(ANNA) is Outcome.ADMITTED
    assert sports.accepts(BEA) is Outcome.ADMITTED
    assert not any(site.sharing.exchange() for site in shared.all)
    assert library.value("portal_shared_up") == 0
    assert library.value("portal_shared_backlog") == 1
    assert library.online(ANNA)

    shared.server.start()
    shared.exchange()
    assert library.value("portal_shared_up") == 1
    assert library.value("portal_shared_backlog") == 0
    assert library.appears(BEA)
    assert sports.appears(ANNA)


def test_a_database_that_is_frozen_delays_no_acceptance_and_is_given_up_in_time(
    shared: SharedTown, library: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared.exchange()
    shared.server.freeze()
    monkeypatch.setattr(sharing, "DEADLINE_SECONDS", 2.0)
    done = []
    waits = threading.Thread(target=lambda: done.append(library.sharing.exchange()))
    waits.start()

    assert library.accepts() is Outcome.ADMITTED
    assert done == []  # the exchange still hangs

    waits.join()
    assert done == [False]
    monkeypatch.undo()
    shared.server.thaw()
    shared.exchange()
    assert shared.server.says("SELECT count(*) FROM passes") == "1"


def test_a_database_that_is_frozen_before_it_is_reached_is_given_up_in_time(
    shared: SharedTown, library: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(store_shared.NETWORK, "connect_timeout", 2)
    other = shared.site("mairie")
    shared.server.freeze()
    try:
        assert not other.sharing.exchange()
    finally:
        shared.server.thaw()
    assert other.sharing.exchange()
    assert library.sharing.exchange()


def test_a_gateway_that_vanishes_in_the_middle_of_telling_holds_nobody_up(shared: SharedTown, library: Site) -> None:
    shared.exchange()
    library.accepts()
    vanished = psycopg.connect(shared.server.url, options="-c idle_in_transaction_session_timeout=500")
    vanished.execute(f"SELECT pg_advisory_xact_lock({store_passes.IN_ORDER})")

    assert library.sharing.exchange()
    assert shared.server.says("SELECT count(*) FROM passes") == "1"
    with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
        vanished.execute("SELECT 1")


def test_what_was_told_but_not_noted_is_told_again_and_changes_nothing(
    shared: SharedTown, library: Site, sports: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.accepts()
    with monkeypatch.context() as broken:
        broken.setattr(library.doorkeeper, "within", refuse)
        assert not library.sharing.exchange()
    assert shared.server.says("SELECT count(*) FROM passes") == "1"
    assert library.value("portal_shared_backlog") == 1

    shared.exchange()

    assert library.value("portal_shared_backlog") == 0
    assert shared.server.says("SELECT count(*) FROM passes") == "1"
    assert sports.appears()


def refuse(_act: object) -> None:
    raise NotStored("the process died here")


def test_what_a_killed_portal_had_not_told_its_successor_tells(shared: SharedTown, library: Site, sports: Site) -> None:
    """The acceptance and the word about it are one commit; a new process over the same file finds both."""
    library.accepts()

    successor = shared.site("bibliotheque")
    assert successor.value("portal_shared_words_total", direction="told") == 0
    assert successor.sharing.exchange()

    assert successor.value("portal_shared_words_total", direction="told") == 1
    assert sports.sharing.exchange()
    assert sports.appears()


def test_long_lists_are_told_and_heard_in_parts(
    shared: SharedTown, library: Site, sports: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (sharing, store_passes):
        monkeypatch.setattr(module, "MOST_AT_ONCE", 3)
    people = [MacAddress.parse(f"02:00:00:00:01:{number:02x}") for number in range(10)]
    for mac in people:
        library.accepts(mac)

    shared.exchange()

    assert [mac for mac in people if not sports.appears(mac)] == []


def test_a_database_restored_from_a_copy_is_told_again_what_it_lost(
    shared: SharedTown, library: Site, sports: Site
) -> None:
    shared.exchange()
    library.accepts(BEA)
    library.accepts(ANNA)
    shared.exchange()
    shared.server.says("DELETE FROM passes", "ALTER SEQUENCE passes_change RESTART WITH 1")

    shared.exchange()
    shared.exchange()

    assert shared.server.says("SELECT count(*) FROM passes") == "2"
    assert sports.appears(ANNA)


def test_each_process_shares_in_a_thread_of_its_own_and_stops(shared: SharedTown, library: Site, sports: Site) -> None:
    with library.sharing.turns, sports.sharing.turns:
        library.accepts()
        deadline = time.monotonic() + 60
        while not sports.value("portal_shared_words_total", direction="heard"):
            assert time.monotonic() < deadline, "nothing heard"
            time.sleep(0.05)

    assert sports.appears()
    assert shared.server.says("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'parvis'") == "0"


def test_a_wall_clock_set_anew_between_accepting_and_telling_changes_nothing(
    shared: SharedTown, library: Site, sports: Site
) -> None:
    """A gateway without a battery for its clock: it is 1970 until the time server answers."""
    library.clock.wall = 1000.0
    library.accepts()
    library.clock = replace(library.clock)
    library.doorkeeper._clock.wall = 1_767_970_800.0  # type: ignore[attr-defined]

    shared.exchange()

    assert sports.appears()


def test_a_database_that_answers_nonsense_stops_nobody(shared: SharedTown, library: Site) -> None:
    shared.exchange()
    shared.server.says("ALTER TABLE passes DROP COLUMN until CASCADE")

    assert library.accepts() is Outcome.ADMITTED
    assert not library.sharing.exchange()

    assert library.value("portal_shared_up") == 0
    assert library.online()


def test_a_host_that_takes_the_connection_and_says_nothing_is_given_up_in_time(
    shared: SharedTown, library: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(store_shared.NETWORK, "connect_timeout", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        library.sharing._line = Line(f"postgresql://parvis@127.0.0.1:{port}/parvis", "secret")

        assert not library.sharing.exchange()

    assert library.accepts() is Outcome.ADMITTED
    assert shared.server.running


def test_a_password_goes_nowhere_but_to_the_server(library: Site, capfd: pytest.CaptureFixture[str]) -> None:
    """Not into logs when the server is away, and not into the arguments of the process that makes the tables."""
    library.sharing._line = Line("postgresql://parvis@127.0.0.1:1/parvis", "not-to-be-seen")

    assert not library.sharing.exchange()

    said = capfd.readouterr()
    assert "the shared database does not answer" in said.err
    assert "not-to-be-seen" not in said.out + said.err
