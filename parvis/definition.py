"""What has to be known of a metric to expose it. It imports nothing: every process uses it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Definition:
    """A metric of the catalogue, or of another's names."""

    name: str
    kind: str
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
