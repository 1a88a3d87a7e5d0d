"""The thread that sends the spool to InfluxDB, one batch after the other, by influxdb-client's synchronous API.

The client's own batching is not used: it gives lines up after three minutes without a word.
"""

import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Any, Self

from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from collectors.influx.lines import Lines
from collectors.influx.spool import Batch, Spool, SpoolFull
from collectors.influx.verdicts import Verdict, halves, of_status, retry_after
from collectors.sample import Sample
from parvis.running import log, thread_or_exit
from parvis.values import Secret

FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1.0, 60.0
STOPPED_WAIT_SECONDS = 300.0
"""How often a server that says no is asked again, for whoever has mended it meanwhile."""
IDLE_SECONDS = 0.5
MOST_QUARANTINE_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Server:
    """Where to write, and as whom."""

    url: str
    org: str
    bucket: str
    token: Secret
    timeout_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class _Answer:
    verdict: Verdict
    words: str = ""
    wait: float | None = None


class Writer(AbstractContextManager["Writer"]):
    """Start it with ``with``; :meth:`put` may be called from one thread, and never waits for the network."""

    def __init__(self, server: Server, folder: Path, size: int) -> None:
        self._server = server
        self._spool = Spool(folder, size)
        self._quarantine = folder / "refused.txt"
        self._lines = Lines()
        self._stop = Event()
        self._thread = thread_or_exit("influx", self._serve)
        self._client: Any = None
        self._wait = FIRST_WAIT_SECONDS
        self.counts: Counter[str] = Counter()
        """Lines written and refused, and lines the disk would not take, since the start."""
        self.trouble = ""
        """Why nothing is being written now, in a word; empty when all is well."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(self._server.timeout_seconds + 1)
        self._spool.close()

    def put(self, samples: Iterable[Sample]) -> None:
        """Spool *samples*; a disk that takes no more costs these lines, counted, and nothing else."""
        lines = [self._lines.of(sample) for sample in samples]
        try:
            self._spool.add(lines, time.monotonic())
        except SpoolFull as error:
            self.counts["unspooled"] += len(lines)
            log.error("samples cannot be spooled", lines=len(lines), words=str(error))

    def own_samples(self, now: float) -> Iterator[Sample]:
        """What is known of the writing itself, for ``/metrics``."""
        yield Sample("influx_up", (), float(not self.trouble), now)
        yield Sample("influx_spool_bytes", (), self._spool.size, now)
        yield Sample("influx_spool_lines", (), self._spool.lines, now)
        if (since := self._spool.waiting_since()) is not None:
            yield Sample("influx_spool_oldest_timestamp_seconds", (), since, now)
        totals = {**self.counts, "dropped": self._spool.dropped}
        for outcome in ("written", "refused", "dropped", "unspooled"):
            yield Sample("influx_lines_total", (("outcome", outcome),), totals.get(outcome, 0), now)

    def _serve(self) -> None:
        self._client = InfluxDBClient(
            self._server.url,
            token=self._server.token.reveal(),
            org=self._server.org,
            timeout=round(self._server.timeout_seconds * 1000),
            enable_gzip=True,
        )
        with self._client:
            while not self._stop.is_set():
                self._stop.wait(self._turn())

    def _turn(self) -> float:
        """Send the oldest batch if there is one; how long to wait before the next turn, in seconds."""
        try:
            self._spool.settle(time.monotonic())
        except OSError as error:
            return self._unwell(_Answer(Verdict.LATER, f"the spool: {error}"))
        batch = self._spool.oldest()
        if batch is None:
            return IDLE_SECONDS
        answer = self._send_file(batch)
        if answer.verdict is Verdict.TAKEN:
            self._spool.done(batch)
            self._well()
            return 0.0
        return self._unwell(answer)

    def _send_file(self, batch: Batch) -> _Answer:
        try:
            # only this ends a line: names that devices tell may have other characters that Python takes for ends
            lines = batch.path.read_text("utf-8", errors="replace").removesuffix("\n").split("\n")
        except OSError as error:
            log.error("a batch of the spool is lost", words=str(error))
            return _Answer(Verdict.TAKEN)
        return self._send(lines)

    def _send(self, lines: list[str]) -> _Answer:
        """Send *lines*, in halves where the server refuses; a line it refuses alone is set aside."""
        answer = self._post(lines)
        if answer.verdict is Verdict.TAKEN:
            self.counts["written"] += len(lines)
        if answer.verdict is not Verdict.SPLIT:
            return answer
        if len(lines) == 1:
            self._set_aside(lines[0], answer.words)
            return _Answer(Verdict.TAKEN)
        for half in halves(lines):
            outcome = self._send(half)
            if outcome.verdict is not Verdict.TAKEN:
                return outcome  # the whole batch again later: a line written twice is one line
        return _Answer(Verdict.TAKEN)

    def _post(self, lines: list[str]) -> _Answer:
        try:
            writing = self._client.write_api(write_options=SYNCHRONOUS)
            writing.write(self._server.bucket, record="\n".join(lines).encode(), write_precision="ms")
        except ApiException as error:
            header = error.headers.get("Retry-After") if error.headers else None
            return _Answer(of_status(error.status), f"HTTP {error.status}: {error.reason}", retry_after(header))
        except (HTTPError, OSError) as error:
            return _Answer(Verdict.LATER, type(error).__name__)
        return _Answer(Verdict.TAKEN)

    def _set_aside(self, line: str, words: str) -> None:
        self.counts["refused"] += 1
        try:
            if self._quarantine.exists() and self._quarantine.stat().st_size > MOST_QUARANTINE_BYTES:
                self._quarantine.replace(self._quarantine.with_suffix(".old.txt"))
            with self._quarantine.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")
        except OSError as error:
            words = f"{words}; and cannot be kept: {error}"
        if self.counts["refused"] % 1000 == 1:  # a whole spool may be refused
            log.warning("InfluxDB refuses lines for good", kept_in=str(self._quarantine), words=words)

    def _well(self) -> None:
        if self.trouble:
            log.info("InfluxDB takes lines again", waiting=self._spool.lines)
        self.trouble, self._wait = "", FIRST_WAIT_SECONDS

    def _unwell(self, answer: _Answer) -> float:
        if self.trouble != answer.words:
            log.warning("InfluxDB takes no lines", verdict=answer.verdict.value, words=answer.words)
        self.trouble = answer.words
        if answer.verdict is Verdict.STOPPED:
            return STOPPED_WAIT_SECONDS
        wait, self._wait = self._wait, min(self._wait * 2, LONGEST_WAIT_SECONDS)
        return answer.wait if answer.wait is not None else wait * random.uniform(0.5, 1.0)  # noqa: S311 jitter
