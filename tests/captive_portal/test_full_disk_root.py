"""The portal's disk takes nothing any more: who is online stays so, over a restart too, and it heals by itself."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from door_twin import PORTAL_UID, WEB4, Resident, Twin, running, wait_for

from captive_portal.tables import TABLE

pytestmark = [pytest.mark.root, pytest.mark.slow]
SESSIONS = "map", "inet", TABLE, "auth"


@pytest.fixture(scope="module")
def twin() -> Iterator[Twin]:
    """A gateway whose portal has a disk of its own, 16 MB, where the portal's user may walk to."""
    disk = Path(tempfile.mkdtemp(prefix="pt-disk-"))
    disk.chmod(0o755)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=16m,uid={PORTAL_UID}", "tmpfs", str(disk)], check=True)
    try:
        with running(Twin, "30min", prepare=lambda made: (made.folder / "portal").symlink_to(disk)) as made:
            yield made
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
        disk.rmdir()


def fill(state: Path) -> Path:
    """Take all the room there is."""
    file = state / "ballast"
    with file.open("wb", buffering=0) as written, suppress(OSError):
        while True:
            written.write(bytes(4096))
    assert os.statvfs(state).f_bfree == 0
    return file


def test_f39_a_full_disk_keeps_nobody_out_who_is_in_and_says_so_to_everybody_else(twin: Twin, anna: Resident) -> None:
    anna.accepts()
    wait_for(lambda: anna.reaches(WEB4), "internet")
    ballast = fill(twin.folder / "portal")
    bob = twin.resident("c2")
    bob.joins()
    twin.stop("portal")
    twin.within("gw", "nft", "flush", *SESSIONS)
    twin.start_portal()
    wait_for(lambda: anna.reaches(WEB4), "who was online, from the full disk")

    assert bob.accepts() == "503"
    assert not bob.reaches(WEB4)
    ballast.unlink()
    wait_for(lambda: bob.accepts().startswith("303"), "an acceptance, now that there is room")
    wait_for(lambda: bob.reaches(WEB4), "internet for who accepted")
    assert anna.reaches(WEB4)
