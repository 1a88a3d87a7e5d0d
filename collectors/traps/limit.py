"""How many of something a source may send: a bucket that fills with time and is emptied by each."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Bucket:
    """Holds *burst* at most and fills by *per_second*; times are those of any one clock, in seconds.

    >>> bucket = Bucket(per_second=1, burst=2)
    >>> [bucket.takes(now) for now in (0.0, 0.0, 0.0, 1.0, 1.0)]
    [True, True, False, True, False]
    """

    per_second: float
    burst: float
    _level: float = field(default=-1.0)
    _at: float = 0.0

    def takes(self, now: float) -> bool:
        """Whether there is room for one more, which is then taken."""
        filled = self.burst if self._level < 0 else self._level + max(now - self._at, 0) * self.per_second
        self._level, self._at = min(filled, self.burst), now
        if self._level < 1:
            return False
        self._level -= 1
        return True
