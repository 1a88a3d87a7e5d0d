"""Slows down who guesses: after some failures within a while, no attempt is looked at until the while is over."""

from collections import OrderedDict

WINDOW_SECONDS = 900.0
MOST_KEPT = 4096
"""Names remembered; whoever fails under more names has the first ones forgotten, but stays known by address."""


class Throttle:
    """Counts failures by name; *now* is monotonic seconds. Of two threads at once one failure may not be counted.

    >>> door = Throttle(most=2)
    >>> door.failed("anna", 0.0); door.failed("anna", 1.0)
    >>> door.closed_for("anna", 2.0), door.closed_for("ben", 2.0), door.closed_for("anna", 901.0)
    (898.0, 0.0, 0.0)
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._failures: OrderedDict[str, tuple[float, ...]] = OrderedDict()

    def closed_for(self, name: str, now: float) -> float:
        """Seconds until *name* may try again; 0: now."""
        recent = [at for at in self._failures.get(name, ()) if now - at < WINDOW_SECONDS]
        return WINDOW_SECONDS - (now - recent[0]) if len(recent) >= self._most else 0.0

    def failed(self, name: str, now: float) -> None:
        """Note a failure."""
        self._failures[name] = (*self._failures.pop(name, ()), now)[-self._most :]
        if len(self._failures) > MOST_KEPT:
            self._failures.popitem(last=False)

    def forgive(self, name: str) -> None:
        """Forget *name*'s failures, after a success."""
        self._failures.pop(name, None)
