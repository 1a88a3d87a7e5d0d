"""``parvis discover`` on agents of the loopback network: what it finds, names, prints, refuses and leaves alone."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from snmp_agents import PORTS, SYSTEM, UNIFI, MemoryAgent, agent, mute
from snmp_asking import RealAgent, free_port
from test_collectors_commands import CREDENTIALS

from collectors.discovery.command import discover
from collectors.discovery.fragment import UNKNOWN_MAC, _slug
from collectors.discovery.networks import MOST_EVER, NoNetwork, TooMany, addresses
from collectors.snmp import ber
from collectors.snmp.pdu import Version
from parvis.inventory import examine
from tests_support import Edit, faults_of

Run = Callable[..., Result]
AP_MAC = bytes.fromhex("f09fc200002a")
AP = {**UNIFI, "1.3.6.1.2.1.1.5.0": (ber.OCTET_STRING, b"AP Tribune Nord"), "1.3.6.1.2.1.2.2.1.6.1": (4, AP_MAC)}
REMOTE = "1.0.8802.1.1.2.1.4.1.1"
MANAGEMENT = "1.0.8802.1.1.2.1.4.2.1.3"
SWITCH: dict[str, Any] = {
    **SYSTEM,
    **PORTS,
    "1.3.6.1.2.1.1.1.0": (ber.OCTET_STRING, b"a switch of nobody"),
    "1.3.6.1.2.1.1.2.0": (ber.OBJECT_IDENTIFIER, ber.oid("1.3.6.1.4.1.99999.1")),
    "1.3.6.1.2.1.1.5.0": (ber.OCTET_STRING, b"sw-neuf"),
    f"{REMOTE}.5.0.2.1": (ber.OCTET_STRING, AP_MAC),
    f"{REMOTE}.7.0.2.1": (ber.OCTET_STRING, b"eth0"),
    f"{REMOTE}.9.0.2.1": (ber.OCTET_STRING, b"AP Tribune Nord"),
    f"{MANAGEMENT}.0.2.1.1.4.127.77.0.3": (ber.INTEGER, 2),
    f"{MANAGEMENT}.0.2.2.1.4.127.99.0.1": (ber.INTEGER, 2),
    f"{MANAGEMENT}.0.2.3.2.16.32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.1": (ber.INTEGER, 2),
}


@pytest.fixture
def run(tmp_path: Path, town_folder: Path, edit: Edit, monkeypatch: pytest.MonkeyPatch) -> Run:
    """``parvis discover`` in a town that has the credentials of the tests' agents."""
    edit("town.yml", "internet_targets:", f"{CREDENTIALS}\ninternet_targets:")
    for name, text in (("auth", "auth-sha256aes256"), ("privacy", "priv-sha256aes256"), ("community", "cachan")):
        (tmp_path / f"essai-{name}").write_text(f"{text}\n")
    monkeypatch.setenv("PARVIS_TOWN", str(town_folder))
    monkeypatch.setenv("PARVIS_SECRETS", str(tmp_path))

    def invoke(*words: str) -> Result:
        return CliRunner().invoke(discover, [*words, "--rate", "1000", "--timeout", "0.2"])

    return invoke


@pytest.fixture
def port() -> Iterator[int]:
    """A switch and an access point of 127.77.0.0/29, a neighbour of theirs outside, and one who says nothing."""
    with ExitStack() as stack:
        chosen = free_port()
        for host, answer in (
            ("127.77.0.2", MemoryAgent(SWITCH)),
            ("127.77.0.3", MemoryAgent(AP)),
            ("127.77.0.4", mute),
            ("127.99.0.1", MemoryAgent({**AP, "1.3.6.1.2.1.1.5.0": (ber.OCTET_STRING, b"ap-loin")})),
        ):
            stack.enter_context(agent(answer, host, chosen))
        yield chosen


def asking(run: Run, port: int, *words: str) -> Result:
    return run(*(words or ("127.77.0.0/29",)), "--port", str(port), "--community", "public")


def test_s01_agents_are_found_named_and_linked(run: Run, port: int) -> None:
    result = asking(run, port)

    assert result.exit_code == 0, result.output
    found = yaml.safe_load(result.stdout)
    assert [entry["name"] for entry in found["switches"]] == ["sw-neuf"]
    assert found["access_points"] == [
        {
            "name": "ap-tribune-nord",
            "vendor": "ubiquiti",
            "model": "UAP-AC-Pro",
            "address": "127.77.0.3",
            "snmp": {"credential": "discovered"},
            "mac": "f0:9f:c2:00:00:2a",
            "switch": "sw-neuf",
            "port": "eth0",
            "place": {"fr": "à préciser", "en": "to be named"},
        }
    ]
    assert "# 127.77.0.3: Ubiquiti UniFi access point, because sysObjectID is" in result.stdout
    assert "# REVIEW: place" in result.stdout


def test_s01_what_lies_beyond_the_given_networks_is_named_and_not_asked(run: Run, port: int) -> None:
    result = asking(run, port)

    assert "neighbour outside: 127.99.0.1, seen by 127.77.0.2" in result.stderr
    assert "127.77.0.3, seen by" not in result.stderr
    assert "ap-loin" not in result.stdout


def test_s01_s07_an_agent_that_knows_nothing_newer_than_version_1_is_found(run: Run) -> None:
    chosen = free_port()
    with agent(MemoryAgent(AP, versions=(Version.V1,)), "127.77.2.1", chosen):
        result = asking(run, chosen, "127.77.2.1")

    assert result.exit_code == 0, result.output
    assert [entry["name"] for entry in yaml.safe_load(result.stdout)["access_points"]] == ["ap-tribune-nord"]


def test_one_hop_is_followed_when_told(run: Run, port: int) -> None:
    result = asking(run, port, "127.77.0.2", "--follow")

    names = {entry["name"] for entries in yaml.safe_load(result.stdout).values() for entry in entries}
    assert names == {"sw-neuf", "ap-tribune-nord", "ap-loin"}


def test_s01_parvis_check_takes_what_was_printed(run: Run, port: int, town_folder: Path, edit: Edit) -> None:
    """In place of the site's own equipment; only the uplink's switch is named by hand."""
    site = town_folder / "sites/leo-lagrange.yml"
    edit(
        "town.yml",
        "internet_targets:",
        "  - {name: discovered, version: v2c, community_secret: x}\n\ninternet_targets:",
    )
    edit("sites/leo-lagrange.yml", "10.91.4.0/24", "127.77.0.0/24")
    edit("sites/leo-lagrange.yml", "10.91.4.1}", "127.77.0.1}")
    edit("sites/leo-lagrange.yml", 'switch: sw-lagrange, port: "25"', 'switch: sw-neuf, port: "25"')
    text = site.read_text("utf-8")
    site.write_text(text[: text.index("switches:")] + asking(run, port).stdout, "utf-8")

    town, faults = examine(town_folder, thorough=True)

    assert faults == []
    assert town is not None
    assert [device.name for device in town.site("leo-lagrange").polled()] == ["sw-neuf", "ap-tribune-nord"]


def test_what_could_not_be_known_is_refused_by_parvis_check_until_it_is_named(
    run: Run, port: int, town_folder: Path
) -> None:
    """An access point alone: no switch was seen that feeds it."""
    site = town_folder / "sites/leo-lagrange.yml"
    text = site.read_text("utf-8")
    result = asking(run, port, "127.77.0.3")
    site.write_text(text[: text.index("access_points:")] + result.stdout, "utf-8")

    assert "# REVIEW: switch and port, place" in result.stdout
    assert any("sw-to-be-named" in fault.message for fault in faults_of(town_folder))


def test_debians_agent_is_found_by_a_user_of_the_inventory(run: Run, snmpd: RealAgent) -> None:
    host, number = snmpd.address
    result = run(host, "--port", str(number), "--auth", "essai-v3")

    assert result.exit_code == 0, result.output
    [entry] = yaml.safe_load(result.stdout)["switches"]
    assert (entry["vendor"], entry["address"]) == ("net-snmp", "127.0.0.1")
    assert entry["snmp"] == {"credential": "essai-v3"}
    assert "# REVIEW: kind of equipment" in result.stdout


def test_every_credential_of_the_inventory_is_tried_and_a_missing_secret_is_told(run: Run, snmpd: RealAgent) -> None:
    host, number = snmpd.address
    result = run(host, "--port", str(number))

    assert result.exit_code == 0, result.output
    assert "not tried: reseau-v3: secret" in result.stderr


def test_an_agent_that_refuses_is_told_from_silence(run: Run, snmpd: RealAgent, tmp_path: Path) -> None:
    (tmp_path / "essai-auth").write_text("another password")
    host, number = snmpd.address

    result = run(host, "--port", str(number), "--auth", "essai-v3")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "refused: 127.0.0.1: wrong_password" in result.stderr
    assert "another password" not in result.output


def test_nobody_there_is_exit_code_1(run: Run, port: int) -> None:
    result = asking(run, port, "127.77.0.4,127.77.0.5")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "0 agent(s) answered" in result.stderr


def test_what_the_inventory_has_is_said_and_not_printed_again(run: Run, port: int, edit: Edit) -> None:
    site = "sites/leo-lagrange.yml"
    edit(site, "10.91.4.0/24", "127.77.0.0/24")
    for old, new in (("10.91.4.1}", "127.77.0.1}"), ("10.91.4.2,", "127.77.0.2,")):
        edit(site, old, new)
    for old, new in (("10.91.4.11,", "127.77.0.11,"), ("10.91.4.12,", "127.77.0.12,")):
        edit(site, old, new)

    result = asking(run, port)

    assert "known: 127.77.0.2 is sw-lagrange" in result.stderr
    found = yaml.safe_load(result.stdout)
    assert "switches" not in found
    assert [entry["switch"] for entry in found["access_points"]] == ["sw-lagrange"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("10.0.0.0/19", "--community", "x"), "8192 addresses are more than 4096"),
        (("2001:db8::/64", "--community", "x", "--yes"), f"more than {MOST_EVER}"),
        (("10.0.0.0/24/", "--community", "x"), "neither an address nor a network"),
        (("127.0.0.1", "--auth", "no-such"), "no credential is called no-such"),
        (("127.0.0.1", "--auth", "reseau-v3"), "no credential can be tried"),
        ((), "Missing argument"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_asked(run: Run, words: tuple[str, ...], told: str) -> None:
    result = run(*words)

    assert result.exit_code == 2
    assert told in result.stderr


def test_a_slash_20_is_asked_and_one_address_more_is_not() -> None:
    assert len(addresses(["10.0.0.0/20"])) == 4094
    with pytest.raises(TooMany):
        addresses(["10.0.0.0/20", "10.1.0.0"])
    assert len(addresses(["10.0.0.0/18"], MOST_EVER)) == 16382


@given(st.lists(st.text(max_size=20), max_size=4))
def test_any_words_are_addresses_or_a_named_fault(words: list[str]) -> None:
    try:
        found = addresses(words)
    except (NoNetwork, TooMany):
        found = []

    assert len(set(found)) == len(found) <= MOST_EVER


@given(st.text(max_size=80))
def test_any_name_a_device_gives_itself_becomes_one_of_the_inventory(text: str) -> None:
    assert re.fullmatch(r"([a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?)?", _slug(text))


def test_two_devices_of_one_name_get_two(run: Run) -> None:
    chosen = free_port()
    with agent(MemoryAgent(AP), "127.77.1.1", chosen), agent(MemoryAgent(AP), "127.77.1.2", chosen):
        result = asking(run, chosen, "127.77.1.0/30")

    listed = yaml.safe_load(result.stdout)["access_points"]
    assert [entry["name"] for entry in listed] == ["ap-tribune-nord", "ap-tribune-nord-2"]
    assert UNKNOWN_MAC not in result.stdout
