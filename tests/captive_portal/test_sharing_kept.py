"""What the shared database keeps of devices and sessions, for how long, and who may be erased."""

import re

import pytest
from house import ANNA
from shared_town import BEA, DAY, SECRET, SharedTown, Site

from captive_portal import proofs, sharing, store_passes
from captive_portal.devices import key
from captive_portal.doorkeeper import Outcome
from parvis.addresses import MacAddress

pytestmark = pytest.mark.slow  # real servers, and time that has to pass


def test_the_shared_database_never_holds_an_address(shared: SharedTown, library: Site, sports: Site) -> None:
    library.accepts(ANNA)
    sports.accepts(BEA)
    shared.exchange()
    sports.doorkeeper.leave(BEA)
    assert sports.sharing.exchange()

    dump = shared.server.dump()

    assert key(ANNA, SECRET) in dump  # so that the next line means something
    for mac in (ANNA, BEA):
        assert not re.search(mac.text.replace(":", "[:.-]?"), dump, re.IGNORECASE)
    assert "bibliotheque-1" not in dump  # the form's token


def test_a_device_that_left_is_erased_once_every_gateway_has_heard_it(
    shared: SharedTown, library: Site, sports: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "ERASE_EVERY", 1)
    library.accepts()
    shared.exchange()
    library.clock.passes(60)
    library.doorkeeper.leave(ANNA)
    assert library.sharing.exchange()

    shared.passes(store_passes.FORGETTING_SECONDS + 60)
    assert library.sharing.exchange()
    assert shared.server.says("SELECT count(*), bool_and(forgotten) FROM passes") == "1|t"

    shared.exchange()
    assert shared.server.says("SELECT count(*) FROM passes") == "0"
    assert key(ANNA, SECRET) not in shared.server.dump()
    assert not sports.appears()


def test_a_gateway_silent_for_a_month_is_not_waited_for_and_tells_nothing_old(
    shared: SharedTown, library: Site, sports: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "ERASE_EVERY", 1)
    shared.exchange()
    sports.accepts()
    library.accepts(BEA)
    shared.passes(31 * DAY)
    library.doorkeeper.leave(BEA)

    assert library.sharing.exchange()
    shared.passes(store_passes.FORGETTING_SECONDS + 60)
    assert library.sharing.exchange()
    assert shared.server.says("SELECT count(*) FROM passes") == "0"
    shared.exchange()
    assert not library.appears(ANNA)
    assert shared.server.says("SELECT count(*) FROM passes") == "0"


def test_f42_an_empty_stand_in_hears_from_the_database_whom_it_may_admit(shared: SharedTown, library: Site) -> None:
    library.accepts()
    shared.exchange()
    (shared.folder / "stand-in").mkdir()
    shared.folder /= "stand-in"

    stand_in = shared.site("bibliotheque")
    assert stand_in.sharing.exchange()

    assert stand_in.appears()
    assert shared.server.says("SELECT count(*) FROM passes") == "1"


def test_every_gateways_sessions_are_kept_as_anonymous_proofs(
    shared: SharedTown, library: Site, sports: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proofs, "ENDS_EVERY", 1)
    library.accepts(ANNA)
    sports.accepts(BEA)
    shared.exchange()
    library.doorkeeper.leave(ANNA)
    shared.exchange()

    told = "SELECT gateway, number, site, terms_version, language, ended_by FROM sessions ORDER BY gateway, number"
    assert shared.server.says(told).splitlines() == [
        "bibliotheque|1|bibliotheque|1.0.0|fr|left",
        "leo-lagrange|1|leo-lagrange|1.0.0|fr|",
    ]
    columns = shared.server.says(
        "SELECT string_agg(column_name, ' ') FROM information_schema.columns WHERE table_name = 'sessions'"
    )
    assert not {"mac", "device", "token"} & set(columns.split())


def test_a_copy_of_a_gateways_file_never_gives_a_number_twice(shared: SharedTown, library: Site) -> None:
    """The copy was made before the original's second session; both have told theirs."""
    library.accepts(ANNA)
    shared.exchange()
    copy = shared.folder / "copy"
    copy.mkdir()
    (copy / "bibliotheque.sqlite3").write_bytes((shared.folder / "bibliotheque.sqlite3").read_bytes())
    for ending in ("-wal", "-shm"):
        beside = shared.folder / f"bibliotheque.sqlite3{ending}"
        (copy / beside.name).write_bytes(beside.read_bytes())
    library.accepts(BEA)
    shared.exchange()
    shared.folder = copy

    stand_in = shared.site("bibliotheque")
    assert stand_in.sharing.exchange()
    stand_in.accepted = library.accepted
    assert stand_in.accepts(MacAddress.parse("02:00:00:00:00:0c")) is Outcome.ADMITTED
    assert stand_in.sharing.exchange()

    assert shared.server.says("SELECT string_agg(number::text, ' ' ORDER BY number) FROM sessions") == "1 2 3"


def test_an_empty_stand_in_begins_after_the_numbers_of_its_predecessor(shared: SharedTown, library: Site) -> None:
    library.accepts(ANNA)
    shared.exchange()
    (shared.folder / "stand-in").mkdir()
    shared.folder /= "stand-in"

    stand_in = shared.site("bibliotheque")
    assert stand_in.sharing.exchange()
    stand_in.accepts(BEA)
    assert stand_in.sharing.exchange()

    assert shared.server.says("SELECT string_agg(number::text, ' ' ORDER BY number) FROM sessions") == "1 2"


def test_proofs_older_than_a_year_are_erased(
    shared: SharedTown, library: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proofs, "ENDS_EVERY", 1)
    library.accepts(ANNA)
    library.doorkeeper.leave(ANNA)
    shared.exchange()
    shared.exchange()
    assert shared.server.says("SELECT ended_at IS NOT NULL FROM sessions") == "t"

    shared.server.says("UPDATE sessions SET ended_at = extract(epoch FROM now()) - 366 * 86400")
    shared.exchange()

    assert shared.server.says("SELECT count(*) FROM sessions") == "0"
