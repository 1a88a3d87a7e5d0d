"""A sample: one metric of the catalogue, its labels, its value, and when it was read."""

from dataclasses import dataclass

Labels = tuple[tuple[str, str], ...]
"""Label names and values, in the order they are written."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One measured value in the unit of its metric; *at* is Unix time in seconds."""

    metric: str
    labels: Labels
    value: float
    at: float
