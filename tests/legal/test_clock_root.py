"""The gateway's wall clock is set while people are there, forwards or back over midnight: nobody is lost, it is said.

The recorder is the real one, with the real ruleset, sets and files; only what it takes for the wall clock is ours.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address
from pathlib import Path

import pytest
from door_twin import Inside
from legal_town import Street, master, street
from sealed_days import ABOUT, GATEWAY, MADE
from test_evidence_root import Person, people

from captive_portal.legal import listening, reading, report, time_signal
from captive_portal.legal.conntrack import Guests, Reader
from captive_portal.legal.ledger import Ledger, names_in
from captive_portal.legal.recorder import Clocks, Recorder, Stores
from captive_portal.legal.search import AtMoment, answers
from captive_portal.legal.segment import Store
from captive_portal.legal.spool import Spool
from captive_portal.legal.time_signal import Truth
from captive_portal.legal.timeline import Timeline
from captive_portal.port_blocks import Blocks
from parvis.catalogue import definitions
from parvis.instruments import registry_of
from parvis.processes import EVIDENCE
from parvis.reserve import Reserve

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.timeout(120)]
HOUR = 3_600_000


@dataclass
class Watched:
    """A recorder whose wall clock is the machine's and *ahead* milliseconds."""

    here: Street
    sealed: Path
    keys: Path
    ahead: int = 0

    def wall(self) -> int:
        return time_signal.wall() + self.ahead

    def begins(self) -> None:
        self.registry, instruments = registry_of("evidence", definitions(EVIDENCE.name))
        reserve = Reserve(self.sealed / "reserve", 0)
        ledgers = [Ledger(self.sealed, self.keys, GATEWAY, store, MADE.public.stores[store], reserve)
                   for store in (Store.SOURCE, Store.SECURITY)]  # fmt: skip
        self.recorder = Recorder(
            stores=Stores(*ledgers),
            ears=[listening.sets()],
            spool=Spool(),
            reader=Reader(Guests(IPv4Address(ABOUT["public"]).packed, IPv6Network("2001:db8:11::/64"), b"")),
            clocks=Clocks(self.wall, time_signal.steady, lambda: Truth(0.0, synchronised=True)),
            instruments=instruments,
            about={**ABOUT, "version": "0"},
            terms="2.0.0",
        )
        self.recorder.start()

    def sets_the_clock(self, step: int) -> int:
        """By *step* milliseconds; the second just before, on the clock as it was."""
        before = self.wall() // 1000
        self.ahead += step
        self.recorder.turn()
        return before

    def steps(self) -> float:
        return self.registry.get_sample_value("evidence_clock_steps_total") or 0.0

    def told(self, *seconds: int) -> list[Timeline]:
        days = sorted({day for one in seconds for day in reading.days_of(one, one)})
        return reading.timelines(self.sealed, self.keys, days, master(MADE, "A"))


@pytest.fixture(scope="module")
def here() -> Iterator[Street]:
    with street(MADE) as made:
        yield made


@contextmanager
def watched(here: Street, folder: Path) -> Iterator[Watched]:
    """A recorder at work in this thread, within the gateway."""
    made = Watched(here, folder / "sealed", folder / "keys")
    for path in (made.sealed, made.keys):
        path.mkdir()
    with Inside(here.name("gw")):
        made.begins()
        yield made


def who(lines: list[Timeline], person: Person, second: int) -> list[tuple[str, bool]]:
    """Who had *person*'s first port at *second*, and whether that is certain."""
    port = Blocks(IPv4Network(ABOUT["guest"]), IPv4Address(ABOUT["public"])).of(person[1])[0]
    return [(one.mac, one.certain) for one in answers(AtMoment(ip_address(ABOUT["public"]), port, second), lines)]


@pytest.mark.parametrize("step", [2 * HOUR, -26 * HOUR], ids=["forwards", "backwards over midnight"])
def test_ret12_f58_a_clock_that_is_set_loses_nobody_and_is_noted(here: Street, tmp_path: Path, step: int) -> None:
    anna, bruno = people(0, 2, 1)
    with watched(here, tmp_path) as its:
        here.admit([anna])
        its.recorder.turn()
        by_the_old_clock = its.sets_the_clock(step)
        here.admit([bruno])
        its.recorder.turn()
        by_the_new_clock = its.wall() // 1000
        assert its.recorder.picture.sessions() == 2, "nothing has expired by a clock that was set"
        here.leave([anna, bruno])
        its.recorder.stop()

    lines = its.told(by_the_old_clock, by_the_new_clock)
    assert its.steps() == 1
    assert who(lines, anna, by_the_old_clock) == [(anna[0].text, False)]
    assert who(lines, anna, by_the_new_clock) == [(anna[0].text, False)]
    assert who(lines, bruno, by_the_new_clock) == [(bruno[0].text, True)]
    assert who(lines, bruno, by_the_old_clock) == []
    for second in (by_the_old_clock, by_the_new_clock):
        (note,) = lines[0].notes_about(second, second)
        told = int(note.split("réglée de ")[1].split(" ms")[0])
        assert abs(told - step) < 1000
    assert all(one.end is not None and one.begin <= one.end for one in lines[0].spans)
    days = {one.day for one in names_in(its.sealed, Store.SOURCE)}
    assert len(days) == len({moment_day(by_the_old_clock), moment_day(by_the_new_clock)})
    assert [one.broken for one in report.chains(its.sealed, max(days))] == [""]


def moment_day(second: int) -> date:
    return datetime.fromtimestamp(second, UTC).date()


def test_ret12_a_clock_that_is_only_disciplined_is_no_step(here: Street, tmp_path: Path) -> None:
    with watched(here, tmp_path) as its:
        for _ in range(5):
            its.sets_the_clock(100)
        assert its.steps() == 0
        its.recorder.stop()
