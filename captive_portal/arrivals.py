"""Which devices appeared lately, for the portal that waits for them: a bounded log, questions with a number."""

from collections import deque
from dataclasses import dataclass
from itertools import takewhile

from captive_portal import protocol
from parvis.addresses import MacAddress

MOST = 4096
"""Appearances remembered; a portal that was away longer compares everybody anyway."""


class Arrivals:
    """The log. *first* must be larger than any number a predecessor gave: milliseconds since boot are.

    >>> book = Arrivals(first=1000)
    >>> book.note(MacAddress.parse("02:00:00:00:00:01"))
    >>> book.since(0)
    (1001, [MacAddress(text='02:00:00:00:00:01')])
    >>> book.since(1001)
    (1001, [])
    """

    def __init__(self, first: int) -> None:
        self._last = first
        self._log: deque[tuple[int, MacAddress]] = deque(maxlen=MOST)

    def note(self, mac: MacAddress) -> None:
        """Write down that *mac* appeared."""
        self._last += 1
        self._log.append((self._last, mac))

    def since(self, after: int) -> tuple[int, list[MacAddress]]:
        """The latest number, and who appeared after number *after*, once each; a number from the future means 0."""
        after = after if after <= self._last else 0
        new = [mac for _, mac in takewhile(lambda one: one[0] > after, reversed(self._log))]  # asked at every turn
        return self._last, list(dict.fromkeys(reversed(new)))

    def question(self, asked: protocol.Arrivals, now: float) -> "Question":
        """What *asked* at monotonic *now* becomes: answered as soon as somebody appears."""
        return Question(self, asked.after, now + asked.wait)


@dataclass(frozen=True, slots=True)
class Question:
    """A portal that waits, until monotonic *deadline*."""

    book: Arrivals
    after: int
    deadline: float

    @property
    def working(self) -> bool:
        """Only time, and devices, bring the answer about."""
        return False

    def now(self, monotonic: float) -> bytes | None:
        """The answer, or None to go on waiting."""
        last, found = self.book.since(self.after)
        if not found and monotonic < self.deadline:
            return None
        return protocol.answer({"next": last, "devices": [mac.text for mac in found]})
