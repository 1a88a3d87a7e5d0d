"""A simple query in InfluxDB's languages: Flux for InfluxDB 2, SQL for InfluxDB 3. Pure text.

The collectors write one measurement a metric, labels as tags, the figure in the field ``value``.
"""

from collections.abc import Iterable

from dashboards.query import Select
from parvis.catalogue import metric

MAY_BE_ABSENT = frozenset(("ap", "lane", "onu", "ssid", "radio"))
"""Labels the collectors leave out where they have no value."""
UNKNOWN_OF_SOME = frozenset(("band",))
"""Labels a reader chooses that some devices do not tell: "all" shows those devices too, as on Prometheus."""
MAYBE = MAY_BE_ABSENT | UNKNOWN_OF_SOME
EPOCH = "date_part('epoch', {})".format
FLUX_OF = {"sum": "sum", "min": "min", "max": "max", "avg": "mean", "age": "min"}


def is_written(select: Select) -> bool:
    """Whether InfluxDB holds the metric: the collectors write there, nobody else."""
    return metric(select.metric).exposed_by == "collectors"


def flux(select: Select, *, now: bool = False) -> str:
    """*select* in Flux; *now*: the newest value only.

    >>> print(flux(Select("snmp_up", by=("site",)), now=True))
    from(bucket: v.defaultBucket)
      |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
      |> filter(fn: (r) => r._measurement == "snmp_up" and r._field == "value")
      |> filter(fn: (r) => r.site =~ /^(${site:regex})$/)
      |> last()
      |> toFloat()
      |> group(columns: ["site"])
      |> sum()
    """
    lines = [
        "from(bucket: v.defaultBucket)",
        "  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)",
        f'  |> filter(fn: (r) => r._measurement == "{select.metric}" and r._field == "value")',
    ]
    for label, text in _asked(select).items():
        told = f'(if exists r.{label} then r.{label} else "")' if label in UNKNOWN_OF_SOME else f"r.{label}"
        lines.append(f"  |> filter(fn: (r) => {told} =~ /^({text})$/)")
    every = "v.windowPeriod"
    if select.is_rate:
        lines += ["  |> toFloat()", "  |> derivative(unit: 1s, nonNegative: true)"]
    lines += (
        ["  |> last()"]
        if now or select.how == "age"
        else [f"  |> aggregateWindow(every: {every}, fn: mean, createEmpty: false)"]
    )
    if select.how == "age":
        lines.append("  |> map(fn: (r) => ({r with _value: float(v: int(v: now()) - int(v: r._time)) / 1000000000.0}))")
    lines += [] if select.is_rate or select.how == "age" else ["  |> toFloat()"]
    if select.times != 1:
        lines.append(f"  |> map(fn: (r) => ({{r with _value: r._value * {float(select.times)!r}}}))")
    moment = [] if now else ["_time"]
    lines.append(f"  |> group(columns: {_listed([*moment, *select.by])})")
    lines.append(f"  |> {FLUX_OF[select.how]}()")
    if not now:
        lines.append(f"  |> group(columns: {_listed(select.by)})")
    if select.top and not MAYBE.intersection(select.by):
        lines = _flux_extremes(lines, select, now=now)
    if not now:
        lines.append('  |> sort(columns: ["_time"])')
    return "\n".join(lines)


def _flux_extremes(lines: list[str], select: Select, *, now: bool) -> list[str]:
    """The lines that reach the highest, of minima the lowest, over the time shown; now: the values themselves."""
    is_low = select.how == "min"
    if now:
        ends = [f"  |> {'bottom' if is_low else 'top'}(n: {select.top})", f"  |> group(columns: {_listed(select.by)})"]
        return [*lines, "  |> group()", *ends]
    extreme = "lowestMin" if is_low else "highestMax"
    line = ' + " " + '.join(f"r.{label}" for label in select.by)
    return [
        f"lines = {lines[0]}",
        *lines[1:],
        f"  |> map(fn: (r) => ({{r with line: {line}}}))",
        f'shown = lines |> {extreme}(n: {select.top}, groupColumns: ["line"])',
        '  |> findColumn(fn: (key) => true, column: "line")',
        "lines",
        "  |> filter(fn: (r) => contains(value: r.line, set: shown))",
        '  |> drop(columns: ["line"])',
    ]


def sql(select: Select, *, now: bool = False) -> str:
    """*select* in the SQL of InfluxDB 3 (DataFusion), with Grafana's macros; *now*: the newest value only.

    A column no line has ever had is an error there, so labels that may be absent are not named. All that one poll gives
    bears one time: a sum is that of a poll, averaged over the polls of the interval, then added up over devices.
    """
    labels = metric(select.metric).labels
    series = [label for label in labels if label not in MAY_BE_ABSENT]
    columns = _names(dict.fromkeys([*(series if select.is_rate else ()), *_owner(select), *select.by]))
    asked = {_told(label): text for label, text in _asked(select).items()}
    where = ["$__timeRange(time)", *(f"{told} ~ '^({text})$'" for told, text in asked.items())]
    if select.how == "age":
        shown = ", ".join([*(f'"{label}"' for label in select.by), f"{EPOCH('now()')} - {EPOCH('max(time)')} AS value"])
        return f'SELECT {shown} FROM "{select.metric}" WHERE {" AND ".join(where)}' + _grouped(select.by)
    source = f'SELECT time, {columns}, value FROM "{select.metric}" WHERE {" AND ".join(where)}'
    if select.is_rate:
        source = _rates(source, columns, _names(series))
    factor = f" * {select.times:g}" if select.times != 1 else ""
    by = [f'"{label}"' for label in select.by]
    if now:
        newest = f"rank() OVER (PARTITION BY {_names(_owner(select))} ORDER BY time DESC) AS turn"
        shown = ", ".join([*by, f"{select.how}(value){factor} AS value"])
        found = f"SELECT {shown} FROM (SELECT *, {newest} FROM ({source})) WHERE turn = 1{_grouped(select.by)}"
        return found + (f" ORDER BY value {_order(select)} LIMIT {select.top}" if select.top else "")
    if select.how == "sum":
        keys = _names(dict.fromkeys([*_owner(select), *select.by]))
        each = f"sum(value) / count(DISTINCT time) AS value FROM ({source}) GROUP BY $__dateBin(time), {keys}"
        source = f"SELECT $__dateBin(time) AS time, {keys}, {each}"
    shown = ", ".join(["$__dateBin(time) AS time", *by, f"{select.how}(value){factor} AS value"])
    found = f"SELECT {shown} FROM ({source}) GROUP BY {', '.join(['$__dateBin(time)', *by])}"
    return (_sql_extremes(found, select) if select.top else found) + " ORDER BY 1"


def _sql_extremes(found: str, select: Select) -> str:
    """The lines that reach the highest, of minima the lowest, over the time shown."""
    keys, order = _names(select.by), _order(select)
    peak = f"{'min' if select.how == 'min' else 'max'}(value) OVER (PARTITION BY {keys}) AS peak"
    turn = f"dense_rank() OVER (ORDER BY peak {order}, {keys}) AS turn"
    ranked = f"SELECT *, {turn} FROM (SELECT *, {peak} FROM ({found}))"
    return f"SELECT time, {keys}, value FROM ({ranked}) WHERE turn <= {select.top}"


def _order(select: Select) -> str:
    return "ASC" if select.how == "min" else "DESC"


def _grouped(by: Iterable[str]) -> str:
    names = _names(by)
    return f" GROUP BY {names}" if names else ""


def _owner(select: Select) -> list[str]:
    """What is polled at once."""
    return [label for label in metric(select.metric).labels if label in {"site", "device", "uplink"}]


def _told(label: str) -> str:
    """A label in a condition: the empty text where a line lacks it."""
    return f"coalesce(\"{label}\", '')" if label in UNKNOWN_OF_SOME else f'"{label}"'


def _names(labels: Iterable[str]) -> str:
    return ", ".join(f'"{label}"' for label in labels)


def flux_choices(metric_name: str, label: str) -> str:
    """The values of *label* of one metric, in Flux."""
    return (
        'import "influxdata/influxdb/schema"\n'
        f'schema.tagValues(bucket: v.defaultBucket, tag: "{label}",'
        f' predicate: (r) => r._measurement == "{metric_name}", start: v.timeRangeStart)'
    )


def sql_choices(metric_name: str, label: str) -> dict[str, str]:
    """The values of *label* of one metric, in SQL."""
    return {"query": f'SELECT DISTINCT "{label}" FROM "{metric_name}" WHERE $__timeRange(time)', "refId": "choices"}


def _rates(source: str, columns: str, series: str) -> str:
    """A counter's rate between each two of its values; where it began anew there is none."""
    window = f"(PARTITION BY {series} ORDER BY time)"
    before = f"lag(CAST(value AS DOUBLE)) OVER {window}"
    seconds = f"(CAST(time AS BIGINT) - lag(CAST(time AS BIGINT)) OVER {window}) / 1e9"
    rate = f"(CAST(value AS DOUBLE) - {before}) / ({seconds}) AS value"
    return f"SELECT * FROM (SELECT time, {columns}, {rate} FROM ({source})) WHERE value >= 0"


def _asked(select: Select) -> dict[str, str]:
    """Label -> regular expression: the reader's choices, and what the query itself wants."""
    return {label: f"${{{name}:regex}}" for label, name in select.chosen.items()} | dict(select.where)


def _listed(names: tuple[str, ...] | list[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"
