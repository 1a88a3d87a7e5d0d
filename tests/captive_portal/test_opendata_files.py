"""The export: read by the programs of the field, with the sites' portals asked over real TLS."""

import csv
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import html5lib
import pytest
from arro3.io import read_parquet
from click.testing import CliRunner, Result
from house import House
from rdflib import DCAT, Graph
from staff import TOKEN, desk_of, issued

from captive_portal.directives import Kind, Order
from captive_portal.management.api import create_api
from captive_portal.opendata.datasets import AVAILABILITY, SITES, USAGE, Row, datasets
from captive_portal.opendata.export import contents
from captive_portal.opendata.map_page import drawn
from captive_portal.opendata.publication import Measured
from captive_portal.opendata.publishing_commands import opendata
from captive_portal.opendata.releases import Releases
from captive_portal.opendata.sites import Seen, sites_rows
from captive_portal.store_usage import add
from captive_portal.tls import TlsServer
from parvis.inventory import DEMO_TOWN, Site, Town, load
from parvis.inventory.places import SiteKind

NOW = datetime(2026, 11, 30, 10, tzinfo=UTC)
Files = dict[str, bytes]


@pytest.fixture(scope="module")
def town() -> Town:
    return load(DEMO_TOWN)


def rows_of(town: Town, folder: Path) -> dict[str, list[Row]]:
    releases = Releases(folder)
    measured = {site.site: Measured(((20 + n, 10**11, 10**10),), 300, 3000.0) for n, site in enumerate(town.sites)}
    measured[town.sites[0].site] = Measured(((4, 10**9, 10**8),), 8, None)
    releases.freeze("2026-10", measured, NOW.date())
    seen = {site.site: Seen("Opérationnel", NOW) for site in town.sites[1:]}
    available = [
        {"mois": "2026-10", "id_site": "leo-lagrange", "disponibilite_pct": 99.5, "nb_incidents": 2, "mttr_min": 31.5}
    ]
    return {SITES: sites_rows(town, seen), USAGE: releases.rows(), AVAILABILITY: available}


@pytest.fixture(scope="module")
def made(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Files:
    assert town.open_data
    rows = rows_of(town, tmp_path_factory.mktemp("published"))
    return contents(town, town.open_data, rows, date(2026, 11, 2), NOW.date())


@pytest.mark.parametrize("name", [SITES, USAGE, AVAILABILITY])
def test_oda01_parquet_has_the_same_rows_in_their_types(made: Files, name: str) -> None:
    table = read_parquet(BytesIO(made[f"{name}.parquet"])).read_all()
    columns = {column: table.column(column).to_pylist() for column in table.column_names}

    told = list(csv.DictReader(StringIO(made[f"{name}.csv"].decode())))
    assert made[f"{name}.parquet"][:4] == made[f"{name}.parquet"][-4:] == b"PAR1"
    assert list(columns) == list(told[0])
    for number, row in enumerate(told):
        for column, text in row.items():
            value = columns[column][number]
            assert ("" if value is None else str(value).lower() if isinstance(value, bool) else str(value)) == text


def test_oda01_a_csv_with_semicolons_says_the_same(made: Files) -> None:
    for name in datasets():
        with_commas = list(csv.reader(StringIO(made[f"{name}.csv"].decode())))
        assert list(csv.reader(StringIO(made[f"{name}.semicolon.csv"].decode()), delimiter=";")) == with_commas


def test_oda01_geojson_is_longitude_first_and_whole(made: Files, town: Town) -> None:
    found = json.loads(made[f"{SITES}.geojson"])
    here = town.site("leo-lagrange").location

    (feature,) = [one for one in found["features"] if one["properties"]["id"] == "leo-lagrange"]
    assert here
    assert feature["geometry"] == {"type": "Point", "coordinates": [here.longitude, here.latitude]}
    assert len(found["features"]) == len(town.sites)


def test_oda01_the_sites_are_there_under_the_names_paris_uses(made: Files) -> None:
    ours, theirs = json.loads(made[f"{SITES}.json"]), json.loads(made[f"{SITES}-noms-paris.json"])

    assert list(theirs[0]) == ["idpw", "nom_site", "arc_adresse", "cp", "nombre_de_borne_wifi", "etat2", "geo_point_2d"]
    assert [row["idpw"] for row in theirs] == [row["id"] for row in ours]
    assert theirs[1]["etat2"] == "Opérationnel"
    assert set(theirs[1]["geo_point_2d"]) == {"lon", "lat"}


def test_oda02_a_small_site_is_held_back_in_every_format(made: Files, town: Town) -> None:
    rows = {row["id_site"]: row for row in json.loads(made[f"{USAGE}.json"])}

    assert rows[town.sites[0].site]["secret"] is True
    assert sum(row["secret"] for row in rows.values()) == 2
    assert rows[town.sites[0].site]["sessions"] is None
    assert "300" in made[f"{USAGE}.csv"].decode()


def test_oda04_no_equipment_and_nobody_is_in_any_file(made: Files, town: Town) -> None:
    secrets = [str(device.address) for site in town.sites for device in (site.gateway, *site.polled())]
    secrets += [device.name for site in town.sites for device in (site.gateway, *site.polled())]
    secrets += [point.mac.text for site in town.sites for point in site.access_points]
    secrets += [site.uplink.contract for site in town.sites] + [person.phone for person in town.people]
    everything = b"\n".join(made.values()).decode("utf-8", "replace")

    assert [secret for secret in secrets if secret in everything] == []
    assert re.findall(r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b", everything) == []


@pytest.mark.parametrize(
    ("kind", "digits"), [(SiteKind.PRIMARY_SCHOOL, 3), (SiteKind.NURSERY, 3), (SiteKind.LIBRARY, 4)]
)
def test_oda04_where_children_are_only_the_neighbourhood_is_told(town: Town, kind: SiteKind, digits: int) -> None:
    def as_kind(site: Site) -> Site:
        return site.model_copy(update={"kind": kind})

    changed = town.model_copy(update={"sites": tuple(map(as_kind, town.sites))})
    points = [row["geo_point_2d"] for row in sites_rows(changed, {})]

    assert max(len(str(part).partition(".")[2]) for point in points for part in point) == digits


def test_oda05_every_distribution_is_a_file_of_the_folder(made: Files, town: Town) -> None:
    graph = Graph().parse(data=made["catalog.ttl"], format="turtle")
    addresses = [str(one) for one in graph.objects(predicate=DCAT.downloadURL)]

    assert town.open_data
    assert {address.removeprefix(town.open_data.page) for address in addresses} <= set(made)
    assert len(addresses) == 10


def test_oda08_source_licence_and_date_stand_beside_the_data(made: Files) -> None:
    notice = made["README.txt"].decode()

    assert "Source : Ville de Cachan" in notice
    assert "Dernière mise à jour : 2026-11-30" in notice
    assert "Licence Ouverte / Open Licence 2.0" in notice
    assert "2026-11-30" in made["index.html"].decode()


def test_oda09_the_tags_are_openstreetmaps(made: Files, town: Town) -> None:
    nodes = ET.fromstring(made[f"{SITES}.osm"]).findall("node")
    tags = {tag.get("k"): tag.get("v") for tag in nodes[0].findall("tag")}

    assert len(nodes) == len(town.sites)
    assert tags["internet_access"] == "wlan"
    assert tags["internet_access:fee"] == "no"
    assert tags["internet_access:ssid"] == "Cachan-WiFi"
    assert tags["opening_hours"] == town.sites[0].opening_hours


def test_the_same_day_makes_the_same_bytes(made: Files, town: Town, tmp_path: Path) -> None:
    assert town.open_data
    again = contents(town, town.open_data, rows_of(town, tmp_path), date(2026, 11, 2), NOW.date())

    assert [name for name in made if made[name] != again[name]] == []


@pytest.mark.parametrize("name", ["index.html", "index.en.html"])
def test_the_map_is_valid_loads_nothing_and_its_list_says_the_same(made: Files, town: Town, name: str) -> None:
    text = made[name].decode()
    html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)

    assert re.findall(r'(?:src|srcset)="|@import|url\(|<script|<link', text) == []
    for site in town.sites:
        assert f'<a href="#{site.site}"' in text
        assert f'<li id="{site.site}">' in text
    assert ("mardi, jeudi et vendredi" if name == "index.html" else "Tuesday, Thursday and Friday") in text


def test_the_map_keeps_distances_and_has_north_up(town: Town) -> None:
    points, scale = drawn(sites_rows(town, {}))
    by_name = {point.row["id"]: point for point in points}
    south, north = by_name["leo-lagrange"], by_name["service-relation-citoyen"]
    pixels_a_metre = scale.pixels / scale.metres

    assert south.y > north.y
    assert (south.y - north.y) / pixels_a_metre == pytest.approx((48.7936 - 48.7881) * 111_320, rel=0.01)
    assert (north.x - south.x) / pixels_a_metre == pytest.approx((2.3327 - 2.3239) * 111_320 * 0.6589, rel=0.01)
    assert all(40 <= point.x <= 600 and 40 <= point.y <= 380 for point in points)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(load(DEMO_TOWN), tmp_path)
    with made.doorkeeper:
        yield made


class Publisher:
    """``parvis opendata`` with one site's portal that answers; the others are not there."""

    def __init__(self, house: House, folder: Path, stack: ExitStack) -> None:
        ca, certificate, private = issued(folder)
        api = create_api(desk_of(house), TOKEN, house.instruments)
        self.server = stack.enter_context(TlsServer(("127.0.0.1", 0), api, certificate, private))
        self.out, self.town = folder / "out", folder / "town"
        self._one_site(house.facts.site)
        (folder / "secrets").mkdir()
        (folder / "secrets/management-token").write_text(TOKEN)
        self.settings = folder / "settings.toml"
        said = {"town": self.town, "state": folder / "state", "secrets": folder / "secrets", "authority": ca}
        lines = [f'{key} = "{value}"' for key, value in said.items()]
        self.settings.write_text("\n".join([*lines, f"management_port = {self.server.port}"]))

    def _one_site(self, name: str) -> None:
        """The demo town with this site only, whose gateway is on this machine."""
        (self.town / "sites").mkdir(parents=True)
        (self.town / "town.yml").write_bytes((DEMO_TOWN / "town.yml").read_bytes())
        text = (DEMO_TOWN / f"sites/{name}.yml").read_text("utf-8")
        text = re.sub(r"(management: \{ipv4: )[^}]+", r"\g<1>127.0.0.0/24", text)
        text = re.sub(r"(gateway: \{name: [a-z-]+, address: )[0-9.]+", r"\g<1>127.0.0.1", text)
        text = re.sub(r"address: 10\.91\.\d+\.(\d+)", r"address: 127.0.0.\1", text)
        (self.town / f"sites/{name}.yml").write_text(text)

    def runs(self, *words: str) -> Result:
        return CliRunner().invoke(opendata, [words[0], *words[1:], "--settings", str(self.settings)])

    def data(self, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads((self.out / f"{name}.json").read_text("utf-8"))
        return found


@pytest.fixture
def publisher(house: House, tmp_path: Path) -> Iterator[Publisher]:
    with ExitStack() as stack:
        yield Publisher(house, tmp_path, stack)


def test_oda02_a_month_goes_from_the_portals_store_to_the_file(house: House, publisher: Publisher) -> None:
    for day, devices in (("2026-01-08", 12), ("2026-01-09", 29)):
        add(house.store, house.facts.site, day, devices, 10**10, 10**9)
    told = publisher.runs("export", str(publisher.out), "--month", "2026-01")

    assert told.exit_code == 0, told.output
    assert "2026-01: published, for good" in told.output
    (row,) = publisher.data(USAGE)
    assert (row["mois"], row["sessions"], row["appareils_jour_moyen"], row["volume_descendant_go"]) == (
        "2026-01",
        0,
        20,
        20.0,
    )
    assert "1 rows, 0 held back" in publisher.runs("releases").output


def test_oda01_the_state_is_what_the_portal_says(house: House, publisher: Publisher) -> None:
    publisher.runs("export", str(publisher.out))
    assert publisher.data(SITES)[0]["etat"] == "Opérationnel"

    house.fibre = False
    publisher.runs("export", str(publisher.out))
    assert publisher.data(SITES)[0]["etat"] == "Indisponible"

    house.fibre = True
    house.directives.give(Order(Kind.CLOSED, "agent", "travaux"), 3600)
    publisher.runs("export", str(publisher.out))
    assert publisher.data(SITES)[0]["etat"] == "En maintenance"


def test_a_month_waits_for_a_site_that_does_not_answer(house: House, publisher: Publisher) -> None:
    publisher.server.__exit__(None, None, None)
    waits = publisher.runs("export", str(publisher.out), "--month", "2026-01")
    assert waits.exit_code == 1
    assert f"no figures from {house.facts.site}; try again, or give them up: --without" in waits.output
    assert not publisher.out.exists()

    given_up = publisher.runs("export", str(publisher.out), "--month", "2026-01", "--without", house.facts.site)
    assert given_up.exit_code == 0, given_up.output
    assert publisher.data(USAGE)[0]["sessions"] is None
    assert publisher.data(SITES)[0]["etat"] == "Indisponible"


def test_oda03_availability_and_states_come_from_another_program(
    house: House, publisher: Publisher, tmp_path: Path
) -> None:
    line = {
        "month": "2026-10",
        "site": house.facts.site,
        "availability_pct": 99.874,
        "incidents": 1,
        "mttr_minutes": 54,
    }
    (tmp_path / "a.json").write_text(json.dumps([line]))
    (tmp_path / "s.json").write_text(json.dumps({house.facts.site: {"etat": "Partiel", "date_etat": NOW.isoformat()}}))
    told = publisher.runs(
        "export", str(publisher.out), "--availability", f"{tmp_path}/a.json", "--states", f"{tmp_path}/s.json"
    )

    assert told.exit_code == 0, told.output
    (row,) = publisher.data(AVAILABILITY)
    assert (row["disponibilite_pct"], row["nb_incidents"], row["mttr_min"]) == (99.87, 1, 54.0)
    assert publisher.data(SITES)[0]["etat"] == "Partiel"
    assert publisher.data(SITES)[0]["date_etat"] == "2026-11-30T10:00:00Z"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[", "a.json"),
        ('[{"month": "2026-13", "site": "x", "availability_pct": 1, "incidents": 0}]', "month"),
        (
            '[{"month": "2026-10", "site": "nowhere", "availability_pct": 1, "incidents": 0}]',
            "no site is called 'nowhere'",
        ),
        ('[{"month": "2026-10", "site": "x", "availability_pct": 101, "incidents": 0}]', "availability_pct"),
    ],
)
def test_what_another_program_tells_wrong_is_said_in_words(
    publisher: Publisher, tmp_path: Path, text: str, says: str
) -> None:
    (tmp_path / "a.json").write_text(text)
    told = publisher.runs("export", str(publisher.out), "--availability", f"{tmp_path}/a.json")

    assert told.exit_code == 1
    assert says in told.output
    assert "Traceback" not in told.output
