"""Durations as Prometheus writes them, made shorter where a test or a demo cannot wait."""

PROMETHEUS_LEAST_SECONDS = 0.5
"""Below this Prometheus would be busy with itself."""


def paced(seconds: float, pace: float, least: float = 0.0) -> str:
    """*seconds* times *pace*, at least *least*, in Prometheus's notation.

    >>> paced(120, 1), paced(15, 0.05), paced(600, 1, 1), paced(1, 0.01, PROMETHEUS_LEAST_SECONDS)
    ('2m', '750ms', '10m', '500ms')
    """
    milliseconds = round(max(seconds * pace, least) * 1000)
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if milliseconds and milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms" if milliseconds else "0s"
