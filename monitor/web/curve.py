"""A curve as the server draws it: an SVG that needs no script, with its table. No I/O, no clock.

The browser may replace it by uPlot, from the same points.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil, floor, log10
from typing import Any
from zoneinfo import ZoneInfo

from monitor.history.blocks import Block, joined
from monitor.history.series import KINDS, Kind
from monitor.web.words import Language, say

WIDTH, HEIGHT = 600, 150
MOST_POINTS = 300
TABLE_ROWS = 12
GAP_SLOTS = 2.5
"""A hole of more slots than this is drawn as one."""
Points = Sequence[tuple[float, Block]]


@dataclass(frozen=True, slots=True)
class Span:
    """A period that can be chosen: *key* in the address, *seconds* back from now, *slot* seconds a point."""

    key: str
    seconds: float
    slot: float


SPANS: Mapping[str, Span] = {
    span.key: span
    for span in (
        Span("2h", 7200, 20),
        Span("1d", 86400, 300),
        Span("7d", 7 * 86400, 2400),
        Span("30d", 30 * 86400, 9000),
        Span("1y", 365 * 86400, 86400),
    )
}


def thinned(points: Points, slot: float) -> list[tuple[float, Block]]:
    """*points* joined so that each stands for at least *slot* seconds."""
    buckets: dict[int, list[Block]] = {}
    for at, block in points:
        buckets.setdefault(int(at // slot), []).append(block)
    made = ((bucket * slot, joined(some)) for bucket, some in sorted(buckets.items()))
    return [(at, block) for at, block in made if block is not None]


def curve(name: str, points: Points, span: Span, now: float, zone: ZoneInfo, lang: Language) -> dict[str, Any]:
    """What the template shows of one series over *span*: drawing, table, newest value, in words."""
    kind = KINDS[name.split("/", 1)[0]]
    drawn = thinned(points, span.slot)
    low, top = _scale([block for _, block in drawn], kind)
    start = now - span.seconds
    return {
        "name": name,
        "title": say(f"curve-{name.split('/', 1)[0]}", lang),
        "unit": kind.unit,
        "newest": _figure(drawn[-1][1].middle, kind, lang) if drawn else "",
        "empty": not drawn,
        "zero": kind.from_zero,
        "line": _line(drawn, span, start, (low, top)),
        "band": _band(drawn, span, start, (low, top)),
        "ticks": [{"y": y, "label": _figure(value, kind, lang)} for value, y in _ticks(low, top, kind)],
        "times": _times(start, now, zone),
        "rows": _rows(drawn, span, kind, zone, lang),
    }


def as_json(points: Points, span: Span) -> dict[str, list[float]]:
    """The same for uPlot: columns of times and of what the samples were."""
    drawn = thinned(points, span.slot)
    columns = {"at": [at for at, _ in drawn]}
    for name in ("low", "middle", "high"):
        columns[name] = [round(getattr(block, name), 4) for _, block in drawn]
    return columns


def _scale(blocks: Sequence[Block], kind: Kind) -> tuple[float, float]:
    """The axis: from zero or from the smallest, to a round number above the largest that is drawn."""
    if not blocks:
        return 0.0, 1.0
    low = 0.0 if kind.from_zero else min(block.low for block in blocks)
    top = max(block.high for block in blocks)
    step = _step(max(top - low, _least(kind)), kind)
    return floor(low / step) * step, max(ceil(top / step), floor(low / step) + 1) * step


def _least(kind: Kind) -> float:
    """The least difference that two figures of *kind* can show."""
    return 10.0**-kind.decimals


def _step(span: float, kind: Kind) -> float:
    """A round step that divides *span* into two to five, and that can be read at the figures beside it.

    >>> whole, fine = Kind(""), Kind("ms", 2)
    >>> _step(7.0, whole), _step(100.0, whole), _step(1.0, whole), _step(1.0, fine)
    (2.0, 50.0, 1.0, 0.5)
    """
    unit = 10 ** floor(log10(span))
    round_one = next(unit * part for part in (0.2, 0.5, 1, 2, 5, 10) if span / (unit * part) <= 4)  # noqa: PLR2004
    return float(max(round_one, _least(kind)))


def _ticks(low: float, top: float, kind: Kind) -> list[tuple[float, float]]:
    """(value, y) of the lines across."""
    step = _step(top - low, kind)
    count = round((top - low) / step)
    return [(low + n * step, round(HEIGHT - HEIGHT * n / count, 1)) for n in range(count + 1)]


def _place(at: float, value: float, start: float, span: Span, scale: tuple[float, float]) -> str:
    low, top = scale
    x = max(0.0, min(1.0, (at + span.slot / 2 - start) / span.seconds)) * WIDTH
    y = HEIGHT - max(0.0, min(1.0, (value - low) / (top - low))) * HEIGHT
    return f"{x:.1f} {y:.1f}"


def _runs(points: Points, span: Span) -> list[Points]:
    """*points* cut where something is missing: a hole is not a line."""
    runs: list[list[tuple[float, Block]]] = []
    for point in points:
        if runs and point[0] - runs[-1][-1][0] <= GAP_SLOTS * span.slot:
            runs[-1].append(point)
        else:
            runs.append([point])
    return [tuple(run) for run in runs]


def _line(points: Points, span: Span, start: float, scale: tuple[float, float]) -> str:
    drawn = []
    for run in _runs(points, span):
        places = [_place(at, block.middle, start, span, scale) for at, block in run]
        drawn.append(f"M{'L'.join(places if len(places) > 1 else places * 2)}")
    return "".join(drawn)


def _band(points: Points, span: Span, start: float, scale: tuple[float, float]) -> str:
    """From the smallest to the 95th percentile."""
    drawn = []
    for run in _runs(points, span):
        upper = [_place(at, block.high, start, span, scale) for at, block in run]
        lower = [_place(at, block.low, start, span, scale) for at, block in reversed(run)]
        drawn.append(f"M{'L'.join([*upper, *lower])}Z")
    return "".join(drawn)


def _times(start: float, end: float, zone: ZoneInfo) -> list[str]:
    form = "%H:%M" if end - start <= 86400 else "%d/%m"  # noqa: PLR2004 a day
    return [datetime.fromtimestamp(at, zone).strftime(form) for at in (start, (start + end) / 2, end)]


def _rows(points: Points, span: Span, kind: Kind, zone: ZoneInfo, lang: Language) -> list[dict[str, str]]:
    """At most so many rows for the table: what a picture says to those who see it."""
    slot = span.seconds / TABLE_ROWS
    form = "%H:%M" if span.seconds <= 86400 else "%d/%m %H:%M"  # noqa: PLR2004 a day
    return [
        {
            "at": datetime.fromtimestamp(at, zone).strftime(form),
            **{key: _figure(getattr(block, key), kind, lang) for key in ("low", "middle", "high")},
        }
        for at, block in thinned(points, slot)
    ]


def _figure(value: float, kind: Kind, lang: Language) -> str:
    """A value with its unit, as the language writes it.

    >>> _figure(12.34, KINDS["rtt"], "fr"), _figure(-0.0, KINDS["clients"], "en")
    ('12,3 ms', '0')
    """
    text = f"{value:.{kind.decimals}f}"
    text = text.removeprefix("-") if float(text) == 0 else text
    return f"{text.replace('.', ',') if lang == 'fr' else text} {kind.unit}".strip()
