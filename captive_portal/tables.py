"""What our nftables tables are called; the ruleset declares them, gatewayd fills them."""

TABLE = "portal"
ARP_TABLE = "portal_arp"
ARP_SETS = frozenset({"lease"})
"""The sets of the ARP table; all others are in the other one."""
