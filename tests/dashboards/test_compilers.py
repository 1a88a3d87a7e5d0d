"""What compilers say of the dashboards: TypeScript of schema v2, InfluxData's own parser of Flux, DataFusion of SQL.

The first two come from npm into a folder that is thrown away; without a network they are skipped, saying so.
"""

import json
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import datafusion
import pyarrow as pa
import pytest

from dashboards.catalogue import BOARDS
from dashboards.grafana.files import for_influx
from dashboards.grafana.v2 import v2
from dashboards.influx import flux, flux_choices, sql
from dashboards.query import Select
from parvis.catalogue import metric

PACKAGES = ("@grafana/schema@13.2.3", "typescript@5.9.2", "@influxdata/flux-lsp-node@0.8.40")
SECONDS = 1_790_000_000
COMPILE = ("--noEmit", "--strict", "--skipLibCheck", "--module", "esnext", "--moduleResolution", "bundler")
SELECTS: dict[str, Select] = {
    f"{board.uid}-{panel.id}-{place}": query.what
    for board in BOARDS
    for panel in for_influx(board).panels
    for place, query in enumerate(panel.queries)
    if isinstance(query.what, Select)
}


@pytest.fixture(scope="module")
def compilers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("npm") is None:
        pytest.skip("npm is missing: apt-get install npm")
    folder = tmp_path_factory.mktemp("npm")
    (folder / "package.json").write_text('{"private": true}')
    command = ["npm", "install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund", *PACKAGES]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("npm did not answer within four minutes: no network?")
    if done.returncode:
        pytest.skip(f"npm could not fetch the compilers: {(done.stderr or done.stdout).strip()[-300:]}")
    return folder


def compiled(folder: Path, boards: dict[str, Any]) -> str:
    """What tsc has to say."""
    lines = ['import type { Spec } from "@grafana/schema/apis/dashboard.grafana.app/v2";']
    lines += [f"export const {name}: Spec = {json.dumps(board['spec'])};" for name, board in boards.items()]
    (folder / "boards.ts").write_text("\n".join(lines))
    command = ["node_modules/.bin/tsc", *COMPILE, "boards.ts"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240, check=False).stdout


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_grafanas_own_types_accept_every_board_and_refuse_a_slip(compilers: Path) -> None:
    every = {board.uid.replace("-", "_"): v2(board, "fr", "Europe/Paris") for board in BOARDS}
    slip = json.loads(json.dumps(every["wifi_ville"]))
    defaults = slip["spec"]["elements"]["panel-2"]["spec"]["vizConfig"]["spec"]["fieldConfig"]["defaults"]
    defaults["unitt"] = defaults.pop("unit")

    found = compiled(compilers, {**every, "slip": slip})
    assert "unitt" in found
    assert len(re.findall(r"error TS", found)) == 1, found


PARSE = """
const flux = require('@influxdata/flux-lsp-node');
const texts = JSON.parse(require('fs').readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify(texts.map((text) => flux.is_valid_flux(text))));
"""


OPTIONS = 'v = {defaultBucket: "parvis", timeRangeStart: -1h, timeRangeStop: now(), windowPeriod: 1m}'
"""What Grafana puts into each query in Flux."""


def with_options(text: str) -> str:
    """*text* as InfluxDB gets it: an import stays the first."""
    asked_for = re.sub(r"\$\{\w+:regex\}", "a|b", text)
    head, line, rest = asked_for.partition("\n") if asked_for.startswith("import") else ("", "", asked_for)
    return f"{head}{line}{OPTIONS}\n{rest}"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_influxdatas_own_parser_reads_every_query_in_flux(compilers: Path) -> None:
    (compilers / "parse.js").write_text(PARSE)
    texts = [flux(select, now=now) for select in SELECTS.values() for now in (True, False)]
    texts += [flux_choices("snmp_up", "site"), "from(bucket: |> range("]
    ran = subprocess.run(
        ["node", "parse.js"],
        cwd=compilers,
        input=json.dumps([with_options(text) for text in texts]),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-1000:]
    *verdicts, slip = json.loads(ran.stdout)
    assert [text for text, valid in zip(texts, verdicts, strict=False) if not valid] == []
    assert not slip


def table(select: Select) -> pa.Table:
    """Ten minutes of two devices, polled at different seconds, each with two series where there may be two."""
    names = [label for label in metric(select.metric).labels if label not in {"ap", "lane", "onu"}]
    rows = []
    for minute in range(10):
        for device in (1, 2):
            for turn in (1, 2):
                labels = {name: f"{name}-{turn}" for name in names}
                labels |= {name: f"{name}-{device}" for name in ("device", "uplink") if name in names}
                labels |= {"site": "site-1", **select.where}
                at = pa.scalar(int((SECONDS + 60 * minute + device) * 1e9), pa.timestamp("ns"))
                rows.append({"time": at, "value": float(100 * minute * turn), **{n: labels[n] for n in names}})
    return pa.Table.from_pylist(rows)


def ready(text: str) -> str:
    """The query with Grafana's macros and variables put in."""
    bin_ = "date_bin(interval '60 second', time, timestamp '1970-01-01T00:00:00Z')"
    return re.sub(
        r"\$\{\w+:regex\}", ".*", text.replace("$__timeRange(time)", "true").replace("$__dateBin(time)", bin_)
    )


def asked(select: Select, *, now: bool) -> list[dict[str, Any]]:
    context = datafusion.SessionContext()
    context.from_arrow(table(select), name=select.metric)
    found: list[dict[str, Any]] = context.sql(ready(sql(select, now=now))).to_pylist()
    return found


@pytest.mark.parametrize("name", SELECTS)
def test_the_engine_of_influxdb_3_answers_every_query_in_sql(name: str) -> None:
    for now in (True, False):
        rows = asked(SELECTS[name], now=now)
        assert rows
        assert {"value", *SELECTS[name].by} <= set(rows[0])


def test_a_sum_in_sql_is_that_of_one_poll_whenever_devices_are_polled() -> None:
    select = Select("wifi_radio_clients", by=("site",))
    at = [row["value"] for row in asked(select, now=False)]

    assert at == [600.0 * minute for minute in range(10)]
    assert asked(select, now=True) == [{"site": "site-1", "value": 5400.0}]


def test_of_many_devices_sql_shows_those_that_reach_the_highest_all_along() -> None:
    """Twenty devices, of which another is the highest in each minute; of minima it is the lowest."""
    rows = [
        {"time": pa.scalar(int((SECONDS + 60 * minute) * 1e9), pa.timestamp("ns")), "site": "s"}
        | {"device": f"d-{device:02d}", "value": float(device + 100 * (device == minute))}
        for minute in range(10)
        for device in range(20)
    ]
    context = datafusion.SessionContext()
    context.from_arrow(pa.Table.from_pylist(rows), name="device_uptime_seconds")
    for how, wanted in (("max", {*range(10), 18, 19}), ("min", set(range(12)))):
        select = Select("device_uptime_seconds", by=("device",), how=how, top=12)  # type: ignore[arg-type]
        found = context.sql(ready(sql(select))).to_pylist()
        assert {row["device"] for row in found} == {f"d-{device:02d}" for device in wanted}
        assert len(found) == 12 * 10
        assert len(context.sql(ready(sql(select, now=True))).to_pylist()) == 12


def test_the_age_of_the_data_in_sql_is_that_of_the_newest_line() -> None:
    (row,) = asked(Select("snmp_up", how="age"), now=True)

    assert row["value"] == pytest.approx(time.time() - (SECONDS + 60 * 9 + 2), abs=60)


def test_a_counter_in_sql_is_its_rate() -> None:
    rates = {round(row["value"], 6) for row in asked(Select("port_transmit_bytes_total", times=8), now=False)}

    assert rates == {round(2 * 8 * (100 + 200) / 60, 6)}
