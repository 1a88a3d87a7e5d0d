"""What sessions have used, by the kernel's counters: who is silent, who is over the quota. No clock, no kernel.

The kernel counts from zero when its sets were emptied (a reboot, a flush); what was counted before is carried on.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from captive_portal.protocol import Counted


@dataclass(slots=True)
class Meter:
    """One session: bytes before the kernel last counted from zero, bytes it counts now, when they last moved.

    *saved*: how many of them are written down.
    """

    before: int
    counted: int
    moved: float
    saved: int
    read: bool = False
    """Whether the kernel's counter was read since this meter is kept."""

    @property
    def total(self) -> int:
        """Bytes in both directions, IP headers included."""
        return self.before + self.counted


class Usage:
    """The meters of all sessions, by session number."""

    def __init__(self) -> None:
        self._meters: dict[int, Meter] = {}

    def begin(self, number: int, since_boot: float, before: int = 0) -> None:
        """Keep a meter for a session from now on; *before* bytes were written down as used.

        The kernel may still count some of them: the first reading says how many.
        """
        self._meters.setdefault(number, Meter(before, 0, since_boot, before))

    def asked(self, number: int, since_boot: float) -> None:
        """Whose page asked for more time is there, whatever the counters say."""
        if number in self._meters:
            self._meters[number].moved = since_boot

    def end(self, number: int) -> None:
        """Keep it no longer."""
        self._meters.pop(number, None)

    def saw(self, counted: Iterable[Counted], since_boot: float) -> None:
        """Take note of what the kernel counts, read at *since_boot* seconds since boot."""
        for one in counted:
            meter = self._meters.get(one.session)
            total = one.bytes_up + one.bytes_down
            if meter is None:
                continue
            if not meter.read:
                meter.before, meter.read = max(0, meter.before - total), True
            if total == meter.counted:
                continue
            if total < meter.counted:
                meter.before += meter.counted
            meter.counted, meter.moved = total, since_boot

    def used(self, number: int) -> int:
        """Bytes a session has used so far, as far as they were read."""
        meter = self._meters.get(number)
        return meter.total if meter else 0

    def before(self, number: int) -> int:
        """Bytes used before the kernel last counted from zero."""
        meter = self._meters.get(number)
        return meter.before if meter else 0

    def silent(self, seconds: float, since_boot: float) -> list[int]:
        """Sessions without a byte for *seconds*.

        A byte that moved between two readings counts as moved at the second, so nobody is cut early.

        >>> usage = Usage()
        >>> usage.begin(7, 100.0)
        >>> usage.silent(60, 159.0), usage.silent(60, 160.0)
        ([], [7])
        """
        return [number for number, meter in self._meters.items() if since_boot - meter.moved >= seconds]

    def over(self, quota: int) -> list[int]:
        """Sessions that have used *quota* bytes or more."""
        return [number for number, meter in self._meters.items() if meter.total >= quota]

    def unsaved(self) -> list[tuple[int, int]]:
        """(number, bytes) of every session whose bytes moved since they were last :meth:`saved`."""
        return [(number, meter.total) for number, meter in self._meters.items() if meter.total != meter.saved]

    def saved(self, written: Iterable[tuple[int, int]]) -> None:
        """*written*, from :meth:`unsaved`, is on disk."""
        for number, total in written:
            if number in self._meters:
                self._meters[number].saved = total
