"""The commands that README and docs show for the twin are run in it, word for word."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from test_documentation import PAGES, shown_commands

from lab.town import Lab

pytestmark = [pytest.mark.root, pytest.mark.slow]

MENDS = {"cut-fibre": "restore", "ap-off": "ap-on"}
ELSEWHERE = (
    "parvis lab up",
    "parvis lab down",
    "parvis lab browse",
    "parvis lab drill --all",
    "parvis lab exec centre -- parvis legal",
)
"""Run by the tests of the lab itself, because this twin must stay; by those of the drills, because they take minutes;
by that of a requisition, because this twin keeps no evidence.
"""


def commands() -> list[str]:
    shown = {line.split("   ")[0].strip() for page in PAGES for line in shown_commands(page)}
    return sorted(line for line in shown if line.startswith("parvis lab ") and not line.startswith(ELSEWHERE))


def run(twin: Lab, words: list[str]) -> subprocess.CompletedProcess[str]:
    parvis = str(Path(sys.executable).with_name("parvis"))
    environment = os.environ | {"PARVIS_LAB_DIR": str(twin.folder)}
    return subprocess.run([parvis, *words], capture_output=True, text=True, timeout=90, check=False, env=environment)


def test_the_docs_show_commands_for_the_twin() -> None:
    assert len(commands()) >= 5


@pytest.mark.parametrize("line", commands())
def test_a_shown_command_works_as_written(twin: Lab, line: str) -> None:
    words = shlex.split(line)[1:]

    done = run(twin, words)

    mend = MENDS.get(words[-1])
    if mend:
        assert run(twin, [*words[:-1], mend]).returncode == 0
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
