"""The self-audit judges what it is told."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from machines import until

from parvis.inventory import Town, in_clear_text, load
from tests_support import Edit
from upkeep import audit, hardening, open_agents

OLD = "ap-lagrange-gymnase"
LAST_DAY, DAY_AFTER = date(2027, 12, 31), date(2028, 1, 1)


def test_sec08_a_setting_that_is_away_is_not_met_and_one_that_is_not_here_is_said() -> None:
    lines = audit.kernel(
        {"kernel/sysrq": "0", "kernel/panic": "10", "fs/x": "1"}, {"kernel/sysrq": "1", "kernel/panic": "10"}
    )

    assert [line.verdict for line in lines] == ["not met", "met", "not here"]


def test_sec04_what_sshd_says_is_compared_without_case() -> None:
    lines = audit.ssh({"PermitRootLogin": "no", "MaxAuthTries": "3"}, {"permitrootlogin": "yes", "maxauthtries": "3"})

    assert [line.verdict for line in lines] == ["not met", "met"]


def test_sec02_a_port_nobody_has_named_is_found_and_one_at_another_address_too() -> None:
    allowed = {22: frozenset({"10.91.1.1"}), 8443: frozenset("*")}
    lines = audit.listening(
        [("10.91.1.1", 22), ("0.0.0.0", 22), ("::", 8443), ("127.0.0.1", 9), ("0.0.0.0", 9090)], allowed
    )

    assert {line.found: line.verdict for line in lines} == {
        "10.91.1.1:22": "met",
        "0.0.0.0:22": "not met",
        ":::8443": "met",
        "0.0.0.0:9090": "not met",
    }


def test_sec06_a_device_asked_in_clear_text_is_named_and_not_met_after_its_last_day(town: Town) -> None:
    on_time, late = (audit.clear_text(in_clear_text(town), day) for day in (LAST_DAY, DAY_AFTER))

    assert [(line.requirement, line.asked, line.verdict) for line in on_time] == [
        ("SEC-06", f"SNMPv3 for {OLD}", "exception")
    ]
    assert "until 2027-12-31" in on_time[0].found
    assert [line.verdict for line in late] == ["not met"]
    assert "ended on 2027-12-31" in late[0].found


def test_sec06_an_exception_without_an_end_is_none(town_folder: Path, edit: Edit) -> None:
    edit("town.yml", "until: 2027-12-31, ", "")

    lines = audit.clear_text(in_clear_text(load(town_folder)), date(2026, 1, 1))

    assert [line.verdict for line in lines] == ["not met"]
    assert "without an end" in lines[0].found


def test_sec07_packages_and_setuid_programs_without_a_reason_are_named() -> None:
    lines = [
        *audit.absent(["telnetd"], frozenset({"telnetd"})),
        *audit.setuid(["/usr/bin/sudo", "/usr/bin/odd"], ["sudo"]),
    ]

    assert [line.verdict for line in lines] == ["not met", "not met"]
    assert lines[1].found == "/usr/bin/odd"


def test_sec10_a_unit_above_the_bound_is_not_met() -> None:
    assert [line.verdict for line in audit.units({"a": 1.4, "b": 3.2}, 3.0)] == ["met", "not met"]


def test_the_report_puts_first_what_is_not_met_and_names_the_exceptions() -> None:
    lines = [audit.Line("SEC-08", "a", "1", "met"), audit.Line("SEC-10", "b", "9", "not met")]

    text = audit.report(lines, {"net/ipv4/ip_forward = 1": "a gateway routes"}, "gw", "2026-11-30")

    assert text.index("SEC-10") < text.index("| ✓ |")
    assert "1 met, 1 not met, 1 by exception" in text
    assert "a gateway routes" in text
    assert hardening.exceptions(None) == {}


@contextmanager
def agent(address: str, port: int, folder: Path, community: str) -> Iterator[None]:
    """A real agent that answers whoever says *community*."""
    program = shutil.which("snmpd", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "snmpd is missing; script/setup.sh installs it"
    folder.mkdir()
    (folder / "snmpd.conf").write_text(f"agentaddress udp:{address}:{port}\nrocommunity {community}\n")
    words = [program, "-f", "-C", "-c", folder / "snmpd.conf", "-Lf", folder / "log", "-I-smux"]
    with subprocess.Popen(words, env=os.environ | {"SNMP_PERSISTENT_DIR": str(folder)}) as running:
        try:
            until(lambda: (folder / "log").exists() and "NET-SNMP version" in (folder / "log").read_text(), "no agent")
            yield
        finally:
            running.terminate()


def test_sec06_a_device_that_answers_whoever_knows_no_secret_is_not_met(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    devices = {"ap-open": "127.0.0.1", "ap-shut": "127.0.0.2", "ap-away": "127.0.0.3"}
    with agent("127.0.0.1", port, tmp_path / "open", "private"), agent("127.0.0.2", port, tmp_path / "shut", "x7Kq"):
        answering = open_agents.answering(devices, port, 1.0)

    lines = audit.open_agents(devices, answering)

    assert {line.asked.split()[0]: (line.verdict, line.found) for line in lines} == {
        "ap-open": ("not met", "answers the community private"),
        "ap-shut": ("met", "silent"),
        "ap-away": ("met", "silent"),
    }
