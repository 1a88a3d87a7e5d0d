"""Pictures of the dashboards for docs, drawn by ourselves from the catalogue and a played fault: not Grafana.

``python preview.py FOLDER`` writes one PNG a board. A developer's tool; no test leans on it.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from panel_answers import Answer, Filled, Shown, answers, numbers
from played_devices import polls
from played_town import APART_SECONDS, Run
from playing import played

from dashboards.catalogue import BOARDS
from dashboards.grafana.annotations import ANNOTATIONS
from dashboards.grafana.drawing import HEIGHTS, USUAL_HEIGHT
from dashboards.panel import MOST_ROWS, Board, Figures, Panel

CELL_WIDTH, CELL_HEIGHT = 58, 34
APART_DAYS = APART_SECONDS / 86400
MANY = 1e9
INK = {
    "green": "#56a64b",
    "blue": "#3274d9",
    "yellow": "#e0b400",
    "orange": "#ff780a",
    "red": "#e02f44",
    "grey": "#8e8e8e",
}
LINES = ("#3274d9", "#ff780a", "#56a64b", "#e02f44", "#a352cc", "#e0b400", "#37872d", "#8ab8ff", "#b877d9", "#fa6400")
SUFFIX = {
    "euros": " €",
    "dbm": " dBm",
    "db": " dB",
    "celsius": " °C",
    "bits per second": " b/s",
    "bytes": " o",
    "1 per second": " /s",
    "bytes per second": " o/s",
    "watts": " W",
    "volts": " V",
    "amperes": " A",
    "minutes": " min",
    "db per month": " dB/mois",
}
STYLE = """body{margin:0;background:#f4f5f5;font:13px sans-serif;color:#24292e}
h1{margin:8px 12px;font-size:18px} section{position:absolute;background:#fff;border:1px solid #d8d9da;
border-radius:2px;overflow:hidden;padding:4px 8px;box-sizing:border-box} h2{font-size:12px;margin:0 0 4px}
.tiles{display:flex;gap:4px;height:calc(100% - 22px)} .tiles div{flex:1;display:flex;flex-direction:column;
justify-content:center;align-items:center;font-size:20px;font-weight:600;text-align:center}
.tiles small{font-size:11px;font-weight:400} table{border-collapse:collapse;width:100%;font-size:11px}
td,th{text-align:left;border-bottom:1px solid #eee;padding:1px 6px} .row{display:flex;align-items:center;
font-size:11px;height:17px} .row span{width:190px;overflow:hidden;white-space:nowrap} .row i{flex:1;display:flex;
height:13px} .row b{flex:1;margin-right:1px;font-weight:400} .row em{width:110px;padding-left:6px;overflow:hidden;
white-space:nowrap;font-style:normal} .legend{font-size:10px;white-space:nowrap}"""


def ink(figures: Figures, value: float | None) -> str:
    if value is None:
        return "#eee"
    if figures.says:
        said = figures.says.get(value)
        return INK[said.colour if said else "blue"]
    reached = [step for step in figures.steps if step.at is None or value >= step.at]
    return INK[reached[-1].colour] if reached else INK["blue"]


def told(figures: Figures, value: float) -> str:
    """The figure as a reader of French meets it."""
    if figures.says and value in figures.says:
        return figures.says[value].words.fr
    if figures.measure == "ratio":
        return f"{100 * value:.{1 if figures.decimals is None else figures.decimals}f} %"
    if figures.measure == "seconds":
        sizes = ((86400, "j"), (3600, "h"), (60, "min"), (1, "s"), (0.001, "ms"), (0.000001, "µs"))
        return next((f"{value / size:.1f} {name}" for size, name in sizes if abs(value) >= size), "0 s")
    for size, name in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= size:
            return f"{value / size:.1f}{name}{SUFFIX.get(figures.measure, '').strip()}"
    return f"{value:.2f}".rstrip("0").rstrip(".") + SUFFIX.get(figures.measure, "")


def named(panel: Panel, found: list[Answer]) -> Iterator[tuple[str, list[float | None]]]:
    for query, answer in zip(panel.queries, found, strict=True):
        words = query.legend if isinstance(query.legend, str) else query.legend.fr
        for labels, values in sorted(answer.items()):
            text = words
            for label, value in labels:
                text = text.replace(f"{{{{{label}}}}}", spoken(panel, label, value))
            yield re.sub(r"{{\w+}}", "", text).strip(), values


def spoken(panel: Panel, label: str, value: str) -> str:
    words = panel.names.get(label, {}).get(value)
    return words.fr if words else value


def tiles(panel: Panel, found: list[Answer]) -> str:
    lit = bool(panel.steps or panel.says)
    cells = [
        f'<div style="background:{ink(panel, values[-1]) if lit else "#fff"};color:{"#fff" if lit else "#3274d9"}">'
        f"{escape(told(panel, values[-1]))}<small>{escape(name)}</small></div>"
        for name, values in named(panel, found)
        if values[-1] is not None
    ]
    return f'<div class="tiles">{"".join(cells) or f"<div>{escape(panel.silence.fr)}</div>"}</div>'


def bars(panel: Panel, found: list[Answer]) -> str:
    known = [(name, values[-1]) for name, values in named(panel, found) if values[-1] is not None]
    most = 1.0 if panel.measure == "ratio" else max((abs(value) for _, value in known), default=1) or 1
    rows = []
    for name, value in known:
        style = f"flex:none;width:{70 * min(abs(value) / most, 1):.0f}%;background:{ink(panel, value)}"
        bar = f'<i><b style="{style}"></b>&nbsp;{escape(told(panel, value))}</i>'
        rows.append(f'<div class="row"><span>{escape(name)}</span>{bar}</div>')
    return "".join(rows) or escape(panel.silence.fr)


def strips(panel: Panel, found: list[Answer]) -> str:
    rows = [
        f'<div class="row"><span>{escape(name)}</span><i>'
        + "".join(f'<b style="background:{ink(panel, value)}"></b>' for value in values)
        + f"</i><em>{escape(told(panel, values[-1])) if values[-1] is not None else ''}</em></div>"
        for name, values in named(panel, found)
    ]
    return "".join(rows) or escape(panel.silence.fr)


def curves(panel: Panel, found: list[Answer], width: int, height: int, marks: str = "") -> str:
    known = list(named(panel, found))
    figures = numbers(found)
    if not figures:
        return escape(panel.silence.fr)
    low, high = (min(figures), max(figures)) if max(figures) < 0 else (min(0.0, *figures), max(0.0, *figures) or 1.0)
    high += (high - low) / 10 if panel.kind != "bars" and high not in panel.bounds else 0
    low -= 1e-3 * abs(low) if high - low < 1e-3 * abs(low) else 0
    paths = [marks]
    for place, (_, values) in enumerate(known):
        points = [
            (width * step / max(len(values) - 1, 1), height * (1 - (value - low) / ((high - low) or 1)))
            for step, value in enumerate(values)
            if value is not None
        ]
        colour = LINES[place % len(LINES)]
        if panel.kind == "bars":
            thin = 0.8 * width / max(len(values), 1) / len(known)
            paths += [
                f'<rect x="{x + (place - len(known)) * thin:.1f}" y="{y:.1f}" width="{thin:.1f}"'
                f' height="{height - y:.1f}" fill="{colour}"/>'
                for x, y in points
            ]
        else:
            shape = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            paths.append(f'<polyline fill="none" stroke="{colour}" points="{shape}"/>')
    legend = " ".join(
        f'<span style="color:{LINES[place % len(LINES)]}">■ {escape(name)}</span>'
        for place, (name, _) in enumerate(known)
    )
    scale = "".join(
        f'<text x="2" y="{y}" font-size="10" fill="#666">{escape(told(panel, value))}</text>'
        for y, value in ((10, high), (height - 3, low))
    )
    return f'<svg width="{width}" height="{height}">{"".join(paths)}{scale}</svg><div class="legend">{legend}</div>'


def heat(panel: Panel, found: list[Answer]) -> str:
    """A row for each bucket, the longest on top; darker where more fell into it and into no smaller one."""
    buckets = sorted(
        (float(dict(labels)["le"]), [value or 0.0 for value in values])
        for answer in found
        for labels, values in answer.items()
    )
    below = [0.0] * len(buckets[0][1]) if buckets else []
    rows = []
    for limit, values in buckets:
        fell = [max(0.0, value - before) for value, before in zip(values, below, strict=True)]
        below = values
        rows.append((limit, fell))
    most = max((value for _, fell in rows for value in fell), default=0.0) or 1.0
    lines = [
        f'<div class="row"><span>≤ {escape(told(Figures(unit="seconds"), limit)) if limit < MANY else "∞"}</span><i>'
        + "".join(f'<b style="background:rgba(31,96,196,{value / most:.2f})"></b>' for value in fell)
        + "</i></div>"
        for limit, fell in reversed(rows)
    ]
    return "".join(lines) or escape(panel.silence.fr)


def merged(panel: Panel, found: list[Answer]) -> list[tuple[dict[str, str], list[float | None]]]:
    """The rows of a table as Grafana merges them, by the keys all answers have; the worst first."""
    names = [{name for labels in answer for name, _ in labels} for answer in found if answer]
    shared = [key for key in panel.keys if all(key in known for known in names)]
    lines: dict[tuple[str, ...], tuple[dict[str, str], list[float | None]]] = {}
    for place, answer in enumerate(found):
        for labels, values in answer.items():
            named = dict(labels)
            row = lines.setdefault(tuple(named.get(key, "") for key in shared), ({}, [None] * len(found)))
            row[0].update(named)
            row[1][place] = values[-1]
    ordered = sorted(lines.values(), key=lambda row: [row[0].get(key, "") for key in panel.keys])
    if panel.first:
        ordered.sort(key=lambda row: row[1][0] or 0.0, reverse=panel.first == "highest")
    return ordered[:MOST_ROWS] if panel.first else ordered


def rows(panel: Panel, found: list[Answer]) -> str:
    heads = [*(words.fr for words in panel.keys.values()), *(column.title.fr for column in panel.columns)]
    lines = []
    for named, values in merged(panel, found):
        cells = [f"<td>{escape(spoken(panel, key, named.get(key, '')))}</td>" for key in panel.keys]
        for column, value in zip(panel.columns, values, strict=True):
            lit = value is not None and (column.steps or column.says)
            style = f' style="background:{ink(column, value)};color:#fff"' if lit else ""
            cells.append(f"<td{style}>{'' if value is None else escape(told(column, value))}</td>")
        lines.append(f"<tr>{''.join(cells)}</tr>")
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    return f"<table><tr>{head}</tr>{''.join(lines)}</table>" if lines else escape(panel.silence.fr)


def crossed(panel: Panel, found: list[Answer]) -> str:
    """A table of the second label across the first, darker where there are more."""
    row, column = panel.keys
    cells = {(dict(at)[row], dict(at)[column]): values[-1] or 0.0 for answer in found for at, values in answer.items()}
    most = max(cells.values(), default=1.0)
    heads = sorted({across for _, across in cells})
    lines = [f"<tr><th></th>{''.join(f'<th>{escape(head)}</th>' for head in heads)}</tr>"]
    for name in sorted({down for down, _ in cells}):
        shown = [cells.get((name, head), 0.0) for head in heads]
        inked = [
            f'<td style="background:rgba(31,96,196,{value / most:.2f})">{escape(told(panel, value))}</td>'
            for value in shown
        ]
        lines.append(f"<tr><th>{escape(spoken(panel, row, name))}</th>{''.join(inked)}</tr>")
    return f"<table>{''.join(lines)}</table>" if cells else escape(panel.silence.fr)


def dots(panel: Panel, found: list[Answer], width: int, height: int) -> str:
    known = [({**dict(labels)}, values[-1]) for answer in found for labels, values in answer.items()]
    north = [float(labels["latitude"]) for labels, _ in known]
    east = [float(labels["longitude"]) for labels, _ in known]
    circles = []
    for labels, value in known:
        x = 20 + (width - 40) * (float(labels["longitude"]) - min(east)) / ((max(east) - min(east)) or 1)
        y = 15 + (height - 30) * (max(north) - float(labels["latitude"])) / ((max(north) - min(north)) or 1)
        circles.append(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="7" fill="{ink(panel, value)}"/>')
        side = f'text-anchor="end" x="{x - 10:.0f}"' if x > width / 2 else f'x="{x + 10:.0f}"'
        circles.append(f'<text {side} y="{y + 4:.0f}" font-size="10">{escape(labels["site"])}</text>')
    return f'<svg width="{width}" height="{height}" style="background:#eef3f6">{"".join(circles)}</svg>'


def marked(prometheus: Filled, shown: Shown, width: int, height: int) -> str:
    """What is drawn across the boards, as bands: calls, tickets if they are shown, works, closed hours."""
    bands = []
    for one in ANNOTATIONS:
        asked = {"query": one.expr, "start": shown.begins, "end": shown.ends, "step": shown.step}
        moments = {at for row in prometheus.ask("query_range", **asked)["result"] for at, _ in row["values"]}
        if moments and one.shown:
            left, right = ((at - shown.begins) / (shown.ends - shown.begins) for at in (min(moments), max(moments)))
            place = f'x="{width * left:.1f}" width="{max(2.0, width * (right - left)):.1f}" height="{height}"'
            bands.append(f'<rect {place} fill="{one.colour}" opacity="0.08"/>')
    return "".join(bands)


def inside(panel: Panel, found: list[Answer], width: int, height: int, marks: str) -> str:
    if panel.kind == "text":
        return re.sub("`([^`]+)`", r"<code>\1</code>", escape(panel.answers.fr).replace("**", ""))
    if panel.kind == "map":
        return dots(panel, found, width, height)
    plain = {"stat": tiles, "gauges": bars, "states": strips, "grid": strips, "table": rows, "matrix": crossed}
    draw = {**plain, "heat": heat}.get(panel.kind)
    return draw(panel, found) if draw else curves(panel, found, width, height, marks)


def dated(text: str, shown: Shown) -> str:
    """*text* with the period put in, as Grafana does."""
    for name, at in (("from", shown.begins), ("to", shown.ends)):
        text = text.replace(f"${{__{name}:date:DD/MM/YY}}", f"{datetime.fromtimestamp(at, UTC):%d/%m/%y}")
    return text


def page(board: Board, prometheus: Filled, shown: Shown) -> tuple[str, int]:
    """HTML and its height in pixels."""
    made, top = [], 40
    for row in board.rows:
        left, tallest = 0, 0
        free = 24 - sum(panel.width for panel in row)
        for panel in row:
            width = panel.width or free // sum(not one.width for one in row)
            height = panel.height or HEIGHTS.get(panel.kind, USUAL_HEIGHT)
            box = (left * CELL_WIDTH + 4, top, width * CELL_WIDTH - 4, height * CELL_HEIGHT - 4)
            found = answers(prometheus, panel, {}, shown)
            size = box[2] - 18, box[3] - 46
            text = inside(panel, found, *size, marked(prometheus, shown, *size))
            place = "left:{}px;top:{}px;width:{}px;height:{}px".format(*box)
            made.append(f'<section style="{place}"><h2>{escape(panel.title.fr)}</h2>{text}</section>')
            left, tallest = left + width, max(tallest, height)
        top += tallest * CELL_HEIGHT
    note = "aperçu dessiné par Parvis, ce n'est pas Grafana"
    made = [dated(one, shown) for one in made]
    head = f"<h1>{escape(board.title.fr)} <small style='font-weight:400'>— {note}</small></h1>"
    return f"<!doctype html><meta charset=utf-8><style>{STYLE}</style>{head}{''.join(made)}", top + 8


def main(folder: Path) -> None:
    """Play a cut fibre, after weeks that had the same minutes without it, and take a picture of every board."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        here = Path(scratch)
        town = played(here / "town")
        quiet = polls(town, {})
        run = Run(town, "fibre-cut", 0, here, quiet)
        before = [Run(town, "", days / APART_DAYS, here, quiet) for days in (*range(7, 36, 7), 50, 80)]
        prometheus = Filled(here)
        oldest_first = [*reversed(before), run]
        prometheus.fill("cut", (line for one in oldest_first for line in one.lines()))
        points = tuple(point.name for site in town.sites for point in site.access_points)
        with prometheus:
            for board in BOARDS:
                html, height = page(board, prometheus, Shown(run.begins + 180, run.ends, all={"borne": points}))
                file = here / f"{board.uid}.html"
                file.write_text(html, "utf-8")
                command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
                command += ["--disable-dev-shm-usage", f"--user-data-dir={here / 'browser'}"]
                command += [f"--window-size=1400,{height}", f"--screenshot={folder / board.uid}.png", file.as_uri()]
                subprocess.run(command, check=True, capture_output=True, timeout=600)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
