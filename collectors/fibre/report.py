"""What is known of a link, as lines for a technician: numbers first, then what they suggest. No I/O, no clock."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from textwrap import fill

from collectors.fibre.history import Light
from collectors.fibre.reference import Reference
from collectors.fibre.span import End, Link, losses
from collectors.fibre.trend import SECONDS_PER_DAY, Trend

WIDTH = 80
FALLEN_DB = 1.0
"""A change that is more than temperature."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was read and remembered; limits and states by device and port."""

    now: Mapping[Light, float]
    limits: Mapping[tuple[str, str], Mapping[str, float]]
    states: Mapping[tuple[str, str], set[str]]
    references: Mapping[Light, Reference]
    trends: Mapping[Light, Trend | None]

    def drift(self, light: Light) -> float | None:
        """How far the light is from its reference, in dB."""
        taken = self.references.get(light)
        return round(self.now[light] - taken.dbm, 2) if taken and light in self.now else None


def report(link: Link, facts: Facts) -> str:
    """Everything about *link*, no line longer than 80 columns."""
    lines = [f"{link.name} ({link.site})"]
    for title, end in (("here", link.near), ("far end", link.far)):
        if end:
            lines += [f"{title}: {end.device} port {end.port}", *_end(end, facts)]
    if link.far is None:
        lines.append("far end: not in the inventory, so the loss of the fibre is not known")
    for loss in losses(link, facts.now):
        lane = f", lane {loss.lane}" if loss.lane else ""
        lines.append(f"loss {'into' if loss.direction == 'in' else 'out of'} the site{lane}: {loss.db:.2f} dB")
    lines += [fill(f"this suggests: {hint}", WIDTH, subsequent_indent="  ") for hint in hints(link, facts)]
    return "\n".join(lines)


def _end(end: End, facts: Facts) -> Iterator[str]:
    states = sorted(facts.states.get(end, ()))
    if states and states != ["ok"]:
        yield f"  state: {', '.join(states)}"
    lights = sorted(light for light in facts.now if light[:2] == end)
    if not lights and not states:
        yield "  no optical reading"
    for light in lights:
        lane = f" lane {light.lane}" if light.lane else ""
        yield f"  {light.direction}{lane}: {facts.now[light]:.2f} dBm{_margin(light, facts)}"
        yield from (f"    {part}" for part in _past(light, facts))


def _margin(light: Light, facts: Facts) -> str:
    limits = facts.limits.get((light.device, light.port), {})
    low, high = (limits.get(f"{light.direction}_{name}") for name in ("low_warn", "high_warn"))
    if low is None or high is None:
        return ""
    return f", {facts.now[light] - low:.2f} dB above its low warning {low:g} (high warning {high:g})"


def _past(light: Light, facts: Facts) -> Iterator[str]:
    taken, drift, line = facts.references.get(light), facts.drift(light), facts.trends.get(light)
    if taken and drift is not None:
        yield f"{drift:+.2f} dB since {datetime.fromtimestamp(taken.at, UTC):%Y-%m-%d} ({taken.dbm:g} dBm)"
    if line:
        yield f"{line.db_per_month:+.2f} dB a month{'' if line.is_sure else ', which may be chance'}"
        low = facts.limits.get((light.device, light.port), {}).get(f"{light.direction}_low_warn")
        left = line.seconds_to(low) if low is not None else None
        if left is not None:
            yield f"{left / SECONDS_PER_DAY:.0f} days to the low warning"


def hints(link: Link, facts: Facts) -> Iterator[str]:
    """What a technician would conclude: less light arrives though as much is sent, or less is sent."""
    for sink, source in ((link.near, link.far), (link.far, link.near)):
        if sink is None:
            continue
        arrived = _worst(sink, "rx", facts)
        if arrived is None or arrived > -FALLEN_DB:
            continue
        sent = _worst(source, "tx", facts) if source else None
        if sent is None:
            yield f"{sink.device} receives {-arrived:.1f} dB less: the fibre, a connector, or the far laser"
        elif sent > -FALLEN_DB:
            yield f"{sink.device} receives {-arrived:.1f} dB less of the same light: clean the connectors"
        else:
            yield f"{source.device if source else ''} sends {-sent:.1f} dB less: its laser ages, change the module"


def _worst(end: End, direction: str, facts: Facts) -> float | None:
    found = [facts.drift(light) for light in facts.now if light[:2] == end and light.direction == direction]
    known = [drift for drift in found if drift is not None]
    return min(known) if known else None
