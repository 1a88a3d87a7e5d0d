"""The units: every process has one, with its own user, its privileges and no others, in the order of the start."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lab.users import GATEWAYD as LAB_GATEWAYD
from parvis.documentation import settings_models
from parvis.inventory import Town
from parvis.processes import EVIDENCE, GATEWAYD, PORTAL
from parvis.settings import load
from upkeep import configuration, delivered, hardening, networks, places, units
from upkeep.audit_command import WORST_SCORE
from upkeep.delivered import INSTALLED
from upkeep.order import parts


def section(text: str, name: str) -> list[tuple[str, str]]:
    """The lines of a unit file's section; a key may stand several times."""
    found, here = [], ""
    for line in text.splitlines():
        if line.startswith("["):
            here = line.strip("[]")
        elif here == name and "=" in line:
            key, _, value = line.partition("=")
            found.append((key, value))
    return found


def values(text: str, key: str, name: str = "Service") -> list[str]:
    return [value for found, value in section(text, name) if found == key]


def test_every_process_has_a_unit_with_a_user_of_its_own(town: Town) -> None:
    made = {**units.files(town, "gateway"), **units.files(town, "centre")}

    for process in INSTALLED:
        text = made[places.unit(process.name)]
        assert values(text, "User") == [process.user], process.name
        assert values(text, "ExecStart")[0].endswith(f"{process.name} --settings /etc/parvis/{process.name}.toml")
    assert len({process.user for process in INSTALLED}) == len(INSTALLED)


def test_sec10_only_gatewayd_and_the_recorder_have_capabilities_and_the_lab_gives_it_the_same(town: Town) -> None:
    made = {**units.files(town, "gateway"), **units.files(town, "centre")}
    bounds = {process.name: values(made[places.unit(process.name)], "CapabilityBoundingSet") for process in INSTALLED}

    assert {name for name, found in bounds.items() if found != [""]} == {GATEWAYD.name, EVIDENCE.name}
    assert bounds[EVIDENCE.name] == ["CAP_NET_ADMIN"]
    assert bounds[GATEWAYD.name] == ["CAP_NET_ADMIN CAP_NET_RAW"]
    assert LAB_GATEWAYD.capabilities == GATEWAYD.capabilities


def test_every_unit_of_ours_is_watched_limited_and_started_again(town: Town) -> None:
    made = {**units.files(town, "gateway"), **units.files(town, "centre")}
    for process in INSTALLED:
        text = made[places.unit(process.name)]
        for key in ("WatchdogSec", "MemoryMax", "TasksMax", "SystemCallFilter", "ProtectSystem", "NoNewPrivileges"):
            assert values(text, key), f"{process.name}: {key}"
        assert values(text, "Restart") == ["always"]


def test_a_gateway_starts_with_its_fibre_cut_and_does_not_wait_in_vain(town: Town) -> None:
    """Were no link required, networkd's wait would end with its time; were the uplink, a cut would shut the door."""
    made = networks.files(town.sites[0])
    required = {name: values(text, "RequiredForOnline", "Link") for name, text in made.items()}
    wait = units.files(town, "gateway")[f"{units.ONLINE}.d/parvis.conf"]

    assert required == {"10-parvis-guests.network": ["no-carrier"], "10-parvis-uplink.network": ["no"]}
    assert values(made["10-parvis-guests.network"], "ConfigureWithoutCarrier", "Network") == ["yes"]
    waits = f"/usr/lib/systemd/systemd-networkd-wait-online --timeout={units.NETWORK_SECONDS}"
    assert values(wait, "ExecStart") == ["", waits]
    assert units.NETWORK_SECONDS <= 20


def test_rules_come_before_sessions_before_dhcp_before_the_portal(town: Town) -> None:
    made = units.files(town, "gateway")
    after = {
        "gatewayd": values(made["parvis-gatewayd.service"], "After", "Unit")[0].split(),
        "dhcp": values(made[f"{units.DHCP}.d/parvis.conf"], "After", "Unit")[0].split(),
        "portal": values(made["parvis-portal.service"], "After", "Unit")[0].split(),
    }

    assert units.RULES in after["gatewayd"]
    assert "parvis-gatewayd.service" in after["dhcp"]
    assert {units.DHCP, units.RESOLVER, "parvis-gatewayd.service"} <= set(after["portal"])
    order = [part.unit for part in parts()]
    wanted = [units.RULES, "parvis-gatewayd.service", units.DHCP, units.RESOLVER, "parvis-portal.service"]
    assert [unit for unit in order if unit in wanted] == wanted


def test_what_the_recorder_heard_outlives_its_restart_and_it_starts_only_when_somebody_has_chosen(town: Town) -> None:
    text = units.files(town, "gateway")["parvis-evidence.service"]
    signs = {part.unit: part.sign for part in parts()}

    assert values(text, "FileDescriptorStoreMax") == ["8"]
    assert signs["parvis-evidence.service"] == places.CHOICE
    assert signs["parvis-archive.service"] == places.CEREMONY


def test_every_process_is_settled_by_parvis_settle() -> None:
    known = {part.unit for part in parts()}

    assert {places.unit(process.name) for process in INSTALLED} <= known


def test_secrets_are_handed_by_systemd_and_no_other_process_gets_them(town: Town) -> None:
    made = {**units.files(town, "gateway"), **units.files(town, "centre")}
    handed = {
        process.name: {value.partition(":")[0] for value in values(made[places.unit(process.name)], "LoadCredential")}
        for process in INSTALLED
    }

    assert handed["portal"] == {"portal-key", "management-token", "portal.key", "management.key"}
    assert handed["gatewayd"] == set()
    assert set(town.snmp_secrets()) == handed["collectors"]
    assert set(delivered.everything(town)) == set().union(*handed.values()) - {
        "portal.key",
        "management.key",
        "console.key",
    }


@pytest.mark.parametrize("place", ["gateway", "centre"])
def test_systemd_reads_every_unit(town: Town, tmp_path: Path, place: str) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("this machine has no systemd-analyze")
    for name, text in units.files(town, place).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(
            text.replace("/opt/parvis/bin/parvis", "/bin/true").replace("/usr/sbin/dnsmasq", "/bin/true")
        )
    ours = sorted(str(path) for path in tmp_path.glob("parvis-*"))

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *ours], capture_output=True, text=True, timeout=60, check=False
    )

    wrong = [line for line in done.stderr.splitlines() if "parvis" in line and "Unit configuration has fatal" in line]
    unknown = [line for line in done.stderr.splitlines() if "Unknown key" in line or "Failed to parse" in line]
    assert wrong + unknown == []


def score(folder: Path, name: str, text: str) -> float:
    """What systemd-analyze reckons for the unit *name* of this *text*."""
    file = folder / name
    file.write_text(text)
    words = ["systemd-analyze", "security", "--offline=true", str(file)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    found = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found, done.stderr
    return float(found[1])


def with_drop_in(name: str, added: str) -> str:
    """Debian's unit *name* with what is *added* to it."""
    own = Path("/usr/lib/systemd/system") / name
    if not own.exists():
        pytest.skip(f"this machine has no {name}")
    service, installed, rest = own.read_text().partition("\n[Install]")  # [Service] comes before it in Debian's
    return f"{service}\n{added.partition(chr(10) + '[Service]' + chr(10))[2]}{installed}{rest}"


@pytest.mark.parametrize("place", ["gateway", "centre"])
def test_sec10_no_unit_is_more_exposed_than_the_bound_nor_debians_beside_them(
    town: Town, tmp_path: Path, place: str
) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("this machine has no systemd-analyze")
    made = units.files(town, place)
    texts = {name: text for name, text in made.items() if name.endswith(".service")}
    texts |= {
        name: with_drop_in(name, made[f"{name}.d/parvis.conf"])
        for name in units.DEBIAN
        if f"{name}.d/parvis.conf" in made
    }

    scores = {name: score(tmp_path, name, text) for name, text in texts.items()}

    assert {name: found for name, found in scores.items() if found > WORST_SCORE} == {}
    assert set(texts) & set(units.DEBIAN), "Kea, Prometheus and Alertmanager are judged too"


@pytest.mark.parametrize(("role", "unit"), [("proxy", units.WALL), ("database", "postgresql@.service")])
def test_sec10_nor_are_debians_web_server_and_database_where_the_town_has_them(
    tmp_path: Path, role: str, unit: str
) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("this machine has no systemd-analyze")
    template = Path(__file__).parents[2] / "ansible" / "roles" / role / "templates" / "sandbox.conf.j2"
    added = template.read_text().replace("{{ parvis_sandbox }}", units.SANDBOX)

    assert score(tmp_path, unit.replace("@", "@15-main"), with_drop_in(unit, added)) <= WORST_SCORE


@pytest.mark.parametrize("role", ["backups/templates/parvis-backup", "certificates/templates/parvis-certificates"])
def test_sec10_what_runs_by_a_timer_is_no_more_exposed_either(tmp_path: Path, role: str) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("this machine has no systemd-analyze")
    template = Path(__file__).parents[2] / "ansible" / "roles" / f"{role}.service.j2"
    text = template.read_text().replace("{{ parvis_sandbox }}", units.SANDBOX)

    assert score(tmp_path, template.name.removesuffix(".j2"), text) <= WORST_SCORE


def test_the_settings_files_are_what_the_processes_take(town: Town, tmp_path: Path) -> None:
    models = settings_models()
    texts = configuration.gateway(town.sites[0]) | configuration.centre(town)
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        read = load(models[name.removesuffix(".toml")], tmp_path / name)
        owner = {"dpo.toml": "console"}.get(name, name.removesuffix(".toml"))
        assert str(read.state) == f"/var/lib/parvis/{owner}"
    assert models["dpo"]().state == load(models["console"], tmp_path / "console.toml").state, (
        "whoever names no settings"
    )
    assert set(texts) == {f"{process.name}.toml" for process in (*INSTALLED, delivered.OPENDATA)} | {"dpo.toml"}
    assert load(models["gatewayd"], tmp_path / "gatewayd.toml").allowed_users == (PORTAL.user,)  # type: ignore[attr-defined]


def test_sec08_kernel_settings_are_those_anssi_names() -> None:
    text = hardening.sysctl_text()

    for line in (
        "-kernel/kptr_restrict = 2",
        "net/ipv4/conf/all/rp_filter = 1",
        "-fs/suid_dumpable = 0",
        "-kernel/panic = 10",
    ):
        assert f"{line}\n" in text
    parser = configparser.ConfigParser()
    parser.read_string("[x]\n" + text)
    assert all(value for value in parser["x"].values())


def test_sec04_sshd_takes_keys_alone_and_listens_on_management() -> None:
    text = hardening.ssh_text("10.91.1.1")

    assert "ListenAddress 10.91.1.1\n" in text
    for line in (
        "PermitRootLogin no",
        "PasswordAuthentication no",
        "DisableForwarding yes",
        "AllowGroups parvis-admins",
    ):
        assert f"{line}\n" in text
