"""What roles/program asks of a package when the town named a signer: the words of its own task, on real signatures."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

ROLES = Path(__file__).parents[2] / "ansible" / "roles"
SUITS = ROLES / "program" / "tasks" / "suits.yml"
NAME = "parvis_0.2.0+deb12_amd64.deb"


def key(folder: Path, name: str) -> Path:
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", folder / name], check=True, timeout=30
    )
    return folder / name


def sums(dist: Path, *names: str) -> None:
    done = subprocess.run(["sha256sum", *names], cwd=dist, capture_output=True, check=True, timeout=30)
    (dist / "SHA256SUMS").write_bytes(done.stdout)


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    return signed(tmp_path, NAME, "other.whl")


def signed(tmp_path: Path, *names: str) -> Path:
    """What script/package leaves, signed by *ours*: the sums of *names*."""
    dist, ours = tmp_path / "dist", key(tmp_path, "ours")
    dist.mkdir()
    (dist / NAME).write_text("the package")
    (dist / "other.whl").write_text("the wheel")
    sums(dist, *names)
    words = ["ssh-keygen", "-q", "-Y", "sign", "-n", "parvis-release", "-f", ours, dist / "SHA256SUMS"]
    subprocess.run(words, check=True, timeout=30)
    return dist


def accepted(dist: Path, signer: str, work: Path) -> bool:
    """Whether the role's task lets the package through."""
    task = next(one for one in yaml.safe_load(SUITS.read_text()) if one["name"].startswith("The package is signed"))
    module = task["ansible.builtin.shell"]
    told = {"PACKAGE": str(dist / NAME), "SIGNER": signer, "WORK": str(work)}
    done = subprocess.run(
        [module["executable"], "-c", module["cmd"]], env=os.environ | told, capture_output=True, timeout=60, check=False
    )
    return done.returncode == 0


def public(folder: Path, name: str = "ours") -> str:
    return (folder / f"{name}.pub").read_text().strip()


def changes_the_package(dist: Path) -> None:
    (dist / NAME).write_text("another package")


def changes_the_sums_too(dist: Path) -> None:
    changes_the_package(dist)
    sums(dist, NAME)


def leaves_the_package_out(dist: Path) -> None:
    (dist / NAME).rename(dist / "elsewhere.deb")


def test_sec16_a_package_signed_by_the_towns_own_is_installed(dist: Path, tmp_path: Path) -> None:
    assert accepted(dist, public(tmp_path), tmp_path)


def test_sec16_a_package_among_many_is_installed(tmp_path: Path) -> None:
    """Whoever looks for its line reads to the end: a task whose program writes to a reader that has gone fails."""
    made = signed(tmp_path, NAME, *["other.whl"] * 8000)

    assert accepted(made, public(tmp_path), tmp_path)


def test_no_task_fails_because_the_reader_of_a_pipe_has_gone() -> None:
    """grep -q and head end early; with pipefail whoever wrote to them fails."""
    hasty = re.compile(r"\|\s*(grep\b[^|]*\s-\w*[qm]|head\b)")
    texts = {path: path.read_text() for path in ROLES.rglob("tasks/*.yml")}

    assert [path for path, text in texts.items() if "pipefail" in text and hasty.search(text)] == []


def test_sec16_a_package_signed_by_somebody_else_is_not(dist: Path, tmp_path: Path) -> None:
    key(tmp_path, "theirs")

    assert not accepted(dist, public(tmp_path, "theirs"), tmp_path)


@pytest.mark.parametrize("somebody", [changes_the_package, changes_the_sums_too, leaves_the_package_out])
def test_sec16_what_was_changed_after_it_was_signed_is_not(
    dist: Path, tmp_path: Path, somebody: Callable[[Path], None]
) -> None:
    somebody(dist)

    assert not accepted(dist, public(tmp_path), tmp_path)
