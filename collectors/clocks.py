"""Three clocks tell whether a device went on, restarted its agent, rebooted, or merely wrapped a counter.

The agent's clock (sysUpTime, RFC 3418) and the host's (hrSystemUptime, RFC 2790) count hundredths of a second in 32
bits and wrap after 497.1 days. The engine's (snmpEngineTime, RFC 3411) counts seconds in 31 bits, beside its boots.
"""

from dataclasses import dataclass
from enum import Enum

WRAP_TICKS = 2**32
TICKS_PER_SECOND = 100
TOLERANCE_SECONDS = 30
"""Devices' clocks drift, and requests take time; a real restart falls further than this."""
_SAME_BOOT_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Clocks:
    """What one poll read; None: the device does not have that clock. *at* is our own clock in seconds."""

    at: float
    agent_ticks: int | None = None
    engine_boots: int | None = None
    engine_seconds: int | None = None
    host_ticks: int | None = None


class Verdict(Enum):
    """What happened between two polls; counters may be compared across CONTINUED and WRAPPED only."""

    CONTINUED = "continued"
    AGENT_RESTARTED = "agent_restarted"
    REBOOTED = "rebooted"
    WRAPPED = "wrapped"


Continued, AgentRestarted, Rebooted, Wrapped = Verdict


class _Ran(Enum):
    ON = "on"
    WRAPPED = "wrapped"
    BACK = "back"
    UNKNOWN = "unknown"


def judge(previous: Clocks, current: Clocks) -> Verdict:
    """What happened between two polls of one device.

    The host's clock decides what it can; without it the engine's, whose restart on a device without a host clock is
    taken for a reboot; then the agent's. A clock that moved faster than ours proves nothing and is left aside.

    >>> day = 24 * 3600
    >>> judge(Clocks(0, agent_ticks=WRAP_TICKS - 500), Clocks(60, agent_ticks=5500))
    <Verdict.WRAPPED: 'wrapped'>
    >>> before = Clocks(0, agent_ticks=day * 100, host_ticks=day * 200)
    >>> judge(before, Clocks(60, agent_ticks=900, host_ticks=day * 200 + 6000))
    <Verdict.AGENT_RESTARTED: 'agent_restarted'>
    """
    elapsed = current.at - previous.at
    host = _ticks(previous.host_ticks, current.host_ticks, elapsed)
    agent = _ticks(previous.agent_ticks, current.agent_ticks, elapsed)
    engine = _engine(previous, current)
    if host is _Ran.BACK:
        return Rebooted
    if host is _Ran.UNKNOWN and engine is _Ran.BACK:
        return Rebooted
    if host is _Ran.UNKNOWN and engine is _Ran.UNKNOWN and agent is _Ran.BACK:
        return Rebooted
    if _Ran.BACK in {agent, engine}:
        return AgentRestarted
    return Wrapped if _Ran.WRAPPED in {host, agent} else Continued


def uptime_seconds(clocks: Clocks) -> float | None:
    """How long the device has been up, in seconds; None when no clock says.

    The host's clock, else the agent's; whole wraps of it are added when the engine's clock, which does not wrap, is
    ahead by just that.

    >>> uptime_seconds(Clocks(0, agent_ticks=6000, engine_seconds=42949672 + 100))
    42949732.96
    """
    ticks = clocks.host_ticks if clocks.host_ticks is not None else clocks.agent_ticks
    if ticks is None:
        return None if clocks.engine_seconds is None else float(clocks.engine_seconds)
    seconds = ticks / TICKS_PER_SECOND
    if clocks.engine_seconds is None:
        return seconds
    wrap = WRAP_TICKS / TICKS_PER_SECOND
    wraps = round((clocks.engine_seconds - seconds) / wrap)
    if wraps > 0 and abs(clocks.engine_seconds - seconds - wraps * wrap) < _SAME_BOOT_SECONDS:
        seconds += wraps * wrap
    return seconds


def _ticks(before: int | None, now: int | None, elapsed: float) -> _Ran:
    if before is None or now is None:
        return _Ran.UNKNOWN
    expected = before + elapsed * TICKS_PER_SECOND
    tolerance = (TOLERANCE_SECONDS + elapsed * 0.01) * TICKS_PER_SECOND
    if now == before:  # a frozen clock, as some agents have, says nothing
        return _Ran.UNKNOWN
    if now >= expected - tolerance:
        return _Ran.ON
    return _Ran.WRAPPED if abs(expected - WRAP_TICKS - now) <= tolerance else _Ran.BACK


def _engine(previous: Clocks, current: Clocks) -> _Ran:
    if previous.engine_seconds is None or current.engine_seconds is None:
        return _Ran.UNKNOWN
    boots_before, boots_now = previous.engine_boots, current.engine_boots
    if boots_before is not None and boots_now is not None and boots_now > boots_before:
        return _Ran.BACK
    return _Ran.BACK if current.engine_seconds < previous.engine_seconds - TOLERANCE_SECONDS else _Ran.ON
