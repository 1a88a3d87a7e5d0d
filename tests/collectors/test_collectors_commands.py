"""``parvis poll`` and ``parvis collectors`` as staff run them."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from snmp_agents import UNIFI, Answer, MemoryAgent, agent, babbling, mute
from snmp_asking import RealAgent, free_port
from test_prometheus import read_back

from collectors.commands import poll
from collectors.outputs import faults, outputs
from parvis.inventory import Town, load
from tests_support import Edit

CREDENTIALS = """  - {name: essai-v3, version: v3, user: sha256aes256, auth: SHA-256, privacy: AES-256,
     auth_secret: essai-auth, privacy_secret: essai-privacy}
  - {name: essai-v2c, version: v2c, community_secret: essai-community}
"""


@pytest.fixture
def run_poll(tmp_path: Path, town_folder: Path, edit: Edit, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """``parvis poll`` in a town with two more credentials, whose secrets are delivered."""
    edit("town.yml", "internet_targets:", f"{CREDENTIALS}\ninternet_targets:")
    for name, text in (("auth", "auth-sha256aes256"), ("privacy", "priv-sha256aes256"), ("community", "cachan")):
        (tmp_path / f"essai-{name}").write_text(f"{text}\n")
    monkeypatch.setenv("PARVIS_TOWN", str(town_folder))
    monkeypatch.setenv("PARVIS_SECRETS", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "160")

    def run(*words: str) -> Result:
        return CliRunner().invoke(poll, [*words, "--timeout", "0.2"])

    return run


def where(snmpd: RealAgent) -> str:
    return f"{snmpd.address[0]}:{snmpd.address[1]}"


def test_a_literal_community_is_enough(run_poll: Callable[..., Result], snmpd: RealAgent) -> None:
    result = run_poll(where(snmpd), "--community", "cachan", "--format", "prometheus")

    assert result.exit_code == 0, result.output
    found = read_back(result.output)
    assert found["snmp_up", frozenset({("device", "127.0.0.1")})] == 1
    assert all(set(dict(labels)).isdisjoint({"town", "site"}) for _, labels in found)


@pytest.mark.parametrize("words", [("--auth", "essai-v3"), ("--community", "essai-v2c"), ("--auth", "essai-v2c")])
def test_a_credential_of_the_inventory_is_used_by_name(
    run_poll: Callable[..., Result], snmpd: RealAgent, words: tuple[str, ...]
) -> None:
    result = run_poll(where(snmpd), *words)

    assert result.exit_code == 0, result.output
    assert "Profile" in result.output


@pytest.mark.parametrize(
    ("secret", "reason"),
    [("essai-auth", "wrong_password"), ("essai-privacy", "wrong_privacy_password")],
)
def test_a_wrong_password_is_named(
    run_poll: Callable[..., Result], snmpd: RealAgent, tmp_path: Path, secret: str, reason: str
) -> None:
    (tmp_path / secret).write_text("another password")

    result = run_poll(where(snmpd), "--auth", "essai-v3")

    assert result.exit_code == 1
    assert result.stderr.startswith(f"{reason}: ")
    assert "another password" not in result.output


def test_s55_a_missing_secret_is_named(run_poll: Callable[..., Result], snmpd: RealAgent, tmp_path: Path) -> None:
    (tmp_path / "essai-auth").unlink()

    result = run_poll(where(snmpd), "--auth", "essai-v3")

    assert result.exit_code == 1
    assert result.stderr.startswith("secret_missing: ")


@pytest.mark.parametrize(("answer", "reason"), [(mute, "silent"), (babbling, "garbage")])
def test_silence_and_garbage_are_named_in_one_line(
    run_poll: Callable[..., Result], answer: Answer, reason: str
) -> None:
    with agent(answer) as address:
        result = run_poll(f"{address[0]}:{address[1]}", "--community", "public")

    assert result.exit_code == 1
    assert result.stderr.startswith(f"{reason}: 127.0.0.1:")
    assert result.stderr.count("\n") == 1


def test_a_closed_port_is_named(run_poll: Callable[..., Result]) -> None:
    result = run_poll(f"127.0.0.1:{free_port()}", "--community", "public")

    assert (result.exit_code, result.stderr.partition(":")[0]) == (1, "refused")


def test_a_wrong_community_is_suspected_in_the_advice(run_poll: Callable[..., Result], snmpd: RealAgent) -> None:
    result = run_poll(where(snmpd), "--community", "another")

    assert result.exit_code == 1
    assert "community" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("192.0.2.1",),
        ("192.0.2.1:99999", "--community", "public"),
        ("a b", "--community", "public"),
        ("192.0.2.1", "--auth", "no-such-credential"),
        ("192.0.2.1", "--auth", "essai-v3", "--community", "public"),
        ("192.0.2.1", "--community", "public", "--format", "xml"),
    ],
)
def test_wrong_usage_is_told_from_a_failed_poll(run_poll: Callable[..., Result], words: tuple[str, ...]) -> None:
    assert run_poll(*words).exit_code == 2


def test_a_newcomer_reads_the_table(run_poll: Callable[..., Result]) -> None:
    with agent(MemoryAgent(UNIFI)) as address:
        result = run_poll(f"{address[0]}:{address[1]}", "--community", "public")

    assert result.exit_code == 0, result.output
    for words in (
        "UAP-AC-Pro",
        "because sysObjectID",
        "Radios",
        "wifi1",
        "5GHz",
        "157",
        "Network names",
        "Wifi-Cachan",
    ):
        assert words in result.output
    assert "wifi_radio_clients" not in result.output


def test_s41_explain_leads_from_the_raw_variable_to_the_value(run_poll: Callable[..., Result]) -> None:
    with agent(MemoryAgent(UNIFI)) as address:
        result = run_poll(f"{address[0]}:{address[1]}", "--community", "public", "--explain")

    told, _, dropped = (" ".join(part.split()) for part in result.output.partition("Dropped: "))
    assert (
        'wifi_radio_channel_utilization_ratio{radio="wifi0", band="2.4GHz", part="total"} = 0.42 '
        "1.3.6.1.4.1.41112.1.6.1.1.1.6.1 = 42 unifi.yml unifi_radio.total: read number, scale 0.01"
    ) in told
    assert 'part="total"} = dropped 1.3.6.1.4.1.41112.1.6.1.1.1.6.2 = 101' in dropped
    assert "implausible: not within 0 to 1" in dropped
    assert max(len(line) for line in result.output.splitlines() if line.startswith(("wifi_", "  "))) <= 80


def test_a_program_reads_the_explanation_as_json(run_poll: Callable[..., Result]) -> None:
    with agent(MemoryAgent(UNIFI)) as address:
        words = (f"{address[0]}:{address[1]}", "--community", "public", "--format", "json")
        plain, explained = json.loads(run_poll(*words).output), json.loads(run_poll(*words, "--explain").output)

    assert plain["profile"] == "unifi"
    assert "explained" not in plain
    line = next(each for each in explained["explained"] if each["oid"].endswith(".41112.1.6.1.1.1.6.2"))
    assert (line["value"], line["raw"], line["profile"], line["column"]) == (
        None,
        "101",
        "unifi.yml",
        "unifi_radio.total",
    )


SITE = "sites/leo-lagrange.yml"


@pytest.fixture
def loopback(edit: Edit) -> None:
    """The management network of a site on this machine; its switch is the real agent."""
    edit(SITE, "10.91.4.0/24", "127.0.0.0/24")
    moved = {
        "10.91.4.1}": "127.0.0.254}",
        "10.91.4.2,": "127.0.0.1,",
        "10.91.4.11,": "127.0.0.11,",
        "10.91.4.12,": "127.0.0.12,",
    }
    for old, new in moved.items():
        edit(SITE, old, new)


@pytest.mark.usefixtures("loopback")
def test_a_device_of_the_inventory_is_polled_by_its_name(
    run_poll: Callable[..., Result], edit: Edit, snmpd: RealAgent
) -> None:
    edit(SITE, "{credential: reseau-v3}", f"{{credential: essai-v3, port: {snmpd.address[1]}}}")

    result = run_poll("sw-lagrange", "--format", "prometheus")

    assert result.exit_code == 0, result.output
    assert read_back(result.output)["snmp_up", frozenset({("device", "sw-lagrange")})] == 1


@pytest.mark.usefixtures("loopback")
@pytest.mark.parametrize("is_right", [True, False])
def test_s10_the_engine_a_poll_prints_can_be_held_to_in_the_inventory(
    run_poll: Callable[..., Result], edit: Edit, snmpd: RealAgent, is_right: bool
) -> None:
    printed = re.search(r"SNMPv3 engine ([0-9a-f]{10,})\.", run_poll(where(snmpd), "--auth", "essai-v3").output)
    assert printed
    engine = printed[1] if is_right else "80001f880461"
    words = f'{{credential: essai-v3, port: {snmpd.address[1]}, engine_id: "{engine}"}}'
    edit(SITE, "{credential: reseau-v3}", words)

    result = run_poll("sw-lagrange")

    if is_right:
        assert (result.exit_code, f"SNMPv3 engine {engine}." in result.output) == (0, True)
    else:
        assert result.exit_code == 1
        assert result.stderr.startswith(f"other_engine: 127.0.0.1:{snmpd.address[1]}: engine {printed[1]} answers")


def test_the_targets_are_an_output_of_the_town(town: Town) -> None:
    lines = outputs(town)["collectors/targets.tsv"].splitlines()

    assert lines[0].split("\t")[0] == "device"
    assert any(line.startswith("ap-lagrange-tribune\tleo-lagrange\taccess-point\t10.91.4.12:161\t") for line in lines)


def test_an_object_id_no_profile_knows_is_a_fault(town: Town, town_folder: Path, edit: Edit) -> None:
    edit("sites/leo-lagrange.yml", "{credential: reseau-v3}", "{credential: reseau-v3, object_id: 1.3.6.1.4.1.99999}")

    [fault] = faults(load(town_folder))

    assert faults(town) == []
    assert "no profile knows" in fault.message
