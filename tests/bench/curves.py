"""Lines in an SVG, drawn by hand: readable in black and white, with titles for screen readers, no script."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, log10

WIDTH, HEIGHT = 860, 360
LEFT, RIGHT, TOP, BOTTOM = 60, 350, 40, 44
DASHES = ("", "7 4", "2 3", "10 3 2 3", "1 5", "14 4")


@dataclass(frozen=True)
class Curve:
    """A name and its points."""

    name: str
    points: list[tuple[float, float]]


def step(highest: float) -> float:
    """A round distance between four to eight lines of a grid.

    >>> step(100.0), step(17.0), step(0.9)
    (20, 5, 0.2)
    """
    rough = highest / 6 or 1.0
    power: float = 10 ** ceil(log10(rough) - 1)
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)


def by_size(title: str, along: str, curves: list[Curve]) -> str:
    """An SVG of *curves* over sizes of one to many thousands: each power of ten has its place from left to right."""
    spread = [Curve(curve.name, [(log10(x), y) for x, y in curve.points]) for curve in curves]
    right = ceil(max(x for curve in spread for x, _ in curve.points))
    return draw(title, along, spread, [(float(power), f"{10**power:,}") for power in range(right + 1)])


def draw(title: str, along: str, curves: list[Curve], ticks: Sequence[tuple[float, str]] = ()) -> str:
    """An SVG of *curves*; *along* names what goes from left to right, *ticks* where its names stand, from 0 on."""
    right = max([x for curve in curves for x, _ in curve.points] + [x for x, _ in ticks]) or 1.0
    ticks = ticks or [(0.0, "0"), (right, f"{right:.0f}")]
    grid = step(max(y for curve in curves for _, y in curve.points))
    top = grid * ceil(max(y for curve in curves for _, y in curve.points) / grid)
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def place(x: float, y: float) -> str:
        return f"{LEFT + x / right * wide:.1f},{TOP + high - y / top * high:.1f}"

    name, view = escape(title), f"0 0 {WIDTH} {HEIGHT}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view}" role="img" font-family="sans-serif" font-size="12">',
        f'<title>{name}</title><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="22" font-size="15">{name}</text>',
    ]
    for line in range(round(top / grid) + 1):
        height = TOP + high - line * grid / top * high
        parts.append(f'<path d="M{LEFT} {height:.1f}h{wide}" stroke="#ccc"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{height + 4:.1f}" text-anchor="end">{line * grid:g}</text>')
    for at, words in ticks:
        anchor = "start" if at == 0 else "end" if at == right else "middle"
        where = LEFT + at / right * wide
        parts.append(f'<text x="{where:.1f}" y="{HEIGHT - 26}" text-anchor="{anchor}">{escape(words)}</text>')
    parts.append(f'<text x="{LEFT + wide / 2}" y="{HEIGHT - 8}" text-anchor="middle">{escape(along)}</text>')
    for number, curve in enumerate(curves):
        dash = DASHES[number % len(DASHES)]
        points = " ".join(place(x, y) for x, y in curve.points)
        style = f'fill="none" stroke="#000091" stroke-width="1.6" stroke-dasharray="{dash}"'
        parts.append(f'<polyline points="{points}" {style}/>')
        key = TOP + 14 + number * 22
        parts.append(f'<path d="M{LEFT + wide + 16} {key}h30" {style}/>')
        parts.append(f'<text x="{LEFT + wide + 52}" y="{key + 4}">{escape(curve.name)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
