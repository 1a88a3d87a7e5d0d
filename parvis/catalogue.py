"""The metrics catalogue: name, kind, unit, help, labels and levels of every metric, read from catalogue.yml.

Nothing else defines a metric. A process asks for its instruments: ``Instruments("portal", registry)``.
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal

import yaml
from prometheus_client import CollectorRegistry
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from parvis import instruments
from parvis.definition import Definition

MetricName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")]
LabelName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]

FORBIDDEN_LABELS = re.compile(r"client_mac|client_ip|mac_address|ip_address|email|phone")
"""No metric may identify a resident."""


class Levels(BaseModel):
    """PromQL comparisons, such as ``== 0``."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    warn: str | None = None
    page: str | None = None


class Metric(BaseModel):
    """One metric. Units are base units: seconds, bytes, ratio, dbm, celsius, hertz; ``info`` or ``1`` for none."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: MetricName
    kind: Literal["gauge", "counter", "histogram"]
    unit: str
    help: str = Field(min_length=5)
    exposed_by: Literal["portal", "gatewayd", "collectors", "monitor", "console", "evidence", "archive", "all"]
    labels: tuple[LabelName, ...] = ()
    buckets: tuple[float, ...] = ()
    levels: Levels = Levels()

    @model_validator(mode="after")
    def _follows_the_rules(self) -> "Metric":
        if (self.kind == "counter") != self.name.endswith("_total"):
            raise ValueError(f"{self.name}: counters, and only counters, end in _total")
        if bool(self.buckets) != (self.kind == "histogram"):
            raise ValueError(f"{self.name}: histograms, and only histograms, have buckets")
        if any(FORBIDDEN_LABELS.fullmatch(label) for label in self.labels):
            raise ValueError(f"{self.name}: no label may identify a resident")
        return self


@cache
def metrics() -> Mapping[str, Metric]:
    """Every metric of the catalogue, by name."""
    raw: dict[str, Any] = yaml.safe_load((files("parvis") / "catalogue.yml").read_text("utf-8"))
    listed = TypeAdapter(list[Metric]).validate_python([{"name": name, **entry} for name, entry in raw.items()])
    return {metric.name: metric for metric in listed}


def metric(name: str) -> Metric:
    """The metric called *name*; KeyError naming the nearest one."""
    try:
        return metrics()[name]
    except KeyError:
        near = get_close_matches(name, metrics(), n=1)
        raise KeyError(
            f"no metric {name!r} in catalogue.yml" + (f"; did you mean {near[0]}?" if near else "")
        ) from None


def definitions(process: str, prefix: str = "") -> list[Definition]:
    """What *process* exposes, only what starts with *prefix* when one is given."""
    return [
        Definition(entry.name, entry.kind, entry.help, entry.labels, entry.buckets)
        for entry in metrics().values()
        if entry.exposed_by in {process, "all"} and entry.name.startswith(prefix)
    ]


class Instruments(instruments.Instruments):
    """The prometheus_client instruments of one process; asking for a name the catalogue lacks is an error."""

    def __init__(self, process: str, registry: CollectorRegistry, prefix: str = "") -> None:
        """Make the instruments *process* exposes, only those whose name starts with *prefix* when one is given."""
        super().__init__(process, definitions(process, prefix), registry)

    def _get(self, name: str, kind: type[instruments.Instrument]) -> instruments.Instrument:
        return super()._get(metric(name).name, kind)
