"""What the hands draw from the town: settings, units, networks, the centre's rules; ``parvis plan`` compares them."""

from parvis.inventory import Town
from upkeep import centre_rules, configuration, logs, networks, units


def outputs(town: Town) -> dict[str, str]:
    """Every file of every machine that is not another room's, by name."""
    made: dict[str, str] = {}
    for site in town.sites:
        folder = f"gateway/{site.gateway.name}"
        made |= {f"{folder}/settings/{name}": text for name, text in configuration.gateway(site).items()}
        made |= {f"{folder}/units/{name}": text for name, text in units.files(town, "gateway").items()}
        made |= {f"{folder}/networks/{name}": text for name, text in networks.files(site).items()}
    made |= {f"centre/settings/{name}": text for name, text in configuration.centre(town).items()}
    made |= {f"centre/units/{name}": text for name, text in units.files(town, "centre").items()}
    made[f"centre/settings/{logs.DOOR_FILE.name}"] = logs.door_settings(town)
    made["centre/nftables.nft"] = centre_rules.text(town)
    return made
