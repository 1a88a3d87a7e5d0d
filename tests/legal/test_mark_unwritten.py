"""A disk that takes nothing: the moment of a believed clock cannot be noted, and nothing else stops for that."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from house import House
from sealed_days import MADE, Disk

from captive_portal.clock import moment
from captive_portal.doorkeeper import Doorkeeper
from captive_portal.legal import evidence, time_signal
from captive_portal.legal.archive import Keeper
from captive_portal.legal.cases import Cases
from captive_portal.legal.clock_marks import Witness
from captive_portal.legal.ledger import newest_day
from captive_portal.legal.officers import journal_in
from captive_portal.legal.time_signal import Truth
from captive_portal.session import Session, State
from captive_portal.store import Acceptance
from parvis.addresses import MacAddress
from parvis.catalogue import definitions
from parvis.instruments import registry_of
from parvis.inventory import Town
from parvis.processes import EVIDENCE, PORTAL
from parvis.reserve import Reserve

TODAY = datetime.now(UTC).date()


@pytest.fixture(autouse=True)
def _kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_signal, "truth", lambda: Truth(0.0, synchronised=True))


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    """Two days of which one is over."""
    made = Disk(tmp_path / "disk")
    made.day(TODAY - timedelta(days=400))
    made.day(TODAY)
    return made


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """A file that cannot be written: there is no such folder, and there can be none."""
    (tmp_path / "no folder").write_text("")
    return tmp_path / "no folder" / "clock.json"


def test_ret05_the_recorder_goes_on_and_erases(disk: Disk, mark: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, instruments = registry_of("evidence", definitions(EVIDENCE.name))
    witness = Witness(mark, partial(newest_day, disk.sealed))
    evidence._tidy(disk.sealed, disk.keys, Reserve(disk.sealed / "reserve", 0), instruments, witness)

    assert len(list(disk.keys.iterdir())) == 1
    assert "the moment of a believed clock could not be written down" in capsys.readouterr().err


def test_ret05_the_archive_erases_and_so_makes_room(disk: Disk, mark: Path, tmp_path: Path) -> None:
    witness = Witness(mark, partial(newest_day, disk.sealed))
    keeper = Keeper(
        disk.sealed, disk.keys, tmp_path / "holds.json", Cases(tmp_path / "cases"), tmp_path / "reports",
        journal_in(tmp_path / "journal"), MADE.signer, witness,
    )  # fmt: skip

    assert len(keeper.purge(TODAY)) == 1
    assert len(list(disk.keys.iterdir())) == 1


def test_ret05_the_portal_opens_and_erases(town: Town, mark: Path, tmp_path: Path) -> None:
    house, now = House(town, tmp_path), moment()
    then = replace(now, wall=now.wall - 400 * 86_400)
    with house.store.transaction() as book:
        proof = Acceptance(MacAddress("02:00:00:00:00:01"), house.facts.site, "fr", "2.0.0", "00", token="t")
        book.end(book.accept(proof, Session(State.OPEN, "a boot", 0.0, then.wall), then) or 0, "left", then)
        today = replace(proof, mac=MacAddress("02:00:00:00:00:02"), token="of today")
        book.end(book.accept(today, Session(State.OPEN, "a boot", 0.0, now.wall), now) or 0, "left", now)
    _, instruments = registry_of("portal", definitions(PORTAL.name))
    doubts = Witness(mark, house.store.newest_day).doubts_or_remembers
    doorkeeper = Doorkeeper(house.store, house.gateway, house.policy, instruments, moment, doubts=doubts)
    doorkeeper.compare()

    assert doorkeeper.wrong == ""
    with house.store.transaction() as book:
        assert book.old(now) == 0
