"""A gateway's stand-in: another machine with a copy of its file. And a new configuration that is wrong."""

import json
import os
import shutil
import signal
import subprocess
import sys

import pytest
from door_twin import PARVIS, WEB4, Resident, Twin, wait_for

pytestmark = [pytest.mark.root, pytest.mark.slow]


def admitted(twin: Twin) -> int:
    """How many devices the kernel admits; -1 while there is no ruleset at all."""
    listed = twin.within("gw", "nft", "-j", "list", "map", "inet", "portal", "auth", check=False)
    if not listed:
        return -1
    found = next(entry["map"] for entry in json.loads(listed)["nftables"] if "map" in entry)
    return len(found.get("elem", ()))


def online(anna: Resident) -> Resident:
    if not anna.reaches(WEB4):
        anna.accepts()
        wait_for(lambda: anna.reaches(WEB4), "online")
    return anna


@pytest.fixture
def running(twin: Twin) -> Twin:
    """Everything runs, whatever a former test has stopped."""
    for name, start in (("gatewayd", twin.start_gatewayd), ("portal", twin.start_portal)):
        if name not in twin.processes:
            start()
    return twin


def test_f42_r26_a_stand_in_with_a_copy_of_the_file_enforces_first_then_restores_then_serves(
    running: Twin, anna: Resident
) -> None:
    """Rules, then sessions, then DHCP and the portal: nobody is let in early, nobody has to accept again."""
    twin = running
    seconds = online(anna).api()["seconds-remaining"]
    assert isinstance(seconds, int)
    for name in ("portal", "gatewayd"):
        twin.stop(name, signal.SIGKILL)
    copy_of_the_file(twin)
    twin.within("gw", "nft", "flush", "ruleset")  # another machine: its kernel knows nothing

    twin.start_gatewayd()
    assert admitted(twin) == 0
    assert not anna.reaches(WEB4)

    twin.start_portal()
    assert admitted(twin) == 1  # before it says that it is ready
    assert anna.reaches(WEB4)
    wait_for(lambda: anna.code(f"https://{anna.host}/api/captive").startswith("200"), "the API")
    left = anna.api()["seconds-remaining"]
    assert isinstance(left, int)
    assert seconds - 120 < left <= seconds


def test_f39_a_reboot_restores_a_session_that_has_time_left(running: Twin, anna: Resident) -> None:
    seconds = online(anna).api()["seconds-remaining"]
    assert isinstance(seconds, int)
    for name in ("portal", "gatewayd"):
        running.stop(name)
    running.within("gw", "nft", "flush", "ruleset")
    running.start_gatewayd()
    assert not anna.reaches(WEB4)

    running.start_portal()

    assert anna.reaches(WEB4)
    left = anna.api()["seconds-remaining"]
    assert isinstance(left, int)
    assert 0 < left <= seconds


def copy_of_the_file(twin: Twin) -> None:
    """What a nightly copy brings to another disk: the database, not its write-ahead log."""
    state = twin.folder / "portal"
    copy = twin.folder / "copy.sqlite3"
    program = "import sqlite3,sys; sqlite3.connect(sys.argv[1]).execute('VACUUM INTO ?', [sys.argv[2]])"
    subprocess.run([sys.executable, "-c", program, str(state / "portal.sqlite3"), str(copy)], check=True)
    owner = state.stat().st_uid
    shutil.rmtree(state)
    state.mkdir()
    copy.rename(state / "portal.sqlite3")
    for path in (state, state / "portal.sqlite3"):
        os.chown(path, owner, owner)


def test_r32_after_a_crash_of_everything_old_clients_go_on_and_new_ones_get_the_page(
    running: Twin, anna: Resident
) -> None:
    twin = running
    online(anna)
    for name in ("portal", "gatewayd"):
        twin.stop(name, signal.SIGKILL)
    assert anna.reaches(WEB4)  # the kernel needs none of our processes

    twin.start_gatewayd()
    twin.start_portal()

    assert anna.reaches(WEB4)
    stranger = twin.resident("c2")
    stranger.joins()
    assert stranger.code(f"http://{WEB4}/").startswith("302 ")
    assert anna.leaves().startswith("303")
    wait_for(lambda: anna.code(f"http://{WEB4}/").startswith("302 "), "the page for who left")


def test_f60_a_wrong_configuration_never_takes_a_running_gateway_down(running: Twin, anna: Resident) -> None:
    """Its daemons refuse to start with it, saying why; what is in force stays, and the old one starts again."""
    twin = running
    online(anna)
    file = twin.folder / "town" / "town.yml"
    right = file.read_text("utf-8")
    before = twin.within("gw", "nft", "-s", "-t", "list", "table", "inet", "portal")
    try:
        file.write_text(right.replace("session:", "sesion:", 1), "utf-8")
        for name in ("gatewayd", "portal"):
            settings = str(twin.folder / f"{name}.toml")
            done = subprocess.run(
                ["ip", "netns", "exec", twin.name("gw"), sys.executable, PARVIS, name, "--settings", settings],
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
                cwd=twin.folder,
                user=0,
            )
            assert done.returncode == 1
            assert "sesion" in done.stdout + done.stderr
            assert "session" in done.stdout + done.stderr  # the suggestion
    finally:
        file.write_text(right, "utf-8")

    assert twin.within("gw", "nft", "-s", "-t", "list", "table", "inet", "portal") == before
    assert anna.reaches(WEB4)
    assert twin.healthy(9201)
    assert twin.healthy(9202)


def test_f60_a_ruleset_that_the_kernel_refuses_leaves_the_old_one_in_force(running: Twin, anna: Resident) -> None:
    twin = running
    online(anna)
    before = twin.within("gw", "nft", "-s", "-t", "list", "table", "inet", "portal")
    program = (
        "from captive_portal.gateway import Gateway, TransactionFailed\n"
        "try:\n"
        "    Gateway('guest0').load('table inet portal {\\n chain forward { accept; nonsense; }\\n}\\n', {})\n"
        "except TransactionFailed as error:\n"
        "    print('refused:', error)\n"
    )

    said = twin.within("gw", sys.executable, "-c", program)

    assert said.startswith("refused:")
    assert twin.within("gw", "nft", "-s", "-t", "list", "table", "inet", "portal") == before
    assert anna.reaches(WEB4)
