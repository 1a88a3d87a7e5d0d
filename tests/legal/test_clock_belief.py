"""A wrong clock destroys no key: not in the recorder, not in the archive, not by hand; and somebody is told."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from house import House
from sealed_days import MADE, Disk
from test_requisition import Town as Archives

from captive_portal import store_usage
from captive_portal.clock import moment
from captive_portal.directives import Kind, Order
from captive_portal.doorkeeper import Doorkeeper
from captive_portal.legal import clock_doubts, clock_marks, evidence, time_signal
from captive_portal.legal.archive import Archive, Keeper
from captive_portal.legal.cases import Cases
from captive_portal.legal.clock_doubts import DAY_MS, Mark, Observed
from captive_portal.legal.clock_marks import ClockDoubted, Witness
from captive_portal.legal.collecting import Collector
from captive_portal.legal.injunction import Choice
from captive_portal.legal.ledger import newest_day
from captive_portal.legal.officers import journal_in
from captive_portal.legal.open_connections import Openings
from captive_portal.legal.time_signal import Truth
from captive_portal.session import Session, State
from captive_portal.store import Acceptance
from parvis.addresses import MacAddress
from parvis.catalogue import definitions
from parvis.instruments import registry_of
from parvis.inventory import Town
from parvis.processes import ARCHIVE, EVIDENCE, PORTAL
from parvis.reserve import Reserve

NOON = int(datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp() * 1000)
MARK = Mark(NOON, 5 * DAY_MS, "a boot")
HOUR = 3_600_000
LATER = Observed(NOON + HOUR, 5 * DAY_MS + HOUR, "a boot", synchronised=True, newest=date(2026, 11, 30))
ANEW = replace(LATER, up=60_000, boot="another boot")
YEAR = 366 * DAY_MS


@pytest.mark.parametrize(
    ("now", "mark"),
    [
        (LATER, MARK),
        (LATER, None),
        (replace(LATER, newest=None), None),
        (replace(LATER, wall=NOON + HOUR + 300_000), MARK),
        (replace(LATER, wall=NOON + 300 * DAY_MS, up=305 * DAY_MS), MARK),
        (ANEW, MARK),
        (replace(ANEW, wall=NOON + 6 * DAY_MS), MARK),
        (replace(ANEW, wall=NOON + 300 * DAY_MS, newest=date(2027, 9, 25)), MARK),
        (replace(LATER, newest=date(2027, 11, 30)), MARK),
        (replace(ANEW, newest=date(2027, 11, 30)), replace(MARK, misdated="2027-11-30")),
    ],
)
def test_ret05_a_clock_that_everything_agrees_with_is_believed(now: Observed, mark: Mark | None) -> None:
    assert clock_doubts.doubts(now, mark) == ""


@pytest.mark.parametrize(
    ("now", "mark", "why"),
    [
        (replace(LATER, synchronised=False), MARK, "nothing keeps"),
        (replace(LATER, wall=NOON + YEAR), MARK, "set ahead by 365 days"),
        (replace(LATER, wall=NOON + 2 * HOUR), MARK, "set ahead by 60 minutes"),
        (replace(LATER, wall=NOON - 2 * DAY_MS, newest=None), MARK, "set back by 2 days"),
        (replace(LATER, wall=NOON + YEAR, newest=date(2027, 12, 1)), MARK, "set ahead"),
        (replace(ANEW, wall=NOON + YEAR), MARK, "366 days after the last day that is known, 2026-11-30"),
        (replace(ANEW, wall=NOON + YEAR), None, "366 days after the last day that is known, 2026-11-30"),
        (replace(ANEW, wall=NOON - DAY_MS, newest=None), MARK, "it was later already"),
        (replace(ANEW, newest=date(2027, 11, 30)), MARK, "records are of 2027-11-30"),
        (replace(LATER, newest=date(2027, 11, 30)), None, "records are of 2027-11-30"),
        (
            replace(ANEW, newest=date(2027, 12, 1)),
            replace(MARK, misdated="2027-11-30"),
            "records are of 2027-12-01",
        ),
    ],
)
def test_ret05_a_clock_that_anything_speaks_against_is_not_believed(now: Observed, mark: Mark | None, why: str) -> None:
    assert why in clock_doubts.doubts(now, mark)


@pytest.fixture
def kept_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody keeps this machine's clock, whatever the machine of the test says."""
    monkeypatch.setattr(time_signal, "truth", lambda: Truth(0.0, synchronised=True))


TODAY = datetime.now(UTC).date()
OLD = TODAY - timedelta(days=400)
"""Over by the clock as it is; had the clock been set a year ahead, it would be of last month."""


class FakeEar:
    """Hears nothing."""

    closed = False

    def fileno(self) -> int:
        return 0

    def close(self) -> None:
        self.closed = True


class FakeRecorder:
    """What Traffic needs of a recorder."""

    def __init__(self) -> None:
        self.ears: list[object] = []
        self.stores = type("Stores", (), {"traffic": None})()
        self.openings = Openings()

    def turn(self) -> None:
        pass


def runs_ahead(path: Path) -> None:
    """An hour ago the wall clock was a year and an hour behind: not at the edge of a day."""
    now = Witness(path, lambda: None).observed()
    before = Mark(now.wall - YEAR - 2 * HOUR, now.up - HOUR, now.boot)
    path.write_text(clock_marks.json.dumps(clock_marks.asdict(before)))


@pytest.mark.usefixtures("kept_clock")
@pytest.mark.parametrize("jumped", [True, False])
def test_ret05_the_portal_erases_no_proof_of_acceptance_by_a_clock_that_jumped(
    town: Town, tmp_path: Path, *, jumped: bool
) -> None:
    """Nor a day's figures or an order of staff; and does when the same clock was always so."""
    house, now = House(town, tmp_path), moment()
    store_usage.add(house.store, house.facts.site, "2001-01-01", 12, 1, 1)
    then = replace(now, wall=now.wall - 400 * 86_400)
    with house.store.transaction() as book:
        proof = Acceptance(MacAddress("02:00:00:00:00:01"), house.facts.site, "fr", "2.0.0", "00", token="t")
        book.end(book.accept(proof, Session(State.OPEN, "a boot", 0.0, then.wall), then) or 0, "left", then)
    house.clock.wall = then.wall
    house.directives.give(Order(Kind.CLOSED, "agent", "inondation"), 600)
    witness = Witness(tmp_path / "clock.json", house.store.newest_day)
    witness.remember()
    if jumped:
        runs_ahead(tmp_path / "clock.json")
    registry, instruments = registry_of("portal", definitions(PORTAL.name))
    doubts = witness.doubts_or_remembers
    Doorkeeper(house.store, house.gateway, house.policy, instruments, moment, doubts=doubts).compare()

    with house.store.transaction() as book:
        assert book.old(now) == jumped
    assert len(store_usage.month_of(house.store, house.facts.site, "2001-01", ZoneInfo("Europe/Paris")).days) == jumped
    with house.store.connection() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM directives").scalar() == jumped
    assert registry.get_sample_value("portal_erasing_refused_proofs") == jumped
    assert (witness.doubts() != "") == jumped


@pytest.mark.usefixtures("kept_clock")
@pytest.mark.parametrize("jumped", [True, False])
def test_ret05_the_recorder_destroys_no_key_by_a_clock_that_jumped(tmp_path: Path, *, jumped: bool) -> None:
    disk = Disk(tmp_path)
    disk.day(OLD)
    disk.day(TODAY)
    witness = Witness(tmp_path / "clock.json", partial(newest_day, disk.sealed))
    witness.remember()
    if jumped:
        runs_ahead(witness.mark)
    registry, instruments = registry_of("evidence", definitions(EVIDENCE.name))
    evidence._tidy(disk.sealed, disk.keys, Reserve(disk.sealed / "reserve", 0), instruments, witness)

    assert len(list(disk.keys.iterdir())) == 1 + jumped
    assert registry.get_sample_value("evidence_erased_days_total") == 1 - jumped
    assert registry.get_sample_value("evidence_erasing_refused_days") == jumped
    assert (registry.get_sample_value("evidence_erased_timestamp_seconds") == 0) is jumped


@pytest.mark.parametrize("kept", [True, False])
def test_ret05_a_clock_that_nobody_keeps_destroys_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    disk = Disk(tmp_path)
    disk.day(OLD)
    disk.day(TODAY)
    monkeypatch.setattr(time_signal, "truth", lambda: Truth(0.0, synchronised=kept))
    registry, instruments = registry_of("evidence", definitions(EVIDENCE.name))
    witness = Witness(tmp_path / "clock.json", partial(newest_day, disk.sealed))
    evidence._tidy(disk.sealed, disk.keys, Reserve(disk.sealed / "reserve", 0), instruments, witness)

    assert len(list(disk.keys.iterdir())) == 1 if kept else 2
    assert registry.get_sample_value("evidence_erasing_refused_days") == 1 - kept


@pytest.mark.usefixtures("kept_clock")
def test_ret05_the_archive_destroys_nothing_by_a_clock_that_jumped_and_tells_how_much_waits(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    disk.day(OLD)
    disk.day(TODAY)
    witness = Witness(tmp_path / "clock.json", partial(newest_day, disk.sealed))
    runs_ahead(witness.mark)
    journal, cases = journal_in(tmp_path / "journal"), Cases(tmp_path / "cases")
    keeper = Keeper(disk.sealed, disk.keys, tmp_path / "holds.json", cases, tmp_path / "reports", journal, MADE.signer,
                    witness)  # fmt: skip
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "report-2020-01-01.json").write_text("{}")
    registry, instruments = registry_of("archive", definitions(ARCHIVE.name))
    collector = Collector(disk.sealed, disk.keys, "", None)  # type: ignore[arg-type]
    archive = Archive(keeper, collector, [], "cachan", instruments, 30.0)
    archive.tidy()
    assert len(list(disk.keys.iterdir())) == 2
    assert registry.get_sample_value("archive_erasing_refused_days") == 1
    assert (tmp_path / "reports" / "report-2020-01-01.json").exists(), (
        "reports are not forgotten by such a clock either"
    )

    witness.mark.unlink()
    archive.tidy()

    assert len(list(disk.keys.iterdir())) == 1
    assert registry.get_sample_value("archive_erasing_refused_days") == 0
    disk.day(OLD)
    runs_ahead(witness.mark)
    with pytest.raises(ClockDoubted, match="1 days of a store"):
        keeper.purge(TODAY)


@pytest.mark.usefixtures("kept_clock")
def test_ret05_by_hand_too_and_whoever_answers_for_the_clock_is_in_the_journal(tmp_path: Path) -> None:
    town = Archives(tmp_path)
    town.disk.day(OLD)
    town.disk.day(TODAY)
    mark = tmp_path / "archive" / "clock.json"
    runs_ahead(mark)
    refused = town.run("purge")
    asked = town.run("clock")
    assert refused.exit_code == 1
    assert "set ahead by 366 days" in refused.output
    assert "--clock-is-right" in refused.output
    assert "nothing is erased by it" in asked.output
    assert len(list(town.disk.keys.glob("*.key"))) == 2

    done = town.run("purge", "--clock-is-right", "la responsable")

    assert "1 days of a store erased" in done.output
    assert [path.name[-14:-4] for path in town.disk.keys.glob("*.key")] == [TODAY.isoformat()]
    line = next(one for one in town.journal() if one["did"] == "clock")
    assert (line["who"], "answered for it" in line["how"]) == ("la responsable", True)
    believed = town.run("clock")
    assert believed.exit_code == 0, believed.output
    assert "la responsable answers for it" in believed.output


@pytest.mark.usefixtures("kept_clock")
def test_ret05_a_clock_that_came_back_is_believed_again_by_itself(tmp_path: Path) -> None:
    """What was sealed meanwhile bears a date to come; that is known, and holds up nothing after the next start."""
    disk = Disk(tmp_path)
    disk.day(TODAY)
    witness = Witness(tmp_path / "clock.json", partial(newest_day, disk.sealed))
    witness.remember()
    disk.day(TODAY + timedelta(days=366))
    now, mark = witness.observed(), witness.last()
    assert "set ahead" in clock_doubts.doubts(replace(now, wall=now.wall + YEAR), mark)
    assert witness.doubts() == ""

    witness.remember()

    anew = replace(witness.observed(), boot="the next one", up=1000)
    assert clock_doubts.doubts(anew, witness.last()) == ""
    assert "records are of" in clock_doubts.doubts(anew, mark)


def test_ret06_a_clock_that_jumped_ends_no_recording_and_the_injunctions_end_does() -> None:
    said = ["the clock was set ahead by 366 days"]
    registry, instruments = registry_of("evidence", definitions(EVIDENCE.name))
    over = Choice(True, "La maire", "2025-01-01", "décret", "2025-01-01", "2025-12-31")
    recorder: Any = FakeRecorder()
    ear: Any = FakeEar()
    none: Any = None
    traffic = evidence.Traffic(recorder, over, lambda: none, instruments, lambda: said[0])
    traffic.inherit(ear)
    traffic()
    assert recorder.ears == [ear]
    assert registry.get_sample_value("evidence_traffic_recorded") == 1

    said[0] = ""
    traffic()

    assert recorder.ears == []
    assert ear.closed
    assert registry.get_sample_value("evidence_traffic_recorded") == 0


def test_a_key_ceremony_twice_on_a_day_overwrites_nothing_that_opens_older_days(tmp_path: Path) -> None:
    town = Archives(tmp_path)
    for _ in range(2):
        town.run("ceremony", "--holder=a", "--holder=b", f"--shares-into={tmp_path}/f", "--renew")

    assert len(list(tmp_path.glob("holders*.json"))) == 3
    assert len(list((tmp_path / "archive" / "private").glob("security.key*"))) == 3
