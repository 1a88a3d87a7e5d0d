"""What our nftables tables are called; the ruleset declares them, gatewayd fills them."""

TABLE = "portal"
ARP_TABLE = "portal_arp"
