"""What Prometheus works out now and then for alerts that look back over days (recordings.yml)."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from parvis.values import Duration


class Recording(BaseModel):
    """One rule that records: *expr* is worked out *every* so many seconds, and kept as *name*."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(pattern=r"^[a-z_0-9]+:[a-z_0-9]+$")
    every: Annotated[Duration, Field(ge=60)]
    expr: str = Field(min_length=5)


@cache
def recordings() -> Mapping[str, Recording]:
    """Every one by its name, in the order of the file."""
    raw: dict[str, Any] = yaml.safe_load((files("parvis") / "recordings.yml").read_text("utf-8"))
    listed = TypeAdapter(list[Recording]).validate_python([{"name": name, **entry} for name, entry in raw.items()])
    return {one.name: one for one in listed}


def recorded_in(promql: str) -> list[Recording]:
    """Those that an expression asks for.

    >>> [one.name for one in recorded_in("last_over_time(evidence_write_up:present30d[1h])")]
    ['evidence_write_up:present30d']
    """
    return [one for name, one in recordings().items() if name in promql]
