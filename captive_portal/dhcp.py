"""Kea's and dnsmasq's configurations, from the town.

Kea leases IPv4 addresses (RFC 2131) and tells phones where the captive portal API is (RFC 8910, option 114). dnsmasq
resolves names and answers stateless DHCPv6 (option 103); gatewayd advertises the IPv6 prefix, because dnsmasq cannot
say where the API is (RFC 8910, option 37). dnsmasq never answers DHCPv4, Kea never answers DNS.
"""

import json
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from captive_portal import garden, urls
from parvis.inventory import Site, Town

LEASE_FILE = Path("/var/lib/kea/kea-leases4.csv")
LEASE_SECONDS = 3600
"""Phones change their address often (MAC randomisation); an hour keeps a /22 from running out."""
CAPTIVE_PORTAL_OPTION, CAPTIVE_PORTAL_OPTION6 = 114, 103
"""RFC 8910 sections 2.1 and 2.2. By number: programs' names for them differ between versions."""


def kea(town: Town, site: Site, *, leases: Path = LEASE_FILE, control: Path | None = None) -> str:
    """Kea DHCPv4's configuration for *site*, JSON for Kea 2.2 to 2.6; *control*: a Unix socket for its commands."""
    dhcp4: dict[str, Any] = {
        "interfaces-config": {"interfaces": [site.gateway.guest_interface], "dhcp-socket-type": "raw"},
        "lease-database": {"type": "memfile", "persist": True, "name": str(leases), "lfc-interval": 3600},
        "expired-leases-processing": {"reclaim-timer-wait-time": 10, "hold-reclaimed-time": 3600},
        "authoritative": True,
        "match-client-id": False,
        "valid-lifetime": LEASE_SECONDS,
        "renew-timer": LEASE_SECONDS // 2,
        "rebind-timer": LEASE_SECONDS * 7 // 8,
        "cache-threshold": 0.0001,  # who is back within a quarter of its lease has arrived too, and is written down
        "multi-threading": {"enable-multi-threading": False},
        "subnet4": [_subnet(town, site)],
        "loggers": [{"name": "kea-dhcp4", "severity": "WARN", "output_options": [{"output": "stderr"}]}],
    }
    if control is not None:
        dhcp4["control-socket"] = {"socket-type": "unix", "socket-name": str(control)}
    return json.dumps({"Dhcp4": dhcp4}, indent=2) + "\n"


def pool(site: Site) -> tuple[IPv4Address, IPv4Address]:
    """The first and the last address that may be leased: all but the network's, the gateway's and the broadcast."""
    return site.guest.ipv4.network_address + 2, site.guest.ipv4.broadcast_address - 1


def pool_size(site: Site) -> int:
    """How many addresses may be leased."""
    first, last = pool(site)
    return int(last) - int(first) + 1


def _subnet(town: Town, site: Site) -> dict[str, Any]:
    network, gateway = site.guest.ipv4, str(site.guest.gateway_ipv4)
    return {
        "id": 1,
        "subnet": str(network),
        "pools": [{"pool": " - ".join(map(str, pool(site)))}],
        "option-data": [
            {"name": "routers", "data": gateway},
            {"name": "domain-name-servers", "data": gateway},
            {
                "code": CAPTIVE_PORTAL_OPTION,
                "space": "dhcp4",
                "data": urls.api(town.policy(site).host),
                "always-send": True,
            },
        ],
    }


def dnsmasq(town: Town, site: Site) -> str:
    """Return dnsmasq's configuration for *site*. Its pid and lease files are told on its command line, if at all."""
    gateway4, gateway6 = site.guest.gateway_ipv4, site.guest.gateway_ipv6
    lines = [
        f"# dnsmasq of {site.site}, generated from the town (captive_portal/dhcp.py).",
        "port=53",
        f"interface={site.gateway.guest_interface}",
        "except-interface=lo",
        "bind-interfaces",
        "no-hosts",
        "no-resolv",
        "cache-size=2000",
        "domain-needed",
        *(f"server={upstream}" for upstream in town.dns_upstream),
        f"host-record={town.policy(site).host},{gateway4}" + (f",{gateway6}" if gateway6 else ""),
        f"local=/{town.policy(site).host}/",
        *garden.dnsmasq_lines(town, site),
    ]
    if gateway6:
        # Stateless DHCPv6 (RFC 8415 section 6.1): no address is leased; gatewayd advertises prefix and resolver.
        lines += [
            f"dhcp-range={gateway6 - 1},static,64,1h",
            f"dhcp-option=option6:dns-server,[{gateway6}]",
            f"dhcp-option=option6:{CAPTIVE_PORTAL_OPTION6},{urls.api(town.policy(site).host)}",
        ]
    return "\n".join(lines) + "\n"
