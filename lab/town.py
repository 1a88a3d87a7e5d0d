"""The twin as an object: up, down, exec, faults. The command line and the tests both use this."""

import json
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lab import building, debian, network, openings, processes, rooms, state
from lab.agents.faults import FAULTS
from lab.building import Options
from lab.naming import LabError, called
from lab.plan import Plan, Resident, plan
from lab.processes import Program, Running
from lab.windows import PROXY
from parvis.inventory import AccessPoint, Town

DEMO_ACCOUNT = "demo"

Say = Callable[[str], None]


class AlreadyUp(LabError):
    """The twin runs; nothing was changed."""


class Lab:
    """The twin whose state is in *folder*."""

    def __init__(self, folder: Path = state.DEFAULT_FOLDER) -> None:
        self.folder = folder

    @property
    def about(self) -> state.About:
        """What is told about the running twin; LabError when none runs."""
        _only_for_root()
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
            self._refuse_when_up(options.prefix)
            lacking = debian.missing(options.without, shared=options.shared)
            if lacking:
                raise LabError(f"not installed: {', '.join(lacking)}; apt-get install {' '.join(lacking.values())}")
            self._clear()
            try:
                with state.readable():
                    return self._build(options, say)
            except BaseException:
                self._clear()
                raise

    def down(self, prefix: str = "") -> bool:
        """End and remove everything; False when there was nothing. *prefix*: namespaces whose folder is gone."""
        _only_for_root()
        with state.locked(self.folder):
            there = self.folder.exists() or bool(prefix and network.existing(prefix))
            self._clear(prefix)
            return there

    def _refuse_when_up(self, prefix: str) -> None:
        state.refuse_strange(self.folder)
        about = state.told(self.folder)
        if network.existing(prefix) and (about is None or about.prefix != prefix):
            words = f"namespaces called {prefix}… exist, but {self.folder} knows nothing of them"
            raise LabError(f"{words}; take another --prefix, or remove them: parvis lab down --prefix {prefix}")
        if about is None or not about.complete:
            return
        found = processes.started(self.folder)
        ended = [running.program.name for running in found if not running.alive]
        if len(ended) < len(found):
            words = f"; ended since: {', '.join(ended)}" if ended else ""
            raise AlreadyUp(f"the lab is up{words}; nothing was changed (parvis lab status, parvis lab down)")

    def _clear(self, prefix: str = "") -> None:
        """End and remove what our folder tells of, and what is called *prefix*."""
        about = state.told(self.folder)
        for name in filter(None, {prefix, about.prefix if about else ""}):
            running = {run.pid: run.started for run in processes.started(self.folder) if run.alive}
            inside = {pid: processes.start_ticks(pid) for pid in processes.inhabitants(network.existing(name))}
            processes.end({**running, **{pid: ticks for pid, ticks in inside.items() if ticks is not None}})
            network.remove(name)
        state.remove(self.folder)

    def _build(self, options: Options, say: Say) -> float:
        begun = time.monotonic()
        about = state.About(options.prefix, options.residents, "", complete=False, seconds=0.0, windows={})
        state.create(self.folder, about)
        town, wiring = building.prepare(options, self.folder)
        network.build(wiring)
        say(f"{time.monotonic() - begun:5.1f} s  {len(wiring.namespaces)} namespaces, {len(wiring.wires)} wires")
        for stage in building.stages(town, wiring, options, self.folder):
            self._start(stage.programs)
            say(f"{time.monotonic() - begun:5.1f} s  {stage.title}: {len(stage.programs)} programs ready")
        if options.windows:
            self._open_windows(openings.usual(wiring, options.without), next(iter(wiring.residents), None))
        seconds = time.monotonic() - begun
        state.tell(self.folder, replace(self.about, complete=True, seconds=seconds))
        return seconds

    def _start(self, programs: Sequence[Program]) -> list[Running]:
        running = [processes.start(program, self.folder) for program in programs]
        processes.wait(running, self.folder)
        return running

    def _open_windows(self, wanted: Mapping[str, int], resident: Resident | None) -> dict[str, int]:
        """Open the windows *wanted*, the proxy leaving through *resident*, and tell of the ports they got."""
        windows = openings.open_windows(self.plan, wanted, resident, self.folder)
        state.tell(self.folder, replace(self.about, windows=windows, proxied=resident.name if resident else ""))
        return windows

    def demo_account(self) -> tuple[str, str, str]:
        """Make an account of the staff console: its name, its password, and what to scan with a phone."""
        password = secrets.token_urlsafe(12)
        return DEMO_ACCOUNT, password, self.account(DEMO_ACCOUNT, "administrator", password)

    def account(self, name: str, role: str, password: str) -> str:
        """Make an account of the staff console; what its command prints."""
        return rooms.add_account(self.folder, name, role, password)

    def browse(self, resident: str) -> int:
        """Let the host's proxy leave through another resident; its port. The other windows move with it."""
        found = self.resident(resident)
        self.stop(openings.PROGRAM)
        return self._open_windows(self.about.windows, found)[PROXY]

    def resident(self, name: str) -> Resident:
        """The resident called ``SITE/1`` or ``gw-short-r1``; LabError with a suggestion."""
        residents = self.plan.residents
        by_name = {key: resident for resident in residents for key in (resident.name, resident.alias)}
        return called(name, by_name, "resident")

    def namespace(self, name: str) -> str:
        """The namespace of a resident, a device, ``centre`` or ``inet``; LabError with a suggestion."""
        wiring = self.plan
        known = {full.removeprefix(wiring.prefix): full for full in wiring.namespaces}
        known |= {resident.name: resident.namespace for resident in wiring.residents}
        return called(name, known, "place")

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
        return called(name, {running.program.name: running for running in self.processes()}, "process")

    def restart(self, name: str, number: signal.Signals = signal.SIGTERM) -> Running:
        """End a program by a signal and start it again as it was; returns once it does its work."""
        self.stop(name, number)
        return self.start(name)

    def stop(self, name: str, number: signal.Signals = signal.SIGTERM) -> None:
        """End a program by a signal and leave it ended."""
        processes.stop(self.process(name), number)

    def start(self, name: str) -> Running:
        """Start a program that was stopped; returns once it does its work."""
        if name == openings.PROGRAM:
            about = self.about
            self._open_windows(about.windows, self.resident(about.proxied) if about.proxied else None)
            return self.process(name)
        return self._start([self.process(name).program])[0]

    def cut_fibre(self, site: str) -> None:
        """Unplug a site's fibre at the operator's end: the switch's port loses its light, packets get lost."""
        self._fibre(site, up=False)

    def restore_fibre(self, site: str) -> None:
        """Plug a site's fibre in again."""
        self._fibre(site, up=True)

    def _fibre(self, site: str, *, up: bool) -> None:
        end = called(site, {fibre.site: fibre for fibre in self.plan.fibres}, "site").end
        network.set_link(end.namespace, end.interface, up=up)

    def device_off(self, name: str) -> None:
        """Take the power from a switch or an access point: no port has a carrier any more."""
        self._power(name, up=False)

    def device_on(self, name: str) -> None:
        """Give the power back; the device has then just booted."""
        self._power(name, up=True)

    def _power(self, name: str, *, up: bool) -> None:
        namespace = self.namespace(name)
        for interface in network.interfaces(namespace):
            network.set_link(namespace, interface, up=up)
        if not up:
            return
        network.restore(self.plan, namespace)
        if name in self._simulated():
            self.fault(name, "reboot")
        else:
            self.restart(f"{name}.snmpd")

    def fault(self, device: str, fault: str, value: float | None = None, seconds: float | None = None) -> None:
        """Have a simulated device suffer *fault* (lab.agents.faults) for *seconds*; LabError with a suggestion."""
        called(fault, FAULTS, "fault of a simulated device")
        self._order({"device": device, "fault": fault, "value": value, "seconds": seconds})

    def heal(self, device: str) -> None:
        """Have a simulated device be as its vendor's again."""
        self._order({"device": device})

    def _order(self, order: Mapping[str, Any]) -> None:
        called(order["device"], self._simulated(), "simulated agent")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            try:
                channel.sendto(json.dumps(order).encode(), str(self.folder / building.ORDERS))
            except OSError as error:
                words = "the simulated devices do not run; start them with: parvis lab restart simulated"
                raise LabError(f"{words} ({error.strerror})") from error

    def _simulated(self) -> dict[str, AccessPoint]:
        return {point.name: point for site in self.town.sites for point in site.access_points}

    def flush_nft(self, gateway: str) -> None:
        """What a colleague's ``nft flush ruleset`` on a gateway does."""
        network.run("ip", "netns", "exec", self.namespace(gateway), "nft", "flush", "ruleset")

    def log(self, name: str, lines: int | None = None) -> str:
        """What a program has written; only the last *lines* when given."""
        called(name, {file.stem: file for file in (self.folder / "logs").glob("*.log")}, "log")
        return processes.last_lines(self.folder, name, lines)


def _only_for_root() -> None:
    if os.geteuid() != 0:
        raise LabError("network namespaces need root; run it with sudo")
