"""The catalogue is the only place where a metric is defined."""

import ast
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from pydantic import ValidationError

from parvis import catalogue
from parvis.catalogue import Instruments, Metric
from parvis.inventory.yaml_lines import parse

ROOT = Path(__file__).parents[2]
ROOMS = ("parvis", "captive_portal", "collectors", "monitor", "dashboards", "lab")


def test_every_entry_is_well_formed_and_explained() -> None:
    assert len(catalogue.metrics()) > 10
    assert all(metric.help.endswith(".") for metric in catalogue.metrics().values())


def test_no_metric_is_defined_twice() -> None:
    """YAML keeps the last of two equal keys without a word."""
    _, faults = parse((ROOT / "parvis/catalogue.yml").read_text("utf-8"), "catalogue.yml")

    assert faults == []


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "accepts", "kind": "counter", "unit": "1", "help": "Accepted terms.", "exposed_by": "portal"},
        {"name": "clients_total", "kind": "gauge", "unit": "1", "help": "People now.", "exposed_by": "portal"},
        {"name": "took_seconds", "kind": "histogram", "unit": "seconds", "help": "How long.", "exposed_by": "portal"},
        {
            "name": "x",
            "kind": "gauge",
            "unit": "1",
            "help": "Who is it.",
            "exposed_by": "portal",
            "labels": ["client_mac"],
        },
        {"name": "Bad-Name", "kind": "gauge", "unit": "1", "help": "A bad name.", "exposed_by": "portal"},
    ],
)
def test_an_entry_against_the_rules_is_refused(entry: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Metric.model_validate(entry)


def test_asking_for_an_unknown_metric_names_the_nearest() -> None:
    with pytest.raises(KeyError, match="did you mean process_info"):
        catalogue.metric("proces_info")


def test_asking_for_a_metric_of_the_wrong_kind_is_an_error() -> None:
    instruments = Instruments("portal", CollectorRegistry())

    with pytest.raises(KeyError, match="is no counter exposed by portal"):
        instruments.counter("process_info")


def test_no_room_makes_a_metric_of_its_own() -> None:
    """Only parvis/instruments.py calls prometheus_client's constructors, with the catalogue's definitions."""
    makers = {"Gauge", "Counter", "Histogram", "Summary", "Info", "Enum"}
    guilty = []
    for path in (path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("prometheus_client"):
                guilty += [f"{path}:{node.lineno}" for alias in node.names if alias.name in makers]
    assert [place for place in guilty if "parvis/instruments.py" not in place] == []
