"""Zino's flap damping: what changes again and again is one disturbance, not many outages. No I/O, no clock.

Each change doubles a value, which ages towards 1 by its square root every five minutes (Zino 2, ``flaps.py``: the same
ceiling and thresholds, so that one town's "flapping" is its neighbour's).
"""

from dataclasses import dataclass

CALM = 1.0
CEILING = 256.0
FLAPPING_ABOVE = 35.0
"""Six quick changes: three outages in a row."""
CALM_BELOW = 1.5
HALF_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Flap:
    """How restless something is: *value* as it was at *at* (Unix time).

    >>> flap = Flap()
    >>> for second in range(0, 60, 10):
    ...     flap = flap.after(changed=True, now=1000.0 + second)
    >>> flap.flapping, flap.after(changed=False, now=4000.0).flapping
    (True, False)
    """

    value: float = CALM
    at: float = 0.0
    flapping: bool = False

    def after(self, *, changed: bool, now: float) -> "Flap":
        """The flap at *now*, whether or not it has just *changed*."""
        if not changed and self.value == CALM:
            return self
        aged = self.value ** (0.5 ** (max(0.0, now - self.at) / HALF_SECONDS))
        value = min(2 * aged, CEILING) if changed else aged
        flapping = value > FLAPPING_ABOVE or (self.flapping and value >= CALM_BELOW)
        return Flap(value if flapping or value >= CALM_BELOW else CALM, now, flapping)
