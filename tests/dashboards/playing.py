"""A town played through every fault, and a Prometheus that holds all of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pytest
from panel_answers import Filled, Shown
from played_devices import BREAKS_AT, STEP_SECONDS, polls
from played_faults import AILMENTS, SITE, SWITCH
from played_town import Run

from collectors.influx.writer import Server, Writer
from dashboards.panel import Fault
from parvis.inventory import DEMO_TOWN, Town, load
from parvis.values import Secret
from tests_support import copy_town

DOUBLED, CROWDED = "doubled", "crowded"
CROWD = 13
SPOOL_BYTES = 100_000_000
FAULTS: tuple[Fault, ...] = get_args(Fault)


@dataclass(frozen=True)
class Play:
    """*prometheus* holds the run of each fault; "" is the quiet one, DOUBLED one where a site is there twice.

    CROWDED is one where it is there CROWD times more.
    """

    town: Town
    prometheus: Filled
    runs: Mapping[str, Run]
    spooled: tuple[str, ...]
    """What the collectors' own writer spooled for InfluxDB in the quiet run: line protocol."""

    def shown(self, fault: str = "") -> Shown:
        """The minutes in which the fault lasts."""
        run = self.runs[fault]
        points = [point.name for site in self.town.sites for point in site.access_points]
        if run.crowd:
            points += [
                point.replace("lagrange", f"lagrange-{number}")
                for number in range(CROWD)
                for point in points
                if "lagrange" in point
            ]
        return Shown(run.begins + BREAKS_AT * STEP_SECONDS, run.ends, all={"borne": tuple(points)})


MORE = """  - {name: ap-lagrange-dojo, vendor: openwrt, model: EAP615-Wall, address: 10.91.4.13,
     mac: "02:00:5e:01:04:03", snmp: {credential: anciennes-v2c}, switch: sw-lagrange, port: "3",
     place: {fr: Dojo, en: Dojo}}
ups: [{name: ups-lagrange, model: Onduleur 1500, address: 10.91.4.3, snmp: {credential: reseau-v3}}]
"""
"""What the demo town's sports complex lacks for every panel to have something to show."""


def played(folder: Path) -> Town:
    """The demo town with switches the twin has; at one site a far end, a battery, a third make, and no sign yet."""
    copy_town(DEMO_TOWN, folder)
    for file in (folder / "sites").glob("*.yml"):
        text = file.read_text("utf-8")
        text = text.replace("vendor: net-snmp, model: Switch 24+2 SFP", "vendor: hpe, model: 2530-24G-PoEP")
        if file.stem == SITE:
            text = text.replace(f"switch: {SWITCH},", f'switch: {SWITCH}, far: {{device: sw-msp, port: "25"}},', 1)
            text = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("pictogram:")) + MORE
        file.write_text(text, "utf-8")
    return load(folder)


@pytest.fixture(scope="session")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    folder = tmp_path_factory.mktemp("play")
    town = played(folder / "town")
    quiet = polls(town, {})
    runs = {
        fault: Run(
            town, fault, number, folder, quiet, polls(town, dict([AILMENTS[fault]])) if fault in AILMENTS else {}
        )
        for number, fault in enumerate(("", *FAULTS))
    }
    runs[DOUBLED] = Run(town, "", len(runs), folder, quiet, doubled=True)
    runs[CROWDED] = Run(town, "", len(runs), folder, quiet, crowd=CROWD)
    spool = folder / "spool"
    writer = Writer(Server("http://127.0.0.1:9", "town", "wifi", Secret("none")), spool, SPOOL_BYTES)
    runs[""].outlet = writer.put
    prometheus = Filled(folder)
    oldest_first = sorted(runs.values(), key=lambda run: run.begins)
    prometheus.fill("runs", (line for run in oldest_first for line in run.lines()), longest="60000h")
    lines = tuple(line for batch in sorted(spool.iterdir()) for line in batch.read_text("utf-8").splitlines())
    with prometheus:
        yield Play(town, prometheus, runs, lines)
