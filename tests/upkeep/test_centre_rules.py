"""The centre's firewall: gateways are let in by the address from which they speak."""

import re

from captive_portal import ruleset
from parvis.inventory import Town
from upkeep import centre_rules


def test_a_gateway_speaks_to_the_centre_from_the_address_its_rules_let_in(town: Town) -> None:
    served = re.search(r"ip saddr \{ (.*) \} tcp dport \{ 5432, 19532 \} accept", centre_rules.text(town))
    assert served
    for site in town.sites:
        said = re.search(
            rf'oifname "{site.gateway.uplink_interface}" ip saddr {site.uplink.address} '
            rf"ip daddr {town.centre.ipv4} snat ip to (\S+)",
            ruleset.text(town, site),
        )
        assert said
        assert said[1] in served[1].split(", ")
