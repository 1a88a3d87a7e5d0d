"""What runs agrees with what is on disk, however often a run was cut short."""

from dataclasses import replace
from pathlib import Path

import pytest

from upkeep import places, settle
from upkeep.machine import ProgramFailed
from upkeep.order import NETWORKD, Part, parts
from upkeep.settle import Seen

PORTAL = Part("parvis-portal.service", Path("/etc/parvis/portal.toml"), ours=True)
RULES = Part("nftables.service", Path("/etc/nftables.conf"), reload=True)


def words(*seen: Seen) -> list[str]:
    return [str(step) for step in settle.plan(seen)]


def test_nothing_is_done_when_all_runs_on_its_files() -> None:
    assert words(Seen(PORTAL, "a", "a", active=True, enabled=True)) == []


def test_a_unit_on_older_files_is_started_again_and_rules_are_only_read_again() -> None:
    assert words(Seen(PORTAL, "b", "a", active=True, enabled=True)) == ["restart parvis-portal.service"]
    assert words(Seen(RULES, "b", "a", active=True, enabled=True)) == ["reload nftables.service"]


def test_a_unit_that_is_down_or_would_be_after_a_reboot_is_started() -> None:
    assert words(Seen(PORTAL, "a", "a", active=False, enabled=True)) == ["start parvis-portal.service"]
    assert words(Seen(PORTAL, "a", "a", active=True, enabled=False)) == ["start parvis-portal.service"]


def test_what_the_town_has_switched_off_is_stopped_and_forgotten(tmp_path: Path, systemd: Path) -> None:
    notes, sign = tmp_path / "notes", tmp_path / "nginx.conf"
    notes.mkdir()
    known = (Part("nginx.service", sign, (sign,)), Part("grafana-server.service", tmp_path / "never-there"))
    sign.touch()
    (notes / "nginx.service").write_text(settle.stamp(known[0]))
    sign.unlink()

    done = [str(step) for step in settle.carry_out(settle.plan(settle.look(known, notes)), notes)]

    assert done == ["stop nginx.service"]
    assert "systemctl disable --quiet nginx.service\nsystemctl stop nginx.service\n" in systemd.read_text()
    assert settle.plan(settle.look(known, notes)) == []


def test_a_stamp_follows_contents_and_names_and_the_code(tmp_path: Path) -> None:
    folder = tmp_path / "town"
    folder.mkdir()
    part = replace(PORTAL, reads=(folder,))
    stamps = [settle.stamp(part, tmp_path / "lib")]
    (folder / "town.yml").write_text("a")
    stamps.append(settle.stamp(part, tmp_path / "lib"))
    (folder / "town.yml").rename(folder / "other.yml")
    stamps.append(settle.stamp(part, tmp_path / "lib"))
    record = tmp_path / "lib/python3/site-packages/parvis-2.dist-info/RECORD"
    record.parent.mkdir(parents=True)
    record.write_text("x")
    stamps.append(settle.stamp(part, tmp_path / "lib"))

    assert len(set(stamps)) == len(stamps)
    assert settle.stamp(part, tmp_path / "lib") == stamps[-1]


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Programs that write down how they were called, and do what they are told."""
    said = tmp_path / "said"
    monkeypatch.setattr(places, "CONFIGURATION", tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    refusing = 'case "$*" in "restart broken"*) echo no such luck >&2; exit 1 ;; esac'
    for name, does in (("systemctl", refusing), ("networkctl", "")):
        (tmp_path / name).write_text(f'#!/bin/sh\necho "{name} $*" >>{said}\n{does}\n')
        (tmp_path / name).chmod(0o755)
    return said


@pytest.mark.parametrize("does", ["exec sleep 60", "echo Message recipient disconnected from message bus >&2; exit 1"])
def test_a_network_service_that_hangs_or_goes_away_is_started_again(
    systemd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str
) -> None:
    (tmp_path / "networkctl").write_text(f"#!/bin/sh\n{does}\n")
    monkeypatch.setattr(settle, "RELOAD_SECONDS", 0.2)
    networks = next(part for part in parts() if part.unit == NETWORKD)
    steps = [settle.Step(networks, "reload", "b"), settle.Step(RULES, "reload", "b")]

    done = [str(step) for step in settle.carry_out(steps, tmp_path / "notes")]

    assert done == [f"restart {NETWORKD}", f"reload {RULES.unit}"]
    assert f"systemctl restart {NETWORKD}\n" in systemd.read_text()
    assert f"systemctl reload {NETWORKD}" not in systemd.read_text(), "a job of systemd's would hang on"
    assert (tmp_path / "notes" / NETWORKD).read_text() == "b"


@pytest.mark.usefixtures("systemd")
def test_what_cannot_be_started_is_named_with_where_to_look_and_is_tried_again(tmp_path: Path) -> None:
    broken = replace(PORTAL, unit="broken.service")

    with pytest.raises(ProgramFailed) as failed:
        list(settle.carry_out([settle.Step(broken, "restart", "b")], tmp_path / "notes"))

    assert "no such luck; journalctl -u broken.service" in str(failed.value)
    assert not (tmp_path / "notes" / broken.unit).exists()
