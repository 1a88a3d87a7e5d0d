"""The wiring follows from the town, and every name fits the kernel."""

from ipaddress import ip_interface

import pytest

from lab.plan import IFNAMSIZ, IP_KEYWORDS, End, Plan, plan, resident_mac
from parvis.inventory import Town


@pytest.fixture
def wiring(town: Town) -> Plan:
    return plan(town, "pt-", residents=3)


def ends(wiring: Plan) -> list[End]:
    return [end for wire in wiring.wires for end in (wire.one, wire.other)]


def test_every_namespace_carries_the_prefix_and_is_named_once(wiring: Plan) -> None:
    assert all(name.startswith("pt-") for name in wiring.namespaces)
    assert len(set(wiring.namespaces)) == len(wiring.namespaces)


def test_every_interface_is_in_a_planned_namespace_once_and_fits_the_kernel(wiring: Plan) -> None:
    names = [(end.namespace, end.interface) for end in ends(wiring)]
    names += [(bridge.namespace, bridge.name) for bridge in wiring.bridges]

    assert len(set(names)) == len(names)
    assert all(namespace in wiring.namespaces and len(name) < IFNAMSIZ for namespace, name in names)
    assert not {name for _, name in names} & IP_KEYWORDS


def test_every_bridge_that_is_used_exists(wiring: Plan) -> None:
    bridges = {(bridge.namespace, bridge.name) for bridge in wiring.bridges}

    assert {(end.namespace, end.bridge) for end in ends(wiring) if end.bridge} <= bridges


def test_addresses_come_from_the_town(town: Town, wiring: Plan) -> None:
    site = town.site("maison-services-publics")
    of_gateway = {end.interface: end.addresses for end in ends(wiring) if end.namespace == "pt-gw-msp"}

    assert of_gateway["guest0"] == ("10.11.0.1/22", "2001:db8:11::1/64")
    assert of_gateway["mgmt0"] == (f"{site.gateway.address}/24",)
    assert of_gateway["wan0"] == (f"{site.uplink.address}/30", f"{site.uplink.ipv6}/126")


def test_no_address_is_given_twice(wiring: Plan) -> None:
    given = [str(ip_interface(address).ip) for end in ends(wiring) for address in end.addresses]
    given += [str(ip_interface(address).ip) for bridge in wiring.bridges for address in bridge.addresses]

    assert len(set(given)) == len(given)


def test_the_fibre_enters_the_switch_port_the_inventory_names(town: Town, wiring: Plan) -> None:
    for site in town.sites:
        fibre = next(fibre.end for fibre in wiring.fibres if fibre.site == site.site)
        other = next(wire.other for wire in wiring.wires if wire.one == fibre)

        assert (other.namespace, other.interface) == (f"pt-{site.uplink.switch}", site.uplink.port)


def test_management_is_reached_over_the_fibre_from_the_centres_own_address(town: Town, wiring: Plan) -> None:
    routes = {route.to: route for route in wiring.routes if route.namespace == wiring.centre}

    for site in town.sites:
        route = routes[str(site.management.ipv4)]
        assert (route.via, route.source) == (str(site.uplink.address), "10.90.0.1")


def test_residents_cannot_reach_each_other_below_ip(wiring: Plan) -> None:
    ports = [end for end in ends(wiring) if end.bridge == "lan"]

    assert {end.isolated for end in ports if end.interface not in {"gateway", "visitor"}} == {True}
    assert not next(end for end in ports if end.interface == "gateway").isolated


def test_residents_have_addresses_of_their_own_that_look_random(wiring: Plan) -> None:
    macs = [resident.mac for resident in wiring.residents]

    assert len(set(macs)) == len(macs) == 12
    assert all(mac.is_random and not int(mac.text[:2], 16) & 1 for mac in macs)
    assert resident_mac("maison-services-publics/1") in macs


@pytest.mark.parametrize("prefix", ["", "pv", "PV-", "a" * 12 + "-", "../-"])
def test_a_prefix_that_could_hit_other_namespaces_is_refused(town: Town, prefix: str) -> None:
    with pytest.raises(ValueError, match="no prefix"):
        plan(town, prefix)
