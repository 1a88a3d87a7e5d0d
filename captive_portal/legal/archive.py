"""The archive at the centre: fetches what the gateways seal, erases what is over, reports.

``parvis archive`` becomes it. It holds no key that opens stores A or B.
"""

import ssl
import time
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from captive_portal.legal import erasing, orders, report, retention
from captive_portal.legal.cases import Cases
from captive_portal.legal.clock_marks import ClockDoubted, Witness
from captive_portal.legal.collecting import Collector, Gateway, GatewaySilent
from captive_portal.legal.ledger import newest_day
from captive_portal.legal.officers import Journal, journal_in
from captive_portal.legal.retention import Day
from captive_portal.legal.segment import Store
from parvis.endpoint import Endpoint
from parvis.instruments import VERSION, Definition, Instruments, registry_of
from parvis.launch import handed
from parvis.running import Turns, hold, log, start_logging

TIDY_SECONDS = 3600.0


@dataclass(slots=True)
class Keeper:
    """Erases and reports. *signer* is the town's private key, *clock* what is asked before anything is destroyed."""

    folder: Path
    keys: Path
    holds: Path
    cases: Cases
    reports: Path
    journal: Journal
    signer: bytes
    clock: Witness

    def due(self, today: date) -> list[Day]:
        """The days that are over on *today* and held by no order."""
        return retention.due(erasing.days_in(self.folder, self.keys), orders.read(self.holds), today)

    def purge(self, today: date, by: str = "") -> list[Day]:
        """Erase what is over on *today*: days, cases, old months of the journal; what was erased, journaled.

        ClockDoubted when days would go by a clock that is not believed; then nothing does. *by*: who answers for it.
        """
        gone, doubts = self.due(today), self.clock.doubts()
        if doubts and by:
            self.journal.note(by, "clock", how=f"answered for it, though {doubts}")
        elif doubts:
            if gone:
                raise ClockDoubted(doubts, len(gone))
            return gone
        if by:
            self.clock.remember(by)
        else:
            self.clock.remember_if_it_can_be()
        erasing.erase(gone, self.folder, self.keys)
        closed = self.cases.purge(today)
        self.journal.audit.tidy(today)
        if gone or closed:
            how = f"{len(gone)} days of a store, {len(closed)} cases"
            self.journal.note("parvis", "purge", how=how)
        return gone

    def counts(self, today: date) -> dict[str, Any]:
        """What there is."""
        return report.counts(self.folder, self.keys, orders.read(self.holds), today)

    def report(self, today: date) -> dict[str, Any]:
        """Write the report of *today*; what it says."""
        said = report.facts(self.folder, self.keys, orders.read(self.holds), today)
        report.write(self.reports, said, self.signer, forget=not self.clock.doubts())
        return said


@dataclass(slots=True)
class Archive:
    """The rounds."""

    keeper: Keeper
    collector: Collector
    gateways: Sequence[Gateway]
    town: str
    instruments: Instruments
    seconds: float

    def collect(self) -> float:
        """One round at every gateway; seconds until the next."""
        today = datetime.now(UTC).date()
        for gateway in self.gateways:
            try:
                self.collector.fetch(gateway, today)
            except GatewaySilent as error:
                log.warning("a gateway's evidence could not be collected", site=gateway.site, words=str(error))
                self.instruments.counter("archive_rounds_total").labels("failed").inc()
                continue
            self.instruments.counter("archive_rounds_total").labels("done").inc()
            stamp = self.instruments.gauge("archive_collected_timestamp_seconds")
            stamp.labels(self.town, gateway.site).set(time.time())
        return self.seconds

    def tidy(self) -> float:
        """Erase, report, count; seconds until the next time. What goes wrong here ends no collecting."""
        try:
            self._tidy(datetime.now(UTC).date())
        except Exception:  # noqa: BLE001 the alert EffacementEnRetard counts from the last time
            log.exception("the archive could not be tidied")
        return TIDY_SECONDS

    def _tidy(self, today: date) -> None:
        refused = 0
        try:
            self.keeper.purge(today)
        except ClockDoubted as error:
            log.error("nothing is erased", words=str(error))
            refused = error.days
        else:
            self.instruments.gauge("archive_erased_timestamp_seconds").set(time.time())
        self.instruments.gauge("archive_erasing_refused_days").set(refused)
        self._count(self.keeper.counts(today), today)
        if not report.is_written(self.keeper.reports, today):
            self._judge(self.keeper.report(today))

    def _count(self, said: dict[str, Any], today: date) -> None:
        for letter, one in said["stores"].items():
            oldest = (today - date.fromisoformat(one["oldest"])).days if one["oldest"] else 0
            self.instruments.gauge("archive_oldest_days").labels(letter).set(oldest)
            self.instruments.gauge("archive_overdue_days").labels(letter).set(one["overdue"])
            self.instruments.gauge("archive_bytes").labels(letter).set(one["bytes"])
        self.instruments.gauge("archive_holds").set(len(said["holds"]))

    def _judge(self, said: dict[str, Any]) -> None:
        for gateway in self.gateways:
            broken = [one for one in said["chains"] if one["gateway"] == gateway.name and one["broken"]]
            self.instruments.gauge("archive_chain_broken").labels(self.town, gateway.site).set(len(broken))
            for one in broken:
                log.error("a chain of evidence is broken", site=gateway.site, store=one["store"], words=one["broken"])


def run(facts: dict[str, Any]) -> None:
    """Collect until a signal. *facts* are those of :func:`captive_portal.legal.commands.archive_facts`."""
    start_logging("archive", facts["log_level"])
    registry, instruments = registry_of("archive", [Definition(**entry) for entry in facts["metrics"]])
    folder, keys = Path(facts["folder"]), Path(facts["keys"])
    context = ssl.create_default_context(cafile=facts["authority"])
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    keeper = Keeper(
        folder,
        keys,
        Path(facts["holds"]),
        Cases(Path(facts["cases"])),
        Path(facts["reports"]),
        journal_in(Path(facts["journal"])),
        b64decode(facts["signer"]),
        Witness(Path(facts["clock"]), partial(newest_day, folder)),
    )
    gateways = [Gateway(**one) for one in facts["gateways"]]
    collector = Collector(folder, keys, facts["token"], context)
    archive = Archive(keeper, collector, gateways, facts["name"], instruments, facts["seconds"])
    for result in ("done", "failed"):
        instruments.counter("archive_rounds_total").labels(result)
    for gateway in gateways:
        instruments.gauge("archive_collected_timestamp_seconds").labels(facts["name"], gateway.site)
    for store in Store:
        instruments.gauge("archive_overdue_days").labels(store.value)
    turns = [Turns("tidy", archive.tidy), Turns("collect", archive.collect, patience=15.0)]
    hold([*turns, Endpoint((facts["listen"], facts["port"]), registry)], version=VERSION, port=facts["port"])


if __name__ == "__main__":
    run(handed("archive"))
