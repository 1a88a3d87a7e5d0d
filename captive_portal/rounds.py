"""The doorkeeper's rounds: who has a session, and what has to be seen to each second. One thread walks them."""

from collections.abc import Callable, Collection, Iterable, Mapping

from captive_portal import equipment, store_directives, store_terms, store_usage
from captive_portal.admission import Block, Deny, Wanted
from captive_portal.figures import Figures
from captive_portal.outcomes import ENDINGS
from captive_portal.protocol import Truth
from captive_portal.register import People, Register
from captive_portal.remote import Door
from captive_portal.session import WORTH_SECONDS, Event, Now, Session, anchored
from captive_portal.standing import Standing
from captive_portal.store import Book, Live, Store, StoreFailed
from captive_portal.timeline import Note
from captive_portal.timeline import Step as Seen
from captive_portal.turn import Law, Turn
from captive_portal.usage import Usage
from parvis import heap
from parvis.addresses import MacAddress
from parvis.running import log

READ_EVERY = 300
PURGE_EVERY = 12
"""Ticks until the sessions in memory are compared with the disk; comparisons until old proofs are deleted."""
SAVE_EVERY = 20
"""Readings of the counters until the bytes used are written down."""
SAME_SECONDS = 60.0
"""The wall clock may be steered while a session runs; its end and the building's closing are the same still."""
COUNT_SECONDS = 15.0
"""How often the kernel's counters are read, where there is an idle time or a quota."""


class Rounds:
    """What the doorkeeper knows. Methods raise StoreFailed and GatewayAway; then nothing of theirs has happened."""

    def __init__(
        self,
        store: Store,
        door: Door,
        law: Law,
        clock: Callable[[], Now],
        note: Note,
        figures: Figures,
        doubts: Callable[[], str],
    ) -> None:
        self._store, self._door, self._law, self._clock = store, door, law, clock
        self._note, self._figures, self._doubts = note, figures, doubts
        self.register, self._usage = Register(), Usage()
        self.slowed: set[int] = set()
        """Numbers of the sessions that are over their quota."""
        self._known = equipment.numbers(law.rules.known)
        self._meters = law.policy.idle is not None or law.policy.quota is not None
        self._ticks, self._next_reading, self._readings = 0, 0, 0
        self._blocked: Collection[str] = frozenset()
        """Keys of the devices whose sessions were ended because staff block them."""
        self._next_count, self._counts, self._untidy, self._tidy_due = 0.0, 0, False, False
        self._unwritten: dict[int, Session] = {}
        self._begun: dict[int, float] = {}
        """When each session that began since the start did, in seconds since boot."""
        self.corrected = 0
        """How often the sessions in memory turned out not to be those on disk."""

    def tick(self) -> None:
        """A round was walked to its end."""
        self._ticks += 1

    def standing(self, mac: MacAddress, truth: Truth | None = None) -> Standing:
        """How *mac* stands with the door; *truth*, what the kernel says of its session, makes its bytes exact."""
        if mac in self._known:
            return Standing(known=True)
        now, live = self._clock(), self.register.standing(mac)
        around = self._law.rules.about(mac, now, len(self.register))
        refused, until = around.refusal(self._law.policy, online=live is not None) or (None, None)
        closing, length = around.closing(now), self._law.policy.session
        if live is None:
            closes = around.changes if closing < length else None
            return Standing(refused, until, remembered=refused is None and self._remembers(mac, now), closes=closes)
        granted, remaining = min(length, closing), live.session.remaining(now, self._law.policy)
        longer = granted > remaining + WORTH_SECONDS or granted == length
        return Standing(
            refused,
            until,
            slowed=live.number in self.slowed,
            bytes_left=self._bytes_left(live.number, truth),
            may_extend=longer and refused is None,
            closes=around.changes if abs(closing - remaining) <= SAME_SECONDS else None,
        )

    def _bytes_left(self, number: int, truth: Truth | None) -> int | None:
        if self._law.policy.quota is None:
            return None
        exact = truth is not None and truth.session == number
        counted = self._usage.before(number) + truth.bytes_up + truth.bytes_down if exact and truth else 0
        return max(0, self._law.policy.quota - max(counted, self._usage.used(number)))

    def _remembers(self, mac: MacAddress, now: Now) -> bool:
        returning = self._law.returning
        if returning is None or returning.seconds <= 0:
            return False
        try:
            with self._store.transaction() as book:
                return returning.recall(book, mac, "", now) is not None
        except StoreFailed:  # it is asked to tap; whether that can be stored, the doorkeeper says
            return False

    def turn(self, book: Book) -> Turn:
        """Decisions to take in *book*'s transaction."""
        return Turn(book, self.register, self._law, self._clock(), self.slowed)

    def committed(self, turn: Turn) -> None:
        """What *turn* decided is on disk: remember it."""
        for live in self.register.commit().values():
            self._unwritten.pop(live.number if live else 0, None)
            if live is not None:
                self._begun.setdefault(live.number, turn.now.since_boot)
            if live is not None and self._meters:
                self._usage.begin(live.number, turn.now.since_boot)
                self._usage.asked(live.number, turn.now.since_boot)
        for number in turn.gone:
            self._over(number, turn.now.since_boot)
        for mac, event in turn.ended:
            self._figures.ended(event)
            self._note(mac, ENDINGS[event])

    def denied(self, macs: Iterable[MacAddress]) -> None:
        """The sessions of *macs* were ended, on disk, by what others have told."""
        for mac in macs:
            if live := self.register.standing(mac):
                self._over(live.number, self._clock().since_boot)
            self.register.remove(mac)
        self.register.commit()

    def _over(self, number: int, since_boot: float) -> None:
        self._usage.end(number)
        begun = self._begun.pop(number, None)
        if begun is not None:
            self._figures.lasted(since_boot - begun)
        self.slowed.discard(number)

    def read(self, *, doubtful: bool) -> None:
        """Read the live sessions from disk: at the start, when *doubtful*, and now and then to be sure."""
        if self._ticks < self._next_reading and not doubtful:
            return
        now = self._clock()
        with heap.uncollected():
            with self._store.transaction() as book:
                agreed = self._readings > 0 and self.register.agrees(book.each_live())
                found = {} if agreed else self._anchored(book.live(), now)
            if not agreed:
                self._take(found, now)
        self._untidy = self._untidy or self._readings % PURGE_EVERY == 0
        self._tidy_due = self._untidy and not doubtful
        self._next_reading, self._readings = self._ticks + READ_EVERY, self._readings + 1

    def tidy(self) -> None:
        """Erase what is over, when it is time, in the file itself; a full disk, which can be read, fails nothing.

        To be called once the kernel admits everybody: after a reboot residents wait for that, and for this nobody.
        """
        if not self._tidy_due:
            return
        now, doubts, self._tidy_due = self._clock(), self._doubts(), False
        try:
            with self._store.transaction() as book:
                self._erase(book, now, doubts)
            self._store.settle()
        except StoreFailed as error:
            log.error("what is over could not be erased; it is tried again", words=str(error))
            return
        self._untidy = False

    def _erase(self, book: Book, now: Now, doubts: str) -> None:
        """Delete what is over; no proof, figure or order by a clock in doubt, for they would not come back."""
        waiting = book.old(now) if doubts else 0
        self._figures.waiting(waiting)
        if waiting:
            log.error("proofs are over by a clock that is not believed: none is erased", count=waiting, why=doubts)
        if not doubts:
            book.purge(now)
            store_usage.erase(book.connection, now.wall)
            store_directives.erase(book.connection, now.wall)
            store_terms.erase(book.connection, now.wall)
        if self._law.returning:
            self._law.returning.purge(book, now)

    def _anchored(self, found: dict[MacAddress, Live], now: Now) -> dict[MacAddress, Live]:
        """*found* on this boot's clock."""
        elsewhere = {
            mac: Live(live.number, anchored(live.session, now=now, policy=self._law.policy), live.used)
            for mac, live in found.items()
            if live.session.boot != now.boot
        }
        self._unwritten = {live.number: live.session for live in elsewhere.values()}
        return found | elsewhere

    def _take(self, found: dict[MacAddress, Live], now: Now) -> None:
        """Remember what the disk says instead of what was remembered."""
        different = self.register.replace(found)
        self.corrected += bool(different)
        if different and self._ticks:
            log.error("the sessions in memory were not those on disk", sessions=different)
        for live in found.values() if self._meters else ():
            self._usage.begin(live.number, now.since_boot, live.used)
        if (quota := self._law.policy.quota) is not None:  # known before the first counter is read
            self.slowed |= {live.number for live in found.values() if live.used >= quota}

    def anchor(self) -> None:
        """Write down the deadlines of another boot's sessions on this boot's clock, once the kernel admits them."""
        if self._unwritten:
            with self._store.transaction() as book:
                book.reschedule(self._unwritten)
            self._unwritten = {}

    def sweep(self) -> None:
        """End the sessions that are over, and those that staff's orders end."""
        now = self._clock()
        over = {m: live for m, live in self.register.items() if live.session.deadline <= now.since_boot}
        everybody = bool(len(self.register)) and self._law.rules.closed(now) > 0
        orders = self._law.rules.blocked(now)
        blocked = self._online(orders) if orders.keys() - self._blocked else {}
        if not over and not everybody and not blocked:
            self._blocked = orders.keys()
            return
        with self._store.transaction() as book:
            turn = self.turn(book)
            turn.end(over, turn.over)
            rest = {mac: live for mac, live in self.register.items() if mac not in over}
            turn.end({mac: rest.pop(mac) for mac in blocked if mac in rest}, Event.REVOKED)
            turn.end(rest if everybody else {}, Event.CLOSED)
        self._blocked = orders.keys()  # not before: what could not be written is tried again
        self.committed(turn)
        self._door.apply([Deny(mac) for mac, _ in turn.ended if mac not in blocked])
        self._door.apply([Block(mac, seconds) for mac, seconds in blocked.items()])

    def _online(self, blocked: Mapping[str, float]) -> dict[MacAddress, float]:
        """Devices that are online although they are *blocked* (keys -> seconds), and for how many seconds."""
        key = self._law.rules.key
        return {mac: max(1.0, blocked[k]) for mac, _ in self.register.items() if (k := key(mac)) in blocked}

    def wanted(self, now: Now) -> Mapping[MacAddress, Wanted]:
        """Whom the kernel should admit."""
        known = equipment.wanted(self._known, now.since_boot, self._law.policy)
        return People(self.register, self.slowed, self._law.policy, known)

    def count(self, now: Now) -> None:
        """Read the kernel's counters, when there is a limit to compare them with; end and slow by them."""
        policy = self._law.policy
        if not self._meters or now.since_boot < self._next_count:
            return
        counted = self._door.counters_soon()
        if counted is None:
            return  # who accepts is not kept waiting for 20,000 of them
        self._usage.saw(counted, now.since_boot)
        self._next_count = now.since_boot + min(COUNT_SECONDS, (policy.idle or COUNT_SECONDS) / 4)
        idle = self.register.of(set(self._usage.silent(policy.idle, now.since_boot))) if policy.idle else {}
        over = set(self._usage.over(policy.quota)) - self.slowed if policy.quota else set()
        self._counts += 1
        if not idle and not over and self._counts % SAVE_EVERY:
            return
        with self._store.transaction() as book:
            turn = self.turn(book)
            turn.end(idle, Event.IDLE)
            book.spent(unsaved := self._usage.unsaved())
        self._usage.saved(unsaved)
        slow = {mac: live for mac, live in self.register.of(over).items() if mac not in idle}
        self.committed(turn)
        self._slow(slow, turn)
        self._door.apply([Deny(mac) for mac in idle])

    def _slow(self, sessions: dict[MacAddress, Live], turn: Turn) -> None:
        """Give *sessions* the rates of those who are over their quota; counters and time go on."""
        turn.slowed = self.slowed | {live.number for live in sessions.values()}
        self._door.apply([turn.allow(mac, live) for mac, live in sessions.items()])
        self.slowed = turn.slowed
        for mac in sessions:
            self._note(mac, Seen.SLOWED)
