"""A panel's queries. A simple one is data (``Select``) and speaks every language; what is not is PromQL."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from dashboards.words import Words
from parvis.catalogue import metric

AT_GATEWAYS = {"portal", "gatewayd"}
LABEL_OF = {"site": "site", "borne": "device", "bande": "band", "lien": "uplink"}
"""Which label a variable chooses."""
How = Literal["sum", "min", "max", "avg", "age"]
_EXTREMES = re.compile(r"(top|bottom)k\((\d+), (.*)\)", re.DOTALL)
_OF_EXTREMES = {"top": "max", "bottom": "min"}


def most(expression: str, count: int = 12) -> str:
    """The *count* highest of *expression*: no reader follows more lines than that."""
    return f"topk({count}, {expression})"


def least(expression: str, count: int = 12) -> str:
    """The *count* lowest of *expression*, where low is what somebody must see."""
    return f"bottomk({count}, {expression})"


def all_along(promql: str) -> str:
    """*promql* for a panel that shows a span of time: the same lines from its beginning to its end.

    ``topk`` alone chooses anew at every step, and draws every line that was among the highest once.

    >>> all_along(most("snmp_up", 3))
    '(snmp_up) and topk(3, max_over_time((snmp_up)[$__range:$__interval] @ end()))'
    """
    found = _EXTREMES.fullmatch(promql)
    if found is None:
        return promql
    end, count, inner = found.groups()
    return f"({inner}) and {end}k({count}, {_OF_EXTREMES[end]}_over_time(({inner})[$__range:$__interval] @ end()))"


@dataclass(frozen=True, slots=True)
class Select:
    """One metric, taken together over all labels but *by*; a counter as its rate. *times* changes the unit.

    *how* ``age``: not its value, but for how many seconds nobody has told one.
    """

    metric: str
    by: tuple[str, ...] = ()
    how: How = "sum"
    where: Mapping[str, str] = field(default_factory=dict)
    variables: tuple[str, ...] = ("site",)
    times: float = 1
    top: int = 0
    """Only so many lines, the highest, or the lowest of what is a minimum; 0: all."""

    @property
    def is_rate(self) -> bool:
        """Whether it is a counter, of which only the rate says something."""
        return metric(self.metric).kind == "counter"

    @property
    def chosen(self) -> dict[str, str]:
        """Label -> variable, of the reader's choices this metric knows."""
        entry = metric(self.metric)
        known = {*entry.labels, *({"site", "device"} if entry.exposed_by in AT_GATEWAYS else ())}
        return {LABEL_OF[name]: name for name in self.variables if LABEL_OF[name] in known}

    @property
    def promql(self) -> str:
        """The query for Prometheus.

        >>> Select("port_receive_bytes_total", by=("site",), times=8).promql
        'sum by (site) (8 * rate(port_receive_bytes_total{site=~"$site"}[$__rate_interval]))'
        """
        matchers = [f'{label}=~"${name}"' for label, name in self.chosen.items()]
        matchers += [f'{label}=~"{value}"' for label, value in self.where.items()]
        series = f"{self.metric}{{{', '.join(matchers)}}}" if matchers else self.metric
        if self.how == "age":
            return f"min by ({', '.join(self.by)}) (time() - timestamp({series}))"
        if self.is_rate:
            series = f"rate({series}[$__rate_interval])"
        factor = f"{self.times:g} * " if self.times != 1 else ""
        found = f"{self.how} by ({', '.join(self.by)}) ({factor}{series})"
        if not self.top:
            return found
        return least(found, self.top) if self.how == "min" else most(found, self.top)


@dataclass(frozen=True, slots=True)
class Query:
    """*what* to ask and how the answer's lines are called: words, or labels in ``{{ }}``. *instant*: only now."""

    what: str | Select
    legend: str | Words = ""
    instant: bool = False
    buckets: bool = False
    """Of a histogram, for a heat map."""

    @property
    def promql(self) -> str:
        """The query for Prometheus."""
        return self.what.promql if isinstance(self.what, Select) else self.what
