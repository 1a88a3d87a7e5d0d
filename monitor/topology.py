"""What stands behind what: uplink > gateway > switch > access point, as the inventory says. No I/O, no clock."""

from collections.abc import Mapping

from monitor.targets import Target


def behind(target: Target, down: Mapping[str, bool]) -> str:
    """The farthest parent of *target* that is down, the one to repair; empty when none is.

    >>> from ipaddress import IPv4Address
    >>> from monitor.targets import Kind
    >>> ap = Target("ap-1", Kind.ACCESS_POINT, "site", IPv4Address("10.0.0.3"), ("sw-1", "fibre-1"))
    >>> behind(ap, {"sw-1": True, "fibre-1": True}), behind(ap, {"sw-1": False, "fibre-1": False})
    ('fibre-1', '')
    """
    found = [parent for parent in target.parents if down.get(parent)]
    return found[-1] if found else ""
