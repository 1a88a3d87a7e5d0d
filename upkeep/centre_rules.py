"""The centre's own firewall: closed but for what the town needs to reach there."""

from string import Template

from parvis.inventory import Town
from parvis.processes import CONSOLE_HTTPS_PORT, TRAP_PORT
from upkeep.ports import DATABASE, JOURNAL, PROXY, SNMP_TRAP, SSH


def text(town: Town) -> str:
    """nftables.conf's text for the machine in the centre."""
    equipment = ", ".join(str(site.management.ipv4) for site in town.sites)
    gateways = ", ".join(str(site.gateway.address) for site in town.sites)
    return Template(_RULES).substitute(
        centre=town.centre.ipv4,
        equipment=equipment,
        gateways=gateways,
        staff=", ".join(map(str, (SSH, PROXY, CONSOLE_HTTPS_PORT))),
        served=", ".join(map(str, (DATABASE, JOURNAL))),
        trap=SNMP_TRAP,
        traps=TRAP_PORT,
    )


_RULES = """\
#!/usr/sbin/nft -f
# The town's centre, generated from the town (upkeep/centre_rules.py). One load is one transaction.
# Rules of the town's own: /etc/parvis/nftables.d/*.nft, for the chains own_input and own_forward.

table inet parvis_centre { }
flush table inet parvis_centre

table inet parvis_centre {
    chain own_input { }
    chain own_forward { }
    chain traps_in {
        type nat hook prerouting priority dstnat; policy accept;
        ip saddr { $equipment } udp dport $trap redirect to :$traps
    }
    chain input {
        type filter hook input priority filter; policy drop;
        iif lo accept
        ct state established,related accept
        ct state invalid drop
        icmp type echo-request limit rate 50/second accept
        icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert, echo-request, packet-too-big } accept
        ip saddr $centre tcp dport { $staff } accept
        ip saddr { $gateways } tcp dport { $served } accept
        ip saddr { $equipment } udp dport $traps accept
        jump own_input
    }
    chain forward {
        type filter hook forward priority filter; policy drop;
        jump own_forward
    }
}
include "/etc/parvis/nftables.d/*.nft"
"""
