"""The catalogue as DCAT-AP, by rdflib: Turtle, RDF/XML, JSON-LD."""

from collections.abc import Iterable
from datetime import date

from rdflib import DCAT, DCTERMS, FOAF, RDF, RDFS, SKOS, XSD, Graph, Literal, Namespace, URIRef

from captive_portal.opendata.datasets import LICENCE, LICENCE_URL, datasets
from parvis.inventory import OpenData, Town

VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
EU = "http://publications.europa.eu/resource/authority/"
THEMES = {"GOVE": "Gouvernement et secteur public", "TECH": "Science et technologie"}
MEDIA = {
    "csv": "text/csv",
    "json": "application/json",
    "geojson": "application/geo+json",
    "parquet": "application/vnd.apache.parquet",
}
FILE_TYPES = {"csv": "CSV", "json": "JSON", "geojson": "GEOJSON", "parquet": "PARQUET"}
CLASSES = {
    DCAT.contactPoint: VCARD.Kind,
    DCAT.mediaType: DCTERMS.MediaType,
    DCAT.theme: SKOS.Concept,
    DCTERMS.accrualPeriodicity: DCTERMS.Frequency,
    DCTERMS.conformsTo: DCTERMS.Standard,
    DCTERMS.format: DCTERMS.MediaTypeOrExtent,
    DCTERMS.language: DCTERMS.LinguisticSystem,
    DCTERMS.license: DCTERMS.LicenseDocument,
    DCTERMS.rights: DCTERMS.RightsStatement,
    DCTERMS.spatial: DCTERMS.Location,
    FOAF.homepage: FOAF.Document,
}
"""Property -> what it leads to is one of those (DCAT-AP): said here, so that nobody must fetch it to know."""
RDF_FORMATS = {"ttl": "turtle", "rdf": "pretty-xml", "jsonld": "json-ld"}
"""Ending of the file -> what rdflib calls it."""


def catalogue(town: Town, data: OpenData, files: dict[str, list[str]], issued: date, modified: date) -> Graph:
    """The catalogue. *files*: dataset -> endings of its files; *issued*: when the first of them was published."""
    graph = Graph()
    for prefix, namespace in (("dcat", DCAT), ("dct", DCTERMS), ("foaf", FOAF), ("vcard", VCARD)):
        graph.bind(prefix, namespace)
    root, publisher = URIRef(data.page), _publisher(graph, town, data)
    _describe(
        graph, root, DCAT.Catalog, "Wi-Fi public : catalogue", f"Données ouvertes du Wi-Fi public, {data.commune}"
    )
    graph.add((root, DCTERMS.publisher, publisher))
    graph.add((root, FOAF.homepage, URIRef(data.page)))
    graph.add((root, DCTERMS.license, URIRef(LICENCE_URL)))
    graph.add((root, DCTERMS.language, URIRef(f"{EU}language/FRA")))
    _dates(graph, root, issued, modified)
    for name, endings in files.items():
        node = URIRef(f"{data.page}#{name}")
        graph.add((root, DCAT.dataset, node))
        graph.add((node, DCTERMS.publisher, publisher))
        _dataset(graph, node, name, town, data)
        _dates(graph, node, issued, modified)
        _distributions(graph, node, name, data.page, endings)
    for theme, label in THEMES.items():
        graph.add((URIRef(f"{EU}data-theme/{theme}"), SKOS.prefLabel, Literal(label, lang="fr")))
    for leads, kind in CLASSES.items():
        for found in list(graph.objects(predicate=leads)):
            graph.add((found, RDF.type, kind))
    return graph


def _describe(graph: Graph, node: URIRef, kind: URIRef, title: str, description: str) -> None:
    graph.add((node, RDF.type, kind))
    graph.add((node, DCTERMS.title, Literal(title, lang="fr")))
    graph.add((node, DCTERMS.description, Literal(description, lang="fr")))


def _dates(graph: Graph, node: URIRef, issued: date, modified: date) -> None:
    graph.add((node, DCTERMS.issued, Literal(issued.isoformat(), datatype=XSD.date)))
    graph.add((node, DCTERMS.modified, Literal(modified.isoformat(), datatype=XSD.date)))


def _publisher(graph: Graph, town: Town, data: OpenData) -> URIRef:
    node = URIRef(f"{data.page}#ville")
    graph.add((node, RDF.type, FOAF.Agent))
    graph.add((node, FOAF.name, Literal(town.title.fr, lang="fr")))
    if town.legal:
        graph.add((node, DCTERMS.identifier, Literal(town.legal.siret)))
    return node


def _dataset(graph: Graph, node: URIRef, name: str, town: Town, data: OpenData) -> None:
    dataset = datasets()[name]
    _describe(graph, node, DCAT.Dataset, dataset.title, dataset.description)
    graph.add((node, DCTERMS.identifier, Literal(name)))
    graph.add((node, DCTERMS.language, URIRef(f"{EU}language/FRA")))
    graph.add((node, DCTERMS.accrualPeriodicity, URIRef(f"{EU}frequency/{dataset.periodicity}")))
    graph.add((node, DCTERMS.conformsTo, URIRef(f"{data.page}{name}.schema.json")))
    graph.add((node, DCTERMS.spatial, URIRef(f"http://id.insee.fr/geo/commune/{data.insee}")))
    for theme in THEMES:
        graph.add((node, DCAT.theme, URIRef(f"{EU}data-theme/{theme}")))
    for word in dataset.keywords:
        graph.add((node, DCAT.keyword, Literal(word, lang="fr")))
    contact = URIRef(f"{data.page}#contact")
    graph.add((node, DCAT.contactPoint, contact))
    graph.add((contact, RDF.type, VCARD.Organization))
    graph.add((contact, VCARD.fn, Literal(town.title.fr)))
    graph.add((contact, VCARD.hasEmail, URIRef(f"mailto:{town.contact.email}")))


def _distributions(graph: Graph, node: URIRef, name: str, page: str, endings: Iterable[str]) -> None:
    for ending in endings:
        file = URIRef(f"{page}{name}.{ending}")
        graph.add((node, DCAT.distribution, file))
        graph.add((file, RDF.type, DCAT.Distribution))
        graph.add((file, DCTERMS.title, Literal(f"{name}.{ending}", lang="fr")))
        graph.add((file, DCAT.accessURL, file))
        graph.add((file, DCAT.downloadURL, file))
        graph.add((file, DCAT.mediaType, URIRef(f"http://www.iana.org/assignments/media-types/{MEDIA[ending]}")))
        graph.add((file, DCTERMS.format, URIRef(f"{EU}file-type/{FILE_TYPES[ending]}")))
        graph.add((file, DCTERMS.license, URIRef(LICENCE_URL)))
        graph.add((file, DCTERMS.rights, URIRef(f"{page}#licence")))
        graph.add((URIRef(f"{page}#licence"), RDFS.label, Literal(LICENCE, lang="fr")))
