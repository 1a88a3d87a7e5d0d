"""The gateway's interfaces: what it says to the centre comes from the address that the centre lets in."""

import configparser

from parvis.inventory import Town
from upkeep import centre_rules, networks


def read(text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(text)
    return parser


def test_a_gateway_speaks_to_the_centre_from_the_address_its_firewall_lets_in(town: Town) -> None:
    rules = centre_rules.text(town)
    for site in town.sites:
        way = read(networks.files(town, site)["10-parvis-uplink.network"])["Route"]
        assert (way["Destination"], way["Gateway"]) == (str(town.centre.ipv4), str(site.uplink.peer))
        allowed = [line for line in rules.splitlines() if "19532" in line and "accept" in line]
        assert allowed
        assert way["PreferredSource"] in allowed[0]


def test_a_way_the_management_interface_has_already_comes_first(town: Town) -> None:
    way = read(networks.files(town, town.sites[0])["10-parvis-uplink.network"])["Route"]

    assert int(way["Metric"]) > 1024, "DHCP's and router advertisements' own"
