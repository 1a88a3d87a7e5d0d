"""Whether the mains feeds a site, by what its battery says poll after poll. No I/O, no clock.

A poll falls into a blink of seconds, and what it brought home is shown until the next: one poll is no cut. Two are, or
one after which the site fell silent. What was known stands while nobody can be asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from monitor.findings import Finding, State
from monitor.signals import Signals
from monitor.targets import Kind
from parvis.inventory import Town

APART_SECONDS = 10.0
"""A trap has the battery polled at once: two polls nearer to each other than this are one look."""
FORGET_SECONDS = 180.0
"""A site that answers while its battery does not is known to have mains, or none, for so long."""
_ANSWERS = {State.UP: True, State.DEGRADED: True, State.DOWN: False}


@dataclass(frozen=True, slots=True)
class Supply:
    """What is known of the mains by one battery; *mains* None: nothing.

    *doubted*: the poll (Unix time) that first said "on battery"; *told_at*: when the battery last was heard.
    """

    mains: bool | None = None
    doubted: float | None = None
    told_at: float = 0.0

    def after(self, on_battery: bool | None, polled_at: float, answers: bool | None, now: float) -> "Supply":
        """What is known once the battery said *on_battery* (None: nothing) in the poll of *polled_at*.

        *answers*: whether the site's link does, None when that is unknown.

        >>> first = Supply(mains=True).after(True, 100.0, True, 105.0)
        >>> first.mains, first.after(True, 100.0, True, 120.0).mains, first.after(True, 130.0, True, 135.0).mains
        (True, True, False)
        >>> first.after(None, 100.0, False, 120.0).mains, first.after(False, 130.0, True, 135.0).mains
        (False, True)
        """
        if on_battery is False:
            return Supply(mains=True, told_at=now)
        if on_battery is None:
            forgotten = answers and abs(now - self.told_at) > FORGET_SECONDS
            return Supply() if forgotten else self.in_the_dark(answers)
        doubted = polled_at if self.doubted is None else self.doubted
        said = replace(self, doubted=doubted, told_at=now)
        again = abs(polled_at - doubted) >= APART_SECONDS
        return replace(said, mains=False) if again else said.in_the_dark(answers)

    def in_the_dark(self, answers: bool | None) -> "Supply":
        """The same, but that a site which went silent after its battery spoke has no mains."""
        return replace(self, mains=False) if self.doubted is not None and answers is False else self


@dataclass(frozen=True, slots=True)
class Mains:
    """The supply by battery (UPS) of the town."""

    supplies: Mapping[str, Supply] = field(default_factory=dict)

    def after(self, town: Town, findings: Sequence[Finding], signals: Signals, now: float) -> "Mains":
        """What is known of each once *signals* are heard."""
        links = {f.target.site: _ANSWERS.get(f.state) for f in findings if f.target.kind is Kind.UPLINK}
        said = {f.labels.get("device"): f.value > 0 for f in signals.of("ups_on_battery")}
        polled = {f.labels.get("device"): f.value for f in signals.of("snmp_poll_last_success_timestamp_seconds")}
        return Mains(
            {
                ups.name: self.supplies.get(ups.name, Supply()).after(
                    said.get(ups.name), polled.get(ups.name, now), links.get(site.site), now
                )
                for site in town.sites
                for ups in site.ups
            }
        )

    @property
    def known(self) -> dict[str, bool]:
        """Whether the mains feeds each battery of which that is known."""
        return {name: one.mains for name, one in self.supplies.items() if one.mains is not None}
