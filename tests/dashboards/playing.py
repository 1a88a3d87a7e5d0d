"""A town played through every fault, and a Prometheus that holds all of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pytest
from panel_answers import Filled, Shown
from played_devices import BREAKS_AT, STEP_SECONDS, polls
from played_town import AILMENTS, Run

from dashboards.panel import Fault
from parvis.inventory import DEMO_TOWN, Town, load
from tests_support import copy_town

DOUBLED = "doubled"
FAULTS: tuple[Fault, ...] = get_args(Fault)


@dataclass(frozen=True)
class Play:
    """*prometheus* holds the run of each fault; "" is the quiet one, DOUBLED one where a site is there twice."""

    town: Town
    prometheus: Filled
    runs: Mapping[str, Run]

    def shown(self, fault: str = "") -> Shown:
        """The minutes in which the fault lasts."""
        run = self.runs[fault]
        points = tuple(point.name for site in self.town.sites for point in site.access_points)
        return Shown(run.begins + BREAKS_AT * STEP_SECONDS, run.ends, all={"borne": points})


def with_modules(folder: Path) -> Town:
    """The demo town with fibre modules the twin has, one of them lit from a switch of the town's."""
    copy_town(DEMO_TOWN, folder)
    for file in (folder / "sites").glob("*.yml"):
        text = file.read_text("utf-8").replace('port: "25"', "port: sfp1")
        text = text.replace(
            "switch: sw-lagrange, port: sfp1,",
            "switch: sw-lagrange, port: sfp1, far: {device: sw-msp, port: sfp1},",
            file.stem == "leo-lagrange",
        )
        file.write_text(text, "utf-8")
    return load(folder)


@pytest.fixture(scope="session")
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    folder = tmp_path_factory.mktemp("play")
    town = with_modules(folder / "town")
    quiet = polls(town, {})
    runs = {
        fault: Run(
            town, fault, number, folder, quiet, polls(town, dict([AILMENTS[fault]])) if fault in AILMENTS else {}
        )
        for number, fault in enumerate(("", *FAULTS))
    }
    runs[DOUBLED] = Run(town, "", len(runs), folder, quiet, doubled=True)
    prometheus = Filled(folder)
    oldest_first = sorted(runs.values(), key=lambda run: run.begins)
    prometheus.fill("runs", (line for run in oldest_first for line in run.lines()), longest="60000h")
    with prometheus:
        yield Play(town, prometheus, runs)
