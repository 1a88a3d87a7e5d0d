"""The twin as an object: up, down, exec, faults. The command line and the tests both use this."""

import difflib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from lab import building, debian, network, processes, state
from lab.building import Options, Stage
from lab.plan import Plan, Resident, plan
from lab.processes import Program, Running
from lab.rooms import LOOPBACK
from parvis.inventory import Town
from parvis.processes import ALERTMANAGER_PORT, MONITOR, PROMETHEUS_PORT

READY_SECONDS = 60.0
LEASE_SECONDS = 30.0
LOG_LINES = 20
PROXY_PORT = 8888
WINDOWS = {"wall": MONITOR.port, "prometheus": PROMETHEUS_PORT, "alertmanager": ALERTMANAGER_PORT}
"""Pages of the centre that the host's browser may open, and their ports."""
DEVICE_ORDERS = ("normal", "silent", "garbage", "reboot")

Say = Callable[[str], None]


class LabError(Exception):
    """The twin cannot do that; the words say why and what to do."""


class AlreadyUp(LabError):
    """The twin runs; nothing was changed."""


class Lab:
    """The twin whose state is in *folder*."""

    def __init__(self, folder: Path = state.DEFAULT_FOLDER) -> None:
        self.folder = folder

    @property
    def about(self) -> state.About:
        """What is told about the running twin; LabError when none runs."""
        about = state.told(self.folder)
        if about is None:
            raise LabError(f"no lab is up in {self.folder}; start one with: parvis lab up")
        return about

    @property
    def town(self) -> Town:
        """The town that runs."""
        return building.read(self.folder)

    @property
    def plan(self) -> Plan:
        """How it is wired."""
        about = self.about
        return plan(self.town, about.prefix, about.residents)

    def up(self, options: Options, say: Say = lambda _: None) -> float:
        """Build and start everything; seconds taken. AlreadyUp when it runs; a killed run's leftovers go first."""
        _only_for_root()
        with state.locked(self.folder):
            self._refuse_when_up()
            lacking = debian.missing(options.without)
            if lacking:
                raise LabError(f"not installed: {', '.join(lacking)}; apt-get install {' '.join(lacking.values())}")
            self._clear(options.prefix)
            try:
                return self._build(options, say)
            except BaseException:
                self._clear(options.prefix)
                raise

    def down(self, prefix: str | None = None) -> bool:
        """End and remove everything; False when there was nothing. *prefix*: of a run that left no word."""
        _only_for_root()
        with state.locked(self.folder):
            about = state.told(self.folder)
            prefix = about.prefix if about else prefix or Options().prefix
            there = self.folder.exists() or bool(network.existing(prefix))
            self._clear(prefix)
            return there

    def _refuse_when_up(self) -> None:
        about = state.told(self.folder)
        if about is None or not about.complete:
            return
        found = processes.started(self.folder)
        ended = [running.program.name for running in found if not running.alive]
        if len(ended) < len(found):
            words = f"; ended since: {', '.join(ended)}" if ended else ""
            raise AlreadyUp(f"the lab is up{words}; nothing was changed (parvis lab status, parvis lab down)")

    def _clear(self, prefix: str) -> None:
        about = state.told(self.folder)
        for name in {prefix, about.prefix if about else prefix}:
            running = {run.pid: run.started for run in processes.started(self.folder) if run.alive}
            inside = {pid: processes.start_ticks(pid) for pid in processes.inhabitants(network.existing(name))}
            processes.end({**running, **{pid: ticks for pid, ticks in inside.items() if ticks is not None}})
            network.remove(name)
        state.remove(self.folder)

    def _build(self, options: Options, say: Say) -> float:
        begun = time.monotonic()
        state.create(self.folder)
        about = state.About(options.prefix, options.residents, "", complete=False, seconds=0.0, windows={})
        state.tell(self.folder, about)
        town, wiring = building.prepare(options, self.folder)
        network.build(wiring)
        say(f"{time.monotonic() - begun:5.1f} s  {len(wiring.namespaces)} namespaces, {len(wiring.wires)} wires")
        for stage in building.stages(town, wiring, options, self.folder):
            self._start(stage)
            say(f"{time.monotonic() - begun:5.1f} s  {stage.title}: {len(stage.programs)} programs ready")
        windows = self._open_windows(wiring) if options.windows else {}
        proxied = wiring.residents[0].name if windows and wiring.residents else ""
        seconds = time.monotonic() - begun
        state.tell(self.folder, replace(about, complete=True, seconds=seconds, windows=windows, proxied=proxied))
        return seconds

    def _start(self, stage: Stage) -> None:
        self._wait([processes.start(program, self.folder) for program in stage.programs])

    def _wait(self, waiting: list[Running], seconds: float = READY_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while waiting := [running for running in waiting if not running.ready]:
            for running in waiting:
                if not running.alive or time.monotonic() > deadline:
                    what = "did not get ready" if running.alive else "ended at once"
                    name = running.program.name
                    raise LabError(f"{name} {what}; the end of its log:\n{self.log(name, LOG_LINES)}")
            time.sleep(0.05)

    def _open_windows(self, wiring: Plan) -> dict[str, int]:
        channels = {name: _listener(port) for name, port in WINDOWS.items()}
        ports = {name: _port(channel) for name, channel in channels.items()}
        exposed = [f"{channels[name].fileno()}={LOOPBACK}:{port}" for name, port in WINDOWS.items()]
        self._window("windows", wiring.centre, ("expose", *exposed), channels.values())
        if wiring.residents:
            ports["proxy"] = self._open_proxy(wiring.residents[0])
        return ports

    def _open_proxy(self, resident: Resident) -> int:
        channel = _listener(PROXY_PORT)
        port = _port(channel)
        self._window("proxy", resident.namespace, ("proxy", str(channel.fileno())), [channel])
        return port

    def _window(self, name: str, namespace: str, argv: tuple[str, ...], channels: Iterable[socket.socket]) -> None:
        program = Program(name, namespace, (sys.executable, "-m", "lab.windows", *argv), "ours")
        processes.start(program, self.folder, tuple(channel.fileno() for channel in channels))
        for channel in channels:
            channel.close()

    def browse(self, resident: str) -> int:
        """Let the host's proxy leave through another resident; its port."""
        found = self.resident(resident)
        old = self.process("proxy")
        processes.end({old.pid: old.started})
        port = self._open_proxy(found)
        about = self.about
        state.tell(self.folder, replace(about, proxied=found.name, windows={**about.windows, "proxy": port}))
        return port

    def resident(self, name: str) -> Resident:
        """The resident called ``SITE/1`` or ``gw-short-r1``; LabError with a suggestion."""
        residents = self.plan.residents
        by_name = {key: resident for resident in residents for key in (resident.name, resident.alias)}
        if name not in by_name:
            raise LabError(f"no resident is called {name}; {_suggest(name, by_name)}")
        return by_name[name]

    def namespace(self, name: str) -> str:
        """The namespace of a resident, a device, ``centre`` or ``inet``; LabError with a suggestion."""
        wiring = self.plan
        known = {full.removeprefix(wiring.prefix): full for full in wiring.namespaces}
        known |= {resident.name: resident.namespace for resident in wiring.residents}
        if name not in known:
            raise LabError(f"nothing here is called {name}; {_suggest(name, known)}")
        return known[name]

    def command(self, name: str, argv: Sequence[str]) -> list[str]:
        """The full command that runs *argv* in the namespace of *name*."""
        return ["ip", "netns", "exec", self.namespace(name), *argv]

    def exec(self, name: str, argv: Sequence[str], timeout_seconds: float = 30) -> subprocess.CompletedProcess[str]:
        """Run *argv* where *name* is, as ``parvis lab exec`` does, and collect what it writes."""
        return subprocess.run(
            self.command(name, argv), capture_output=True, text=True, timeout=timeout_seconds, check=False
        )

    def lease(self, resident: str) -> dict[str, str]:
        """A resident's lease: ip, router, dns, lease and url (option 114)."""
        return debian.lease(self.folder, self.resident(resident))

    def processes(self) -> list[Running]:
        """Every program started, alive or not."""
        return processes.started(self.folder)

    def process(self, name: str) -> Running:
        """The program called *name* (``gw-msp.portal``, ``collectors``); LabError with a suggestion."""
        by_name = {running.program.name: running for running in self.processes()}
        if name not in by_name:
            raise LabError(f"no process is called {name}; {_suggest(name, by_name)}")
        return by_name[name]

    def restart(self, name: str, number: signal.Signals = signal.SIGTERM) -> Running:
        """End a program by a signal and start it again as it was; returns once it does its work."""
        self.stop(name, number)
        running = processes.start(self.process(name).program, self.folder)
        self._wait([running])
        return running

    def stop(self, name: str, number: signal.Signals = signal.SIGTERM) -> None:
        """End a program by a signal and leave it ended."""
        old = self.process(name)
        processes.send(old.pid, old.started, number)
        processes.end({old.pid: old.started})

    def start(self, name: str) -> Running:
        """Start a program that was stopped; returns once it does its work."""
        running = processes.start(self.process(name).program, self.folder)
        self._wait([running])
        return running

    def cut_fibre(self, site: str) -> None:
        """Unplug a site's fibre at the operator's end: the switch's port loses its light, packets get lost."""
        self._fibre(site, up=False)

    def restore_fibre(self, site: str) -> None:
        """Plug a site's fibre in again."""
        self._fibre(site, up=True)

    def _fibre(self, site: str, *, up: bool) -> None:
        wiring = self.plan
        ends = {fibre.site: fibre for fibre in wiring.fibres}
        if site not in ends:
            raise LabError(f"no site is called {site}; {_suggest(site, ends)}")
        network.set_link(ends[site].end.namespace, ends[site].end.interface, up=up)

    def device_off(self, name: str) -> None:
        """Take the power from a switch or an access point: no port has a carrier any more."""
        self._power(name, up=False)

    def device_on(self, name: str) -> None:
        """Give the power back; a simulated access point has then just booted."""
        self._power(name, up=True)

    def _power(self, name: str, *, up: bool) -> None:
        namespace = self.namespace(name)
        for interface in network.interfaces(namespace):
            network.set_link(namespace, interface, up=up)
        if up:
            network.restore(self.plan, namespace)
            self.order(name, "reboot")

    def order(self, device: str, order: str) -> None:
        """Make a simulated agent ``silent``, answer ``garbage``, ``normal`` again, or ``reboot``."""
        if order not in DEVICE_ORDERS:
            raise LabError(f"{order} is no order; there are {', '.join(DEVICE_ORDERS)}")
        self.namespace(device)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.sendto(f"{device} {order}".encode(), str(self.folder / building.ORDERS))

    def flush_nft(self, gateway: str) -> None:
        """What a colleague's ``nft flush ruleset`` on a gateway does."""
        network.run("ip", "netns", "exec", self.namespace(gateway), "nft", "flush", "ruleset")

    def log(self, name: str, lines: int | None = None) -> str:
        """What a program has written; only the last *lines* when given."""
        path = self.folder / "logs" / f"{name}.log"
        if not path.exists():
            known = [file.stem for file in path.parent.glob("*.log")]
            raise LabError(f"no log is called {name}; {_suggest(name, known)}")
        text = path.read_text(errors="replace")
        return text if lines is None else "\n".join(text.splitlines()[-lines:])

    def settings_file(self, name: str) -> Path:
        """The settings file of one of our processes, for further commands of the same room."""
        return self.folder / "settings" / f"{name}.toml"


def _suggest(word: str, known: Iterable[str]) -> str:
    listed = sorted(known)
    close = difflib.get_close_matches(word, listed, n=1, cutoff=0.4)
    return f"did you mean {close[0]}?" if close else f"there are {', '.join(listed) or 'none'}"


def _only_for_root() -> None:
    if os.geteuid() != 0:
        raise LabError("network namespaces need root; run it with sudo")


def _listener(port: int) -> socket.socket:
    """A listener on the host's loopback: on *port*, or on any free one when somebody has it."""
    try:
        return socket.create_server((LOOPBACK, port))
    except OSError:
        return socket.create_server((LOOPBACK, 0))


def _port(channel: socket.socket) -> int:
    return int(channel.getsockname()[1])
