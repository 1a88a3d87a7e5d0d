"""What the monitor hears in one round, before it decides anything."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """The echo of one round. *answered* None: it could not be asked.

    *loss_ratio*, *rtt_seconds* (a median) and *jitter_seconds* are over the window of recent echoes; None without any.
    *echo_seconds* is this round's own.
    """

    target: str
    answered: bool | None
    loss_ratio: float | None = None
    rtt_seconds: float | None = None
    jitter_seconds: float | None = None
    echo_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """What the collectors know of one device by SNMP. *up* None: they cannot say.

    *succeeded_at* is the Unix time of the last answer, *clients* the residents connected to it then.
    """

    device: str
    up: bool | None
    reason: str = ""
    succeeded_at: float | None = None
    clients: int | None = None
