"""A backup holds a machine, no living session, and can be read by the town's key alone."""

import json
import os
import shutil
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from captive_portal.store_migration import migrate
from upkeep import backup, delivered, keeping
from upkeep.machine import ProgramFailed, must

MAC = "a2:00:5e:00:53:42"
needs_age = pytest.mark.skipif(shutil.which("age") is None, reason="age is not installed")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """The files of an installed gateway, with somebody online."""
    root = tmp_path / "machine"
    (root / "etc/parvis/secrets").mkdir(parents=True)
    (root / "etc/parvis/secrets").chmod(0o700)
    (root / "etc/parvis/portal.toml").write_text("site = 'msp'\n")
    (root / "etc/parvis/secrets/portal-key").write_text("very secret")
    (root / "var/lib/parvis/evidence").mkdir(parents=True)
    (root / "var/lib/parvis/evidence/sealed").write_text("sealed")
    for name in ("sealed/2026-11-30.sealed", "keys/2026-11-30.key", "private/signer.key"):
        (root / "var/lib/parvis/archive" / name).parent.mkdir(parents=True)
        (root / "var/lib/parvis/archive" / name).write_text("key")
    (root / "var/lib/parvis/collectors/influx").mkdir(parents=True)
    (root / "var/lib/parvis/collectors/influx/000001").write_text("figures that wait")
    (root / "var/lib/parvis/monitor").mkdir()
    (root / "var/lib/parvis/monitor/reserve").write_bytes(bytes(1024))
    (root / "var/lib/kea").mkdir(parents=True)
    (root / "var/lib/kea/kea-leases4.csv").write_text(f"10.11.0.7,{MAC}\n")
    database = root / "var/lib/parvis/portal/portal.sqlite3"
    migrate(database)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(
            "INSERT INTO acceptances (mac, site, accepted_at, terms_version, terms_sha256, language, token, boot, "
            f"deadline, ends_at) VALUES ('{MAC}', 'msp', 1, '2.0.0', 'x', 'fr', 't', 'b', 1, 1)"
        )
        connection.commit()
    return root


def rows(database: Path) -> list[tuple[str | None, str | None]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute("SELECT mac, ended_by FROM acceptances").fetchall()


def identity(folder: Path) -> tuple[Path, str]:
    key = folder / "key.txt"
    told = must("age-keygen", "-o", str(key)) or ""
    text = key.read_text()
    recipient = next(line.rpartition(" ")[2] for line in text.splitlines() if "public key" in line)
    assert told == ""
    return key, recipient


def unpacked(plain: Path, into: Path) -> Path:
    with tarfile.open(plain) as opened:
        opened.extractall(into, filter="data")
    for part in ("configuration.tar", "state.tar"):
        with tarfile.open(into / part) as opened:
            opened.extractall(into / "root", filter="fully_trusted")
    return into / "root"


def test_sec15_a_backup_holds_no_hardware_address(machine: Path, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    plain = backup.collect(scratch, sessions=False, root=machine, made_at="now")
    root = unpacked(plain, tmp_path / "out")

    assert rows(root / "var/lib/parvis/portal/portal.sqlite3") == [(None, "closed")]
    assert MAC.encode() not in plain.read_bytes()
    assert not (root / "var/lib/kea/kea-leases4.csv").exists()
    assert not (root / "var/lib/parvis/evidence").exists()
    assert not (root / "var/lib/parvis/monitor/reserve").exists(), "room held on the disk"
    kept = {path.name for path in (root / "var/lib/parvis/archive").rglob("*") if path.is_file()}
    assert kept == {"signer.key"}, "days' keys are destroyed everywhere when their time is over"
    assert rows(machine / "var/lib/parvis/portal/portal.sqlite3") == [(MAC, None)], (
        "the machine's own file is left alone"
    )


def test_for_a_move_sessions_and_leases_come_along(machine: Path, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    root = unpacked(backup.collect(scratch, sessions=True, root=machine, made_at="now"), tmp_path / "out")

    assert rows(root / "var/lib/parvis/portal/portal.sqlite3") == [(MAC, None)]
    assert MAC in (root / "var/lib/kea/kea-leases4.csv").read_text()


@needs_age
def test_sec15_a_backup_is_encrypted_and_restored_by_the_towns_key_alone(machine: Path, tmp_path: Path) -> None:
    key, recipient = identity(tmp_path)
    made = backup.make(tmp_path / "backups", recipient, sessions=False, root=machine)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    other = tmp_path / "other"
    other.mkdir()
    stranger, _ = identity(other)

    assert b"very secret" not in made.read_bytes()
    with pytest.raises(ProgramFailed, match="identity"):
        backup.restore(made, stranger, root=elsewhere)
    about = backup.restore(made, key, root=elsewhere)

    assert (elsewhere / "etc/parvis/secrets/portal-key").read_text() == "very secret"
    assert oct((elsewhere / "etc/parvis/secrets").stat().st_mode)[-3:] == "700"
    assert rows(elsewhere / "var/lib/parvis/portal/portal.sqlite3") == [(None, "closed")]
    assert about.users == ["parvis-portal"]


@needs_age
def test_a_backup_is_on_the_disk_before_older_ones_may_go(
    machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, recipient = identity(tmp_path)
    real, synced = os.fsync, list[str]()

    def fsync(handle: int) -> None:
        synced.append(Path(f"/proc/self/fd/{handle}").readlink().name)
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    backup.make(tmp_path / "backups", recipient, sessions=False, root=machine)

    assert synced[-2:] == ["backup.age", "backups"]


@pytest.mark.parametrize("again", [False, True])
def test_what_is_called_complete_is_on_the_disk(
    machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    folder, seen = tmp_path / "before", list[list[str]]()
    if again:
        (tmp_path / "package.deb").write_bytes(b"the one that is installed")
        monkeypatch.setattr(keeping, "installed_package", lambda: tmp_path / "package.deb")
        keeping.keep(folder, root=machine)
    monkeypatch.setattr(os, "sync", lambda: seen.append(sorted(path.name for path in folder.iterdir())))
    keeping.keep(folder, root=machine)

    assert len(seen) == 1
    assert ("state.tar.new" in seen[0]) if again else {"state.tar", "configuration.tar"} <= set(seen[0])
    assert again or "complete" not in seen[0]


def test_old_backups_are_erased(tmp_path: Path) -> None:
    for name, age in (("old.parvis.age", 15), ("young.parvis.age", 13), ("other.txt", 99)):
        (tmp_path / name).write_text("x")
        then = (tmp_path / name).stat().st_mtime - age * 86400
        os.utime(tmp_path / name, (then, then))

    assert [path.name for path in backup.expire(tmp_path, 14)] == ["old.parvis.age"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.txt", "young.parvis.age"]


def test_what_is_kept_before_an_upgrade_has_everything_sessions_too(machine: Path, tmp_path: Path) -> None:
    folder = tmp_path / "before"
    keeping.keep(folder, root=machine)

    assert (folder / "complete").exists()
    with tarfile.open(folder / "state.tar") as opened:
        names = opened.getnames()
    assert {"var/lib/parvis/portal/portal.sqlite3", "var/lib/kea/kea-leases4.csv"} <= set(names)
    assert not [name for name in names if "influx" in name], "a gigabyte that waits for InfluxDB stays where it is"


def test_a_restored_machine_has_the_name_of_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    hosts = tmp_path / "etc/hosts"
    hosts.write_text("127.0.0.1 localhost\n127.0.1.1 debian\n10.0.0.1 files\n")
    backup.be_called("gw-msp", tmp_path)
    backup.be_called("gw-msp", tmp_path)

    assert (tmp_path / "etc/hostname").read_text() == "gw-msp\n"
    assert hosts.read_text() == "127.0.0.1 localhost\n10.0.0.1 files\n127.0.1.1 gw-msp\n"


def kept(folder: Path, part: str, name: str) -> str:
    with tarfile.open(folder / f"{part}.tar") as opened:
        found = opened.extractfile(name)
        assert found is not None
        return found.read().decode()


@pytest.mark.parametrize("version", ["same", "newer"])
def test_after_a_run_cut_short_the_older_configuration_is_kept_and_the_state_of_now_unless_it_may_have_changed_shape(
    machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    folder, package, leases = tmp_path / "before", tmp_path / "package.deb", machine / "var/lib/kea/kea-leases4.csv"
    package.write_text("same")
    monkeypatch.setattr(keeping, "installed_package", lambda: package)
    keeping.keep(folder, root=machine)
    package.write_text(version)
    (machine / "etc/parvis/portal.toml").write_text("site = 'half done'\n")
    leases.write_text("later\n")

    keeping.keep(folder, root=machine)

    assert kept(folder, "configuration", "etc/parvis/portal.toml") == "site = 'msp'\n"
    assert (kept(folder, "state", "var/lib/kea/kea-leases4.csv") == "later\n") == (version == "same")


def test_a_full_disk_leaves_no_half_copy(machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keeping, "copy_database", full)

    with pytest.raises(OSError, match="No space left"):
        keeping.keep(tmp_path / "before", root=machine)
    assert not (tmp_path / "before").exists()


def test_what_the_town_chose_is_installed_with_a_restore(machine: Path, tmp_path: Path) -> None:
    (machine / "etc/nginx").mkdir()
    (machine / "etc/nginx/nginx.conf").touch()

    assert delivered.chosen(machine) == ["nginx"]
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    plain = backup.collect(scratch, sessions=False, root=machine, made_at="now")
    with tarfile.open(plain) as opened:
        about = json.loads(opened.extractfile("about.json").read())  # type: ignore[union-attr]
    assert {"nginx", "kea-dhcp4-server"} <= set(about["packages"])
