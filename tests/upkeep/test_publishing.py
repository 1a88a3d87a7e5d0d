"""Open data come out by themselves: the timer in the centre, its user, its secrets, and where there is none."""

from fnmatch import fnmatch
from pathlib import Path

import yaml

from parvis.inventory import Town
from parvis.inventory.places import DataGouv, Opendatasoft
from upkeep import configuration, delivered, places, units
from upkeep.order import parts

WRITTEN = Path(units.__file__).parents[1] / "ansible" / "roles" / "program" / "tasks" / "files.yml"

PORTALS = {
    "opendatasoft": Opendatasoft(url="https://data.cachan.example", resources={"wifi-public-sites": "sites/push"}),
    "data_gouv": DataGouv(datasets={"wifi-public-sites": "5e1f20058b4c414d3f94460d"}),
}


def service(town: Town) -> str:
    return units.files(town, "centre")["parvis-opendata.service"]


def started(town: Town) -> list[str]:
    return [line.split()[2] for line in service(town).splitlines() if line.startswith("ExecStart=")]


def pushing(town: Town) -> Town:
    assert town.open_data
    return town.model_copy(update={"open_data": town.open_data.model_copy(update=PORTALS)})


def test_a_town_that_publishes_has_a_timer_in_the_centre_and_nowhere_else(town: Town) -> None:
    assert "OnCalendar=*-*-* " in units.files(town, "centre")["parvis-opendata.timer"]
    assert "parvis-opendata.timer" in {part.unit for part in parts()}
    assert not [name for name in units.files(town, "gateway") if "opendata" in name]
    assert delivered.OPENDATA in delivered.users(town, "centre")
    assert started(town) == ["export"]


def test_what_is_exported_is_pushed_where_the_town_names_a_portal_with_the_keys_of_that_portal(town: Town) -> None:
    there = pushing(town)

    assert started(there) == ["export", "push"]
    assert delivered.secrets(there, delivered.OPENDATA) == [
        "data-gouv-key",
        "management-token",
        "push-wifi-public-sites",
    ]
    for name in delivered.secrets(there, delivered.OPENDATA):
        assert f"LoadCredential={name}:/etc/parvis/secrets/{name}\n" in service(there)
        assert "opendata" in delivered.everything(there)[name]


def test_a_town_that_publishes_nothing_has_no_timer_no_user_and_no_settings(town: Town) -> None:
    silent = town.model_copy(update={"open_data": None})

    assert not [name for name in units.files(silent, "centre") if "opendata" in name]
    assert "opendata.toml" not in configuration.centre(silent)
    assert delivered.OPENDATA not in delivered.users(silent, "centre")


def test_what_only_some_towns_need_goes_when_the_town_needs_it_no_longer(town: Town) -> None:
    """The role removes what it would have written: what is left in place would go on, with the town's name on it."""
    silent = town.model_copy(update={"open_data": None})
    tasks = yaml.safe_load(WRITTEN.read_text("utf-8"))
    patterns = [one for task in tasks for one in task.get("placed_files", {}).get("absent", [])]
    left = {
        f"{places.UNITS}/{name}" for name in units.files(town, "centre").keys() - units.files(silent, "centre").keys()
    }

    assert left
    assert {path for path in left if not any(fnmatch(path, pattern) for pattern in patterns)} == set()
    assert {path for path in left if any(fnmatch(f"{path}.d", pattern) for pattern in patterns)} == set(), (
        "each run would take away what the town has changed for the unit, and put it back"
    )
