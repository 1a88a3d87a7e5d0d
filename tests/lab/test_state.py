"""What the lab writes down: secrets for their owners only; nothing is believed that is half written."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from lab import processes, state, users
from lab_support import eventually
from parvis.inventory import Town


def test_one_command_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "BUSY_SECONDS", 0.2)
    with state.locked(tmp_path), pytest.raises(state.LabBusy), state.locked(tmp_path):
        pass

    with state.locked(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


HELD = """
import sys
from pathlib import Path
from lab import network, state

folder = Path(sys.argv[1])
with state.locked(folder / "lab"):
    network.run("sh", "-c", f"touch {folder}/begun; sleep 1; touch {folder}/done")
"""


def test_what_a_killed_command_had_begun_is_done_before_anybody_clears_up(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HELD, str(tmp_path)]) as killed:
        eventually((tmp_path / "begun").exists)
        killed.kill()

    with state.locked(tmp_path / "lab"):
        assert (tmp_path / "done").exists()


def test_every_secret_the_town_names_is_drawn(town: Town) -> None:
    names = town.snmp_secrets()

    assert "snmp-bornes-auth" in names
    assert "snmp-anciennes-community" in names


@pytest.mark.root
def test_a_secret_is_read_by_its_owner_only(tmp_path: Path) -> None:
    drawn = state.make_secrets(tmp_path, {"portal": (users.PORTAL, ["portal-key"]), "monitor": (users.MONITOR, ["k"])})
    file = tmp_path / "secrets" / "portal" / "portal-key"

    assert file.read_text() == drawn["portal-key"] != drawn["k"]
    assert len(drawn["portal-key"]) >= 32
    about = file.stat()
    assert (about.st_uid, stat.S_IMODE(about.st_mode)) == (users.PORTAL.uid, 0o400)


def test_a_folder_that_is_no_labs_is_never_removed(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("dear")

    with pytest.raises(state.NotOurs):
        state.remove(tmp_path)

    assert (tmp_path / "letter").exists()


def test_a_labs_folder_goes_whole(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    state.create(folder, state.About("pv-", 2, "", complete=False, seconds=0.0, windows={}))
    (folder / "logs" / "x.log").write_text("x")
    assert state.told(folder) == state.About("pv-", 2, "", complete=False, seconds=0.0, windows={})

    state.remove(folder)

    assert list(tmp_path.iterdir()) == []


def test_a_half_written_pid_file_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "pids").mkdir()
    (tmp_path / "pids" / "a.json").write_text("{")
    (tmp_path / "pids" / "b.json").write_text(json.dumps({"program": {}, "pid": 1}))

    assert processes.started(tmp_path) == []


def test_a_later_process_with_the_same_pid_is_left_alone() -> None:
    ticks = processes.start_ticks(os.getpid())
    assert ticks is not None

    assert not processes.send(os.getpid(), ticks + 1, processes.signal.SIGKILL)


def test_a_user_gets_only_the_capability_it_needs() -> None:
    command = users.GATEWAYD.command("sight.sh", ("true",))

    assert "--bounding-set=-all,+net_admin,+net_raw" in command
    assert "--bounding-set=-all" in users.PORTAL.command("sight.sh", ("true",))
    assert "--no-new-privs" in command


@pytest.mark.root
def test_a_user_sees_a_folder_whatever_its_name_has_in_it(tmp_path: Path) -> None:
    folder = tmp_path / 'l\'été $(touch oops) "à part"'
    (folder / "settings").mkdir(parents=True)
    (folder / "settings" / "word").write_text("seen")
    folder.chmod(0o755)
    tmp_path.chmod(0o700)
    script = state.file_for(tmp_path / "sight.sh", users.sight(folder))

    command = users.PORTAL.command(str(script), ("cat", str(folder / "settings" / "word")))
    ran = subprocess.run(["unshare", "--mount", *command], capture_output=True, text=True, check=False, cwd=tmp_path)

    assert (ran.stdout, ran.stderr) == ("seen", "")
    assert not (tmp_path / "oops").exists()
