"""The gateway's recorder as a process of its own: CAP_NET_ADMIN to hear the kernel, its own user, files of its own.

``parvis evidence`` starts it; this module is what that command becomes.
"""

import os
import select
import time
from base64 import b64decode
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from functools import partial
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from captive_portal.clock import moment
from captive_portal.legal import erasing, fd_store, listening, retention, time_signal
from captive_portal.legal.clock_marks import Witness
from captive_portal.legal.conntrack import Guests, Reader
from captive_portal.legal.handing_over import Counter
from captive_portal.legal.injunction import Choice
from captive_portal.legal.ledger import Ledger, names_in, newest_day
from captive_portal.legal.listening import Ear
from captive_portal.legal.recorder import Clocks, Recorder, Stores
from captive_portal.legal.segment import Store
from captive_portal.legal.spool import Spool
from captive_portal.tls import TlsServer
from parvis.endpoint import Endpoint
from parvis.instruments import VERSION, Definition, Instruments, registry_of
from parvis.launch import handed
from parvis.reserve import Reserve
from parvis.running import Turns, hold, log, start_logging, thread_or_exit

GATHER_SECONDS = 0.1
"""What comes is taken in gulps: a look at the socket for each connection would cost more than the connection."""
IDLE_SECONDS = 1.0
TIDY_SECONDS = 600.0
CLOCKS = Clocks(time_signal.wall, time_signal.steady, time_signal.truth)


class Loop(AbstractContextManager["Loop"]):
    """The recorder's thread; a fault ends the process, systemd starts it, and the kernel's words wait meanwhile."""

    def __init__(self, recorder: Recorder, wanted: Callable[[], None]) -> None:
        self._recorder, self._wanted = recorder, wanted
        self._leaving = False
        self._thread = thread_or_exit("recorder", self._run)

    def __enter__(self) -> Self:
        self._wanted()
        self._recorder.start()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving = True
        self._thread.join()
        self._recorder.stop()

    def _run(self) -> None:
        while not self._leaving:
            select.select([one.fileno() for one in self._recorder.ears], [], [], IDLE_SECONDS)
            self._wanted()
            self._recorder.turn()
            time.sleep(GATHER_SECONDS)


class Traffic:
    """Begins and ends store B with the injunction: the choice says the days, the day says whether.

    A clock that has *jumped* ends nothing: what the law wants recorded would be lost for as long as it is wrong.
    """

    def __init__(
        self,
        recorder: Recorder,
        choice: Choice,
        ledger: Callable[[], Ledger],
        instruments: Instruments,
        jumped: Callable[[], str],
    ) -> None:
        self._recorder, self._choice, self._ledger, self._jumped = recorder, choice, ledger, jumped
        self._recording = instruments.gauge("evidence_traffic_recorded")
        self._left = instruments.gauge("evidence_injunction_days_left")
        self._ear: Ear | None = None

    def __call__(self) -> None:
        """Make it so for today (UTC)."""
        today = datetime.now(UTC).date()
        wanted = self._choice.in_force(today)
        if wanted and self._ear is None:
            self._begin(listening.connections())
        if not wanted and self._ear is not None and not self._jumped():
            self._recorder.openings.now()
            self._recorder.turn()
            self._recorder.ears.remove(self._ear)
            self._ear.close()
            self._ear = None
            self._recorder.stores.traffic = None
        self._recording.set(self._ear is not None)
        self._left.set(float("nan") if (left := self._choice.days_left(today)) is None else left)

    def inherit(self, ear: Ear | None) -> None:
        """Go on with a predecessor's socket."""
        if ear is not None:
            self._begin(ear)

    def _begin(self, ear: Ear) -> None:
        self._ear = ear
        self._recorder.stores.traffic = self._ledger()
        self._recorder.ears.append(ear)
        self._recorder.openings.all()
        fd_store.keep("connections", ear.fileno())


def run(facts: dict[str, Any]) -> None:
    """Record until a signal. *facts* are those of :func:`captive_portal.legal.commands.evidence_facts`."""
    start_logging("evidence", facts["log_level"])
    registry, instruments = registry_of("evidence", [Definition(**entry) for entry in facts["metrics"]])
    folder, keys = Path(facts["folder"]), Path(facts["keys"])
    reserve = Reserve(folder / "reserve", facts["reserve"])
    reserve.fill()

    def ledger(store: Store) -> Ledger:
        master = b64decode(facts["masters"][store.value])
        made = Ledger(folder, keys, facts["gateway"], store, master, reserve)
        instruments.counter("evidence_torn_blocks_total").inc(made.torn)
        return made

    _zeros(instruments)
    recorder, connections = _recorder(facts, instruments, ledger)
    witness = Witness(Path(facts["clock"]), partial(newest_day, folder))
    choice = Choice(**facts["choice"])
    traffic = Traffic(recorder, choice, lambda: ledger(Store.TRAFFIC), instruments, witness.jumped)
    traffic.inherit(connections)
    components: list[AbstractContextManager[Any]] = [
        Loop(recorder, traffic),
        Turns("tidy", lambda: _tidy(folder, keys, reserve, instruments, witness)),
    ]
    components += _counter(facts, (folder, keys), instruments)
    checks = {"evidence": lambda: recorder.wrong}
    components.append(Endpoint((facts["listen"], facts["port"]), registry, checks))
    hold(components, version=VERSION, town=facts["town"], site=facts["site"], port=facts["port"])


def _recorder(
    facts: dict[str, Any], instruments: Instruments, ledger: Callable[[Store], Ledger]
) -> tuple[Recorder, Ear | None]:
    """The recorder, with what a predecessor has left; and the predecessor's ear for connections."""
    left = fd_store.kept(os.environ, os.getpid())
    spool, sets = Spool(left.get("spool")), listening.sets(left.get("sets"))
    connections = listening.connections(left["connections"]) if "connections" in left else None
    fd_store.keep("spool", spool.handle) if "spool" not in left else None
    fd_store.keep("sets", sets.fileno()) if "sets" not in left else None
    network6 = IPv6Network(facts["guest6"]) if facts["guest6"] else None
    gateway6 = IPv6Address(facts["gateway6"]).packed if facts["gateway6"] else b""
    made = Recorder(
        stores=Stores(ledger(Store.SOURCE), ledger(Store.SECURITY)),
        ears=[sets],
        spool=spool,
        reader=Reader(Guests(IPv4Address(facts["about"]["public"]).packed, network6, gateway6)),
        clocks=CLOCKS,
        instruments=instruments,
        about={**facts["about"], "version": VERSION, "boot": moment().boot},
        terms=facts["terms"],
        inherited={"spool", "sets"} <= left.keys(),
    )
    return made, connections


def _counter(
    facts: dict[str, Any], folders: Sequence[Path], instruments: Instruments
) -> list[AbstractContextManager[Any]]:
    """What the archive fetches from; nothing without a certificate for it."""
    handing = facts["handing"]
    if handing is None:
        log.warning("no certificate: the centre cannot collect from here")
        return []
    asked = instruments.counter("evidence_handed_requests_total")
    counter = Counter(folders, handing["token"], lambda result: asked.labels(result).inc())
    address = (handing["address"], handing["port"])
    return [TlsServer(address, counter.app(), Path(handing["certificate"]), Path(handing["key"]), threads=2)]


def _zeros(instruments: Instruments) -> None:
    for source in listening.Source:
        instruments.counter("evidence_lost_total").labels(source.name.lower())
    for store in Store:
        instruments.counter("evidence_blocks_total").labels(store.value)
    for result in ("done", "refused"):
        instruments.counter("evidence_handed_requests_total").labels(result)


def _tidy(folder: Path, keys: Path, reserve: Reserve, instruments: Instruments, witness: Witness) -> float:
    """Erase what is old, take the reserve back when there is room again; seconds until the next time."""
    today = datetime.now(UTC).date()
    due = retention.due(erasing.days_in(folder, keys), (), today)
    doubts, gone = witness.doubts(), 0
    if due and doubts:
        log.error("days are over by a clock that is not believed: nothing is erased", count=len(due), why=doubts)
    else:
        gone = erasing.erase(due, folder, keys)
        instruments.gauge("evidence_erased_timestamp_seconds").set(time.time())
    if not doubts:
        witness.remember_if_it_can_be()
    instruments.gauge("evidence_erasing_refused_days").set(len(due) - gone)
    instruments.counter("evidence_erased_days_total").inc(gone)
    for store in Store:
        days: list[date] = [one.day for one in names_in(folder, store)]
        oldest = (today - min(days)).days if days else 0
        instruments.gauge("evidence_oldest_days").labels(store.value).set(oldest)
    instruments.gauge("evidence_reserve_held").set(reserve.fill())
    if gone:
        log.info("days were erased", count=gone)
    return TIDY_SECONDS


if __name__ == "__main__":
    run(handed("evidence"))
