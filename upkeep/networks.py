"""systemd-networkd's files for the guests' interface and the uplink of a gateway, from the town.

The management interface is not touched: it is how the machine was reached to be installed.
"""

from parvis.inventory import Site

HEADER = "# Generated from the town (upkeep/networks.py).\n"
KEPT = "LinkLocalAddressing=ipv6\nIPv6AcceptRA=no\nLLDP=no\nConfigureWithoutCarrier=yes\nKeepConfiguration=yes\n"


GUESTS_ONLINE, UPLINK_ONLINE = "no-carrier", "no"
"""RequiredForOnline: the start waits until the guests' link is set up, plugged in or not, and never for the uplink.

Were no link required, systemd-networkd-wait-online would wait for one until its time is over, at each start.
"""


def files(site: Site) -> dict[str, str]:
    """File name below /etc/systemd/network -> text."""
    guest, link, gateway = site.guest, site.uplink, site.gateway
    inner = [f"{guest.gateway_ipv4}/{guest.ipv4.prefixlen}", *([f"{guest.gateway_ipv6}/64"] if guest.ipv6 else [])]
    outer = [f"{link.address}/30", *([f"{link.ipv6}/126"] if link.ipv6 else [])]
    ways = [str(link.peer), *([str(link.ipv6_peer)] if link.ipv6_peer else [])]
    return {
        "10-parvis-guests.network": _file(
            gateway.guest_interface, GUESTS_ONLINE, inner, [], closed6=guest.ipv6 is None
        ),
        "10-parvis-uplink.network": _file(
            gateway.uplink_interface, UPLINK_ONLINE, outer, ways, closed6=link.ipv6 is None
        ),
    }


def _file(interface: str, online: str, addresses: list[str], gateways: list[str], *, closed6: bool) -> str:
    kept = KEPT.replace("=ipv6", "=no") if closed6 else KEPT
    lines = "".join([*(f"Address={one}\n" for one in addresses), *(f"Gateway={one}\n" for one in gateways)])
    return f"{HEADER}[Match]\nName={interface}\n\n[Link]\nRequiredForOnline={online}\n\n[Network]\n{kept}{lines}"
