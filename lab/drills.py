"""The drills the twin can play: what drills.yml breaks is broken for real, and the monitor's own messages are read."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from lab.naming import LabError
from lab.town import Lab
from parvis.alerts import alerts
from parvis.drills import Drill, drills
from parvis.processes import MONITOR

PAGES = "pages.jsonl"
LOOK_SECONDS = 0.5
PATIENCE_SECONDS = 120.0
"""For the message, and for the all-clear; the twin's waits are shorter than production's."""
INCIDENT = "oncall_incident_opened_timestamp_seconds"
CALLING = ("page", "page-jour")
CALM_SECONDS = 8.0
"""So long after the message nothing else may follow."""
SILENT = "the monitor does not answer; see: parvis lab status, parvis lab logs monitor"


@dataclass(frozen=True, slots=True)
class Seen:
    """One message. *cause*: ``ALERT@SITE``; *kind*: call, all-clear, test."""

    cause: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a drill went in the twin. *seconds*: to the message; *wrong*: what failed, in words."""

    drill: Drill
    seconds: float | None
    wrong: tuple[str, ...]


def playable() -> list[Drill]:
    """The drills the twin can play, in their order."""
    return [drill for drill in drills().values() if drill.twin]


def play(twin: Lab, drill: Drill, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Break what *drill* breaks, wait for the messages it says, and make everything well again.

    It begins when nobody is called for anything: what is open may explain what breaks next, and one cause calls once.
    A monitor that does not answer, before or after, is no calm one.
    """
    if not _until(lambda: _open(twin) == [], PATIENCE_SECONDS):
        return Outcome(drill, None, (f"nothing was broken, for {_words(_open(twin))}",))
    before = len(_messages(twin))
    begun = time.monotonic()
    with ExitStack() as undoing:
        for step in (step for step in drill.steps if step.do in DEEDS):
            for where in [step.where] if step.where else [site.site for site in twin.town.sites]:
                say(f"{step.do} {where}")
                if step.do in UNDO:
                    undoing.callback(DEEDS[UNDO[step.do]], twin, where)
                DEEDS[step.do](twin, where)
            if drill.calls and step is drill.steps[0]:
                _until(lambda: _called(twin, before), PATIENCE_SECONDS)
        seconds = time.monotonic() - begun if _called(twin, before) else None
        time.sleep(CALM_SECONDS)
        calls = _called(twin, before)
        open_then = _open(twin)
    wrong = list(_faults(drill, [call.cause for call in calls]))
    if wrong:
        wrong.append(f"meanwhile {_words(open_then)}")
    elif open_then is None:
        wrong.append(SILENT)
    if drill.calls and not wrong and not _until(lambda: len(_cleared(twin, before)) >= len(calls), PATIENCE_SECONDS):
        wrong.append("no all-clear")
    return Outcome(drill, seconds, tuple(wrong))


def _faults(drill: Drill, called: list[str]) -> Iterator[str]:
    yield from (f"nobody was called for {cause}" for cause in drill.calls if cause not in called)
    yield from (f"somebody was called for {cause}" for cause in called if cause not in drill.calls)
    yield from (f"{called.count(cause)} calls for {cause}" for cause in set(called) if called.count(cause) > 1)


def standing(metrics: str) -> list[str]:
    """The causes of the incidents that are not over and call somebody, from what the monitor exposes."""
    return [
        f"{sample.labels['cause']}@{sample.labels['site']}"
        for family in text_string_to_metric_families(metrics)
        for sample in family.samples
        if sample.name == INCIDENT and sample.labels["severity"] in CALLING
    ]


def _open(twin: Lab) -> list[str] | None:
    """The causes that call somebody now; None while the monitor does not answer."""
    url = f"http://127.0.0.1:{MONITOR.port}/metrics"
    asked = twin.exec("centre", ["curl", "-sS", "--fail", "--max-time", "5", url])
    return None if asked.returncode else standing(asked.stdout)


def _words(causes: list[str] | None) -> str:
    return SILENT if causes is None else f"this is open: {', '.join(causes) or 'nothing'}"


def _until(true: Callable[[], object], patience: float) -> bool:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(LOOK_SECONDS)
    return False


def _called(twin: Lab, since: int) -> list[Seen]:
    return [seen for seen in _messages(twin)[since:] if seen.kind == "call"]


def _cleared(twin: Lab, since: int) -> list[Seen]:
    return [seen for seen in _messages(twin)[since:] if seen.kind == "all-clear"]


def _messages(twin: Lab) -> list[Seen]:
    """Everything the monitor has sent, by its channel of kind file."""
    found = sorted(twin.folder.rglob(PAGES))
    if not found:
        return []
    lines = [json.loads(line) for line in found[0].read_text("utf-8").split("\n") if line.endswith("}")]
    return [
        Seen(
            f"{line['alert']}@{line['site'] if alerts()[line['alert']].scope == 'site' else ''}",
            line["kind"],
            line["text"],
        )
        for line in lines
        if line["alert"] in alerts()
    ]


DEEDS: dict[str, Callable[[Lab, str], None]] = {
    "cut-fibre": Lab.cut_fibre,
    "restore": Lab.restore_fibre,
    "device-off": Lab.device_off,
    "device-on": Lab.device_on,
}
UNDO = {"cut-fibre": "restore", "device-off": "device-on"}


def chosen(names: tuple[str, ...], *, everything: bool) -> list[Drill]:
    """The drills called *names*, or all that the twin can play; LabError when one is none of them."""
    known = {drill.name: drill for drill in playable()}
    for name in names:
        if name not in known:
            raise LabError(f"the twin plays no drill called {name}; it plays {', '.join(known)}")
    return [drill for drill in known.values() if everything or drill.name in names]
