"""Behind which port of a site's switches one address was learned: asked on the spot about one intruder, and forgotten.

The table of learned addresses holds residents': it is never read. Only the address that somebody names is asked for
(BRIDGE-MIB dot1dTpFdbPort, RFC 4188), as :mod:`collectors.bridge` asks for the town's own access points.
"""

from collectors.bridge import BASE_PORT, LEARNED, dotted
from collectors.snmp import ber, walk
from collectors.snmp.session import Session
from collectors.snmp.walk import Pace

NAMES = ("1.3.6.1.2.1.31.1.1.1.1", "1.3.6.1.2.1.2.2.1.2")
"""ifName, and ifDescr where it has none (RFC 2863)."""


async def port_of(session: Session, mac: str) -> str:
    """The name of the port behind which the switch has learned *mac*; empty when it has not. SnmpError."""
    base = await _number(session, f"{LEARNED}.{dotted(mac)}")
    if not base:  # 0: learned, and it does not say where
        return ""
    index = await _number(session, f"{BASE_PORT}.2.{base}") or base
    names = [ber.oid(f"{column}.{index}") for column in NAMES]
    found = await walk.get(session, names, Pace())
    told = (found[name][1] for name in names if name in found)
    return next((text for value in told if isinstance(value, bytes) and (text := _text(value))), str(index))


async def _number(session: Session, name: str) -> int:
    raw = ber.oid(name)
    found = await walk.get(session, [raw], Pace())
    value = found[raw][1] if raw in found else 0
    return value if isinstance(value, int) else 0


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace").strip("\0 ")[:64]
