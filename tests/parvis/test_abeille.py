"""Loi Abeille in `parvis check`: what it forbids is a fault, what is still to be done is said and holds nothing up."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from parvis.cli import parvis
from parvis.inventory import DEMO_TOWN, load
from parvis.inventory.abeille import to_do
from tests_support import copy_town, faults_of

Change = Callable[[str, str], None]
SITE = "sites/leo-lagrange.yml"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return copy_town(DEMO_TOWN, tmp_path / "town")


@pytest.fixture
def change(own: Path) -> Change:
    def make(old: str, new: str) -> None:
        path = own / SITE
        text = path.read_text("utf-8")
        assert re.search(old, text)
        path.write_text(re.sub(old, new, text), "utf-8")

    return make


@pytest.mark.parametrize(
    ("old", "new", "path", "says"),
    [
        (
            "place: {fr: Gymnase",
            "under_threes: true, place: {fr: Gymnase",
            "access_points[0].under_threes",
            "under three",
        ),
        ("kind: sports-complex", "kind: nursery", "access_points[1].under_threes", "under three"),
        ("kind: sports-complex", "kind: primary-school", "radio_hours", "no lesson needs it"),
        ("access: both", "access: everywhere", "location.access", "indoor"),
        ("latitude: 48.7881", "latitude: 148.7881", "location.latitude", "less than or equal to 90"),
        ("installed: 2025-09-01", "installed: in autumn", "pictogram.installed", "date"),
    ],
)
def test_cgu13_what_the_law_forbids_is_a_located_fault(
    own: Path, change: Change, old: str, new: str, path: str, says: str
) -> None:
    change(old, new)

    found = [fault for fault in faults_of(own) if fault.path == path]
    assert len(found) == 1
    assert says in str(found[0])
    assert found[0].line > 1 or path == "radio_hours"


@pytest.mark.parametrize("way_out", ["radio_hours: Mo-Fr 08:30-16:30\n", "radio_switch: true\n"])
def test_cgu13_a_primary_school_has_hours_or_a_switch(own: Path, change: Change, way_out: str) -> None:
    change("kind: sports-complex\n", f"kind: primary-school\n{way_out}")

    assert load(own).site("leo-lagrange").kind == "primary-school"


def test_cgu13_an_office_in_a_nursery_may_have_wifi(own: Path, change: Change) -> None:
    change("kind: sports-complex", "kind: nursery")
    change("place: {fr:", "under_threes: false, place: {fr:")

    assert load(own).site("leo-lagrange").kind == "nursery"


def test_cgu13_a_missing_pictogram_is_said_and_holds_nothing_up(own: Path, change: Change) -> None:
    change("pictogram: .*\n", "")
    change("kind: sports-complex\n", "kind: middle-school\n")

    told = CliRunner().invoke(parvis, ["check", str(own)])
    assert told.exit_code == 0
    assert "sites/leo-lagrange.yml: to do: no pictogram" in told.output
    assert "school council" in told.output


def test_cgu13_the_demo_town_shows_how_and_has_nothing_left_to_do() -> None:
    town = load(DEMO_TOWN)

    assert to_do(town) == []
    assert all(site.pictogram and site.location for site in town.sites)
