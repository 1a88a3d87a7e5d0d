"""The alerts of alerts.yml, which rules, routes and the monitor share; each takes its comparison from the catalogue."""

import operator
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from parvis.catalogue import metric
from parvis.inventory import Site, Town
from parvis.values import Duration

Severity = Literal["page", "page-jour", "ticket", "info"]
"""page: calls at any hour; page-jour: by day; ticket: calls nobody; info: only on dashboards."""
Layer = Literal[
    "town",
    "core",
    "power",
    "uplink",
    "gateway",
    "switch",
    "ap",
    "radio",
    "door",
    "portal",
    "quality",
    "monitoring",
    "service",
]
WIDE = ("town", "core")
"""Layers of which one alert explains the whole town's."""

LADDER: tuple[str, ...] = ("town", "power", "uplink", "gateway", "switch", "ap", "radio")
"""What stands higher makes silent what stands lower. ``service`` stands apart: what runs out slowly is no outage."""
BESIDE: Mapping[str, tuple[Layer, ...]] = {
    "town": ("core", "door", "portal", "quality", "monitoring"),
    "core": ("door", "portal"),
    "power": ("door", "portal", "quality"),
    "uplink": ("door", "portal", "quality"),
    "gateway": ("door", "portal", "quality"),
    "switch": ("portal",),
    "door": ("portal",),
}
"""Beside the ladder. ``door``: a process or the rules of a gateway; ``portal``: that residents do not get in, of which
that is a cause; ``core``: what all sites share; ``quality``: it works, but badly. When nothing answers, that nobody is
heard is no news."""


def silences(layer: str, other: str) -> bool:
    """Whether an alert of *layer* that calls somebody makes one of *other* (at the same site) silent.

    >>> silences("uplink", "ap"), silences("ap", "uplink"), silences("door", "portal")
    (True, False, True)
    """
    return other in muted_by(layer)


def muted_by(layer: str) -> tuple[str, ...]:
    """The layers that *layer* makes silent: those below it on the ladder, and those beside."""
    below = LADDER[LADDER.index(layer) + 1 :] if layer in LADDER else ()
    return (*below, *BESIDE.get(layer, ()))


def is_beyond(value: float, comparison: str) -> bool:
    """Whether *value* is wrong by a comparison of PromQL.

    >>> is_beyond(0.0, "== 0"), is_beyond(3, "> 3"), is_beyond(-1.5, "< 0"), is_beyond(-1, "< 7 > 0")
    (True, False, True, False)
    """
    words = comparison.split()
    return all(_SIGNS[sign](value, float(limit)) for sign, limit in zip(words[::2], words[1::2], strict=True))


_LABEL = re.compile(r"\{\{ \$labels\.([a-z_]+) \}\}")
_SIGNS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_CALLED = (
    "({condition})"
    ' unless on () (maintenance_active{{site="{{site}}", device=""}} == 1)'
    ' unless on (device) (maintenance_active{{site="{{site}}", device!=""}} == 1)'
)
"""Announced work mutes the site, or the device it is on."""
_STANDING = (
    '({condition}) or (label_replace(ALERTS{{alertname="{name}", alertstate="firing", site="{{site}}"}},'
    ' "alertstate", "", "", "") unless on (device, uplink)'
    ' ({metric}{{site="{{site}}"}} or last_over_time({metric}{{site="{{site}}"}}[{keep}]) == 1)'
    ' unless on (site) ({until}{{site="{{site}}"}} == 1))'
)
"""An alert that fires is still there while nobody can say that it is over: its series is absent, and was not well."""


class Alert(BaseModel):
    """One alert. *for* and *keep* in seconds: how long it must be true, and how long it stays once it is not.

    Its condition: a *metric* and a *level* of the catalogue or a comparison of its own, *beyond*; or *expr*. Alerts of
    one *cause* at a site are one incident. What stands and can no longer be known stands *until* that metric of its
    site is 1.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(pattern=r"^[A-Z][A-Za-z]+$")
    scope: Literal["site", "town"]
    layer: Layer
    metric: str | None = None
    level: Literal["warn", "page"] | None = None
    beyond: str | None = Field(None, pattern=r"^((==|<|>|<=|>=) -?[0-9.]+ ?)+$")
    until: str | None = None
    cause: str = Field("", pattern=r"^[a-z-]*$")
    expr: str | None = None
    or_: str | None = Field(None, alias="or")
    severity: Severity | Mapping[Literal["A", "B", "C"], Severity]
    for_: Annotated[Duration, Field(alias="for", ge=0)]
    keep: Annotated[Duration, Field(ge=0)]
    summary: str = Field(min_length=5)
    impact: str = Field(min_length=5)

    @model_validator(mode="after")
    def _has_one_source(self) -> "Alert":
        compared = (self.level is not None) + (self.beyond is not None)
        if (self.metric is None) == (self.expr is None) or compared != (self.metric is not None):
            raise ValueError(f"{self.name}: give metric and level, metric and beyond, or expr")
        if self.metric and self.level and getattr(metric(self.metric).levels, self.level) is None:
            raise ValueError(f"{self.name}: {self.metric} has no level {self.level} in catalogue.yml")
        if self.until and (self.scope != "site" or self.metric is None or "site" not in metric(self.until).labels):
            raise ValueError(f"{self.name}: until is for a metric of a site, and names another of the same site")
        return self

    @property
    def comparison(self) -> str:
        """What its metric is compared with, such as ``== 0``; empty where an expression says it."""
        return self.beyond or (
            str(getattr(metric(self.metric).levels, self.level)) if self.metric and self.level else ""
        )

    def promql(self, site: Site | None = None) -> str:
        """The condition, for the series of *site*, or of the whole town; at a site, not while work is announced."""
        if self.expr is not None:
            condition = _with(self.expr, _numbers(site))
        else:
            matcher = f'{{site="{site.site}"}}' if site else ""
            condition = f"{self.metric}{matcher} {self.comparison}"
        if self.or_:
            condition = f"({condition}) or ({self.or_})"
        if self.until:
            keep = f"{2 * self.keep:.0f}s"
            words = {"name": self.name, "metric": self.metric, "keep": keep, "until": self.until}
            condition = _STANDING.format(condition=condition, **words)
        return _with(_CALLED.format(condition=condition), _numbers(site)) if site else condition

    def severity_at(self, site_class: Literal["A", "B", "C"]) -> Severity:
        """How urgent it is at a site of *site_class*."""
        return self.severity if isinstance(self.severity, str) else self.severity[site_class]


@cache
def alerts() -> Mapping[str, Alert]:
    """Every alert by name, in the order of the file; the Watchdog is apart, it says that all is well."""
    raw: dict[str, Any] = yaml.safe_load((files("parvis") / "alerts.yml").read_text("utf-8"))
    listed = TypeAdapter(list[Alert]).validate_python([{"name": name, **entry} for name, entry in raw.items()])
    return {alert.name: alert for alert in listed}


def filled(text: str, town: Town, site: Site | None) -> str:
    """*text* with its {names} replaced by what the inventory says; Prometheus's own {{ }} stay.

    What comes from the inventory is text, never a template of Prometheus.
    """
    facts = {"town_title": town.title.fr}
    if site is not None:
        facts |= {
            "site_title": site.title.fr,
            "operator": site.uplink.operator,
            "contract": site.uplink.contract,
        }
    return _with(text, {name: fact.replace("{{", '{{ "{{" }}') for name, fact in facts.items()})


def labelled(text: str, labels: Mapping[str, str]) -> str:
    """*text* with Prometheus's ``{{ $labels.NAME }}`` replaced by *labels*; what they lack leaves no trace.

    >>> labelled("{{ $labels.job }} ne tourne plus ({{ $labels.port }}) : X", {"job": "portal"})
    'portal ne tourne plus : X'
    """
    said = _LABEL.sub(lambda found: labels.get(found[1], ""), text)
    return " ".join(said.replace(" ()", "").split())


def _numbers(site: Site | None) -> dict[str, str]:
    """What an expression may name of the inventory: the site, and where and how wide its uplink is."""
    if site is None:
        return {}
    uplink = site.uplink
    words = {"site": site.site, "uplink_switch": uplink.switch, "uplink_port": uplink.port}
    return {**words, "uplink_bits": f"{uplink.capacity:.0f}"}


def _with(text: str, facts: Mapping[str, str]) -> str:
    """*text* with each {name} of *facts* replaced; other braces stay."""
    for name, fact in facts.items():
        text = text.replace(f"{{{name}}}", fact)
    return text
