"""What the town generates for a gateway, read by the programs it is for."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from captive_portal import dhcp, ruleset, sysctl
from captive_portal.outputs import outputs
from parvis.inventory import Site, Town
from parvis.processes import PORTAL_HTTP_PORT, PORTAL_HTTPS_PORT


@pytest.fixture
def site(town: Town) -> Site:
    return town.site("maison-services-publics")


def closed(site: Site) -> Site:
    """The same site without IPv6."""
    return site.model_copy(update={"guest": site.guest.model_copy(update={"ipv6": None})})


def chain(text: str, name: str) -> list[str]:
    """The lines of a chain, without comments."""
    body = text.split(f"chain {name} {{", 1)[1].split("\n    }", 1)[0].replace("\\\n", "")
    return [line.strip() for line in body.splitlines() if line.strip() and not line.strip().startswith("#")]


def test_each_gateway_gets_four_files(town: Town) -> None:
    assert sorted(name for name in outputs(town) if "gw-msp" in name) == [
        "gateway/gw-msp/dnsmasq.conf",
        "gateway/gw-msp/kea-dhcp4.json",
        "gateway/gw-msp/nftables.nft",
        "gateway/gw-msp/sysctl.conf",
    ]


def test_https_to_the_internet_is_never_redirected(town: Town, site: Site) -> None:
    to_https = [line for line in chain(ruleset.text(town, site), "redirect_in") if "443" in line]

    assert to_https == [
        f"ip daddr 10.11.0.1 tcp dport 443 redirect to :{PORTAL_HTTPS_PORT}",
        f"ip6 daddr 2001:db8:11::1 tcp dport 443 redirect to :{PORTAL_HTTPS_PORT}",
    ]


def test_the_portal_is_reached_before_the_admitted_short_cut_and_plain_http_after_it(town: Town, site: Site) -> None:
    lines = chain(ruleset.text(town, site), "redirect_in")
    short_cut = lines.index("ct mark != 0 accept")

    assert all("daddr 10.11.0.1" not in line and "2001:db8:11::1" not in line for line in lines[short_cut:])
    assert lines[-1] == f"tcp dport 80 redirect to :{PORTAL_HTTP_PORT}"


def test_a_reload_keeps_what_sets_hold(town: Town, site: Site) -> None:
    text = ruleset.text(town, site)

    assert "delete table" not in text
    assert "flush set" not in text
    assert "flush table inet portal" in text


def test_no_forward_rule_accepts_established_flows_without_their_session(town: Town, site: Site) -> None:
    text = ruleset.text(town, site)

    for name in ("forward", "up", "down"):
        for line in chain(text, name):
            if "established" in line:
                assert "ct mark @" in line
    assert chain(text, "forward")[0].endswith("policy drop;")


def test_residents_reach_no_network_of_the_town(town: Town, site: Site) -> None:
    refused = " ".join(line for line in chain(ruleset.text(town, site), "outside") if "daddr" in line)

    for other in town.sites:
        assert str(other.management.ipv4) in refused
        assert str(other.guest.ipv4) in refused
        assert str(other.guest.ipv6) in refused
    assert str(town.centre.ipv4) in refused


def test_a_site_without_ipv6_is_closed_to_it(town: Town, site: Site) -> None:
    text = ruleset.text(town, closed(site))

    assert "meta nfproto ipv6 counter name closed drop" in text
    assert "2001:db8:11:" not in text
    assert "option6" not in dhcp.dnsmasq(town, closed(site))
    assert "net/ipv6/conf/guest0/disable_ipv6 = 1" in sysctl.text(closed(site))


def test_kea_hands_out_the_api_by_number(town: Town, site: Site) -> None:
    subnet = json.loads(dhcp.kea(town, site))["Dhcp4"]["subnet4"][0]

    assert {"code": 114, "space": "dhcp4", "data": "https://wifi.cachan.example/api/captive", "always-send": True} in (
        subnet["option-data"]
    )
    assert subnet["pools"] == [{"pool": "10.11.0.2 - 10.11.3.254"}]


def test_dnsmasq_answers_for_the_portal_and_never_dhcp(town: Town, site: Site, tmp_path: Path) -> None:
    text = dhcp.dnsmasq(town, site)
    config = tmp_path / "dnsmasq.conf"
    config.write_text(text)

    assert "host-record=wifi.cachan.example,10.11.0.1,2001:db8:11::1" in text
    assert not re.search(r"dhcp-range=\d+\.", text)
    done = subprocess.run(["dnsmasq", "--test", "-C", str(config)], capture_output=True, text=True, check=False)
    assert "syntax check OK" in done.stderr


def test_a_device_that_is_back_soon_is_written_into_the_leases_and_so_arrives(town: Town, site: Site) -> None:
    """Kea's own 0.25 gives the same lease again for a quarter of its time, and says so to nobody."""
    config = json.loads(dhcp.kea(town, site))["Dhcp4"]

    assert 0 < config["cache-threshold"] * config["valid-lifetime"] < 1


@pytest.mark.root
def test_nft_and_kea_take_every_sites_text(town: Town, tmp_path: Path) -> None:
    sites = [*town.sites, closed(town.sites[0])]
    for number, one in enumerate(sites):
        rules, leases = tmp_path / f"{number}.nft", tmp_path / f"{number}.json"
        rules.write_text(ruleset.text(town, one))
        leases.write_text(dhcp.kea(town, one, leases=tmp_path / "leases.csv", control=tmp_path / "control"))
        for check in (f"nft -c -f {rules}", f"ip link add guest0 type veth peer name x && kea-dhcp4 -t {leases}"):
            done = subprocess.run(["unshare", "-n", "sh", "-c", check], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr


def test_r33_r34_rules_hold_addresses_only_and_the_portal_is_the_gateways_own(town: Town) -> None:
    for one in town.sites:
        text = ruleset.text(town, one)
        host = town.policy(one).host
        assert host not in text
        assert not re.search(r"daddr [a-z][a-z0-9-]*\.[a-z]", text)
        addresses = f"{one.guest.gateway_ipv4},{one.guest.gateway_ipv6}"
        assert f"host-record={host},{addresses}" in dhcp.dnsmasq(town, one).splitlines()
        for address in (one.guest.gateway_ipv4, one.guest.gateway_ipv6):
            assert f"daddr {address} tcp dport 443 redirect to :{PORTAL_HTTPS_PORT}" in text


def test_r61_each_site_is_a_guest_network_of_its_own_on_any_interface(town: Town) -> None:
    """A gateway has one guest interface, a VLAN's or a bridge's name is as good as any; more networks, more sites."""
    interfaces = {}
    for one, name in zip(town.sites, ("guest0", "eth1.10", "br-guest", "vlan20"), strict=True):
        there = one.model_copy(update={"gateway": one.gateway.model_copy(update={"guest_interface": name})})
        interfaces[name] = ruleset.text(town, there)
        assert f'iifname "{name}" jump guest_in' in interfaces[name]
        assert f"net/ipv6/conf/{name}/accept_ra = 0" in sysctl.text(there)
        assert f"interface={name}" in dhcp.dnsmasq(town, there)
    assert len(set(interfaces.values())) == 4
