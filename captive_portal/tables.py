"""What our nftables tables are called; the ruleset declares them, gatewayd fills them."""

TABLE = "portal"
ARP_TABLE = "portal_arp"
ARP_SETS = frozenset({"lease"})
"""The sets of the ARP table; all others are in the other one."""
KNOWN6_SECONDS = 3600
"""A device that was silent for so long holds its IPv6 address no more (set known6)."""
CAME6_SECONDS = 600
"""For so long after its first packet from an address the kernel knows when that was (set came6)."""
