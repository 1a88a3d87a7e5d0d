"""What the collectors' spool holds of the twin, read by InfluxDB 3's engine: the same figures as on Prometheus.

No registry the tests may use has an InfluxDB that speaks Flux; its own parser reads every query (test_compilers).
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import datafusion
import pyarrow as pa
import pytest
from panel_answers import SCRAPE_SECONDS, filled_in
from playing import Play
from test_compilers import SELECTS, ready

from dashboards.influx import sql
from dashboards.query import Select
from parvis.catalogue import metric

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

LINE = re.compile(r"(?P<metric>\w+)(?P<tags>(?:,(?:\\.|[^ ,\\])+)*) value=(?P<value>[^ ]+) (?P<at>\d+)")
TAG = re.compile(r",(\w+)=((?:\\.|[^ ,\\])+)")
OF_THE_SCRAPE = {"snmp_poll_age_seconds"}
"""Ages are those of the moment somebody asks."""
Found = dict[tuple[tuple[str, ...], int], float]
"""By the labels asked for and the minute."""


@pytest.fixture(scope="module")
def engine(play: Play) -> datafusion.SessionContext:
    """One table a measurement, as InfluxDB 3 makes them of the lines: tags are texts, a counter is unsigned."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in play.spooled:
        found = LINE.fullmatch(line)
        assert found, line
        tags = {name: re.sub(r"\\(.)", r"\1", text) for name, text in TAG.findall(found["tags"])}
        value = found["value"]
        number = int(value[:-1]) if value.endswith("u") else float(value)
        rows[found["metric"]].append({"time": int(found["at"]) * 1_000_000, "value": number, **tags})
    context = datafusion.SessionContext()
    for name, listed in rows.items():
        labels = sorted({label for row in listed for label in row} - {"time", "value"})
        counted = pa.uint64() if metric(name).kind == "counter" else pa.float64()
        columns = {"time": pa.timestamp("ns"), "value": counted, **dict.fromkeys(labels, pa.string())}
        table = pa.table(
            {column: pa.array([row.get(column) for row in listed], kind) for column, kind in columns.items()}
        )
        context.from_arrow(table, name=name)
    return context


def on_the_engine(engine: datafusion.SessionContext, select: Select, points: tuple[str, ...]) -> Found:
    text = sql(select).replace("${borne:regex}", "|".join(points))
    rows = engine.sql(ready(text)).to_pylist()
    return {
        (tuple(row[label] or "" for label in select.by), int(row["time"].timestamp())): float(row["value"])
        for row in rows
    }


def on_prometheus(play: Play, select: Select) -> Found:
    run = play.runs[""]
    whole: Mapping[str, tuple[str, ...]] = {}
    text = filled_in(select.promql, whole, play.shown())
    rows = play.prometheus.ask("query_range", query=text, start=run.begins, end=run.ends, step=SCRAPE_SECONDS)
    return {
        (tuple(row["metric"].get(label, "") for label in select.by), int(at)): float(value)
        for row in rows["result"]
        for at, value in row["values"]
    }


@pytest.mark.parametrize(
    "name", [name for name, select in SELECTS.items() if select.metric not in OF_THE_SCRAPE and select.how != "age"]
)
def test_a_panel_shows_the_same_on_influxdb_3_as_on_prometheus(
    play: Play, engine: datafusion.SessionContext, name: str
) -> None:
    select = SELECTS[name]
    there = on_prometheus(play, select)
    if not engine.table_exist(select.metric):
        assert not there, "nothing was written, so Prometheus shows nothing either"
        return
    here = on_the_engine(engine, select, play.shown().all["borne"])

    assert here.keys() >= there.keys()
    if select.is_rate:
        assert total(here) == pytest.approx(total(there), rel=0.2, abs=1e-6)
    else:
        shared = {key: here[key] for key in there}
        assert there
        assert shared == pytest.approx(there, rel=1e-9)


def total(found: Found) -> float:
    """A rate over one scrape and one over four agree in the long run only."""
    return sum(found.values()) / max(len({minute for _, minute in found}), 1)
