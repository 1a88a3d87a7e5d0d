"""The export, judged by the reference validators: frictionless for Table Schema, pySHACL for DCAT-AP."""

import json
from datetime import date
from pathlib import Path

import pytest
from frictionless import Schema
from frictionless.resources import TableResource
from pyshacl import validate
from rdflib import DCTERMS, Graph
from test_opendata_files import NOW, Files, rows_of

from captive_portal.opendata.datasets import AVAILABILITY, LICENCE_URL, SITES, USAGE, datasets
from captive_portal.opendata.export import contents
from parvis.inventory import DEMO_TOWN, load

pytestmark = pytest.mark.slow
SHAPES = Path(__file__).parent / "dcat_ap_shapes.ttl"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Files:
    town = load(DEMO_TOWN)
    assert town.open_data
    rows = rows_of(town, tmp_path_factory.mktemp("published"))
    return contents(town, town.open_data, rows, date(2026, 11, 2), NOW.date())


@pytest.mark.parametrize("name", [SITES, USAGE, AVAILABILITY])
@pytest.mark.parametrize("ending", ["csv", "json"])
def test_oda01_oda02_oda03_each_file_is_what_its_table_schema_says(
    made: Files, tmp_path: Path, name: str, ending: str
) -> None:
    """frictionless, the reference validator, reads both."""
    schema = Schema.from_descriptor(json.loads(made[f"{name}.schema.json"]))
    resource = TableResource(path="data.csv", basepath=str(tmp_path), schema=schema)
    (tmp_path / "data.csv").write_bytes(made[f"{name}.csv"])
    if ending == "json":  # a point is an object there; the schema is the CSV's
        rows = json.loads(made[f"{name}.json"])
        for row in rows:
            point = row.get("geo_point_2d")
            row.update({"geo_point_2d": f"{point['lat']},{point['lon']}"} if point else {})
        resource = TableResource(data=rows, schema=schema)
    report = resource.validate()

    assert report.valid, report.flatten(["rowNumber", "fieldName", "message"])
    assert len(resource.read_rows()) > 0


def test_a_file_that_is_not_what_its_schema_says_would_be_seen(made: Files, tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_bytes(made[f"{SITES}.csv"].replace("Opérationnel".encode(), b"Bof"))
    schema = Schema.from_descriptor(json.loads(made[f"{SITES}.schema.json"]))

    assert not TableResource(path="data.csv", basepath=str(tmp_path), schema=schema).validate().valid


def test_oda05_the_catalogue_fits_the_shapes_of_dcat_ap(made: Files) -> None:
    graphs = [Graph().parse(data=made[f"catalog.{end}"], format=kind) for end, kind in RDF.items()]
    conforms, _, report = validate(graphs[0], shacl_graph=str(SHAPES), inference="none")

    assert conforms, report
    assert all(graph.isomorphic(graphs[0]) for graph in graphs)
    assert {str(name) for name in graphs[0].objects(predicate=DCTERMS.identifier)} >= set(datasets())
    assert {str(one) for one in graphs[0].objects(predicate=DCTERMS.license)} == {LICENCE_URL}


RDF = {"ttl": "turtle", "rdf": "xml", "jsonld": "json-ld"}


def test_oda05_a_catalogue_without_a_publisher_would_be_seen(made: Files) -> None:
    graph = Graph().parse(data=made["catalog.ttl"], format="turtle")
    graph.remove((None, DCTERMS.publisher, None))

    assert not validate(graph, shacl_graph=str(SHAPES), inference="none")[0]
