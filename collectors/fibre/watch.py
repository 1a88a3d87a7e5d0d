"""Keeps the town's light: reads the board once a minute, remembers days on disk, and tells losses, drift and trends."""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from collectors.board import Board
from collectors.fibre import reference
from collectors.fibre.history import History, Light, Unreadable, from_json
from collectors.fibre.module import DIRECTIONS, THRESHOLD
from collectors.fibre.reference import Reference, ReferenceFault
from collectors.fibre.span import Link, losses
from collectors.fibre.trend import Trend, trend
from collectors.poller import Outlet
from collectors.sample import Labels, Sample
from parvis.durable import write_whole
from parvis.running import Turns, log

WATCHED = {*DIRECTIONS, THRESHOLD}
LOOK_SECONDS = 60.0
SAVE_SECONDS = 600.0
FILE = "days.json"
FRESH_SECONDS = 600.0
"""Both ends of a link are compared when they were read within this time."""


class Watch:
    """The light of a town's modules; run its *turns* beside the poller. *folder* keeps days and references.

    *outlet*: where what it finds goes beside the metrics, each time it looks.
    """

    def __init__(self, links: Sequence[Link], board: Board, folder: Path, outlet: Outlet | None = None) -> None:
        self._links, self._board, self._folder, self._outlet = links, board, folder, outlet
        self._history = load_history(folder)
        self._now: dict[Light, tuple[float, float, Labels]] = {}
        self._low: dict[Light, float] = {}
        self._trends: dict[Light, Trend | None] = {
            light: trend(self._history.points(light)) for light in self._history.days
        }
        self._references: dict[Light, Reference] = {}
        self._read_from = 0.0
        self._saved = time.monotonic()
        self._samples: tuple[Sample, ...] = ()
        self.turns = Turns("optics", self._turn, last=self._save)

    def own_samples(self, now: float) -> Iterator[Sample]:
        """What is known of the light beyond the devices' own words; of *now*, Unix time in seconds."""
        del now
        yield from self._samples

    def _turn(self) -> float:
        self.look(time.time())
        if time.monotonic() - self._saved > SAVE_SECONDS:
            self._save()
        return LOOK_SECONDS

    def look(self, now: float) -> None:
        """Read the board, the references, and work out what is told from now on."""
        closed = [self._take(sample) for sample in self._light() if now - sample.at < FRESH_SECONDS]
        if any(closed):
            self._trends = {light: trend(self._history.points(light)) for light in self._history.days}
        self._now = {light: found for light, found in self._now.items() if now - found[0] < FRESH_SECONDS}
        self._read_references()
        self._samples = tuple(self._told(now))
        if self._outlet:
            self._outlet(list(self._samples))

    def _light(self) -> Iterator[Sample]:
        for standing in self._board.standings():
            if standing.polled:
                found = standing.polled.samples
                parts = (part for part in found.parts if part.layout.metric in WATCHED)
                yield from replace(found, parts=tuple(parts))

    def _take(self, sample: Sample) -> bool:
        labels = dict(sample.labels)
        device, port, lane = labels.get("device", ""), labels.get("port", ""), labels.get("lane", "")
        if sample.metric == THRESHOLD:
            if labels.get("which") == "rx_low_warn":
                self._low[Light(device, port, "", "rx")] = sample.value
            return False
        light = Light(device, port, lane, DIRECTIONS[sample.metric])
        base = tuple(pair for pair in sample.labels if pair[0] not in {"port", "lane"})
        self._now[light] = (sample.at, sample.value, base)
        return self._history.note(light, sample.at, sample.value)

    def _read_references(self) -> None:
        path = self._folder / reference.FILE
        try:
            changed = path.stat().st_mtime if path.exists() else 0.0
            if changed == self._read_from:
                return
            self._read_from = changed
            found = reference.load(self._folder)
        except ReferenceFault as error:
            log.warning("references of the optics are faulty", fault=str(error))
            found = error.good
        except (OSError, UnicodeError) as error:
            log.warning("references of the optics cannot be read; those known before count", error=str(error))
            return
        self._references = reference.latest(found)

    def _told(self, now: float) -> Iterator[Sample]:
        for light, (_, dbm, base) in sorted(self._now.items()):
            place = [("port", light.port), *([("lane", light.lane)] if light.lane else [])]
            yield from self._of_one(light, dbm, (*base, *place), now)
        powers = {light: found[1] for light, found in self._now.items()}
        for link in self._links:
            yield from _losses(link, powers, now)

    def _of_one(self, light: Light, dbm: float, where: Labels, now: float) -> Iterator[Sample]:
        way = ("direction", light.direction)
        taken = self._references.get(light)
        if taken:
            yield Sample("optical_reference_dbm", (*where, way), taken.dbm, now)
            yield Sample("optical_drift_db", (*where, way), round(dbm - taken.dbm, 3), now)
        line = self._trends.get(light)
        if line:
            yield Sample("optical_trend_db_per_month", (*where, way), round(line.db_per_month, 4), now)
        low = self._low.get(light._replace(lane=""))
        left = line.seconds_to(low) if line and low is not None else None
        if left is not None:
            yield Sample("optical_low_warning_remaining_seconds", where, left, now)

    def _save(self) -> None:
        self._saved = time.monotonic()
        try:
            save_history(self._folder, self._history)
        except OSError as error:
            log.warning("the days of the optics were not written", folder=str(self._folder), error=str(error))


def _losses(link: Link, powers: dict[Light, float], now: float) -> Iterable[Sample]:
    where = (("town", link.town), ("site", link.site), ("uplink", link.name))
    for loss in losses(link, powers):
        lane = (("lane", loss.lane),) if loss.lane else ()
        yield Sample("optical_span_loss_db", (*where, *lane, ("direction", loss.direction)), loss.db, now)


def read_history(folder: Path) -> History:
    """The days kept in *folder*; Unreadable when the file is not one of ours."""
    try:
        return from_json(json.loads((folder / FILE).read_text("utf-8")))
    except FileNotFoundError:
        return History()
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise Unreadable(f"no JSON: {error}") from error


def load_history(folder: Path) -> History:
    """The days kept in *folder*. A file that is not one is set aside, named in the log, and days begin anew."""
    path = folder / FILE
    try:
        return read_history(folder)
    except Unreadable as error:
        aside = path.with_suffix(".unreadable")
        path.replace(aside)
        log.warning("the days of the optics are unreadable and were set aside", file=str(aside), error=str(error))
        return History()


def save_history(folder: Path, history: History) -> None:
    """Write the days whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    write_whole(folder / FILE, json.dumps(history.as_json()))
