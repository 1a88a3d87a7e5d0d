"""A gateway is given what it needs of the town and nothing about people, contracts and other sites' devices."""

from pathlib import Path

import pytest

from parvis import outputs
from parvis.inventory import Town, examine, load
from tests_support import Edit
from upkeep import least_data

LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1"/></svg>'
SITE, OTHER = "maison-services-publics", "leo-lagrange"
KNOWN = 'known_devices: [{{mac: "02:00:5e:00:99:{:02x}", title: Imprimante, why: impression}}]\n'


@pytest.fixture
def whole(town_folder: Path) -> Path:
    """A town in which everything is that may be: calendars, texts of its own, announced work, known devices."""
    for name, text in (("rota/agent-1.ics", "BEGIN:VCALENDAR\n"), ("events/fete.ics", "BEGIN:VCALENDAR\n")):
        (town_folder / name).parent.mkdir()
        (town_folder / name).write_text(text)
    (town_folder / "portal").mkdir(exist_ok=True)
    (town_folder / "portal/logo.svg").write_text(LOGO)
    (town_folder / ".git").mkdir()
    (town_folder / ".git/config").write_text("url = private")
    for number, site in enumerate((SITE, OTHER)):
        file = town_folder / f"sites/{site}.yml"
        file.write_text(file.read_text("utf-8") + KNOWN.format(number), "utf-8")
    return town_folder


@pytest.fixture
def given(whole: Path, tmp_path: Path) -> Path:
    """The folder as the gateway of SITE has it."""
    for name, content in (least_data.shared(whole) | least_data.own(whole, SITE)).items():
        file = tmp_path / "given" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return tmp_path / "given"


def text(folder: Path) -> str:
    return "".join(file.read_text("utf-8") for file in folder.rglob("*") if file.is_file())


def test_nobody_who_is_on_call_and_nothing_a_line_costs_is_on_a_gateway(given: Path, town: Town) -> None:
    told = text(given)
    said = [word for person in town.people for word in (person.name, person.phone, person.email, person.title)]
    said += [site.uplink.hotline or "hotline" for site in town.sites]
    said += ["monthly_fee", "penalties", "gardien au", "VCALENDAR", "02:00:5e:00:99:01", "url = private"]

    assert [word for word in said if word in told] == []
    assert (town.contact.email in told, "02:00:5e:00:99:00" in told) == (True, True)
    assert (given / "portal/logo.svg").read_text() == LOGO


def test_everything_generated_for_the_gateway_is_the_same_as_from_the_whole_town(whole: Path, given: Path) -> None:
    found, faults = examine(given, thorough=True)

    assert faults == []
    assert found is not None
    assert [fault for check in outputs.checks() for fault in check(found)] == []
    folder = f"gateway/{found.site(SITE).gateway.name}/"
    wanted, made = (
        {name: said for name, said in outputs.generate(each).items() if name.startswith(folder)}
        for each in (_without_calendars(whole), found)
    )
    assert made == wanted


def _without_calendars(whole: Path) -> Town:
    for name in ("rota/agent-1.ics", "events/fete.ics"):
        (whole / name).unlink()
    return load(whole)


def test_a_text_that_looks_like_a_number_stays_a_text(town_folder: Path, edit: Edit) -> None:
    edit(f"sites/{SITE}.yml", 'postcode: "94230"', 'postcode: "08000"')

    assert b'"postcode": "08000"' in least_data.own(town_folder, SITE)[f"sites/{SITE}.yml"]
    assert least_data.of_town(least_data.data(town_folder / "town.yml"))["emergency"][0]["number"] == "15"
