"""An installed gateway moves to another machine, and goes: follows tests/ansible/test_install_kept_root.py."""

import shutil
from pathlib import Path

from installation import FOLLOWING, GATEWAY, OLDER, Installation, sessions, tail, version, well
from machines import Machine, run, until

pytestmark = FOLLOWING
GROUND = {
    "/etc/apt/apt.conf.d/52parvis",
    "/etc/chrony/conf.d/parvis.conf",
    "/etc/modprobe.d/60-parvis.conf",
    "/etc/profile.d/60-parvis.sh",
    "/etc/security/limits.d/60-parvis.conf",
    "/etc/ssh/sshd_config.d/10-parvis.conf",
    "/etc/sudoers.d/60-parvis",
    "/etc/sysctl.d/60-parvis-hardening.conf",
    "/etc/systemd/journald.conf.d/parvis.conf",
}
"""The hardened ground, which stays."""


def moved(installed: Installation, machine: Machine, tmp_path: Path, *words: str) -> Machine:
    """Back up *machine*, take it away, restore it on an empty Debian in its place."""
    package = installed.packages[version(machine)]
    recipient = str(installed.chosen["backups_recipient"])
    machine.ssh("parvis", "backup", *words, "--recipient", recipient, "--into", "/var/tmp/moved", seconds=600)
    backup = next(machine.root.glob("var/tmp/moved/*.age"))
    shutil.copy(backup, tmp_path)
    machine.stop()
    machine.remove()
    run("ip", "netns", "exec", machine.namespace, "nft", "flush", "ruleset")
    new = machine.another(f"{machine.name}-moved")
    try:
        new.boot()
        for file in (tmp_path / backup.name, installed.identity, package):
            shutil.copy(file, new.root / "var/tmp")
        new.ssh("apt-get", "install", "--yes", "--no-install-recommends", f"/var/tmp/{package.name}", seconds=600)
        key = f"/var/tmp/{installed.identity.name}"
        said = new.ssh("parvis", "restore", f"/var/tmp/{backup.name}", "--identity", key, check=False, seconds=1200)
        assert said.returncode == 0, said.stdout + said.stderr
        assert (new.root / "etc/hostname").read_text().strip() == machine.name
    except BaseException:
        new.remove()
        raise
    return new


def test_sec15_a_new_machine_becomes_the_gateway_by_one_command(installed: Installation, tmp_path: Path) -> None:
    phone = installed.phone()
    if not phone.is_online():
        phone.accepts()
    before = sessions(installed.gateway)
    installed.gateway = moved(installed, installed.gateway, tmp_path, "--sessions")

    assert well(installed.gateway)
    until(phone.is_online, "who was online is not", 60)
    assert sessions(installed.gateway) == before


def test_sec15_a_new_machine_becomes_the_centre_by_one_command(installed: Installation, tmp_path: Path) -> None:
    asked = ("runuser", "-u", "postgres", "--", "psql", "-XAtd", "parvis", "-c", "SELECT count(*) FROM sessions")
    before = int(installed.centre.ssh(*asked).stdout)
    installed.centre = moved(installed, installed.centre, tmp_path)

    assert well(installed.centre)
    assert int(installed.centre.ssh(*asked).stdout) >= before > 0
    assert well(installed.gateway)


def test_the_play_takes_over_what_was_restored(installed: Installation) -> None:
    installed.chosen["proxy_wall"] = False
    done = installed.play("site.yml", OLDER)

    assert done.returncode == 0, tail(done)
    for machine in (installed.gateway, installed.centre):
        assert well(machine)
    until(installed.phone().is_online, "who was online is not", 60)
    sealed = ("find", "/var/lib/parvis/archive/sealed", "-type", "f")
    assert until(lambda: installed.centre.ssh(*sealed, check=False).stdout, "nothing is collected after the move", 240)


def test_what_is_switched_off_does_not_run_any_longer(installed: Installation) -> None:
    assert installed.centre.ssh("systemctl", "is-active", "nginx", check=False).stdout.strip() == "inactive"
    assert installed.centre.ssh("systemctl", "is-enabled", "nginx", check=False).stdout.strip() == "disabled"
    assert installed.centre.ssh("parvis", "settle", "--check").stdout == ""


def test_each_night_a_backup_is_made(installed: Installation) -> None:
    for machine in (installed.gateway, installed.centre):
        machine.ssh("systemctl", "start", "parvis-backup.service", seconds=300)
        assert list(machine.root.glob("var/backups/parvis/*.age"))


def test_removal_leaves_nothing_but_the_sealed_log(installed: Installation) -> None:
    sealed = "/var/lib/parvis/evidence/sealed/2026-11-30.sealed"
    installed.gateway.ssh("install", "-D", "/etc/hostname", sealed)
    refused = installed.play("remove.yml", OLDER, "--limit", GATEWAY, "-e", "removal_sure=gw-other")
    done = installed.play("remove.yml", OLDER, "--limit", GATEWAY, "-e", f"removal_sure={GATEWAY}")

    assert refused.returncode != 0
    assert done.returncode == 0, tail(done)
    where = ("/etc", "/var/lib", "/var/cache", "/var/backups", "/usr/bin", "/run")
    words = ("-xdev", "-name", "*parvis*", "-not", "-path", "/var/lib/parvis/*")
    left = installed.gateway.ssh("find", *where, *words).stdout
    assert set(left.splitlines()) - GROUND == {"/var/lib/parvis"}
    assert not (installed.gateway.root / "opt/parvis").exists()
    kept = installed.gateway.ssh("find", "/var/lib/parvis", "-type", "f").stdout.splitlines()
    assert sealed in kept
    assert [line for line in kept if not line.startswith("/var/lib/parvis/evidence/")] == []
    assert installed.gateway.ssh("nft", "list", "tables").stdout == ""
    told = installed.gateway.ssh("cat", "/etc/passwd", "/etc/group").stdout
    ours = {line.partition(":")[0] for line in told.splitlines() if line.startswith("parvis")}
    assert ours == {"parvis-evidence", "parvis-admins"}, "who owns the sealed log, and who may still come in"


def test_a_removed_centre_leaves_its_archive_alone(installed: Installation) -> None:
    done = installed.play("remove.yml", OLDER, "--limit", "centre", "-e", "removal_sure=centre")

    assert done.returncode == 0, tail(done)
    kept = installed.centre.ssh("find", "/var/lib/parvis", "-type", "f").stdout.splitlines()
    assert [line for line in kept if line.startswith("/var/lib/parvis/archive/sealed/")], kept
    assert [line for line in kept if not line.startswith("/var/lib/parvis/archive/")] == []
