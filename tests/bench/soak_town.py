"""The shell of the soak: does what the plan says to the twin, looks at it, and writes down every broken promise."""

import random
import shutil
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import TimeoutExpired

from soak_checks import Growth, Page, page_faults, stale
from soak_door import memory
from soak_plan import Deed
from soak_watch import descriptors, drift, sample_ages
from table import machine

from actors import PORTAL, Resident
from lab import network
from lab.plan import End
from lab.processes import DidNotStart
from lab.town import Lab

CALM_SECONDS = 15.0
"""After the end of a trouble, until everything must be as if it had not been."""
PATIENCE_SECONDS = 8.0
YOUNG_SECONDS = 60.0
"""A page made that shortly before the end may still be under way."""
LOOKS = {"memory": 10.0, "drift": 7.0, "samples": 11.0}
PAGES = """SELECT p.incident, p.kind, p.person, p.round, p.step, p.state, p.made_at, count(a.id),
 coalesce(min(a.started_at), 0), coalesce(max(a.started_at), 0) FROM pages p
 LEFT JOIN attempts a ON a.page = p.id AND a.result IN ('accepted', 'proved') GROUP BY p.id"""


@dataclass
class Belief:
    """What a resident has done: None where a fault leaves it open whether the acceptance arrived."""

    accepted: bool | None = False
    since: float = 0.0


@dataclass
class Soak:
    """The twin under load, and what was seen."""

    lab: Lab
    seed: int
    broken: list[str] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    looked: Counter[str] = field(default_factory=Counter)
    growth: dict[str, Growth] = field(default_factory=dict)
    kills: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.started = time.monotonic()
        self.beliefs = {resident.name: Belief() for resident in self.lab.plan.residents}
        self.ends: list[tuple[float, str, Callable[[], object]]] = []
        self.troubled: dict[str, float] = {}
        self.due = dict.fromkeys(LOOKS, 0.0)
        self.interval = 5.0

    # ---- what happens

    def do(self, deed: Deed) -> None:
        """Carry out one deed of the plan; what is impossible at the moment is counted as passed over."""
        self.end_what_is_due()
        with self.reported(deed):
            act: Callable[[Deed], bool] = getattr(self, f"do_{deed.what.replace('-', '_')}")
            self.done[deed.what if act(deed) else f"{deed.what}, passed over"] += 1

    @contextmanager
    def reported(self, deed: Deed) -> Iterator[None]:
        try:
            yield
        except (DidNotStart, TimeoutExpired, network.CommandFailed) as error:
            self.breaks(f"{deed.what} {deed.whom}: {type(error).__name__}: {str(error)[:300]}")

    def do_accept(self, deed: Deed) -> bool:
        belief = self.beliefs[deed.whom]
        if belief.accepted is not False:
            return self.do_glance(deed)
        site = deed.whom.partition("/")[0]
        calm = self.calm(site)
        try:
            Resident(self.lab, deed.whom).accepts()
            belief.accepted = True
        except AssertionError as error:
            belief.accepted = None
            if calm and self.calm(site):
                self.breaks(f"{deed.whom} could not accept: {str(error)[:200]}")
        belief.since = time.monotonic()
        return True

    def do_leave(self, deed: Deed) -> bool:
        belief = self.beliefs[deed.whom]
        if belief.accepted is False:
            return False
        try:
            Resident(self.lab, deed.whom).leaves()
        except AssertionError:  # not online for the moment, or its acceptance never arrived
            belief.accepted = None
            return False
        belief.accepted, belief.since = False, time.monotonic()
        return True

    def do_glance(self, deed: Deed) -> bool:
        site = deed.whom.partition("/")[0]
        if not self.calm(site):
            return False
        page = Resident(self.lab, deed.whom).opens(PORTAL).page
        if page.status != 200 and self.calm(site):
            self.breaks(f"{deed.whom} got no page: {page.status} {page.error}")
        return True

    def do_wander(self, deed: Deed) -> bool:
        """The phone leaves one access point and is at the next: its port loses the carrier for a moment."""
        space = self.lab.resident(deed.whom).namespace
        ends = next((one, other) for one, other in self.wires() if space in {one.namespace, other.namespace})
        far = next(end for end in ends if end.namespace != space)
        network.set_link(far.namespace, far.interface, up=False)
        time.sleep(0.3)
        network.set_link(far.namespace, far.interface, up=True)
        self.beliefs[deed.whom].since = time.monotonic()
        return True

    def wires(self) -> list[tuple[End, End]]:
        return [(wire.one, wire.other) for wire in self.lab.plan.wires]

    def do_kill(self, deed: Deed) -> bool:
        if any(whom == deed.whom for _, whom, _ in self.ends) or not self.lab.process(deed.whom).alive:
            return False
        self.lab.stop(deed.whom, signal.SIGKILL)
        if deed.whom == "monitor":
            self.kills.append(time.time())
        self.trouble(self.place(deed.whom), deed.seconds)
        self.later(deed.seconds, deed.whom, lambda: self.revive(deed.whom))
        return True

    def revive(self, name: str) -> None:
        self.lab.start(name)
        self.trouble(self.place(name), 0.0)

    def place(self, process: str) -> str:
        """The site a process works for, or its own name for one of the centre's."""
        gateway = process.partition(".")[0]
        return next((site.site for site in self.lab.town.sites if site.gateway.name == gateway), process)

    def do_device(self, deed: Deed) -> bool:
        self.lab.fault(deed.whom, deed.word, None, deed.seconds)
        self.trouble(deed.whom, deed.seconds)
        return True

    def do_ap_off(self, deed: Deed) -> bool:
        self.lab.device_off(deed.whom)
        self.trouble(deed.whom, deed.seconds)
        self.later(deed.seconds, deed.whom, lambda: self.lab.device_on(deed.whom))
        return True

    def do_cut_fibre(self, deed: Deed) -> bool:
        self.lab.cut_fibre(deed.whom)
        site = self.lab.town.site(deed.whom)
        for name in (deed.whom, *(device.name for device in site.polled())):
            self.trouble(name, deed.seconds)
        self.later(deed.seconds, deed.whom, lambda: self.lab.restore_fibre(deed.whom))
        return True

    def do_flush_nft(self, deed: Deed) -> bool:
        self.lab.flush_nft(deed.whom)
        self.trouble(self.place(deed.whom), 0.0)
        return True

    def later(self, seconds: float, whom: str, act: Callable[[], object]) -> None:
        self.ends.append((time.monotonic() + seconds, whom, act))

    def end_what_is_due(self) -> None:
        """Mend what was broken for long enough, and start the dead again."""
        for end in sorted(self.ends, key=lambda each: each[0]):
            due, whom, act = end
            if due > time.monotonic():
                return
            self.ends.remove(end)
            with self.reported(Deed(0, "the end of the trouble of", whom)):
                act()

    def trouble(self, place: str, seconds: float) -> None:
        until = time.monotonic() + seconds + CALM_SECONDS
        self.troubled[place] = max(self.troubled.get(place, 0.0), until)

    def calm(self, place: str) -> bool:
        """Whether nothing has been wrong with *place* for a while."""
        return self.troubled.get(place, 0.0) < time.monotonic() and all(place != whom for _, whom, _ in self.ends)

    # ---- what is looked at

    def look(self) -> None:
        """One look at one resident, and at whatever else is due."""
        self.end_what_is_due()
        self.look_at(self.dice.choice(list(self.beliefs)))
        for what, every in LOOKS.items():
            if time.monotonic() >= self.due[what]:
                self.due[what] = time.monotonic() + every
                self.looked[what] += 1
                getattr(self, f"look_at_{what}")()

    def look_at(self, name: str) -> None:
        belief, phone = self.beliefs[name], Resident(self.lab, name)
        self.looked["residents"] += 1
        if belief.accepted is False and phone.is_online():
            self.breaks(f"{name} is online without an acceptance")
        if belief.accepted and not self.is_online(phone, belief):
            self.breaks(f"{name} has accepted and is not online")
            belief.accepted = None

    def is_online(self, phone: Resident, belief: Belief) -> bool:
        """With patience; and what is in trouble is not judged."""
        site = phone.name.partition("/")[0]
        limit = time.monotonic() + PATIENCE_SECONDS
        while not phone.is_online():
            self.end_what_is_due()
            if not self.calm(site) or time.monotonic() - belief.since < PATIENCE_SECONDS:
                return True
            if time.monotonic() > limit:
                return False
        return True

    def look_at_memory(self) -> None:
        """Each program's own process: what it starts for a moment, a visit or an odd device, comes and goes."""
        for run in self.lab.processes():
            if run.program.kind == "ours" and run.alive:
                with suppress(OSError):
                    megabytes = memory(run.pid)["pss_kb"] / 1024
                    self.growth.setdefault(run.program.name, Growth()).note(run.pid, megabytes, descriptors(run.pid))

    def look_at_drift(self) -> None:
        for site in self.lab.town.sites:
            if self.calm(site.site):
                found = drift(self.lab, str(site.gateway.address))
                if found and self.calm(site.site):
                    self.breaks(f"{site.site}: store and kernel differ by {found:g}")

    def look_at_samples(self) -> None:
        if self.calm("collectors"):
            for words in stale(sample_ages(self.lab), self.interval):
                self.breaks(f"stale and not said so: {words}")

    # ---- the end

    def rest(self) -> None:
        """Wait until everything is mended and calm, look at everybody once more, and read the on-call book."""
        while self.ends or any(until > time.monotonic() for until in self.troubled.values()):
            self.end_what_is_due()
            self.look()
        for name in self.beliefs:
            self.look_at(name)
        for words in page_faults(self.pages(), self.kills):
            self.breaks(words)
        for name, growth in sorted(self.growth.items()):
            for words in growth.faults(name):
                self.breaks(words)

    def pages(self) -> list[Page]:
        file = self.lab.folder / "centre" / "monitor" / "oncall.sqlite"
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as book:
            rows = book.execute(PAGES).fetchall()
        old = time.time() - YOUNG_SECONDS
        return [Page(*row[:6], *row[7:]) for row in rows if row[6] < old or row[5] == "done"]

    def breaks(self, words: str) -> None:
        at = f"{time.monotonic() - self.started:7.1f} s  {words}"
        print(at, flush=True)
        self.broken.append(at)

    def report(self, seed: int, hours: float) -> str:
        """The run in tables."""
        lines = [f"# Soak of {hours:g} h, seed {seed}", "", machine(), "", "| what happened | times |", "|---|---|"]
        lines += [f"| {what} | {count} |" for what, count in sorted(self.done.items())]
        lines += [f"| looks at {what} | {count} |" for what, count in sorted(self.looked.items())]
        lines += [f"| messages to staff | {len(self.pages())} |"]
        lines += ["", "| process | starts | MB, second quarter and last | descriptors, most |", "|---|---|---|---|"]
        for name, growth in sorted(self.growth.items()):
            starts, early, late, most = growth.summary
            lines.append(f"| {name} | {starts} | {early}, {late} | {most} |")
        verdict = f"{len(self.broken)} promises broken" if self.broken else "No promise was broken."
        return "\n".join([*lines, "", verdict, *self.broken])

    def keep(self, folder: Path) -> None:
        """Copy what tells why."""
        shutil.copytree(self.lab.folder / "logs", folder / "logs", dirs_exist_ok=True)
        shutil.copytree(
            self.lab.folder / "centre", folder / "centre", dirs_exist_ok=True, ignore_dangling_symlinks=True
        )
