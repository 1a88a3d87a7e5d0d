"""Many files in one round: what is placed, what is refused, what is removed, and what a second run changes."""

import grp
import json
import os
import pwd
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

MODULE = Path(__file__).parents[2] / "ansible" / "library" / "placed_files.py"
STARTING = """
import runpy, sys
from ansible.module_utils import basic
basic._ANSIBLE_ARGS, basic._ANSIBLE_PROFILE = sys.stdin.buffer.read(), "legacy"
runpy.run_path(sys.argv[1], run_name="__main__")
"""
"""How Ansible starts a module on a machine, without the machine."""
OWN = {"owner": pwd.getpwuid(os.getuid()).pw_name, "group": grp.getgrgid(os.getgid()).gr_name}


def place(check: bool = False, **words: Any) -> dict[str, Any]:
    """What the module answers when Ansible hands it *words*."""
    for one in words.get("sets", []) + words.get("folders", []):
        one.update(OWN)
    told = {**words, "_ansible_check_mode": check}
    done = subprocess.run(
        [sys.executable, "-c", STARTING, MODULE],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": told}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture
def asked(tmp_path: Path) -> dict[str, Any]:
    return {
        "folders": [{"paths": [str(tmp_path / "town")], "mode": "0750"}],
        "sets": [
            {"files": {str(tmp_path / "town" / "logo"): "AP9h"}, "base64": True, "mode": "0640"},
            {"files": {str(tmp_path / "town" / "ville.yml"): "ville: Cachan é\n"}, "mode": "0400"},
        ],
        "only": [str(tmp_path / "town")],
    }


def test_files_are_placed_with_their_modes_and_a_second_run_changes_nothing(
    tmp_path: Path, asked: dict[str, Any]
) -> None:
    first, second = place(**asked), place(**asked)

    assert (first["changed"], second["changed"]) == (True, False)
    assert (tmp_path / "town" / "logo").read_bytes() == b"\x00\xffa"
    assert (tmp_path / "town" / "ville.yml").read_text("utf-8") == "ville: Cachan é\n"
    modes = {path.name: oct(path.stat().st_mode)[-4:] for path in [tmp_path / "town", *(tmp_path / "town").iterdir()]}
    assert modes == {"town": "0750", "logo": "0640", "ville.yml": "0400"}


def test_looking_only_tells_what_would_change_and_changes_nothing(tmp_path: Path, asked: dict[str, Any]) -> None:
    looked = place(check=True, **asked)

    assert looked["changed"]
    assert looked["diff"][1]["after"] == "ville: Cachan é\n"
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_listed_goes_and_what_is_kept_stays(tmp_path: Path, asked: dict[str, Any]) -> None:
    place(**asked)
    for name in ("old.yml", "portal.key"):
        (tmp_path / "town" / name).touch()

    done = place(**asked, keep=[str(tmp_path / "town" / "portal.key")])

    assert done["paths"] == [str(tmp_path / "town" / "old.yml")]
    assert {path.name for path in (tmp_path / "town").iterdir()} == {"logo", "ville.yml", "portal.key"}


def test_what_is_to_go_goes_with_all_that_is_in_it_but_what_is_kept(tmp_path: Path) -> None:
    for name in ("state/portal/db", "state/.draft", "state/evidence/sealed/day", "unit-a.service", "other.service"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "unit-b.service").symlink_to(tmp_path / "nowhere")
    gone = [f"{tmp_path}/state/*", f"{tmp_path}/unit-*", f"{tmp_path}/never-there"]
    words = {"absent": gone, "keep": [f"{tmp_path}/state/evidence"]}

    looked = place(check=True, **words)
    there = {path.name for path in tmp_path.iterdir()}
    done, again = place(**words), place(**words)

    assert there == {"state", "unit-a.service", "unit-b.service", "other.service"}
    assert looked["paths"] == done["paths"]
    assert again["paths"] == []
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if not path.is_dir()] == [
        "other.service",
        "state/evidence/sealed/day",
    ]


def test_of_what_is_switched_off_only_files_of_ours_go(tmp_path: Path) -> None:
    (tmp_path / "nginx.conf").write_text("# Written by somebody else\n")
    (tmp_path / "ours.conf").write_text("# Written by Ansible (roles/proxy)\n")

    done = place(absent=[f"{tmp_path}/*.conf"], marked="Written by Ansible")

    assert done["paths"] == [str(tmp_path / "ours.conf")]


def test_a_file_its_program_refuses_leaves_the_old_one_and_no_draft(tmp_path: Path) -> None:
    (tmp_path / "rules").write_text("old\n")
    one = {"files": {str(tmp_path / "rules"): "new\n"}, "validate": "grep -q old %s"}

    done = place(sets=[one])

    assert done["failed"]
    assert f"{tmp_path / 'rules'} is refused by grep" in done["msg"]
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"rules": "old\n"}
    assert place(sets=[{**one, "validate": "grep -q new %s"}])["changed"]


def test_a_mode_that_somebody_changed_is_set_again(tmp_path: Path, asked: dict[str, Any]) -> None:
    place(**asked)
    (tmp_path / "town" / "ville.yml").chmod(0o644)

    assert place(**asked)["paths"] == [str(tmp_path / "town" / "ville.yml")]
    assert oct((tmp_path / "town" / "ville.yml").stat().st_mode)[-4:] == "0400"
