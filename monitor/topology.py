"""What stands behind what: uplink > gateway > switch > access point, as the inventory says. No I/O, no clock."""

from collections.abc import Iterable, Iterator, Mapping

from monitor.exposition import Figure
from monitor.targets import Target
from parvis.inventory import Site


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


def elsewhere(site: Site, figures: Iterable[Figure]) -> Iterator[tuple[str, str, str]]:
    """(access point, switch and port of the inventory, switch and port where it is seen) of each that differs.

    LLDP (IEEE 802.1AB) names the equipment at the other end of a port, by its name with or without a domain or by the
    access point's own address; a switch without it has learned that address on one. What nobody sees is no
    disagreement; nor is a port between two switches, behind which one sees all that the other feeds.
    """
    points = {point.name: (point.switch, point.port) for point in site.access_points}
    known = {point.mac.text: point.name for point in site.access_points}
    known |= {name: name for name in (*points, *(switch.name for switch in site.switches))}
    switches = {switch.name for switch in site.switches}
    seen: dict[str, set[tuple[str, str]]] = {}
    trunks: set[tuple[str, str]] = set()
    for figure in figures:
        place = figure.labels.get("device", ""), figure.labels.get("port", "")
        name = _who(figure.labels, known)
        if name in switches:
            trunks.add(place)
        elif name in points and place[0] in switches:
            seen.setdefault(name, set()).add(place)
    for name, places in sorted(seen.items()):
        own = places - trunks
        if own and points[name] not in places:
            yield name, "/".join(points[name]), "/".join(min(own))


def _who(labels: Mapping[str, str], known: Mapping[str, str]) -> str:
    """The equipment of the inventory that a neighbour is, by a name or an address it is *known* by; empty: none.

    >>> _who({"remote_name": "ap-1.cachan.example"}, {"ap-1": "ap-1"})
    'ap-1'
    """
    name = labels.get("remote_name", labels.get("behind", ""))
    words = (name, name.partition(".")[0], labels.get("remote_chassis", ""), labels.get("remote_port", ""))
    return next((known[word] for word in words if word in known), "")
