"""Takes messages from the outbox to the channels, each in a short process; a failure is the next channel's turn."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self

from monitor.delivery import PROOF_SECONDS, AskProof, Attempt, Done, Result, Send, next_move
from monitor.engine import OnCall, Unknown
from monitor.incidents import NotPossible
from monitor.instruments import MonitorMetrics
from monitor.letters import Letters
from monitor.oncall import Kind
from monitor.programs import ran
from monitor.replies import KEYS, read, sender
from monitor.rounds import Rounds
from monitor.store_oncall import Entries
from parvis.durable import append_text
from parvis.inventory import Channel
from parvis.running import log
from parvis.settings import SecretMissing
from parvis.values import Secret

TASK_SECONDS = 45
CALL_SECONDS = 130
"""To ring, to speak, and to be answered by a key."""
WORKERS = 4
REPLY_SECONDS = 20.0
PAID = ("ovh",)
"""Kinds of channels that are paid by the message."""
ANSWERED = ("gsm", "ovh")
"""Kinds of channels whose messages can be answered."""


class Dispatcher(AbstractContextManager["Dispatcher"]):
    """Looks into the outbox every second; leaves nothing there that a channel has not taken or that nobody needs."""

    def __init__(
        self,
        engine: OnCall,
        letters: Letters,
        metrics: MonitorMetrics,
        secret: Callable[[str], Secret],
        pages_file: Path,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self._letters = letters
        self._metrics = metrics
        self._secret = secret
        self._file = pages_file
        self._clock = clock
        self._flying: set[int] = set()
        self._lock = Lock()
        self._reading = Lock()
        self._replies_at = 0.0
        self._channels: Mapping[str, Channel] = {c.name: c for c in engine.policy.roster.town.channels}
        self._pool = ThreadPoolExecutor(WORKERS, "send")
        self._rounds = Rounds("dispatch", 1.0, self._round, metrics.made).turns

    def __enter__(self) -> Self:
        self._rounds.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._rounds.__exit__(kind, error, trace)
        self._pool.shutdown(wait=True, cancel_futures=True)

    def once(self) -> None:
        """Give every message of the outbox one step, and wait for it: for tests and for the command line."""
        with self._engine.book.look() as entries:
            waiting = [row["id"] for row in entries.waiting()]
        for number in waiting:
            self._step(number)

    def _round(self) -> bool:
        with self._engine.book.look() as entries:
            waiting = [row["id"] for row in entries.waiting()]
        with self._lock:
            ready = [number for number in waiting if number not in self._flying]
            self._flying.update(ready)
        for number in ready:
            self._pool.submit(self._fly, number)
        if not 0 <= self._clock() - self._replies_at < REPLY_SECONDS:  # below 0: the clock was set back
            self._replies_at = self._clock()
            if self._reading.acquire(blocking=False):  # a channel that hangs takes one of the hands, not all
                self._pool.submit(self._listen)
        return True

    def _listen(self) -> None:
        try:
            self.read_replies()
        except Exception:  # noqa: BLE001 the next time is soon
            log.exception("replies not read")
        finally:
            self._reading.release()

    def _fly(self, number: int) -> None:
        try:
            self._step(number)
        except Exception:  # noqa: BLE001 one message's trouble must not end the others
            log.exception("message failed", message=number)
        finally:
            with self._lock:
                self._flying.discard(number)

    def _step(self, number: int) -> None:
        """What is to do next for one message: decided and written down before it is done."""
        now = self._clock()
        with self._engine.book.page() as entries:
            row = entries.message(number)
            if row is None or row["state"] != "waiting":
                return
            tries = entries.attempts_of(number)
            if not self._on_duty(row["person"], now):
                entries.finish(number, "cancelled", now)
                return
            names = [row["only"]] if row["only"] else self._engine.policy.channels_of(row["person"])
            move = next_move(tries, names, _begins(entries, row), now)
            if row["kind"] == Kind.TEST and tries and _failed_test(tries[-1], now):
                entries.finish(number, "failed", now)
                entries.remember(f"test/{row['person']}/{tries[-1].channel}", {"at": now, "result": Result.FAILED})
                return
            if isinstance(move, Done):
                entries.finish(number, "done", now)
            attempt = entries.start(number, move.channel, now) if isinstance(move, Send) else 0
        if isinstance(move, Send):
            self._ended(row, attempt, move.channel, self._send(row, move.channel))
        elif isinstance(move, AskProof):
            task = {"do": "prove", "reference": move.attempt.reference}
            said = self._run(move.attempt.channel, row["person"], task)
            if said["result"] != Result.ACCEPTED:
                self._ended(row, move.attempt.number, move.attempt.channel, said)

    def _on_duty(self, name: str, now: float) -> bool:
        duty = self._engine.policy.roster.duty(self._engine.policy.local(now))
        return any(person.name == name for person in duty.values())

    def _ended(self, row: Mapping[str, Any], attempt: int, channel: str, said: Mapping[str, Any]) -> None:
        result, now = Result(said["result"]), self._clock()
        known = {"proves": said["proves"], "reference": said["reference"], "detail": said["detail"]}
        with self._engine.book.page() as entries:
            entries.ended(attempt, result, now, **known)
            if row["incident"]:
                entries.note(row["incident"], now, f"sent-{result}", row["person"], channel)
            if row["kind"] == Kind.TEST:
                entries.remember(f"test/{row['person']}/{channel}", {"at": now, "result": result})
            if result is Result.PROVED or (result is Result.ACCEPTED and not said["proves"]):
                entries.finish(row["id"], "done", now)
        if row["kind"] == Kind.CALL and (event := KEYS.get(said.get("pressed", ""))):
            with suppress(Unknown, NotPossible):
                self._engine.act(row["incident"], event, row["person"], now, "téléphone")
        self._metrics.made.counter("oncall_messages_total").labels(channel, result.value).inc()
        log.info("message", incident=row["incident"], kind=row["kind"], channel=channel, result=result.value)

    def _send(self, row: dict[str, Any], channel: str) -> Mapping[str, Any]:
        kind = self._channels[channel].kind if channel in self._channels else ""
        message = self._letters.write(row, channel, self._clock(), replies=kind in ANSWERED, plain=kind == "ovh")
        if kind == "file":
            return self._note_down(row, message.short)
        task = {"do": "send", **asdict(message)}
        found: Mapping[str, Any] = self._run(channel, row["person"], task)
        return found

    def _note_down(self, row: Mapping[str, Any], text: str) -> Mapping[str, Any]:
        facts = self._letters.facts(row)
        at = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds")
        line = {"time": at, **facts, "kind": row["kind"], "person": row["person"], "text": text}
        try:
            append_text(self._file, json.dumps(line, ensure_ascii=False) + "\n")
        except OSError as error:
            return {"result": "failed", "proves": False, "reference": "", "detail": str(error)}
        return {"result": "accepted", "proves": False, "reference": "", "detail": ""}

    def _run(self, name: str, person: str, task: dict[str, Any]) -> Any:
        """Let a process of its own do *task* with a channel; whatever goes wrong is a failure of the channel."""
        channel = self._channels.get(name)
        if channel is None:
            return _failed(f"no channel is called {name}")
        who = self._engine.policy.roster.person(person) if person else None
        named = getattr(channel, "secret", None)
        try:
            secret = self._secret(named.replace("{person}", person)).reveal() if named else ""
        except SecretMissing as error:
            return _failed(str(error))
        to = {"phone": who.phone, "email": who.email, "person": who.name} if who else {}
        full = {**task, "channel": channel.model_dump(mode="json"), "secret": secret, "to": to}
        words = [sys.executable, "-OO", "-m", "monitor.sending"]
        try:
            seconds = CALL_SECONDS if channel.kind == "sip" else TASK_SECONDS
            done = ran(words, json.dumps(full), seconds)
            done.check_returncode()
            return json.loads(done.stdout)
        except (subprocess.SubprocessError, OSError, ValueError) as error:
            return _failed(type(error).__name__)

    def credits(self) -> dict[str, float]:
        """What each channel that is paid by the message says it has left; one that does not say is left out."""
        told = {c.name: self._run(c.name, "", {"do": "credit"}) for c in self._channels.values() if c.kind in PAID}
        return {name: float(said["credit"]) for name, said in told.items() if "credit" in said}

    def read_replies(self) -> None:
        """Do what was answered from numbers of the rota; strangers are counted and let be."""
        for channel in self._channels.values():
            if channel.kind in ANSWERED:
                found = self._run(channel.name, "", {"do": "replies"})
                for reply in found if isinstance(found, list) else []:
                    self._metrics.made.counter("oncall_replies_total").labels(self._done(reply)).inc()

    def _done(self, reply: Mapping[str, str]) -> str:
        """What became of *reply*; one that cannot be written down takes no other with it."""
        try:
            return self._answered(reply)
        except Exception:  # noqa: BLE001 it is gone at the channel: who sent it presses the link, or is called again
            log.exception("reply not done")
            return "failed"

    def _answered(self, reply: Mapping[str, str]) -> str:
        now = self._clock()
        who = sender(reply["number"], self._engine.policy.roster.town.people)
        wanted = read(reply["text"])
        if who is None or wanted is None:
            return "stranger" if who is None else "unclear"
        with self._engine.book.look() as entries:
            number = wanted.number or entries.last_call(who.name)
            called = any(row["person"] == who.name for row in entries.pages_of(number))
        if not called:
            return "stranger"
        try:
            self._engine.act(number, wanted.event, who.name, now, "SMS")
        except (Unknown, NotPossible):
            return "too-late"
        return "done"


def _begins(entries: Entries, row: Mapping[str, Any]) -> int:
    """How many channels further than the first a message begins: each call to a person is one more, each level too."""
    if row["kind"] != Kind.CALL:
        return 0
    own = [one for one in entries.pages_of(row["incident"]) if one["kind"] == Kind.CALL and one["id"] < row["id"]]
    same = [one for one in own if one["person"] == row["person"] and one["round"] == row["round"]]
    return len(same) + int(row["level"]) - 1


def _failed_test(attempt: Attempt, now: float) -> bool:
    """Whether a test has failed: the channel did not take it, or has not proved in time what it says it can prove.

    A test has one channel and one try: what matters is whether it works, not that the message arrives.
    """
    if attempt.result is Result.ACCEPTED and attempt.proves:
        return now - (attempt.ended_at or attempt.started_at) >= PROOF_SECONDS
    return attempt.result is Result.FAILED


def _failed(detail: str) -> dict[str, Any]:
    return {"result": "failed", "proves": False, "reference": "", "detail": detail}
