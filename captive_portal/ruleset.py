"""The gateway's nftables ruleset, from the town. Session number = ``ct mark``; every packet is judged by its mark.

Loading the text again keeps the elements of sets and maps: nobody is logged out. Nothing accepts "established" blindly,
so leaving and expiry stop running flows in both directions. TCP 443 of other hosts is refused, never redirected. The
portal's own address leads to the portal in both states, because RFC 8908 clients ask again after the acceptance.
"""

from collections.abc import Iterable
from ipaddress import IPv4Network
from string import Template

from captive_portal.port_blocks import Blocks
from captive_portal.protocol import MAX_MARK
from captive_portal.tables import ARP_TABLE, CAME6_SECONDS, KNOWN6_SECONDS, TABLE
from parvis.inventory import Site, Town
from parvis.processes import (
    EVIDENCE,
    EVIDENCE_SHARED_PORT,
    GATEWAYD,
    MANAGEMENT_PORT,
    PORTAL,
    PORTAL_HTTP_PORT,
    PORTAL_HTTPS_PORT,
)

GARDEN_SIZE = 4096
"""Most addresses of the walled garden, per family."""


def text(town: Town, site: Site) -> str:
    """The ruleset of *site*'s gateway, for ``nft -f``: one transaction, the elements of existing sets stay."""
    return Template(_RULESET).substitute(_facts(town, site))


def _facts(town: Town, site: Site) -> dict[str, str | int]:
    gateway, guest = site.gateway, site.guest
    return {
        "site": site.site,
        "last_session": MAX_MARK,
        "garden_size": GARDEN_SIZE,
        "known6": KNOWN6_SECONDS,
        "came6": CAME6_SECONDS,
        "table": TABLE,
        "arp_table": ARP_TABLE,
        "guest": gateway.guest_interface,
        "management": gateway.management_interface,
        "uplink": gateway.uplink_interface,
        "uplink4": str(site.uplink.address),
        "guest4": str(guest.ipv4),
        "portal4": str(guest.gateway_ipv4),
        "broadcast4": str(guest.ipv4.broadcast_address),
        "centre": str(town.centre.ipv4),
        "equipment": str(site.management.ipv4),
        "inside4": _set(str(network) for network in _inside4(town)),
        "address": str(gateway.address),
        "blocks": _blocks(site),
        "portal_http": PORTAL_HTTP_PORT,
        "portal_https": PORTAL_HTTPS_PORT,
        "metrics": _set(map(str, (PORTAL.port, GATEWAYD.port, EVIDENCE.port, MANAGEMENT_PORT, EVIDENCE_SHARED_PORT))),
        **_family6(town, site),
    }


def _inside4(town: Town) -> list[IPv4Network]:
    return [town.centre.ipv4, *(network for s in town.sites for network in (s.guest.ipv4, s.management.ipv4))]


def _blocks(site: Site) -> str:
    """The rule that gives each resident's address its ports; nothing where the guests' network is too large for it."""
    blocks = Blocks(site.guest.ipv4, site.uplink.address)
    if not blocks.exist:
        return "        # no blocks of ports: the guests' network is too large for them (port_blocks.py)"
    return (
        "        # each address has ports of its own: public address, port and time name one device (port_blocks.py)\n"
        f'        oifname "{site.gateway.uplink_interface}" ip saddr {site.guest.ipv4} meta l4proto {{ tcp, udp }} '
        f"snat ip to ip saddr map {{ {blocks.elements()} }}"
    )


def _family6(town: Town, site: Site) -> dict[str, str]:
    inside = [str(s.guest.ipv6) for s in town.sites if s.guest.ipv6]
    if site.guest.ipv6 is None:
        return {"guard6": CLOSED6, "portal6": "", "stale6": "", "inside6": "", "only6": "", "here6": ""}
    here = str(site.guest.gateway_ipv6)
    redirects = "\n".join(
        f"        ip6 daddr {here} tcp dport {port} redirect to :{to}"
        for port, to in ((443, PORTAL_HTTPS_PORT), (80, PORTAL_HTTP_PORT))
    )
    return {
        "guard6": GUARD6,
        "here6": f"        ip6 saddr {here} counter name spoofed drop\n"
        f"        icmpv6 type nd-neighbor-advert @th,64,128 {int(site.guest.gateway_ipv6 or 0):#x} "
        "counter name spoofed drop",
        "portal6": redirects,
        "stale6": f"        meta nfproto ipv6 ct status dnat tcp dport {PORTAL_HTTP_PORT} ct mark != 0 "
        f"ct original ip6 daddr != {here} reject with tcp reset",
        "inside6": f"        ip6 daddr {_set(inside)} goto refuse",
        "only6": f"        ip6 daddr != {{ {here}, fe80::/10, ff00::/8 }} goto refuse\n"
        "        ip6 saddr fe80::/10 udp sport 546 udp dport 547 accept",
    }


def _set(members: Iterable[str]) -> str:
    return "{ " + ", ".join(members) + " }"


CLOSED6 = '        meta nfproto ipv6 counter name closed drop comment "no IPv6 at this site: closed, not forgotten"'
GUARD6 = """\
        icmpv6 type { nd-router-advert, nd-redirect } counter name rogue drop comment "RFC 6105"
        meta nfproto ipv6 ip6 saddr != :: jump guest_in6"""

_RULESET = """\
#!/usr/sbin/nft -f
# Gateway of $site, generated from the town (captive_portal/ruleset.py). One load is one transaction; elements stay.

table inet $table { }
flush table inet $table
table arp $arp_table { }
flush table arp $arp_table

table inet $table {
    # MAC on the guest interface -> session number. Looked up for new flows only; the kernel expires it by itself.
    map auth {
        typeof iifname . ether saddr : ct mark
        size 65536
        flags timeout
    }
    # Everybody's session number while staff have opened the door to all; the kernel closes it by itself.
    map open { typeof iifname : ct mark; size 16; flags timeout; }
    # Kept out by staff for a while: such a device reaches the portal, which says why.
    set blocked { typeof ether saddr; size 65536; flags timeout; }
    # One element per session and direction: bandwidth, bytes counted and expiry in one lookup.
    set up {
        typeof ct mark
        size 65536
        flags timeout
        limit rate 10 mbytes/second burst 1 mbytes counter
    }
    set down {
        typeof ct mark
        size 65536
        flags timeout
        limit rate 10 mbytes/second burst 1 mbytes counter
    }
    # What the DHCP server has leased: the IPv4 source guard.
    set lease4 { typeof iifname . ether saddr . ip saddr; size 65536; flags timeout; }
    # The IPv6 source guard, first come, first served (RFC 6620): who has spoken from which address, which addresses are
    # somebody's, and how many new ones a device may still take. @nh,64,128 is the source address. came6 is filled with
    # the first packet and never renewed: what its elements have left says when that was.
    set known6 { typeof ether saddr . @nh,64,128; size 65536; flags dynamic,timeout; timeout ${known6}s; }
    set came6  { typeof ether saddr . @nh,64,128; size 65536; flags dynamic,timeout; timeout ${came6}s; }
    set owned6 { typeof @nh,64,128; size 65536; flags dynamic,timeout; timeout 10m; }
    set new6   { typeof ether saddr; size 65536; flags dynamic,timeout; timeout 1h; }

    # The walled garden: addresses of the town's services, filled by dnsmasq as names are asked.
    set garden4 { type ipv4_addr; size $garden_size; flags timeout; timeout 2h; }
    set garden6 { type ipv6_addr; size $garden_size; flags timeout; timeout 2h; }

    # One budget per device, for both families.
    set dns_rate   { typeof ether saddr; size 65536; flags dynamic,timeout; timeout 1m; }
    set dns_tcp    { typeof ether saddr; size 65536; flags dynamic,timeout; timeout 10m; }
    set garden_rate { typeof ether saddr; size 65536; flags dynamic,timeout; timeout 1m; }
    set portal_syn { typeof ether saddr; size 65536; flags dynamic,timeout; timeout 1m; }
    set refusals   { typeof ether saddr; size 65536; flags dynamic,timeout; timeout 1m; }
    set conn_rate  { typeof ether saddr; size 65536; flags dynamic,timeout; timeout 1m; }
    set conn_count { typeof ether saddr; size 65536; flags dynamic; }
    set portal_count { typeof ether saddr; size 65536; flags dynamic; }

    # A question to a resolver of the resident's own holds a port of its block no longer (RFC 4787 REQ-5a).
    ct timeout question { protocol udp; l3proto ip; policy = { unreplied : 3, replied : 3 }; }

    # What was dropped, and why: gateway_dropped_packets_total.
    counter closed { }
    counter crowded { }
    counter dns { }
    counter flood { }
    counter garden { }
    counter rogue { }
    counter spoofed { }

    # ---------- who is it: after conntrack, before the redirect
    chain classify {
        type filter hook prerouting priority mangle; policy accept;
        iifname "$guest" jump guest_in
    }
    chain guest_in {
        # flows of a session are judged packet by packet in 'up' and 'down'; those of the open door also here
        ct state established,related ct mark 1-$last_session accept
        ct state new ct mark set 0
        meta nfproto ipv4 udp dport 53 ct state new ct timeout set "question"
        ip saddr 0.0.0.0 udp sport 68 udp dport 67 accept
        meta nfproto ipv4 iifname . ether saddr . ip saddr != @lease4 counter name spoofed drop
$guard6
        ether saddr @blocked ct mark set 0 accept
        ct mark set iifname . ether saddr map @auth
        ct mark 0 ct mark set iifname map @open
    }
    chain guest_in6 {
        ip6 saddr != fe80::/10 fib saddr . iif oif missing counter name spoofed drop
$here6
        icmpv6 type nd-neighbor-advert jump claim6
        ether saddr . @nh,64,128 @known6 update @known6 { ether saddr . @nh,64,128 } \
update @owned6 { @nh,64,128 } return
        @nh,64,128 @owned6 counter name spoofed drop
        update @new6 { ether saddr limit rate over 8/hour burst 8 packets } counter name crowded drop
        add @known6 { ether saddr . @nh,64,128 } add @owned6 { @nh,64,128 } add @came6 { ether saddr . @nh,64,128 }
    }
    chain claim6 {
        # the target of a neighbour advertisement, RFC 4861 section 4.4
        ether saddr . @th,64,128 @known6 return
        @th,64,128 @owned6 counter name spoofed drop
    }

    # ---------- who is not admitted is led to the portal; the portal's own address leads there in both states
    chain redirect_in {
        type nat hook prerouting priority dstnat - 10; policy accept;
        iifname != "$guest" accept
        ip daddr $portal4 tcp dport 443 redirect to :$portal_https
        ip daddr $portal4 tcp dport 80 redirect to :$portal_http
$portal6
        ct mark != 0 accept
        udp dport 53 redirect to :53
        tcp dport 53 redirect to :53
        ip daddr @garden4 accept
        ip6 daddr @garden6 accept
        tcp dport 80 redirect to :$portal_http
    }
    chain masquerade_out {
        type nat hook postrouting priority srcnat; policy accept;
$blocks
        oifname "$uplink" ip saddr $guest4 masquerade
        # what the gateway itself says to the centre; the centre's rules know its management address alone
        oifname "$uplink" ip saddr $uplink4 ip daddr $centre snat ip to $address
    }

    # ---------- to the gateway itself
    chain input {
        type filter hook input priority filter; policy drop;
        iif lo accept
        iifname "$guest" goto input_guest
        ct state established,related accept
        ct state invalid drop
        icmp type echo-request limit rate 50/second accept
        icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, echo-request, packet-too-big } accept
        ip saddr $centre ip daddr $address tcp dport $metrics accept
        ip saddr { $centre, $equipment } tcp dport 22 accept
    }
    chain input_guest {
        # redirected before the acceptance, or preconnected by a browser: reset, so that the next request goes out
        meta nfproto ipv4 ct status dnat tcp dport $portal_http ct mark != 0 ct original ip daddr != $portal4 \
reject with tcp reset
$stale6
        udp dport 53 jump dns
        tcp dport 53 jump dns
        ct state established,related accept
        ct state invalid drop
        # the gateway's other addresses are not for residents
        ip daddr != { $portal4, $broadcast4, 255.255.255.255, 224.0.0.0/4 } goto refuse
$only6
        udp sport 68 udp dport 67 accept
        icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, mld-listener-report, \
mld2-listener-report, packet-too-big } accept
        icmp type echo-request limit rate 50/second accept
        icmpv6 type echo-request limit rate 50/second accept
        ct status dnat tcp dport { $portal_http, $portal_https } jump portal_in
        goto refuse
    }
    chain refuse {
        meta l4proto tcp reject with tcp reset
        update @refusals { ether saddr limit rate over 100/second burst 200 packets } counter name flood drop
        reject with icmpx admin-prohibited
    }
    chain portal_in {
        update @portal_syn { ether saddr limit rate over 20/second burst 100 packets } counter name flood drop
        # who serves the pages takes some hundred connections, and a browser keeps its own for a while
        add @portal_count { ether saddr ct count over 32 } counter name flood reject with tcp reset
        accept
    }
    chain dns {
        ct mark != 0 accept
        # a tunnel needs long names, many queries or TCP; a browser's start needs 200 queries at once
        udp length > 140 counter name dns drop
        tcp dport 53 meta length > 220 counter name dns drop
        tcp dport 53 ct state new update @dns_tcp { ether saddr limit rate over 10/minute burst 10 packets } \
counter name dns reject with tcp reset
        update @dns_rate { ether saddr limit rate over 5/second burst 200 packets } counter name dns drop
        accept
    }

    # ---------- through the gateway
    chain forward {
        type filter hook forward priority filter; policy drop;
        iifname "$guest" oifname "$guest" drop comment "residents do not see each other"
        iifname "$guest" goto up
        oifname "$guest" goto down
        iifname "$uplink" oifname "$management" ip saddr $centre ip daddr $equipment accept
        iifname "$management" oifname "$uplink" ip saddr $equipment ip daddr $centre accept
    }
    chain up {
        ct state established,related ct mark @up accept
        ct state new ct mark @up goto up_new
        ct state invalid drop
        ip daddr @garden4 ct mark 0 jump garden
        ip6 daddr @garden6 ct mark 0 jump garden
        # a live session over its rate: drop silently, TCP slows down; everybody else: refuse at once
        meta mark set iifname . ether saddr map @auth drop
        goto refuse
    }
    chain garden {
        jump outside
        meta l4proto . th dport != { tcp . 80, tcp . 443, udp . 443 } return
        update @garden_rate { ether saddr limit rate over 100/second burst 500 packets } counter name garden drop
        accept
    }
    chain outside {
        oifname != "$uplink" goto refuse
        ip daddr $inside4 goto refuse
$inside6
    }
    chain up_new {
        jump outside
        tcp dport 25 reject with tcp reset
        update @conn_rate { ether saddr limit rate over 200/second burst 400 packets } counter name flood drop
        add @conn_count { ether saddr ct count over 2000 } counter reject with icmpx admin-prohibited
        accept
    }
    chain down {
        ct state new,invalid drop
        ct mark @down accept
        ct mark 0 ip saddr @garden4 accept
        ct mark 0 ip6 saddr @garden6 accept
    }
}

# Nobody may claim a neighbour's IPv4 address by ARP.
table arp $arp_table {
    set lease { typeof arp saddr ether . arp saddr ip; size 65536; flags timeout; }
    chain input {
        type filter hook input priority filter; policy accept;
        iifname != "$guest" accept
        arp saddr ip 0.0.0.0 accept comment "probe (RFC 5227)"
        arp saddr ether . arp saddr ip != @lease counter drop
    }
}
"""
