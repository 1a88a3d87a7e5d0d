"""The power goes: what the disk has then is all there is. Who was there, and what went on, is answered from it.

The disk is a file system of its own in a file; only what was flushed to it is in that file, and the copy of it is what
the machine finds when the power is back.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import pytest
from door_twin import sh
from legal_town import PORTS, Street, street, this_year
from resident import wait_for
from test_evidence_root import next_seconds, people, talk
from test_outages_root import told

from captive_portal.legal import report
from captive_portal.legal.conntrack import each_once
from captive_portal.legal.search import AtMoment, OfDevice, answers, communications

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.timeout(300)]
MEGABYTES = 48


class Disk:
    """A disk of the gateway's own for what it records."""

    def __init__(self, here: Street) -> None:
        self.here = here
        self.image = here.folder / "disk.img"
        self.state = here.folder / "state"
        self.state.mkdir()
        with self.image.open("wb") as file:
            file.truncate(MEGABYTES << 20)
        sh("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(self.image))
        sh("mount", "-o", "loop", str(self.image), str(self.state))

    def power_cut(self) -> None:
        """Everything stops at once; what was written and not flushed never was."""
        self.here.stop(9)
        survived = self.image.with_suffix(".survived")
        shutil.copyfile(self.image, survived)
        sh("umount", str(self.state))
        self.image = survived
        sh("mount", "-o", "loop", str(survived), str(self.state))

    def remove(self) -> None:
        self.here.stop(9)
        sh("umount", "-l", str(self.state), check=False)


@contextmanager
def disk_of(here: Street) -> Iterator[Disk]:
    made = Disk(here)
    try:
        yield made
    finally:
        made.remove()


@pytest.fixture
def here() -> Iterator[Street]:
    with street() as made:
        yield made


def sealed(state: Path) -> int:
    return sum(path.stat().st_size for path in state.glob("sealed/*.sealed"))


def test_ret02_ret06_ret13_a_power_cut_takes_along_nothing_that_was_open(here: Street) -> None:
    """Sessions, addresses and communications that went on are answered for; and later, that it was away."""
    crowd = people(0, 20, 1)
    with disk_of(here) as disk:
        here.start(this_year())
        here.admit(crowd)
        sent = talk(here, crowd)
        here.settles(sent)
        here.recorded(sessions=len(crowd))
        next_seconds(2)  # the addresses of IPv6 are looked at every second
        wait_for(lambda: here.metric("evidence_openings_total") >= sent, "the communications that go on")
        second = next_seconds()
        before = sealed(disk.state)
        disk.power_cut()
        assert 0 < sealed(disk.state) <= before

        lines, flows = told(here)
        assert {one.number for line in lines for one in line.spans if one.kind == "session"} == {n for *_, n in crowd}
        for packet in here.arrived:
            port = packet.port if "." in packet.address else None
            found = answers(AtMoment(ip_address(packet.address), port, second), lines)
            assert {one.mac for one in found} == {packet.who}
        going_on = each_once(flows)
        assert len(going_on) == sent
        assert all(one.open for one in going_on)
        for mac, _, _ in crowd:
            rows = answers(OfDevice(mac, second - 1, second), lines)
            assert len(communications(rows, flows, second - 1, second)) == PORTS + 1

        here.forget_connections()
        here.leave(crowd)
        here.start(this_year())
        here.recorded(sessions=0)
        here.stop()
        lines, _ = told(here)
        ends = {(one.end is not None, one.certain) for line in lines for one in line.spans if one.kind == "session"}
        assert ends == {(True, False)}, "they had ended by the time it was back, nobody knows when"
        assert any("ne fonctionnait pas" in note for line in lines for note in line.notes_about(second, second))
        assert [one.broken for one in report.chains(here.sealed, datetime.now(UTC).date())] == ["", ""]
