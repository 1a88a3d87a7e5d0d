"""Make what runs agree with what is on disk: start again, in order, each unit whose files differ from those it read.

Which files a unit read is noted after it has started, so that the next run makes good one that was cut short.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from upkeep import places
from upkeep.machine import HANGS, ProgramFailed, ask, lines, must
from upkeep.order import CODE, Part, parts

NOTES = places.STATE / "settled"
ASKED = "ActiveState,ConditionResult,ConditionTimestampMonotonic,UnitFileState"
"""A unit whose condition does not hold (a clock service in a container) is as it should be."""
STARTED_BY_ITSELF = frozenset({"enabled", "static", "indirect"})
"""UnitFileState of what runs after a reboot too; indirect: its socket is what is enabled."""
RELOAD_SECONDS = 30.0
Verb = Literal["start", "restart", "reload", "stop"]


@dataclass(frozen=True, slots=True)
class Seen:
    """A unit as found: what its files say now, what they said when it last started, and whether it is up."""

    part: Part
    now: str
    then: str
    active: bool
    enabled: bool
    wanted: bool = True
    """False for one that was started once and whose sign is gone since: the town has switched it off."""


@dataclass(frozen=True, slots=True)
class Step:
    """What to do to one unit."""

    part: Part
    verb: Verb
    stamp: str

    def __str__(self) -> str:
        return f"{self.verb} {self.part.unit}"


def plan(seen: Iterable[Seen]) -> list[Step]:
    """The steps that make all run on the files that are there; none when all does."""
    steps: list[Step] = []
    for one in seen:
        if not one.wanted:
            steps.append(Step(one.part, "stop", ""))
        elif one.active and one.now != one.then:
            steps.append(Step(one.part, "reload" if one.part.reload else "restart", one.now))
        elif not one.active or not one.enabled:
            steps.append(Step(one.part, "start", one.now))
    return steps


def look(known: Sequence[Part] | None = None, notes: Path = NOTES) -> list[Seen]:
    """The units of this machine, in order; those whose sign is missing are not of it, or no longer."""
    if not places.CONFIGURATION.is_dir():
        return []
    listed = [part for part in known or parts() if part.sign.exists() or (notes / part.unit).exists()]
    return [_seen(part, notes) if part.sign.exists() else _left(part) for part in listed]


def _left(part: Part) -> Seen:
    return Seen(part, "", "", active=False, enabled=False, wanted=False)


def _seen(part: Part, notes: Path) -> Seen:
    told = dict(line.split("=", 1) for line in lines("systemctl", "show", f"--property={ASKED}", part.unit))
    excused = told.get("ConditionResult") == "no" and told.get("ConditionTimestampMonotonic") != "0"
    up = told.get("ActiveState") in {"active", "activating", "reloading"} or excused
    note = notes / part.unit
    then = note.read_text() if note.exists() else ""
    return Seen(part, stamp(part), then, up, told.get("UnitFileState") in STARTED_BY_ITSELF)


def stamp(part: Part, code: Path = CODE) -> str:
    """One hash over the names and contents of what *part* reads, and of the code where it is ours."""
    digest = hashlib.sha256()
    for file in sorted(set(_files(part.reads))):
        digest.update(f"{file}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    if part.ours:
        for about in sorted(code.glob("*/site-packages/*.dist-info/RECORD")):
            digest.update(hashlib.sha256(about.read_bytes()).digest())
    return digest.hexdigest()


def _files(reads: Iterable[Path]) -> Iterator[Path]:
    for path in reads:
        if path.is_dir():
            yield from (file for file in path.rglob("*") if file.is_file())
        elif path.is_file():
            yield path


def carry_out(steps: Sequence[Step], notes: Path = NOTES) -> Iterator[Step]:
    """Do the steps one after the other and give each back when it is done; ProgramFailed at the first that fails."""
    if not steps:
        return
    must("systemctl", "daemon-reload")
    notes.mkdir(parents=True, exist_ok=True, mode=0o700)
    for step in steps:
        try:
            done = _done(step)
        except ProgramFailed as error:
            raise ProgramFailed(f"{error}; journalctl -u {step.part.unit} -n 50 says why") from error
        if step.verb == "stop":
            (notes / step.part.unit).unlink(missing_ok=True)
        else:
            (notes / step.part.unit).write_text(step.stamp)
        yield done


def _done(step: Step) -> Step:
    """*step* carried out; a unit that does not answer when it is to read its files again is started again instead.

    None of those that are only reloaded takes anything from residents when it is started again: rules, addresses stay.
    """
    unit, socket = step.part.unit, step.part.socket
    names = [name for name in (socket, unit) if name]
    if step.verb == "stop":
        ask("systemctl", "disable", "--quiet", *names)  # whose file is gone is not known to it any more, and gone
        ask("systemctl", "stop", *names)
        return step
    must("systemctl", "enable", "--quiet", *names)
    if step.verb == "reload":
        if _reloaded(step.part):
            return step
        step = replace(step, verb="restart")
    if step.verb == "restart" and socket:
        must("systemctl", "start", socket)
    must("systemctl", step.verb, *(names if step.verb == "start" else [unit]))
    return step


def _reloaded(part: Part) -> bool:
    """Whether the unit has read its files again; False when it hangs, or ended while its own program asked it."""
    words = part.ask or ("systemctl", "reload", part.unit)
    answer = ask(*words, seconds=RELOAD_SECONDS)
    if answer.code not in {0, HANGS} and not part.ask:
        raise ProgramFailed(f"{' '.join(words)}: {(answer.complaint or answer.text).strip() or answer.code}")
    return not answer.code
