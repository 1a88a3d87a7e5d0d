"""The last two hours of every series, in memory: one array each, one cell a step. No I/O; the clock is an argument."""

from array import array
from collections.abc import Iterator, Mapping
from math import isnan, nan

SPAN_SECONDS = 7200.0


class Ring:
    """*step* seconds a cell. Series come and go; what has had no value for the whole span takes no memory any more."""

    def __init__(self, step: float) -> None:
        self.step = step
        self.cells = max(2, round(SPAN_SECONDS / step))
        self._series: dict[str, array[float]] = {}
        self._tick = -1

    def __len__(self) -> int:
        return len(self._series)

    def lacks(self, now: float) -> bool:
        """Whether the step *now* is in has no samples yet, or is that of a clock set back beyond the span."""
        tick = int(now // self.step)
        return self._tick < 0 or tick > self._tick or self._tick - tick >= self.cells

    def add(self, now: float, values: Mapping[str, float]) -> bool:
        """Keep *values* as the samples of the step *now* is in; False when that step has its samples already.

        A step that was missed stays empty. A clock set back for longer than the span begins the ring anew.
        """
        tick = int(now // self.step)
        if not self.lacks(now):
            return False
        if tick <= self._tick:
            self._series.clear()
        if tick - self._tick >= self.cells:
            self._series.clear()
            self._tick = tick - 1
        self._advance(tick)
        for name, value in values.items():
            if name not in self._series:
                self._series[name] = array("f", [nan]) * self.cells
            self._series[name][tick % self.cells] = value
        return True

    def samples(self, name: str, start: float, end: float) -> list[tuple[float, float]]:
        """(Unix seconds, value) of each sample of *name* with start <= time < end, oldest first."""
        cells = self._series.get(name)
        if cells is None:
            return []
        first = max(int(-(-start // self.step)), self._tick - self.cells + 1)
        last = min(int(-(-end // self.step)) - 1, self._tick)
        found = ((tick * self.step, cells[tick % self.cells]) for tick in range(first, last + 1))
        return [(at, value) for at, value in found if not isnan(value)]

    def names(self) -> Iterator[str]:
        """Every series that has had a value in the span."""
        yield from self._series

    def _advance(self, tick: int) -> None:
        empty = [(self._tick + 1 + n) % self.cells for n in range(tick - self._tick)]
        for cells in self._series.values():
            for place in empty:
                cells[place] = nan
        self._tick = tick
        if tick % self.cells == 0:
            gone = [name for name, cells in self._series.items() if all(map(isnan, cells))]
            for name in gone:
                del self._series[name]
