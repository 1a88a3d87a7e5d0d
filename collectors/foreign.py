"""Metrics under the names snmp_exporter gives them, so that a town's dashboards go on: modules as data.

A module is a YAML file of collectors/compatible/. It says which objects it shows; names, kinds and labels follow from
snmp_exporter's rules: the object's name, the index and the looked-up texts as labels. Everything else of a metric is
in the catalogue, which these names would break.
"""

from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from parvis import catalogue
from parvis.catalogue import Metric
from parvis.definition import Definition
from parvis.values import Oid

SCRAPE = {
    "snmp_scrape_duration_seconds": "Total time the last poll of the device took, in seconds.",
    "snmp_scrape_walk_duration_seconds": "Time the last poll took to read the device, in seconds.",
    "snmp_scrape_packets_sent": "Requests the last poll of the device sent.",
    "snmp_scrape_packets_retried": "Requests the last poll of the device sent again.",
    "snmp_scrape_pdus_returned": "Variables the last poll of the device returned.",
}
"""What snmp_exporter tells of each scrape; here, of the last poll."""
Kind = Literal["gauge", "counter", "float", "info", "text", "address"]


class Closed(BaseModel):
    """A part of a module: frozen, and closed to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Object(Closed):
    """One object: its *arc* below the table's entry, or its whole *oid*.

    ``gauge`` and ``counter`` are numbers, ``float`` a gauge in Net-SNMP's Opaque; ``info`` is 1 with the *names*' word
    for the number; ``text`` and ``address`` are 1 with the text as the label of the object's own name.
    """

    arc: int | None = None
    oid: Oid | None = None
    kind: Kind = "gauge"
    names: dict[str, str] = {}

    @model_validator(mode="after")
    def _is_somewhere(self) -> "Object":
        if (self.arc is None) == (self.oid is None):
            raise ValueError("give an object's arc or its oid")
        return self


ObjectSpec = Annotated[Object, BeforeValidator(lambda v: {"arc": v} if isinstance(v, int) else v)]


class Group(Closed):
    """A table, or the scalars where it has no *index*. *lookups* are columns whose text is a label of every row.

    *counters*, *gauges*: the bare arcs of objects of that kind; *objects* has the rest.
    """

    oid: Oid
    index: str | None = None
    lookups: dict[str, ObjectSpec] = {}
    counters: dict[str, int] = {}
    gauges: dict[str, int] = {}
    objects: dict[str, Object] = {}

    @property
    def everything(self) -> dict[str, Object]:
        """Every object, by its name."""
        counters = {name: Object(arc=arc, kind="counter") for name, arc in self.counters.items()}
        return counters | {name: Object(arc=arc) for name, arc in self.gauges.items()} | self.objects

    def labels(self, name: str, shown: Object) -> tuple[str, ...]:
        """The labels of one object, in the order snmp_exporter writes them."""
        own = (name,) if shown.kind in {"info", "text", "address"} else ()
        return tuple(sorted({*((self.index,) if self.index else ()), *self.lookups, *own}))


class Module(Closed):
    """What snmp_exporter calls a module. A device has it that answers below *probe*."""

    module: str
    title: str
    probe: Oid
    groups: dict[str, Group]


@cache
def modules() -> dict[str, Module]:
    """Every module of collectors/compatible/, by name."""
    found = sorted((e for e in (files("collectors") / "compatible").iterdir() if e.name.endswith(".yml")), key=_name)
    read = [Module.model_validate(yaml.safe_load(entry.read_text("utf-8"))) for entry in found]
    return {module.module: module for module in read}


def module_names() -> list[str]:
    """What modules there are, told by their files alone."""
    return sorted(entry.name.removesuffix(".yml") for entry in (files("collectors") / "compatible").iterdir())


def _name(entry: Any) -> str:
    return str(entry.name)


def shown_as(name: str, shown: Object) -> str:
    """The metric an object becomes.

    >>> shown_as("ifType", Object(arc=3, kind="info"))
    'ifType_info'
    """
    return f"{name}_info" if shown.kind == "info" else name


@cache
def definitions() -> dict[str, Definition]:
    """For each metric what the text format says of it."""
    found = {name: Definition(name, "gauge", words, ("module",)) for name, words in SCRAPE.items()}
    for module in modules().values():
        for group in module.groups.values():
            for name, shown in group.everything.items():
                kind: Literal["gauge", "counter"] = "counter" if shown.kind == "counter" else "gauge"
                help_text = f"Object {name}, {shown.oid or f'{group.oid}.{shown.arc}'}."
                metric = shown_as(name, shown)
                found[metric] = Definition(metric, kind, help_text, group.labels(name, shown))
    return found


@cache
def is_foreign(name: str) -> bool:
    """Whether *name* is a module's; those of the catalogue need no look at the modules."""
    return name not in catalogue.metrics() and name in definitions()


def metric(name: str) -> Metric | Definition:
    """What is known of a metric, of the catalogue or of a module; KeyError naming the catalogue's nearest one."""
    return definitions()[name] if is_foreign(name) else catalogue.metric(name)
