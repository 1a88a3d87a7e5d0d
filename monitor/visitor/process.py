"""The visitor's process: small, because it only waits; each visit is a process of its own that ends.

``parvis visitor`` starts it; this module is what that command becomes.
"""

import http.client
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from monitor.visitor.watch import Ear, Program
from monitor.within import exchanged
from parvis import heap
from parvis.launch import handed
from parvis.running import log, notify, start_logging

VISIT_SECONDS = 60.0
CHILDREN: list["subprocess.Popen[str]"] = []
"""The visit that is being made; a signal ends it."""
POST_SECONDS = 5.0
AGAIN_SECONDS = 15.0
MOST_AGAIN = 3
"""A visit that failed is made again soon, so often: what lasts is known sooner, and what was one bad moment as well."""


@dataclass
class Place:
    """One site's residents' network, as this machine sees it. *orders*: what a visit is told of it."""

    site: str
    namespace: str
    interface: str
    orders: dict[str, Any]
    ear: Ear | None = None
    gateway: str = ""
    told: str = field(default="", repr=False)
    """What was last logged as wrong."""
    due: float = 0.0
    again: int = 0
    """Visits in a row that failed and were followed by another one soon."""

    def rests(self, now: float, interval: float) -> None:
        """Say when the next visit is due, by how the last one went (*now*: the monotonic clock's)."""
        soon = bool(self.told) and self.again < MOST_AGAIN
        self.again = self.again + 1 if soon else self.again if self.told else 0
        self.due = now + min(AGAIN_SECONDS, interval) if soon else max(self.due + interval, now)

    def listen(self) -> Ear | None:
        """The ear, opened when it can be."""
        if self.ear is None:
            try:
                self.ear = Ear(self.namespace, self.interface)
            except OSError as error:
                self.say(f"cannot listen: {error}")
        return self.ear

    def say(self, wrong: str) -> None:
        """Log *wrong* once, and that it is over."""
        if wrong != self.told:
            (log.warning if wrong else log.info)("visit", site=self.site, wrong=wrong or "nothing any more")
            self.told = wrong

    def visit(self) -> dict[str, Any]:
        """One visit; its report for the monitor."""
        ear = self.listen()
        frames = ear.taken() if ear else []
        dropped, told = ear.dropped if ear else 0, self._walked(frames)
        self.gateway = told.pop("gateway", "") or self.gateway
        program: Program = told.pop("program", ())
        if ear is not None:
            ear.arm(program)
        failed = next((f"{step['name']}: {step['wrong']}" for step in told["steps"] if step["wrong"]), "")
        self.say(failed)
        return {"site": self.site, **told, "frames": len(frames), "frames_dropped": dropped}

    def _walked(self, frames: list[bytes]) -> dict[str, Any]:
        argv = ["ip", "netns", "exec", self.namespace, sys.executable, "-P", "-OO", "-m", "monitor.visitor.walk"]
        orders = {**self.orders, "frames": [frame.hex() for frame in frames], "gateway": self.gateway}
        try:
            told: dict[str, Any] = json.loads(_ran(argv, json.dumps(orders)))
        except (OSError, ValueError) as error:
            wrong = f"the visit could not be made: {error}"[:200]
            return {"steps": [{"name": "visit", "seconds": 0.0, "wrong": wrong}], "hazards": {}}
        return told


def _ran(argv: list[str], given: str) -> str:
    """What a program of ours says; OSError with its last words when it fails or does not end."""
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, text=True, process_group=0) as child:  # noqa: S603 our own
        CHILDREN.append(child)
        try:
            said, complained = child.communicate(given, VISIT_SECONDS)
        except subprocess.TimeoutExpired as error:
            os.killpg(child.pid, signal.SIGKILL)  # with the visit that it has begun
            raise OSError("it did not end in time") from error
        finally:
            CHILDREN.remove(child)
    if child.returncode:
        raise OSError((complained.strip().splitlines() or [f"exit code {child.returncode}"])[-1])
    return said


def serve(facts: dict[str, Any], stopped: Callable[[], bool]) -> None:
    """Visit each place every *interval* seconds, spread over it, sooner after a failure; listen in between."""
    places, interval = [Place(**one) for one in facts["places"]], facts["interval"]
    for number, place in enumerate(places):
        place.due = time.monotonic() + number * interval / len(places)
        place.listen()
    while not stopped():
        place = min(places, key=lambda one: one.due)
        hear(places, max(0.0, place.due - time.monotonic()))
        if time.monotonic() >= place.due and not stopped():
            post(facts["monitor_url"], facts["token"], place.visit())
            place.rests(time.monotonic(), interval)
            heap.give_back()
    for ear in (place.ear for place in places if place.ear):
        ear.close()


def hear(places: list[Place], seconds: float) -> None:
    """Take in frames for at most *seconds*, at most a second, so that a signal is soon heard."""
    ears = {place.ear: place for place in places if place.ear}
    for ear in select.select(ears, [], [], min(seconds, 1.0))[0]:
        try:
            ear.listen()
        except OSError as error:  # the interface went down, or is gone: the next visit listens anew
            log.info("listens no more until the next visit", site=ears[ear].site, error=error.strerror)
            ear.close()
            ears[ear].ear = None


def post(url: str, token: str, report: dict[str, Any]) -> None:
    """Give *report* to the monitor; one that cannot be given is lost, the next is a minute away."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    try:
        status, words = exchanged(
            f"{url}/visits", POST_SECONDS, method="POST", body=json.dumps(report), headers=headers, most=300
        )
        if status != http.client.NO_CONTENT:
            log.warning("the monitor refuses a visit", status=status, words=words.decode("utf-8", "replace").strip())
    except (OSError, http.client.HTTPException) as error:
        log.warning("the monitor does not take a visit", error=str(error) or type(error).__name__)


def main() -> None:
    """Serve until SIGTERM."""
    facts = handed("visitor")
    start_logging("visitor", facts["log_level"])
    heap.keep_small()
    asked: list[int] = []

    def stop(number: int, _frame: object) -> None:
        asked.append(number)
        for child in CHILDREN:
            child.terminate()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    notify("READY=1")
    log.info("started", places=len(facts["places"]))
    serve(facts, lambda: bool(asked))
    log.info("stopped")


if __name__ == "__main__":
    main()
