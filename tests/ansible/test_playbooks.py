"""The playbooks as Ansible and its linter read them, without a machine."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import variables_page
import yaml

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
ROLES = sorted(path.name for path in (ROOT / "ansible/roles").iterdir())
CRITICAL = {
    "/etc/nftables.conf": "nft",
    "/etc/kea/kea-dhcp4.conf": "kea-dhcp4",
    "/etc/parvis/dnsmasq.conf": "dnsmasq",
    "/etc/prometheus/rules.yml": "promtool",
    "/etc/prometheus/prometheus.yml": "promtool",
    "/etc/prometheus/alertmanager.yml": "amtool",
    "/etc/nginx/nginx.conf": "nginx",
    "/etc/ssh/sshd_config.d/10-parvis.conf": "sshd",
    "/etc/sudoers.d/60-parvis": "visudo",
    "/etc/chrony/conf.d/parvis.conf": "chronyd",
    "/etc/apt/apt.conf.d/52parvis": "apt-config",
}
"""A mistake in one of these shuts somebody out or opens the gate -> whose program reads it before it is in place."""

HARMLESS = {"block", "ansible.builtin.assert", "ansible.builtin.set_fact"}
"""What only holds other tasks, or asks which secrets there are."""


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A program of Ansible's in a copy of the playbooks, with nothing of this machine's own."""
    shutil.copytree(ROOT / "ansible", folder / "ansible", ignore=shutil.ignore_patterns("__pycache__"))
    environment = {"HOME": str(folder), "PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    return subprocess.run(
        words, cwd=folder / "ansible", capture_output=True, text=True, timeout=280, check=False,
        env=os.environ | environment,
    )  # fmt: skip


def tasks(role: str) -> list[dict[str, object]]:
    """Every task of *role*, those in blocks too."""
    found = []
    waiting = [yaml.safe_load(file.read_text()) for file in (ROOT / f"ansible/roles/{role}/tasks").glob("*.yml")]
    while waiting:
        for task in waiting.pop():
            found.append(task)
            waiting += [task[key] for key in ("block", "rescue", "always") if key in task]
    return found


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("collections")
def test_ansible_lints_production_profile_is_clean(tmp_path: Path) -> None:
    words = ("--offline", "--strict", "--profile=production", "site.yml", "access-points.yml", "remove.yml")
    done = run(tmp_path, str(BIN / "ansible-lint"), *words)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_run_may_be_cut_down_to_one_role_by_its_name(tmp_path: Path) -> None:
    done = run(tmp_path, str(BIN / "ansible-playbook"), "--list-tags", "site.yml")

    assert done.returncode == 0, done.stderr
    always, apart = {"rollback", "settle", "snapshot"}, {"removal", "access_points"}
    assert [role for role in ROLES if role not in always | apart and role not in done.stdout] == []


def test_no_run_of_the_whole_town_touches_a_radio() -> None:
    hosts = {
        play["hosts"]
        for book in ("site.yml", "remove.yml")
        for play in yaml.safe_load((ROOT / "ansible" / book).read_text())
    }

    assert hosts == {"centres", "gateways", "gateways:centres"}


def test_what_could_shut_somebody_out_is_read_by_its_own_program_before_it_is_in_place() -> None:
    validated: dict[str, str] = {}
    for role in ROLES:
        for task in tasks(role):
            placed = task.get("placed_files")
            for one in placed.get("sets", []) if isinstance(placed, dict) else []:
                if isinstance(one["files"], dict):
                    validated |= dict.fromkeys(one["files"], one.get("validate", ""))

    wrong = {path: validated.get(path) for path, program in CRITICAL.items() if program not in validated.get(path, "")}
    assert wrong == {}


@pytest.mark.parametrize("role", ROLES)
def test_a_task_that_handles_a_secret_is_not_logged(role: str) -> None:
    loose = [
        task["name"]
        for task in tasks(role)
        if "parvis_secrets" in str(task) and "no_log" not in task and not HARMLESS & task.keys()
    ]

    assert loose == []


def test_the_docs_have_every_variable_of_the_roles() -> None:
    assert variables_page.PAGE.read_text("utf-8") == variables_page.page(), "run script/docs"
