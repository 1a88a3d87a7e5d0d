"""The twin whole, small: built, asked by real programs, broken, killed, removed without a trace."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from lab import network, processes
from lab.building import Options
from lab.reports import print_status
from lab.rooms import Pace
from lab.town import AlreadyUp, Lab, LabError
from lab_support import eventually

pytestmark = [pytest.mark.root, pytest.mark.slow]

SITE = "maison-services-publics"
PREFIX = "pl-"
SWITCH, POINT = "sw-msp", "ap-msp-accueil"
OPER_STATUS_OF = "1.3.6.1.2.1.2.2.1.8"
IF_NAME = "1.3.6.1.2.1.31.1.1.1.1"
SYS_NAME = "1.3.6.1.2.1.1.5.0"


def secret(lab: Lab, name: str) -> str:
    return (lab.folder / "secrets" / "collectors" / name).read_text()


def snmp(lab: Lab, tool: str, device: str, oid: str, place: str = "centre") -> str:
    """Ask a device by Debian's tools, as the inventory says it is asked."""
    asked = next(found for found in lab.town.site(SITE).polled() if found.name == device)
    credential = lab.town.credential(asked.snmp.credential)
    assert credential.version == "v3"
    passwords = ["-A", secret(lab, credential.auth_secret), "-X", secret(lab, credential.privacy_secret)]
    auth = "SHA" if credential.auth == "SHA-1" else credential.auth
    login = ["-v3", "-l", "authPriv", "-u", credential.user, "-a", auth, "-x", "AES", *passwords]
    return lab.exec(place, [tool, "-t2", "-r1", "-Oqv", *login, str(asked.address), oid]).stdout.strip().strip('"')


def host(prefix: str) -> dict[str, object]:
    """What of the host the lab must never change, and what it must take away again."""
    commands = {"links": "ip -br link", "routes": "ip route", "rules": "nft list ruleset"}
    seen: dict[str, object] = {
        name: subprocess.run(command.split(), capture_output=True, text=True, check=True).stdout
        for name, command in commands.items()
    }
    seen["resolver"] = Path("/etc/resolv.conf").read_text()
    seen["namespaces"] = network.existing(prefix)
    seen["etc"] = sorted(str(path) for path in network.ETC.glob(f"{prefix}*"))
    seen["mounts"] = [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if prefix in line]
    return seen


def programs_below(folder: Path) -> list[str]:
    """Processes that name *folder* on their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(folder) in line and int(path.parent.name) != os.getpid():
            found.append(line)
    return found


def test_a_resident_has_a_lease_that_names_the_portals_api(lab: Lab) -> None:
    lease = lab.lease("gw-msp-r1")

    assert lease["ip"].startswith("10.11.")
    assert lease["url"] == "https://wifi.cachan.example/api/captive"
    assert lab.exec(f"{SITE}/1", ["cat", "/etc/resolv.conf"]).stdout == "nameserver 10.11.0.1\n"


@pytest.mark.usefixtures("lab")
def test_a_resident_has_addresses_of_both_families() -> None:
    def both() -> bool:
        found = network.addresses(f"{PREFIX}gw-msp-r1", "wlan0")
        return any(a.startswith("10.11.") for a in found) and any(a.startswith("2001:db8:11:") for a in found)

    eventually(both)
    assert both()


def test_a_simulated_access_point_answers_snmp_v3(lab: Lab) -> None:
    assert snmp(lab, "snmpget", POINT, SYS_NAME) == POINT


def test_a_switch_is_debians_snmpd_and_shows_a_cut_fibre_as_a_port_that_is_down(lab: Lab) -> None:
    names = snmp(lab, "snmpwalk", SWITCH, IF_NAME, "gw-msp").replace('"', "").splitlines()
    fibre = names.index("25")

    def status() -> str:
        return snmp(lab, "snmpwalk", SWITCH, OPER_STATUS_OF, "gw-msp").splitlines()[fibre]

    assert status() in {"up", "1"}
    lab.cut_fibre(SITE)
    eventually(lambda: status() in {"down", "2", "lowerLayerDown", "7"})
    assert snmp(lab, "snmpget", POINT, SYS_NAME) == ""
    lab.restore_fibre(SITE)
    eventually(lambda: status() in {"up", "1"})
    assert snmp(lab, "snmpget", POINT, SYS_NAME) == POINT


def test_an_access_point_without_power_answers_nothing_and_has_rebooted_afterwards(lab: Lab) -> None:
    lab.device_off(POINT)
    assert lab.exec("centre", ["ping", "-c1", "-W1", "10.91.1.11"]).returncode != 0

    lab.device_on(POINT)

    eventually(lambda: lab.exec("centre", ["ping", "-c1", "-W1", "10.91.1.11"]).returncode == 0)
    assert snmp(lab, "snmpget", POINT, "1.3.6.1.2.1.1.3.0").startswith("0:0:00:")


def test_a_switch_without_power_takes_its_site_with_it_and_counts_a_boot(lab: Lab) -> None:
    boots = "1.3.6.1.6.3.10.2.1.2.0"
    before = int(snmp(lab, "snmpget", SWITCH, boots))

    lab.device_off(SWITCH)
    assert lab.exec("centre", ["ping", "-c1", "-W1", "10.91.1.1"]).returncode != 0
    lab.device_on(SWITCH)

    eventually(lambda: snmp(lab, "snmpget", SWITCH, boots) == str(before + 1))


def test_an_agent_is_mute_on_request_and_speaks_again(lab: Lab) -> None:
    for order in ("silent", "garbage"):
        lab.fault(POINT, order)
        assert snmp(lab, "snmpget", POINT, SYS_NAME) == ""
    lab.heal(POINT)

    assert snmp(lab, "snmpget", POINT, SYS_NAME) == POINT


def test_the_privileged_process_has_one_capability_and_the_others_none(lab: Lab) -> None:
    net_admin, net_raw = 1 << 12, 1 << 13
    capabilities = {"gw-msp.gatewayd": net_admin, "gw-msp.portal": 0, "collectors": 0, "monitor": 0, "console": 0}

    for name, expected in capabilities.items():
        allowed = expected | net_raw if expected else 0  # gatewayd opened its raw socket, and gave the capability up
        status = Path(f"/proc/{lab.process(name).pid}/status").read_text()
        told = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert {int(told[kind], 16) for kind in ("CapEff", "CapPrm")} == {expected}, name
        assert int(told["CapBnd"], 16) == allowed, name
        assert told["NoNewPrivs"] == "1"
        assert told["Uid"].split()[0] != "0"


def test_a_command_runs_where_it_is_told_and_its_exit_code_passes(lab: Lab) -> None:
    command = [sys.executable, "-c", "from parvis.cli import main; main()", "lab", "--dir", str(lab.folder), "exec"]
    done = subprocess.run([*command, f"{SITE}/1", "--", "sh", "-c", "cat /sys/class/net/wlan0/address; exit 7"],
                          capture_output=True, text=True, check=False)  # fmt: skip

    assert (done.returncode, done.stdout.strip()) == (7, lab.resident("gw-msp-r1").mac.text)


def test_a_wrong_name_gets_a_suggestion(lab: Lab) -> None:
    with pytest.raises(LabError, match="did you mean gw-msp-r1"):
        lab.exec("gw-msp-r7", ["true"])


def test_a_device_that_boots_tells_the_centre(lab: Lab) -> None:
    def heard() -> float:
        page = lab.exec("centre", ["curl", "-s", "http://127.0.0.1:9203/metrics"]).stdout
        wanted = [line for line in page.splitlines() if line.startswith("device_traps_total{")]
        cold = [line for line in wanted if f'device="{POINT}"' in line and 'kind="cold_start"' in line]
        return sum(float(line.split()[-1]) for line in cold)

    before = heard()

    lab.fault(POINT, "reboot")

    eventually(lambda: heard() > before)
    assert heard() > before


def test_an_order_to_what_is_not_simulated_is_refused(lab: Lab) -> None:
    with pytest.raises(LabError, match="no simulated agent is called sw-msp"):
        lab.fault(SWITCH, "silent")


def test_a_killed_process_is_restarted_as_it_was(lab: Lab) -> None:
    before = lab.process("gw-msp.kea")

    after = lab.restart("gw-msp.kea", signal.SIGKILL)

    assert not before.alive
    assert after.alive
    assert after.program == before.program


def test_up_on_a_running_lab_says_so_and_changes_nothing(lab: Lab, small: Options) -> None:
    before = [(running.pid, running.started) for running in lab.processes()]

    with pytest.raises(AlreadyUp, match="nothing was changed"):
        lab.up(small)

    assert [(running.pid, running.started) for running in lab.processes()] == before


def test_status_tells_everything_and_the_memory_stays_small(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    print_status(lab)
    shown = capsys.readouterr().out

    assert "ended" not in shown
    assert f"{SITE}/1" in shown
    running = lab.processes()
    memory = processes.pss_bytes(running)
    ours = sum(memory[run.program.name] for run in running if run.program.kind == "ours")
    assert ours < 300e6, "a visit under way holds 45 MB for some seconds"


def test_namespaces_of_another_lab_are_left_alone(lab: Lab, small: Options, tmp_path: Path) -> None:
    with pytest.raises(LabError, match="knows nothing of them"):
        Lab(tmp_path / "lab").up(small)
    Lab(tmp_path / "lab").down()

    assert all(running.alive for running in lab.processes())


def test_down_leaves_nothing(tmp_path: Path, small: Options) -> None:
    before = host("pu-")
    twin = Lab(tmp_path / "lab")
    twin.up(replace(small, prefix="pu-"))
    assert host("pu-") != before

    assert twin.down()

    assert host("pu-") == before
    assert programs_below(twin.folder) == []
    assert list(tmp_path.iterdir()) == []
    assert not twin.down("pu-")


@pytest.mark.parametrize("after_seconds", [0.0, 1.0])
def test_a_killed_run_is_cleared_by_the_next(tmp_path: Path, small: Options, after_seconds: float) -> None:
    twin = Lab(tmp_path / "lab")
    words = ["lab", "--dir", str(twin.folder), "up", "--prefix", "pk-", "--site", SITE, "--no-windows"]
    command = [sys.executable, "-c", "from parvis.cli import main; main()", *words]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True) as killed:
        eventually(lambda: network.existing("pk-"))
        time.sleep(after_seconds)
        killed.kill()

    try:
        twin.up(replace(small, prefix="pk-"))
        assert all(running.ready for running in twin.processes())
    finally:
        twin.down()
    assert (network.existing("pk-"), programs_below(twin.folder), twin.folder.exists()) == ([], [], False)


def test_a_program_that_cannot_start_is_named_with_its_last_words_and_all_is_cleared(
    tmp_path: Path, small: Options
) -> None:
    twin = Lab(tmp_path / "lab")

    with pytest.raises(processes.DidNotStart, match=r"monitor ended at once[\s\S]*probe_interval"):
        twin.up(replace(small, prefix="pu-", pace=Pace(probe=0.01)))

    assert (network.existing("pu-"), programs_below(twin.folder), twin.folder.exists()) == ([], [], False)
