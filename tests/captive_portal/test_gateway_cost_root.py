"""What admission may not cost: no process, no packet through user space, nothing left behind."""

import json
import os
import signal
import time
from pathlib import Path

import pytest
from door_twin import WEB4, WEB6, Resident, Twin, wait_for

pytestmark = [pytest.mark.root, pytest.mark.slow]
WAITED_FOR = 8, 10
"""Fields of /proc/PID/stat after the name (proc(5) 11, 13): faults of children that were waited for. Any has some."""


def children(pid: int) -> tuple[list[int], list[str]]:
    """Memory faults of ended children, and the numbers of living ones."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    living = [file.read_text("ascii").strip() for file in Path(f"/proc/{pid}/task").glob("*/children")]
    return [int(fields[place]) for place in WAITED_FOR], [one for one in living if one]


def test_r27_an_admission_starts_no_process(twin: Twin, anna: Resident) -> None:
    pids = [twin.processes[name].pid for name in ("gatewayd", "portal")]

    for _ in range(3):
        anna.accepts()
        assert anna.api()["captive"] is False
        anna.leaves()

    assert [children(pid) for pid in pids] == [([0, 0], [])] * 2
    assert os.getpid() in [int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]) for pid in pids]


def test_r45_packets_pass_without_any_process_of_ours(twin: Twin, anna: Resident) -> None:
    anna.accepts()
    stopped = [twin.processes[name].pid for name in ("gatewayd", "portal")]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        reached = [anna.reaches(WEB4), anna.reaches(WEB6)]
        links = json.loads(twin.within("gw", "ip", "-json", "-details", "link"))
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)

    assert reached == [True, True]
    kinds = {link["ifname"]: link.get("linkinfo", {}).get("info_kind", "") for link in links}
    assert "tun" not in kinds.values()
    assert kinds["guest0"] == "veth"
    anna.leaves()


def test_r21_r41_a_thousand_admissions_leave_nothing_behind(twin: Twin) -> None:
    """Descriptors, threads and set elements are as before, and memory has not grown by more than noise."""
    pid = twin.processes["gatewayd"].pid
    admissions(twin, 200)  # caches are warm from here on
    time.sleep(0.2)  # it has yet to notice that the last one hung up
    before, size = possessions(pid), resident_kilobytes(pid)

    admissions(twin, 1000)

    wait_for(lambda: possessions(pid) == before, "return to the descriptors and threads it had")
    assert resident_kilobytes(pid) - size < 1024
    left = json.loads(twin.ask(b'{"op": "admitted", "unless": 0}')[0])
    assert left["admitted"] == ""


def admissions(twin: Twin, count: int) -> None:
    for start in range(0, count, 100):
        macs = [f"02:00:00:00:{n >> 8:02x}:{n & 255:02x}" for n in range(start + 1, start + 101)]
        steps = [
            {"allow": mac, "session": 500_000 + start + n, "seconds": 60, "down": 8_000_000, "up": 8_000_000}
            for n, mac in enumerate(macs)
        ]
        lines = [{"op": "apply", "steps": steps}, {"op": "apply", "steps": [{"deny": mac} for mac in macs]}]
        answers = twin.ask(*(json.dumps(line).encode() for line in lines))
        assert [json.loads(answer)["ok"] for answer in answers] == [True, True]


def possessions(pid: int) -> tuple[int, int]:
    return len(list(Path(f"/proc/{pid}/fd").iterdir())), len(list(Path(f"/proc/{pid}/task").iterdir()))


def resident_kilobytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * 4
