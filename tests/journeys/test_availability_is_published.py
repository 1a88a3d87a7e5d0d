"""From what the monitor saw to the published dataset, without anybody's hand: the monitor tells, open data take."""

import csv
import json
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from atlas import Atlas
from click.testing import CliRunner, Result
from werkzeug.serving import make_server

from captive_portal.opendata.datasets import AVAILABILITY
from captive_portal.opendata.publishing_commands import opendata
from monitor.sla.outages import Cause
from parvis.inventory import DEMO_TOWN, Town

PARIS = ZoneInfo("Europe/Paris")
STEP = 6 * 3600.0
SITE, UPLINK = "leo-lagrange", "fibre-lagrange"


def at(*moment: int) -> float:
    return datetime(*moment, tzinfo=PARIS).timestamp()  # type: ignore[arg-type, misc]


class Months:
    """A monitor that has watched for months, its pages served, and ``parvis opendata`` beside it."""

    def __init__(self, town: Town, folder: Path) -> None:
        self.folder = folder
        (folder / "monitor").mkdir()
        self.atlas = Atlas(town, folder / "monitor", day=False)
        self.atlas.now = at(2026, 11, 30, 9)
        self.register = self.atlas.recorder.register
        self.server = make_server("127.0.0.1", 0, self.atlas.app, threaded=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.settings = folder / "opendata.toml"
        place = f"http://127.0.0.1:{self.server.server_port}/availability.json"
        self.settings.write_text(f'town = "{DEMO_TOWN}"\nstate = "{folder}/opendata"\navailability = "{place}"\n')

    def watched(self, start: float, end: float) -> None:
        """All links are seen to work, every six hours."""
        states = {site.uplink.name: "up" for site in self.atlas.town.sites}
        moment = start
        while moment <= end:
            self.register.see(states, moment, STEP + 60)
            moment += STEP

    def cut(self, detected: float, seconds: float, cause: Cause = Cause.PRESUMED, *, partial: bool = False) -> None:
        number = self.register.begin(UPLINK, detected, detected + 40, partial=partial, cause=cause, evidence={})
        self.register.change(number, verified_at=detected + seconds)

    def export(self) -> Result:
        words = ["export", str(self.folder / "out"), "--settings", str(self.settings)]
        return CliRunner().invoke(opendata, words)

    def rows(self) -> list[dict[str, object]]:
        done = self.export()
        assert done.exit_code == 0, done.output
        found: list[dict[str, object]] = json.loads((self.folder / f"out/{AVAILABILITY}.json").read_text("utf-8"))
        return found


@pytest.fixture
def months(town: Town, tmp_path: Path) -> Iterator[Months]:
    made = Months(town, tmp_path)
    yield made
    made.server.shutdown()


def test_oda03_the_monitors_own_history_becomes_the_published_dataset(months: Months) -> None:
    """October: a cut of 54 minutes, one of an hour at the town's own switch, a micro-cut, a slow hour."""
    months.watched(at(2026, 9, 20), at(2026, 11, 2))
    months.cut(at(2026, 10, 5, 3), 54 * 60)
    months.cut(at(2026, 10, 9, 3), 3600, Cause.LAN)
    months.cut(at(2026, 10, 12, 3), 30)
    months.cut(at(2026, 10, 13, 3), 3600, partial=True)
    rows = months.rows()

    assert {row["mois"] for row in rows} == {"2026-10"}, "September was hardly watched, November is not over"
    assert {row["id_site"] for row in rows} == {site.site for site in months.atlas.town.sites}
    here = next(row for row in rows if row["id_site"] == SITE)
    down = 54 * 60 + 3600 + 30
    assert here["disponibilite_pct"] == round(100 * (1 - down / (745 * 3600)), 2), "745 hours: the clocks went back"
    assert (here["nb_incidents"], here["mttr_min"]) == (2, 57.0)
    others = [row for row in rows if row["id_site"] != SITE]
    assert {(row["disponibilite_pct"], row["nb_incidents"], row["mttr_min"]) for row in others} == {(100.0, 0, None)}
    with (months.folder / f"out/{AVAILABILITY}.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == len(rows)


def test_oda03_what_the_monitor_has_forgotten_stays_published(months: Months) -> None:
    months.watched(at(2026, 10, 1), at(2026, 11, 2))
    before = months.rows()
    months.atlas.now = at(2030, 1, 1)

    assert months.rows() == before
    assert len(before) == len(months.atlas.town.sites)


def test_oda03_a_monitor_that_does_not_answer_is_said_and_nothing_is_written(months: Months) -> None:
    months.server.shutdown()
    months.server.server_close()
    done = months.export()

    assert done.exit_code == 1
    assert "availability.json" in done.output
    assert "Traceback" not in done.output
    assert not (months.folder / "out").exists()
