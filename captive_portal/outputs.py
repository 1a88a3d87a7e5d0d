"""What the town generates for each gateway: the files ``parvis plan`` compares and deployment writes."""

from captive_portal import dhcp, ruleset, sysctl
from parvis.inventory import Town


def outputs(town: Town) -> dict[str, str]:
    """Ruleset, kernel settings, DHCP and DNS of every gateway, by name."""
    made = {}
    for site in town.sites:
        folder = f"gateway/{site.gateway.name}"
        made[f"{folder}/nftables.nft"] = ruleset.text(town, site)
        made[f"{folder}/sysctl.conf"] = sysctl.text(site)
        made[f"{folder}/kea-dhcp4.json"] = dhcp.kea(town, site)
        made[f"{folder}/dnsmasq.conf"] = dhcp.dnsmasq(town, site)
    return made
