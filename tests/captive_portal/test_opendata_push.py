"""Pushing to portals that refuse what they were not promised: only what changed, again when needed, no key anywhere."""

import json
import logging
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from portals import API_KEY, DATASET, KEY, Portals

from captive_portal.opendata import publishing_commands, push
from captive_portal.opendata.datasets import AVAILABILITY, SITES, USAGE
from captive_portal.opendata.export import contents, write
from captive_portal.opendata.publishing_commands import opendata
from captive_portal.opendata.sites import sites_rows
from parvis.inventory import DEMO_TOWN, load
from tests_support import copy_town


@pytest.fixture
def portals() -> Iterator[Portals]:
    with Portals() as made:
        yield made


class Town:
    """A town that publishes at both portals, and its export."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.out = folder, folder / "out"
        copy_town(DEMO_TOWN, folder / "town")
        file = folder / "town/town.yml"
        both = (
            f'opendatasoft: {{url: "{url}", resources: {{{SITES}: wifi-sites/push_1}}}},\n'
            f'            data_gouv: {{url: "{url}", datasets: {{{SITES}: {DATASET}}}}}}}'
        )
        file.write_text(file.read_text("utf-8").replace('/wifi/"}', f'/wifi/", {both}'))
        (folder / "secrets").mkdir()
        (folder / f"secrets/push-{SITES}").write_text(KEY)
        (folder / "secrets/data-gouv-key").write_text(API_KEY)
        lines = [f'{key} = "{folder / key}"' for key in ("town", "state", "secrets")]
        (folder / "settings.toml").write_text("\n".join(lines))
        self.exports(date(2026, 11, 30))

    def exports(self, today: date) -> None:
        town = load(self.folder / "town")
        assert town.open_data
        rows = {SITES: sites_rows(town, {}), USAGE: [], AVAILABILITY: []}
        write(self.out, contents(town, town.open_data, rows, today, today))

    def pushes(self, *words: str) -> Result:
        settings = ["--settings", str(self.folder / "settings.toml")]
        return CliRunner().invoke(opendata, ["push", str(self.out), *words, *settings])


@pytest.fixture
def town(tmp_path: Path, portals: Portals, monkeypatch: pytest.MonkeyPatch) -> Town:
    monkeypatch.setattr(publishing_commands, "session", lambda: push.session(0.0))
    return Town(tmp_path, portals.url)


def test_oda07_records_and_files_arrive_whole(town: Town, portals: Portals) -> None:
    told = town.pushes()

    assert told.exit_code == 0, told.output
    assert portals.records == {"wifi-sites/push_1": json.loads((town.out / f"{SITES}.json").read_text("utf-8"))}
    assert {one["title"] for one in portals.files.values()} == {
        f"{SITES}.{ending}" for ending in ("csv", "json", "geojson", "parquet", "schema.json")
    }
    assert portals.refusals == []


def test_oda07_what_did_not_change_is_not_pushed_again(town: Town, portals: Portals) -> None:
    town.pushes()
    records, files = dict(portals.records), dict(portals.files)
    again = town.pushes()

    assert "nothing to do" in again.output
    assert (portals.records, portals.files) == (records, files)

    (town.out / f"{SITES}.csv").write_bytes(b"id\r\nnew\r\n")
    changed = town.pushes()
    assert changed.output.count("replace wifi-public-sites.csv") == 1
    assert len(portals.files) == len(files), "the resource keeps its identifier"


def test_oda07_a_dry_run_says_and_does_nothing(town: Town, portals: Portals) -> None:
    told = town.pushes("--dry-run")

    assert told.output.count("would do: ") == 6
    assert "6 step(s) not done" in told.output
    assert (portals.records, portals.files) == ({}, {})
    assert not (town.folder / "state/pushed.json").exists()


def test_oda07_what_may_pass_is_tried_again(town: Town, portals: Portals) -> None:
    portals.faults = [503, 429, 500, 502]
    told = town.pushes()

    assert told.exit_code == 0, told.output
    assert len(portals.files) == 5


@pytest.mark.parametrize(
    ("secret", "says"),
    [(f"push-{SITES}", "refused with 401; check the key"), ("data-gouv-key", "refused with 401; check the key")],
)
def test_oda07_a_wrong_key_is_said_and_the_other_portal_is_still_served(
    town: Town, portals: Portals, secret: str, says: str
) -> None:
    (town.folder / "secrets" / secret).write_text("another-key-000")
    told = town.pushes()

    assert told.exit_code == 1
    assert says in told.output
    assert bool(portals.records) != bool(portals.files)


def test_oda07_no_key_is_in_any_word_or_log_line_whatever_fails(
    town: Town, portals: Portals, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    portals.faults = [503] * 3
    said = town.pushes().output
    portals.faults = [500] * 200
    (town.folder / "state/pushed.json").unlink()
    said += town.pushes().output
    portals.server.shutdown()
    portals.server.server_close()
    away = town.pushes()
    said += away.output + repr(away.exception)

    assert away.exit_code == 1
    assert "does not answer" in away.output
    everything = said + caplog.text + "".join(p.read_text() for p in (town.folder / "state").iterdir())
    assert KEY not in everything
    assert API_KEY not in everything
    assert "pushkey" not in everything


def test_oda07_an_export_that_is_missing_is_said_in_words(town: Town) -> None:
    (town.out / f"{SITES}.json").unlink()
    told = town.pushes()

    assert told.exit_code == 1
    assert "run parvis opendata export first" in told.output


def test_gdp04_a_town_that_names_no_portal_pushes_nowhere(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text(f'state = "{tmp_path}"')
    told = CliRunner().invoke(opendata, ["push", str(tmp_path), "--settings", str(tmp_path / "settings.toml")])

    assert told.exit_code == 1
    assert "open_data names no portal" in told.output
