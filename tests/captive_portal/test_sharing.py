"""Several gateways, one acceptance: against a real PostgreSQL, with two sites whose clocks disagree."""

import itertools
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest
from house import ANNA, Clock, MemoryGateway
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from postgres import Cluster
from prometheus_client import CollectorRegistry

from captive_portal import proofs, sharing, store_passes, store_shared
from captive_portal.devices import key
from captive_portal.doorkeeper import Doorkeeper, NotStored, Outcome
from captive_portal.returning import Returning
from captive_portal.session import Policy
from captive_portal.sharing import Sharing
from captive_portal.store import Acceptance, Store
from captive_portal.store_migration import migrate
from captive_portal.store_remembered import Memory
from captive_portal.store_shared import Line
from captive_portal.welcome import Welcome
from parvis.addresses import MacAddress
from parvis.catalogue import Instruments

pytestmark = pytest.mark.slow  # real servers, and time that has to pass

SECRET = b"s" * 32
HOUR, DAY = 3600.0, 86400.0
BEA = MacAddress.parse("02:00:00:00:00:0b")


@dataclass
class Site:
    """A gateway with its own file, kernel and clock."""

    name: str
    clock: Clock
    door: MemoryGateway
    store: Store
    doorkeeper: Doorkeeper
    sharing: Sharing
    welcome: Welcome
    registry: CollectorRegistry
    accepted: int = 0

    def accepts(self, mac: MacAddress = ANNA, terms: str = "1.0.0") -> Outcome:
        self.accepted += 1
        token = f"{self.name}-{self.accepted}"
        return self.doorkeeper.accept(Acceptance(mac, self.name, "fr", terms, "0" * 64, token))

    def appears(self, mac: MacAddress = ANNA) -> bool:
        """The device's phone joins the Wi-Fi here; whether it is online without a tap."""
        self.door.arrived.append(mac)
        self.welcome.look(0)
        return self.online(mac)

    def online(self, mac: MacAddress = ANNA) -> bool:
        return mac in self.door.admitted()

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)


class Town:
    """Sites that share a database."""

    def __init__(self, folder: Path, server: Cluster, stack: ExitStack) -> None:
        self.folder, self.server, self._stack = folder, server, stack
        self.all: list[Site] = []

    def site(
        self, name: str, *, wall: float = 1_767_970_800.0, terms: str = "1.0.0", remember: float = 30 * DAY
    ) -> Site:
        path = self.folder / f"{name}.sqlite3"
        migrate(path)
        clock = Clock(boot=f"boot-{name}", since_boot=wall % 9973, wall=wall)
        door, store, registry = MemoryGateway(clock), Store(path), CollectorRegistry()
        instruments = Instruments("portal", registry)
        returning = Returning(SECRET, remember, terms, shared=True)
        policy = Policy(12 * HOUR, 1, 1)
        doorkeeper = Doorkeeper(store, door, policy, instruments, clock, returning=returning)
        self._stack.enter_context(doorkeeper)
        line = Line(self.server.url)
        self._stack.callback(line.hang_up)
        welcome = Welcome(door, doorkeeper, name, SECRET)
        share = Sharing(line, store, doorkeeper, returning, name, instruments, clock, welcome.known)
        made = Site(name, clock, door, store, doorkeeper, share, welcome, registry)
        self.all.append(made)
        return made

    def exchange(self) -> None:
        """Everybody tells, then everybody has heard."""
        for _ in range(2):
            for site in self.all:
                assert site.sharing.exchange(), site.name

    def passes(self, seconds: float) -> None:
        """Time goes by at every site; in the shared database, by making what it knows older."""
        for site in self.all:
            site.clock.passes(seconds)
        self.server.says(
            f"UPDATE passes SET at = at - {seconds}, until = until - {seconds}",
            f"UPDATE gateways SET seen_at = seen_at - {seconds}",
        )


@pytest.fixture
def town(tmp_path: Path, server: Cluster) -> Iterator[Town]:
    if not server.running:
        server.start()
    server.empty()
    with ExitStack() as stack:
        yield Town(tmp_path, server, stack)


@pytest.fixture
def library(town: Town) -> Site:
    return town.site("bibliotheque")


@pytest.fixture
def sports(town: Town) -> Site:
    """Its clock is a day and a half late."""
    return town.site("leo-lagrange", wall=1_767_970_800.0 - 1.5 * DAY)


def test_who_accepted_at_the_library_is_online_at_the_sports_complex_without_a_tap(
    town: Town, library: Site, sports: Site
) -> None:
    assert not sports.appears()
    assert library.accepts() is Outcome.ADMITTED

    town.exchange()

    assert sports.appears()
    assert not sports.appears(BEA)


def test_who_appears_before_the_word_of_the_acceptance_is_online_as_soon_as_it_comes(
    town: Town, library: Site, sports: Site
) -> None:
    library.accepts()
    assert not sports.appears()
    assert not sports.appears(BEA)

    town.exchange()

    assert sports.online()
    assert not sports.online(BEA)


def test_clocks_that_disagree_change_nothing_about_how_long_an_acceptance_holds(
    town: Town, library: Site, sports: Site
) -> None:
    library.accepts()
    town.exchange()
    town.passes(30 * DAY - HOUR)
    assert sports.appears()

    town.passes(13 * HOUR)

    assert not sports.appears()
    assert not library.appears()


def test_leaving_at_one_site_ends_the_session_and_the_acceptance_at_every_site(
    town: Town, library: Site, sports: Site
) -> None:
    library.accepts()
    town.exchange()
    assert sports.appears()
    town.passes(60)

    assert sports.doorkeeper.leave(ANNA) is Outcome.LEFT
    town.exchange()

    assert not library.online()
    assert not library.appears()
    assert not sports.appears()


def test_accepting_again_after_leaving_counts_everywhere(town: Town, library: Site, sports: Site) -> None:
    library.accepts()
    town.exchange()
    town.passes(60)
    library.doorkeeper.leave(ANNA)
    town.exchange()
    town.passes(60)

    assert sports.accepts() is Outcome.ADMITTED
    town.exchange()

    assert sports.online()
    assert library.appears()


@pytest.mark.parametrize("told_first", ["library", "sports"])
def test_the_later_word_stands_whoever_tells_first(town: Town, library: Site, sports: Site, told_first: str) -> None:
    """Accepted at the library while the database was away, then left at the sports complex; and the reverse."""
    library.accepts(ANNA)
    sports.accepts(ANNA)
    sports.accepts(BEA)
    library.accepts(BEA)
    for site in town.all:
        site.clock.passes(60)
    sports.doorkeeper.leave(ANNA)
    sports.doorkeeper.leave(BEA)
    for site in town.all:
        site.clock.passes(60)
    library.doorkeeper.leave(BEA)
    for site in town.all:
        site.clock.passes(60)
    sports.accepts(BEA)

    first, second = (library, sports) if told_first == "library" else (sports, library)
    assert first.sharing.exchange()
    assert second.sharing.exchange()
    town.exchange()

    assert not library.online(ANNA)
    assert not library.appears(ANNA)
    assert sports.online(BEA)
    assert library.appears(BEA)


def test_an_acceptance_in_the_middle_of_an_exchange_is_not_undone_by_an_older_leaving(
    town: Town, library: Site, sports: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.accepts()
    town.exchange()
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

    town.exchange()
    assert sports.online()
    assert library.appears()


def test_the_same_acceptance_at_two_sites_is_one_pass(town: Town, library: Site, sports: Site) -> None:
    library.accepts()
    sports.accepts()

    town.exchange()
    town.exchange()

    assert town.server.says("SELECT count(*) FROM passes") == "1"
    assert library.online()
    assert sports.online()


def test_new_terms_ask_again_whatever_another_site_remembers(town: Town, library: Site) -> None:
    renewed = town.site("leo-lagrange", terms="2.0.0")
    library.accepts()
    town.exchange()

    assert not renewed.appears()
    assert renewed.accepts(terms="2.0.0") is Outcome.ADMITTED


def test_a_site_keeps_its_own_shorter_memory(town: Town, library: Site) -> None:
    strict = town.site("leo-lagrange", remember=HOUR)
    library.accepts()
    town.exchange()
    town.passes(2 * HOUR)

    assert not strict.appears()


def test_while_the_database_is_away_each_gateway_admits_its_own_and_reconciles_after(
    town: Town, library: Site, sports: Site
) -> None:
    town.exchange()
    town.server.stop()

    assert library.accepts(ANNA) is Outcome.ADMITTED
    assert sports.accepts(BEA) is Outcome.ADMITTED
    assert not any(site.sharing.exchange() for site in town.all)
    assert library.value("portal_shared_up") == 0
    assert library.value("portal_shared_backlog") == 1
    assert library.online(ANNA)

    town.server.start()
    town.exchange()
    assert library.value("portal_shared_up") == 1
    assert library.value("portal_shared_backlog") == 0
    assert library.appears(BEA)
    assert sports.appears(ANNA)


def test_a_database_that_is_frozen_delays_no_acceptance_and_is_given_up_in_time(
    town: Town, library: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.exchange()
    town.server.freeze()
    monkeypatch.setattr(sharing, "DEADLINE_SECONDS", 2.0)
    done = []
    waits = threading.Thread(target=lambda: done.append(library.sharing.exchange()))
    waits.start()

    assert library.accepts() is Outcome.ADMITTED
    assert done == []  # the exchange still hangs

    waits.join()
    assert done == [False]
    monkeypatch.undo()
    town.server.thaw()
    town.exchange()
    assert town.server.says("SELECT count(*) FROM passes") == "1"


def test_a_database_that_is_frozen_before_it_is_reached_is_given_up_in_time(
    town: Town, library: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(store_shared.NETWORK, "connect_timeout", 2)
    other = town.site("mairie")
    town.server.freeze()
    try:
        assert not other.sharing.exchange()
    finally:
        town.server.thaw()
    assert other.sharing.exchange()
    assert library.sharing.exchange()


def test_a_gateway_that_vanishes_in_the_middle_of_telling_holds_nobody_up(town: Town, library: Site) -> None:
    town.exchange()
    library.accepts()
    vanished = psycopg.connect(town.server.url, options="-c idle_in_transaction_session_timeout=500")
    vanished.execute(f"SELECT pg_advisory_xact_lock({store_passes.IN_ORDER})")

    assert library.sharing.exchange()
    assert town.server.says("SELECT count(*) FROM passes") == "1"
    with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
        vanished.execute("SELECT 1")


def test_what_was_told_but_not_noted_is_told_again_and_changes_nothing(
    town: Town, library: Site, sports: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.accepts()
    with monkeypatch.context() as broken:
        broken.setattr(library.doorkeeper, "within", refuse)
        assert not library.sharing.exchange()
    assert town.server.says("SELECT count(*) FROM passes") == "1"
    assert library.value("portal_shared_backlog") == 1

    town.exchange()

    assert library.value("portal_shared_backlog") == 0
    assert town.server.says("SELECT count(*) FROM passes") == "1"
    assert sports.appears()


def refuse(_act: object) -> None:
    raise NotStored("the process died here")


def test_what_a_killed_portal_had_not_told_its_successor_tells(town: Town, library: Site, sports: Site) -> None:
    """The acceptance and the word about it are one commit; a new process over the same file finds both."""
    library.accepts()

    successor = town.site("bibliotheque")
    assert successor.value("portal_shared_words_total", direction="told") == 0
    assert successor.sharing.exchange()

    assert successor.value("portal_shared_words_total", direction="told") == 1
    assert sports.sharing.exchange()
    assert sports.appears()


def test_long_lists_are_told_and_heard_in_parts(
    town: Town, library: Site, sports: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (sharing, store_passes):
        monkeypatch.setattr(module, "MOST_AT_ONCE", 3)
    people = [MacAddress.parse(f"02:00:00:00:01:{number:02x}") for number in range(10)]
    for mac in people:
        library.accepts(mac)

    town.exchange()

    assert [mac for mac in people if not sports.appears(mac)] == []


def test_the_shared_database_never_holds_an_address(town: Town, library: Site, sports: Site) -> None:
    library.accepts(ANNA)
    sports.accepts(BEA)
    town.exchange()
    sports.doorkeeper.leave(BEA)
    assert sports.sharing.exchange()

    dump = town.server.dump()

    assert key(ANNA, SECRET) in dump  # so that the next line means something
    for mac in (ANNA, BEA):
        assert not re.search(mac.text.replace(":", "[:.-]?"), dump, re.IGNORECASE)
    assert "bibliotheque-1" not in dump  # the form's token


def test_a_device_that_left_is_erased_once_every_gateway_has_heard_it(
    town: Town, library: Site, sports: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "ERASE_EVERY", 1)
    library.accepts()
    town.exchange()
    library.clock.passes(60)
    library.doorkeeper.leave(ANNA)
    assert library.sharing.exchange()

    town.passes(store_passes.FORGETTING_SECONDS + 60)
    assert library.sharing.exchange()
    assert town.server.says("SELECT count(*), bool_and(forgotten) FROM passes") == "1|t"

    town.exchange()
    assert town.server.says("SELECT count(*) FROM passes") == "0"
    assert key(ANNA, SECRET) not in town.server.dump()
    assert not sports.appears()


def test_a_gateway_silent_for_a_month_is_not_waited_for_and_tells_nothing_old(
    town: Town, library: Site, sports: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "ERASE_EVERY", 1)
    town.exchange()
    sports.accepts()
    library.accepts(BEA)
    town.passes(31 * DAY)
    library.doorkeeper.leave(BEA)

    assert library.sharing.exchange()
    town.passes(store_passes.FORGETTING_SECONDS + 60)
    assert library.sharing.exchange()
    assert town.server.says("SELECT count(*) FROM passes") == "0"
    town.exchange()
    assert not library.appears(ANNA)
    assert town.server.says("SELECT count(*) FROM passes") == "0"


def test_a_database_restored_from_a_copy_is_told_again_what_it_lost(town: Town, library: Site, sports: Site) -> None:
    town.exchange()
    library.accepts(BEA)
    library.accepts(ANNA)
    town.exchange()
    town.server.says("DELETE FROM passes", "ALTER SEQUENCE passes_change RESTART WITH 1")

    town.exchange()
    town.exchange()

    assert town.server.says("SELECT count(*) FROM passes") == "2"
    assert sports.appears(ANNA)


def test_each_process_shares_in_a_thread_of_its_own_and_stops(town: Town, library: Site, sports: Site) -> None:
    with library.sharing, sports.sharing:
        library.accepts()
        deadline = time.monotonic() + 60
        while not sports.value("portal_shared_words_total", direction="heard"):
            assert time.monotonic() < deadline, "nothing heard"
            time.sleep(0.05)

    assert sports.appears()
    assert town.server.says("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'parvis'") == "0"


def test_a_wall_clock_set_anew_between_accepting_and_telling_changes_nothing(
    town: Town, library: Site, sports: Site
) -> None:
    """A gateway without a battery for its clock: it is 1970 until the time server answers."""
    library.clock.wall = 1000.0
    library.accepts()
    library.clock = replace(library.clock)
    library.doorkeeper._clock.wall = 1_767_970_800.0  # type: ignore[attr-defined]

    town.exchange()

    assert sports.appears()


def test_f42_an_empty_stand_in_hears_from_the_database_whom_it_may_admit(town: Town, library: Site) -> None:
    library.accepts()
    town.exchange()
    (town.folder / "stand-in").mkdir()
    town.folder /= "stand-in"

    stand_in = town.site("bibliotheque")
    assert stand_in.sharing.exchange()

    assert stand_in.appears()
    assert town.server.says("SELECT count(*) FROM passes") == "1"


def test_every_gateways_sessions_are_kept_as_anonymous_proofs(
    town: Town, library: Site, sports: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proofs, "ENDS_EVERY", 1)
    library.accepts(ANNA)
    sports.accepts(BEA)
    town.exchange()
    library.doorkeeper.leave(ANNA)
    town.exchange()

    told = "SELECT gateway, number, site, terms_version, language, ended_by FROM sessions ORDER BY gateway, number"
    assert town.server.says(told).splitlines() == [
        "bibliotheque|1|bibliotheque|1.0.0|fr|left",
        "leo-lagrange|1|leo-lagrange|1.0.0|fr|",
    ]
    columns = town.server.says(
        "SELECT string_agg(column_name, ' ') FROM information_schema.columns WHERE table_name = 'sessions'"
    )
    assert not {"mac", "device", "token"} & set(columns.split())


def test_a_copy_of_a_gateways_file_never_gives_a_number_twice(town: Town, library: Site) -> None:
    """The copy was made before the original's second session; both have told theirs."""
    library.accepts(ANNA)
    town.exchange()
    copy = town.folder / "copy"
    copy.mkdir()
    (copy / "bibliotheque.sqlite3").write_bytes((town.folder / "bibliotheque.sqlite3").read_bytes())
    for ending in ("-wal", "-shm"):
        beside = town.folder / f"bibliotheque.sqlite3{ending}"
        (copy / beside.name).write_bytes(beside.read_bytes())
    library.accepts(BEA)
    town.exchange()
    town.folder = copy

    stand_in = town.site("bibliotheque")
    assert stand_in.sharing.exchange()
    stand_in.accepted = library.accepted
    assert stand_in.accepts(MacAddress.parse("02:00:00:00:00:0c")) is Outcome.ADMITTED
    assert stand_in.sharing.exchange()

    assert town.server.says("SELECT string_agg(number::text, ' ' ORDER BY number) FROM sessions") == "1 2 3"


def test_an_empty_stand_in_begins_after_the_numbers_of_its_predecessor(town: Town, library: Site) -> None:
    library.accepts(ANNA)
    town.exchange()
    (town.folder / "stand-in").mkdir()
    town.folder /= "stand-in"

    stand_in = town.site("bibliotheque")
    assert stand_in.sharing.exchange()
    stand_in.accepts(BEA)
    assert stand_in.sharing.exchange()

    assert town.server.says("SELECT string_agg(number::text, ' ' ORDER BY number) FROM sessions") == "1 2"


def test_proofs_older_than_a_year_are_erased(town: Town, library: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proofs, "ENDS_EVERY", 1)
    library.accepts(ANNA)
    library.doorkeeper.leave(ANNA)
    town.exchange()
    town.exchange()
    assert town.server.says("SELECT ended_at IS NOT NULL FROM sessions") == "t"

    town.server.says("UPDATE sessions SET ended_at = extract(epoch FROM now()) - 366 * 86400")
    town.exchange()

    assert town.server.says("SELECT count(*) FROM sessions") == "0"


def test_a_database_that_answers_nonsense_stops_nobody(town: Town, library: Site) -> None:
    town.exchange()
    town.server.says("ALTER TABLE passes DROP COLUMN until CASCADE")

    assert library.accepts() is Outcome.ADMITTED
    assert not library.sharing.exchange()

    assert library.value("portal_shared_up") == 0
    assert library.online()


def test_a_host_that_takes_the_connection_and_says_nothing_is_given_up_in_time(
    town: Town, library: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(store_shared.NETWORK, "connect_timeout", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        library.sharing._line = Line(f"postgresql://parvis@127.0.0.1:{port}/parvis", "secret")

        assert not library.sharing.exchange()

    assert library.accepts() is Outcome.ADMITTED
    assert town.server.running


def test_a_password_goes_nowhere_but_to_the_server(library: Site, capfd: pytest.CaptureFixture[str]) -> None:
    """Not into logs when the server is away, and not into the arguments of the process that makes the tables."""
    library.sharing._line = Line("postgresql://parvis@127.0.0.1:1/parvis", "not-to-be-seen")

    assert not library.sharing.exchange()

    said = capfd.readouterr()
    assert "the shared database does not answer" in said.err
    assert "not-to-be-seen" not in said.out + said.err


DEEDS = st.one_of(
    st.tuples(st.just("accepts"), st.integers(0, 2), st.integers(0, 1)),
    st.tuples(st.just("leaves"), st.integers(0, 2), st.integers(0, 1)),
    st.tuples(st.just("exchanges"), st.integers(0, 2), st.just(0)),
    st.tuples(st.just("restarts"), st.integers(0, 2), st.just(0)),
)
counted = itertools.count(1)


@pytest.mark.slow
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(deeds=st.lists(DEEDS, min_size=1, max_size=14))
def test_whatever_happens_in_whatever_order_all_gateways_agree_on_the_last_word(
    town: Town, deeds: list[tuple[str, int, int]]
) -> None:
    """Each accepts and leaves by itself and speaks when it can; in the end everybody knows what happened last."""
    sites = town.all[:3] or [town.site(name, wall=1e9 * (n + 1)) for n, name in enumerate(("mairie", "gym", "biblio"))]
    town.exchange()
    example = next(counted)
    people = [MacAddress.parse(f"02:00:00:{example >> 8:02x}:{example & 255:02x}:0{n}") for n in (1, 2)]
    last: dict[MacAddress, bool] = {}
    for deed, which, who in deeds:
        town.passes(10)  # longer than an exchange may take
        site, mac = sites[which], people[who]
        if deed == "accepts":
            site.doorkeeper.leave(mac)  # a session that goes on is no new acceptance
            site.accepts(mac)
            last[mac] = True
        elif deed == "leaves":
            site.doorkeeper.leave(mac)
            last[mac] = False
        elif deed == "exchanges":
            assert site.sharing.exchange()
        else:
            site.sharing._heard_up_to = 0

    for _ in range(2):
        for site in sites:
            assert site.sharing.exchange()

    for site in sites:
        with site.store.connection() as connection:
            known = {mac: Memory(connection).recall(key(mac, SECRET)) is not None for mac in people}
        assert known == {mac: last.get(mac, False) for mac in people}, site.name
        assert not [mac for mac, accepted in last.items() if not accepted and site.online(mac)]
