"""Points of the history for the pages: the ring for two hours, roll-ups for the rest."""

from collections.abc import Iterable

from monitor.history.blocks import FIVE_MINUTES, HOUR, Block
from monitor.history.recorder import Recorder
from monitor.history.series import name
from monitor.web.curve import Points, Span

RING_KEY = "2h"
FIVE_MINUTE_SECONDS = 31 * 86400.0


def read(recorder: Recorder, names: Iterable[str], span: Span, now: float) -> dict[str, Points]:
    """The points of each series over *span* up to *now*, oldest first; none where nothing is known."""
    wanted = list(names)
    start = now - span.seconds
    if span.key == RING_KEY:
        return {one: [(at, _single(v)) for at, v in recorder.ring.samples(one, start, now + 1)] for one in wanted}
    tier = FIVE_MINUTES if span.seconds <= FIVE_MINUTE_SECONDS else HOUR
    return dict(recorder.history.read(wanted, start, now, tier))


def counted(recorder: Recorder, kind: str, subjects: Iterable[str], seconds: float, now: float) -> dict[str, float]:
    """Subject -> the sum over the last *seconds* of what a series of increases holds; the slot under way included."""
    names = {name(kind, subject): subject for subject in subjects}
    read_ = recorder.history.read(list(names), now - seconds, now, FIVE_MINUTES)
    begun = FIVE_MINUTES.slot_of(now)
    found = {}
    for one, subject in names.items():
        written = read_[one]
        last = written[-1][0] + FIVE_MINUTES.slot if written else now - seconds
        fresh = recorder.ring.samples(one, max(min(begun, last), now - seconds), now + 1)
        if written or fresh:
            found[subject] = sum(block.mean * block.count for _, block in written) + sum(value for _, value in fresh)
    return found


def _single(value: float) -> Block:
    return Block(1, value, value, value, value, value)
