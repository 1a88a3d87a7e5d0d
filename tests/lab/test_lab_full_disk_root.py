"""A folder without room: ``parvis lab up`` says which and what to do, and leaves nothing that hinders the next."""

import subprocess
import sys
from pathlib import Path

import pytest

PARVIS = Path(sys.executable).parent / "parvis"
SMALL = """
mount -t tmpfs -o size={size} tmpfs {disk}
head -c {taken} /dev/zero >{disk}/taken
{parvis} lab --dir {disk}/lab up --site maison-services-publics --prefix plf- --no-windows
echo "exit $?"
ls -A {disk}/lab 2>&1
rm {disk}/taken
{parvis} lab --dir {disk}/lab down
"""


@pytest.mark.root
@pytest.mark.parametrize("taken", ["4k", "8k", "12k"])
def test_a_full_disk_is_a_sentence_and_leaves_nothing(tmp_path: Path, taken: str) -> None:
    script = SMALL.format(disk=tmp_path, parvis=PARVIS, size="12k", taken=taken)
    ran = subprocess.run(["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, check=False)

    assert ran.stderr.startswith(f"Error: {tmp_path}/lab/")
    assert ran.stderr.endswith("No space left on device; make room there and run it again\n")
    assert len(ran.stderr.splitlines()) == 1
    assert ran.stdout.startswith(f"exit 1\nls: cannot access '{tmp_path}/lab'")
