"""Files that are whole and on the disk: what a power cut would take is asked of the kernel's own calls."""

import errno
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from parvis.durable import append_text, write_once, write_whole


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was made durable, in order."""
    found: list[str] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        found.append(str(Path(f"/proc/self/fd/{handle}").readlink()))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    return found


def test_a_new_file_is_in_its_folder_for_good_before_anybody_is_told(tmp_path: Path, synced: list[str]) -> None:
    file = tmp_path / "log"
    append_text(file, "é\n", 0o600)

    assert synced == [str(file), str(tmp_path)]
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_line_more_costs_one_wait_for_the_disk(tmp_path: Path, synced: list[str]) -> None:
    file = tmp_path / "log"
    append_text(file, "one\n")
    synced.clear()
    append_text(file, "two\n")

    assert synced == [str(file)]
    assert file.read_text("utf-8") == "one\ntwo\n"


def test_a_whole_file_takes_its_place_when_it_is_on_the_disk(tmp_path: Path, synced: list[str]) -> None:
    file = tmp_path / "key"
    write_whole(file, b"x", 0o600)

    assert synced == [str(tmp_path / ".key.new"), str(tmp_path)]
    assert file.read_bytes() == b"x"


def test_what_a_power_cut_left_of_a_line_takes_no_other_with_it(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text('{"one": 1}\n{"tw', "utf-8")
    append_text(file, "three\n")
    append_text(file, "four\n")

    assert file.read_text("utf-8") == '{"one": 1}\n{"tw\nthree\nfour\n'


def test_of_many_who_would_make_a_file_one_has_made_it_and_all_read_the_same(tmp_path: Path) -> None:
    start, file = threading.Barrier(8), tmp_path / "key"

    def make(number: int) -> bytes:
        start.wait()
        write_once(file, bytes([number]) * 32, 0o600)
        return file.read_bytes()

    with ThreadPoolExecutor(8) as pool:
        read = set(pool.map(make, range(8)))

    assert len(read) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["key"]
    assert file.stat().st_mode & 0o777 == 0o600


def test_what_finds_no_room_leaves_nothing_of_itself_and_the_old_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "rules.yml"
    write_whole(file, "old")

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(file, "new")
    with pytest.raises(OSError, match="No space left"):
        write_once(tmp_path / "key", b"x", 0o600)

    assert [path.name for path in tmp_path.iterdir()] == ["rules.yml"]
    assert file.read_text("utf-8") == "old"
