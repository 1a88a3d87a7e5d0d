"""The Explore API's subset: the same shapes, the same limits, and queries that are only ever compared."""

import csv
import json
from datetime import UTC, datetime
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from arro3.io import read_parquet
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from captive_portal.opendata.datasets import AVAILABILITY, SITES, USAGE, Row
from captive_portal.opendata.explore import ROOT, create_app
from captive_portal.opendata.formats import as_json
from captive_portal.opendata.odsql import Malformed, where
from captive_portal.opendata.publishing_commands import rows_of
from captive_portal.opendata.sites import Seen, sites_rows
from parvis.inventory import DEMO_TOWN, load

NOW = datetime(2026, 11, 30, 10, tzinfo=UTC)
RECORDS = f"{ROOT}/{SITES}/records"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("out")
    seen = {"leo-lagrange": Seen("Partiel", NOW), "bibliotheque-centrale": Seen("Opérationnel", NOW)}
    usage = [
        {"mois": f"2026-{month:02}", "id_site": site, "sessions": month * 10, "appareils_jour_moyen": 20,
         "secret": False, "volume_descendant_go": 1.5, "volume_montant_go": None, "duree_mediane_min": 30}
        for month in range(1, 11) for site in ("leo-lagrange", "bibliotheque-centrale")
    ]  # fmt: skip
    for name, rows in ((SITES, sites_rows(load(DEMO_TOWN), seen)), (USAGE, usage), (AVAILABILITY, [])):
        (made / f"{name}.json").write_text(as_json(rows), "utf-8")
    (made / "index.html").write_text("<!doctype html><title>Carte</title>")
    (made.parent / "outside.txt").write_text("secret")
    return made


@pytest.fixture(scope="module")
def client(folder: Path) -> FlaskClient:
    return create_app(lambda: rows_of(folder), folder, "Ville de Cachan").test_client()


def asks(client: FlaskClient, path: str, **query: object) -> Any:
    answer = client.get(path, query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_oda06_the_catalogue_has_the_shapes_of_the_real_one(client: FlaskClient) -> None:
    found = asks(client, ROOT)

    assert list(found) == ["total_count", "results"]
    assert found["total_count"] == 3
    dataset = asks(client, f"{ROOT}/{SITES}")
    assert dataset == found["results"][0]
    assert set(dataset) == {
        "dataset_id", "dataset_uid", "attachments", "has_records", "data_visible", "features", "metas", "fields"
    }  # fmt: skip
    assert dataset["metas"]["default"]["records_count"] == 4
    types = {field["name"]: field["type"] for field in dataset["fields"]}
    assert (types["nombre_bornes"], types["geo_point_2d"], types["date_etat"]) == ("int", "geo_point_2d", "datetime")


def test_oda06_records_are_counted_and_paged(client: FlaskClient) -> None:
    found = asks(client, f"{ROOT}/{USAGE}/records")
    assert (found["total_count"], len(found["results"])) == (20, 10)

    last = asks(client, f"{ROOT}/{USAGE}/records", limit=7, offset=14)
    assert (last["total_count"], len(last["results"])) == (20, 6)
    assert asks(client, RECORDS)["results"][0]["geo_point_2d"] == {"lon": 2.3312, "lat": 48.7925}


@pytest.mark.parametrize(
    ("query", "sites"),
    [
        ('etat = "Partiel"', ["leo-lagrange"]),
        ("etat in ('Partiel', 'Opérationnel')", ["bibliotheque-centrale", "leo-lagrange"]),
        ("etat is null and nombre_bornes > 2", ["maison-services-publics"]),
        ("not etat is null", ["bibliotheque-centrale", "leo-lagrange"]),
        ("nombre_bornes >= 3 or acces like 'ext*'", ["leo-lagrange", "maison-services-publics"]),
        ("(generation_wifi:6 and pmr = true) and not nom_site like 'relation'", ["maison-services-publics"]),
        ("search(nom_site, 'BIBLIOTHEQUE')", ["bibliotheque-centrale"]),
        ('"léo lagrange"', ["leo-lagrange"]),
        ("startswith(adresse, 'Square')", ["service-relation-citoyen"]),
        ("date_etat >= date'2026-11-30' and etat != 'Partiel'", ["bibliotheque-centrale"]),
        ("within_distance(geo_point_2d, geom'POINT(2.3240 48.7880)', 0.2km)", ["leo-lagrange"]),
        ("nombre_bornes = 'trois'", []),
        ('nom_site = "l\'autre"', []),
    ],
)
def test_oda06_where_is_understood(client: FlaskClient, query: str, sites: list[str]) -> None:
    assert [row["id"] for row in asks(client, RECORDS, where=query)["results"]] == sites


def test_oda06_select_group_order_and_refine_are_understood(client: FlaskClient) -> None:
    usage = f"{ROOT}/{USAGE}/records"
    sums = asks(
        client, usage, select="id_site, sum(sessions) as n, avg(sessions)", group_by="id_site", order_by="id_site desc"
    )
    assert sums["results"] == [
        {"id_site": "leo-lagrange", "n": 550, "avg(sessions)": 55.0},
        {"id_site": "bibliotheque-centrale", "n": 550, "avg(sessions)": 55.0},
    ]
    assert asks(client, usage, select="count(*) as rows, max(mois)")["results"] == [
        {"rows": 20, "max(mois)": "2026-10"}
    ]
    assert [row["mois"] for row in asks(client, usage, refine="id_site:leo-lagrange", order_by="sessions DESC", limit=2)["results"]] == ["2026-10", "2026-09"]  # fmt: skip # noqa: E501
    assert asks(client, usage, exclude='id_site:"leo-lagrange"')["total_count"] == 10
    assert asks(client, RECORDS, select="nom_site as nom", limit=1)["results"] == [{"nom": "Bibliothèque centrale"}]
    facets = {one["name"]: one["facets"] for one in asks(client, f"{ROOT}/{SITES}/facets")["facets"]}
    assert {"name": "true", "count": 4, "state": "displayed", "value": "true"} in facets["pmr"]


@pytest.mark.parametrize(
    ("query", "code", "says"),
    [
        ({"limit": 101}, "InvalidRESTParameterError", "limit"),
        ({"limit": "all"}, "InvalidRESTParameterError", "whole number"),
        ({"offset": 9_999}, "InvalidRESTParameterError", "10000"),
        ({"color": "red"}, "InvalidRESTParameterError", "color"),
        ({"where": "etat ="}, "ODSQLError", "malformed"),
        ({"where": "colour = 'red'"}, "ODSQLError", "Unknown field: colour"),
        ({"where": "within_distance(geo_point_2d, geom'HERE', 1km)"}, "ODSQLError", "POINT"),
        ({"select": "sum(nom_site)"}, "ODSQLError", "wants numbers"),
        ({"select": "drop table"}, "ODSQLError", "not understood"),
        ({"group_by": "colour"}, "ODSQLError", "Unknown field: colour"),
        ({"order_by": "etat sideways"}, "ODSQLError", "not understood"),
        ({"refine": "colour:red"}, "ODSQLError", "Unknown field: colour"),
    ],
)
def test_oda06_what_is_wrong_is_said_as_the_real_one_says_it(
    client: FlaskClient, query: dict[str, object], code: str, says: str
) -> None:
    answer = client.get(RECORDS, query_string=query)

    assert answer.status_code == 400
    assert answer.json["error_code"] == code
    assert says in answer.json["message"]


def test_oda06_exports_have_no_limit_and_each_format(client: FlaskClient) -> None:
    exports = f"{ROOT}/{USAGE}/exports"
    assert [link["rel"] for link in asks(client, exports)["links"]] == ["csv", "json", "geojson", "parquet"]
    assert len(asks(client, f"{exports}/json")) == 20
    text = client.get(f"{exports}/csv", query_string={"where": "sessions > 95"}).data.decode("utf-8-sig")
    assert [row["sessions"] for row in csv.DictReader(StringIO(text), delimiter=";")] == ["100", "100"]
    data = client.get(f"{exports}/parquet").data
    assert read_parquet(BytesIO(data)).read_all().num_rows == 20
    features = json.loads(client.get(f"{ROOT}/{SITES}/exports/geojson", query_string={"limit": 2}).data)["features"]
    assert len(features) == 2
    assert client.get(f"{exports}/geojson").status_code == 400
    assert client.get(f"{exports}/xls").status_code == 404


def test_oda06_what_is_not_there_is_404_and_nothing_can_be_written(client: FlaskClient) -> None:
    missing = client.get(f"{ROOT}/nothing/records")
    assert (missing.status_code, missing.json["message"]) == (404, "The dataset 'nothing' is not found")
    assert [client.open(RECORDS, method=method).status_code for method in ("POST", "PUT", "DELETE", "PATCH")] == [
        405
    ] * 4


def test_the_files_of_the_folder_are_served_and_no_other(client: FlaskClient) -> None:
    assert client.get("/").headers["Location"] == "/index.html"
    assert client.get("/index.html").status_code == 200
    assert client.get("/index.html").headers["Content-Security-Policy"].startswith("default-src 'none'")
    for path in ("/../outside.txt", "/%2e%2e/outside.txt", "/..%2foutside.txt", "//etc/passwd"):
        assert client.get(path).status_code in {308, 404}, path


@given(st.text(alphabet="etaid() '\"=<>and or not in like null 0123456789.,*\\", max_size=60))
def test_no_query_does_anything_but_be_compared_or_refused(text: str) -> None:
    row: Row = {"id": "a", "etat": None}
    try:
        assert where(text, ["id", "etat"])(row) in {True, False}
    except Malformed as error:
        assert str(error)  # noqa: PT017 either is right
