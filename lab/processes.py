"""Start programs in namespaces, know them again by pid and start time, and end exactly those."""

import json
import os
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from lab.probes import PROC, Check
from parvis.durable import write_whole
from parvis.namespaces import NAMESPACES

Kind = Literal["ours", "debian", "resident"]
"""Whose program it is: our Python, Debian's, or a resident's own."""

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
STOP_SECONDS = 5.0
REAP_SECONDS = 2.0
READY_SECONDS = 120.0
"""The monitor takes 1.4 s of a core to start; with twenty processes waiting for two cores that is most of a minute."""
PAUSE_SECONDS = 0.05
ENDED = {"", "Z", "X"}
LOG_LINES = 20
UMASK = 0o022
"""Of all that the twin makes and runs, whatever the caller's: what is secret has a mode of its own."""


class DidNotStart(Exception):
    """A program of the lab's does not do its work; its last words tell who must act."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program to start; *ready* tells how to see that it does its work."""

    name: str
    namespace: str
    argv: tuple[str, ...]
    kind: Kind
    ready: Check | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Running:
    """A started program as its pid file tells; *started* is the kernel's start time in ticks since boot."""

    program: Program
    pid: int
    started: int

    @property
    def alive(self) -> bool:
        """Whether this very process, not a later one with its pid, still runs."""
        return start_ticks(self.pid) == self.started

    @property
    def ready(self) -> bool:
        """Whether it does its work."""
        check = self.program.ready
        return self.alive and (check is None or check.passes(self.program.namespace, self.pid))

    @property
    def uptime_seconds(self) -> float:
        """Seconds since it was started."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) - self.started / TICKS_PER_SECOND


def start(program: Program, state: Path, inherit: tuple[int, ...] = ()) -> Running:
    """Start *program* in its namespace, in a session of its own, its words going to ``logs/NAME.log``.

    It gets the open files *inherit*, and nothing else of ours. OSError when it cannot be noted; it does not run then.
    """
    with (state / "logs" / f"{program.name}.log").open("ab") as log:
        child = subprocess.Popen(
            ("ip", "netns", "exec", program.namespace, *program.argv),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd="/",
            env={**_environment(), **program.environment},
            pass_fds=inherit,
            umask=UMASK,
        )
    running = Running(program, child.pid, start_ticks(child.pid) or 0)
    try:
        write_whole(state / "pids" / f"{program.name}.json", json.dumps(asdict(running)))
    except OSError:  # whom no file tells of, nobody would end
        child.kill()
        child.wait()
        raise
    child.returncode = 0  # ours no longer: whoever ends it looks at /proc
    return running


def wait(waiting: Sequence[Running], state: Path, seconds: float = READY_SECONDS) -> None:
    """Wait until all do their work; DidNotStart for the first that ends, or is not ready in time."""
    deadline = time.monotonic() + seconds
    while waiting := [running for running in waiting if not running.ready]:
        for running in waiting:
            if not running.alive or time.monotonic() > deadline:
                what = "did not get ready" if running.alive else "ended at once"
                words = last_lines(state, running.program.name, LOG_LINES)
                raise DidNotStart(f"{running.program.name} {what}; the end of its log:\n{words}")
        time.sleep(PAUSE_SECONDS)


def last_lines(state: Path, name: str, lines: int | None) -> str:
    """The last *lines* of what a program has written, or all of it."""
    text = (state / "logs" / f"{name}.log").read_text(errors="replace")
    return text if lines is None else "\n".join(text.splitlines()[-lines:])


def _environment() -> dict[str, str]:
    """The environment programs get: no setting of the caller's may reach them."""
    kept = {name: value for name, value in os.environ.items() if name in {"LANG", "PATH", "TZ"}}
    return {**kept, "HOME": "/nonexistent", "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def started(state: Path) -> list[Running]:
    """Every program started in *state*, by name, alive or not."""
    return [found for file in sorted((state / "pids").glob("*.json")) if (found := _read(file))]


def _read(file: Path) -> Running | None:
    try:
        raw = json.loads(file.read_text())
        told = raw["program"]
        ready = Check(**told["ready"]) if told["ready"] else None
        return Running(Program(**{**told, "argv": tuple(told["argv"]), "ready": ready}), raw["pid"], raw["started"])
    except (OSError, ValueError, TypeError, KeyError):
        return None  # half written when the lab was killed; its namespace still tells the process


def start_ticks(pid: int) -> int | None:
    """When process *pid* started (proc(5), field 22); None when there is none or it has ended."""
    state, ticks = _stat(pid)
    return None if state in ENDED else ticks


def _stat(pid: int) -> tuple[str, int]:
    """A process' state and start; what has ended is reaped when it is our child, and may stay a while as ``Z``."""
    try:
        after_name = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "", 0
    if after_name[0] in ENDED:
        _reap(pid)
    return after_name[0], int(after_name[19])


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def inhabitants(namespaces: Iterable[str]) -> list[int]:
    """The processes that are in one of *namespaces*."""
    wanted = set()
    for name in namespaces:
        try:
            about = (NAMESPACES / name).stat()
        except OSError:
            continue
        wanted.add((about.st_dev, about.st_ino))
    return [pid for pid in _pids() if _network_of(pid) in wanted]


def _pids() -> list[int]:
    return [int(path.name) for path in PROC.iterdir() if path.name.isdigit()]


def _network_of(pid: int) -> tuple[int, int] | None:
    try:
        about = (PROC / str(pid) / "ns" / "net").stat()
    except OSError:
        return None
    return about.st_dev, about.st_ino


def end(processes: Mapping[int, int], stop_seconds: float = STOP_SECONDS) -> None:
    """End *processes* (pid -> start ticks): SIGTERM, then after *stop_seconds* SIGKILL; returns once they are gone."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid, ticks in processes.items():
            send(pid, ticks, number)
        if _until(lambda: not any(start_ticks(pid) == ticks for pid, ticks in processes.items()), stop_seconds):
            break
    # Kea, started again, takes a process that is not yet reaped for itself.
    _until(lambda: not any(_stat(pid)[1] == ticks for pid, ticks in processes.items()), REAP_SECONDS)


def _until(is_so: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE_SECONDS)
    return True


def send(pid: int, ticks: int, number: signal.Signals) -> bool:
    """Send a signal to the process that has this pid and start time; False when it is gone."""
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if start_ticks(pid) != ticks:
            return False
        signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(handle)
    return True


def families() -> dict[int, list[int]]:
    """Session -> its processes: a program started here leads a session, in which its children stay."""
    found: dict[int, list[int]] = defaultdict(list)
    for pid in _pids():
        with suppress(OSError):
            found[os.getsid(pid)].append(pid)
    return found


def stop(running: Running, number: signal.Signals) -> None:
    """End a program by a signal, then whatever it left behind, as systemd does with a control group."""
    send(running.pid, running.started, number)
    end({running.pid: running.started})
    left = {pid: start_ticks(pid) for pid in families().get(running.pid, [])}
    end({pid: ticks for pid, ticks in left.items() if ticks is not None})


def pss_bytes(running: Iterable[Running]) -> dict[str, int]:
    """The memory that is each program's share with its children's (proportional set size), by name; 0 once ended."""
    members = families()
    return {run.program.name: sum(map(_pss_bytes, members.get(run.pid, ()))) if run.alive else 0 for run in running}


def _pss_bytes(pid: int) -> int:
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
