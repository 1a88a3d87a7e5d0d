"""The gateway's kernel settings, from the town: what routing, refusing at once and closing IPv6 need of sysctl(8).

A connection is announced to the recorder even when it began while the recorder was away (nf_conntrack_events = 1).

Written as sysctl.d(5) reads it; a leading ``-`` marks a setting that not every kernel or namespace has.
"""

from captive_portal.port_blocks import OWN_PORTS
from parvis.inventory import Site

REFUSALS_MS = 0
"""Least time between two ICMP refusals to one device: none, because the ruleset has a budget of its own for each
device. The kernel's second would let a browser's refused QUIC connections time out."""
NEIGHBOURS = 16_384
"""Entries of the neighbour table; the kernel's 1,024 are too few for a full /22 with IPv6."""
TIME_WAIT_SECONDS, IDLE_SECONDS = 10, 7440
"""A resident has a block of ports, not all of them. A closed connection's is free again after the first (RFC 6888 REQ-8
A; from Linux 6.7 on when it is needed), a silent one's after the second (RFC 5382 REQ-5), not in five days."""


def text(site: Site) -> str:
    """The settings of *site*'s gateway."""
    return "\n".join(
        (f"# Gateway of {site.site}, generated from the town (captive_portal/sysctl.py).", *_lines(site), "")
    )


def _lines(site: Site) -> list[str]:
    guest = site.gateway.guest_interface
    closed = site.guest.ipv6 is None
    return [
        "net/ipv4/ip_forward = 1",
        f"net/ipv6/conf/all/forwarding = {0 if closed else 1}",
        f"net/ipv6/conf/{guest}/disable_ipv6 = {1 if closed else 0}",
        f"net/ipv6/conf/{guest}/accept_ra = 0",
        f"net/ipv4/conf/{guest}/send_redirects = 0",
        f"net/ipv4/icmp_ratelimit = {REFUSALS_MS}",
        f"net/ipv6/icmp/ratelimit = {REFUSALS_MS}",
        f"net/ipv4/ip_local_port_range = {OWN_PORTS[0]} {OWN_PORTS[1]}",
        "net/netfilter/nf_conntrack_events = 1",
        "net/netfilter/nf_conntrack_timestamp = 1",
        f"net/netfilter/nf_conntrack_tcp_timeout_time_wait = {TIME_WAIT_SECONDS}",
        f"net/netfilter/nf_conntrack_tcp_timeout_established = {IDLE_SECONDS}",
        f"-net/ipv4/neigh/default/gc_thresh3 = {NEIGHBOURS}",
        f"-net/ipv6/neigh/default/gc_thresh3 = {NEIGHBOURS}",
    ]
