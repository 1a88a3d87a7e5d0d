"""What runs agrees with what is on disk, however often a run was cut short."""

from dataclasses import replace
from pathlib import Path

from upkeep import settle
from upkeep.order import Part
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
