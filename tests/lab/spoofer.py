"""Plays somebody who does not belong on a residents' network: run on a resident's device, with what to do."""

import sys
import time

from scapy.layers.inet6 import ICMPv6ND_RA, IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.sendrecv import sendp

GATEWAY, FREE = "10.13.0.1", "10.13.3.200"
EVERYBODY = "ff:ff:ff:ff:ff:ff"


def frames(deed: str) -> list[Ether]:
    """What *deed* sends, each second."""
    if deed == "router":
        return [Ether(dst="33:33:00:00:00:01") / IPv6(dst="ff02::1", hlim=255) / ICMPv6ND_RA(routerlifetime=1800)]
    address = GATEWAY if deed == "gateway" else FREE
    claims = [ARP(op="is-at", psrc=address, pdst=address)]
    if deed == "conflict":
        claims.append(ARP(op="is-at", psrc=address, pdst=address, hwsrc="02:00:00:00:00:99"))
    return [Ether(dst=EVERYBODY) / claim for claim in claims]


if __name__ == "__main__":
    while True:
        sendp(frames(sys.argv[1]), iface="wlan0", verbose=False)
        time.sleep(1)
