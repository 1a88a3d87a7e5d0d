"""The recorder killed, its disk full, the archive away: nothing is lost, and it is said."""

import array
import os
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import pytest
from door_twin import sh
from legal_town import Street, master, street, this_year
from resident import wait_for
from test_evidence_root import next_seconds, people, talk

from captive_portal.legal import reading, report
from captive_portal.legal.conntrack import Flow
from captive_portal.legal.search import AtMoment, answers
from captive_portal.legal.timeline import Timeline

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.timeout(300)]


class Manager:
    """Keeps descriptors as systemd does (FDSTORE=1, LISTEN_FDS), for a process that comes and goes."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "notify"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self.path))
        self.path.chmod(0o777)
        self._socket.settimeout(0.2)
        self.kept: dict[str, int] = {}

    def listen(self) -> None:
        """Take what was sent."""
        while True:
            try:
                text, rights, *_ = self._socket.recvmsg(4096, socket.CMSG_SPACE(4))
            except TimeoutError:
                return
            if b"FDSTORE=1" in text:
                name = text.decode().split("FDNAME=")[1].split("\n")[0]
                self.kept[name] = array.array("i", rights[0][2])[0]

    def handed(self) -> tuple[tuple[int, ...], dict[str, str]]:
        """Descriptors from 3 on, and the environment that names them."""
        for place, handle in enumerate(self.kept.values()):
            os.dup2(handle, 60 + place)
        names = ":".join(self.kept)
        return tuple(range(60, 60 + len(self.kept))), {"LISTEN_FDS": str(len(self.kept)), "LISTEN_FDNAMES": names}


@pytest.fixture
def here() -> Iterator[Street]:
    with street() as made:
        yield made


def fill(path: Path) -> None:
    """Leave no room on the disk."""
    with suppress(OSError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            while True:
                os.write(handle, bytes(4096))
        finally:
            os.close(handle)


def told(here: Street) -> tuple[list[Timeline], list[Flow]]:
    now = int(time.time())
    days = reading.days_of(now - 300, now)
    lines = reading.timelines(here.sealed, here.keys, days, master(here.made, "A"))
    return lines, list(reading.traffic(here.sealed, here.keys, days, master(here.made, "B"), ["gw-msp"]))


def test_ret13_what_happens_while_a_killed_recorder_is_away_is_not_lost(here: Street) -> None:
    """People come, stay or go between kill -9 and the next start; the manager keeps memory and sockets."""
    manager = Manager(here.folder)
    here.start(this_year(), NOTIFY_SOCKET=str(manager.path))
    manager.listen()
    assert set(manager.kept) == {"spool", "sets", "connections"}
    before = people(0, 5, 1)
    here.admit(before)
    sent = talk(here, before)
    here.settles(sent)
    here.recorded(sessions=5)
    here.stop(9)

    away = next_seconds(2)
    brief, stay = people(50, 5, 1001), people(60, 5, 2001)
    here.admit([*brief, *stay])
    admitted = time.time()
    sent += talk(here, [*brief, *stay])
    here.settles(sent)
    here.forget_connections()
    next_seconds(2)
    here.leave(brief)
    next_seconds(2)
    here.handles, handed = manager.handed()
    here.start(this_year(), NOTIFY_SOCKET=str(manager.path), **handed)
    here.recorded(sessions=10)
    wait_for(lambda: here.metric("evidence_connections_total") >= sent, "the connections")
    here.stop()

    lines, flows = told(here)
    spans = {one.number: one for line in lines for one in line.spans if one.kind == "session"}
    assert set(spans) == {number for _, _, number in (*before, *brief, *stay)}
    assert all(spans[number].end is not None and not spans[number].certain for _, _, number in brief)
    assert all(away * 1000 <= spans[number].begin <= admitted * 1000 + 20 for _, _, number in stay)
    packets = [one for one in here.arrived if "." in one.address]
    named = [
        {found.mac for found in answers(AtMoment(ip_address(one.address), one.port, one.second), lines)}
        for one in packets
    ]
    assert [(one, names) for one, names in zip(packets, named, strict=True) if names != {one.who}] == []
    assert len({(one.source, one.sport, one.tport) for one in flows}) == sent
    assert [one.broken for one in report.chains(here.sealed, datetime.now(UTC).date())] == ["", ""]


def test_ret13_a_full_disk_loses_nothing_and_is_told_at_once(here: Street) -> None:
    state = here.folder / "state"
    state.mkdir()
    sh("mount", "-t", "tmpfs", "-o", "size=6m,mode=755", "tmpfs", str(state))
    try:
        here.start(this_year())
        assert here.metric("evidence_write_up") == 1
        ballast = state / "ballast"
        fill(ballast)
        crowd = people(0, 300, 1)
        here.admit(crowd)
        here.recorded(sessions=300)
        sent = talk(here, crowd)
        here.settles(sent)
        here.forget_connections()
        wait_for(lambda: not (here.sealed / "reserve").exists(), "the reserve to be given up")
        assert here.metric("evidence_write_up") == 1, "the reserve holds"
        fill(ballast)
        sent += talk(here, crowd, 52_000)
        here.settles(sent)
        here.forget_connections()
        here.leave(crowd[:150])
        wait_for(lambda: here.metric("evidence_write_up") == 0, "the alarm")
        assert "the disk does not take evidence" in here.ask_all("/healthz")

        ballast.unlink()
        wait_for(lambda: here.metric("evidence_write_up") == 1, "the disk to be written again")
        wait_for(lambda: here.metric("evidence_connections_total") >= sent, "the connections")
        here.stop()

        lines, flows = told(here)
        ended = {one.number for line in lines for one in line.spans if one.kind == "session" and one.end is not None}
        assert ended == {number for _, _, number in crowd[:150]}
        assert len({(one.source, one.sport, one.tport) for one in flows}) == sent
    finally:
        here.stop(9)
        sh("umount", "-l", str(state))
