"""The drills of drills.yml: what breaks when, and who must hear of it. The monitor plays them, the lab in its twin."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from parvis.alerts import alerts
from parvis.values import Duration

MUTE = ("SupervisionMuette",)
"""Alerts of the on-call engine itself, which no rule can tell."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Step(_Part):
    """*after* so many seconds *do* something to *where*: a site, a device, ``SITE.PROCESS``; *value*: how much."""

    after: Annotated[Duration, Field(ge=0)] = 0.0
    do: str = Field(pattern=r"^[a-z-]+$")
    where: str = ""
    value: float | None = None


class Drill(_Part):
    """One drill. *calls*: the causes somebody must be called for, each once, as ``ALERT@SITE``, by when of its fault.

    *tickets*: incidents that may be opened besides, calling nobody; everything else must stay silent. *words*: what the
    message must say; *within*: seconds from the fault to the message; *lasting*: how long it is watched.
    """

    name: str = Field(pattern=r"^[a-z0-9-]+$")
    title: str = Field(min_length=5)
    at: datetime = datetime(2026, 11, 24, 10, 0)  # noqa: DTZ001 local time of the town, a Tuesday
    steps: tuple[Step, ...] = Field(min_length=1)
    calls: Mapping[str, Annotated[Duration, Field(ge=0)]] = {}
    tickets: tuple[str, ...] = ()
    words: str = ""
    within: Annotated[Duration, Field(ge=10, le=180)] = 180.0
    lasting: Annotated[Duration, Field(ge=60, le=7200)] = 600.0
    prometheus: bool = False
    """Whether rules are told by Prometheus and Alertmanager; else the monitor's own checks call."""
    twin: bool = False
    """Whether the lab can play it."""

    @model_validator(mode="after")
    def _names_alerts(self) -> "Drill":
        for name in (*self.calls, *self.tickets):
            if name.partition("@")[0] not in {*alerts(), *MUTE}:
                raise ValueError(f"{self.name}: no alert is called {name}")
        return self


@cache
def drills() -> Mapping[str, Drill]:
    """Every drill by name, in the order of the file."""
    raw: dict[str, Any] = yaml.safe_load((files("parvis") / "drills.yml").read_text("utf-8"))
    listed = TypeAdapter(list[Drill]).validate_python([{"name": name, **entry} for name, entry in raw.items()])
    return {drill.name: drill for drill in listed}
