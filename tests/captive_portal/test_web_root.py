"""The pages behind the whole door: a browser without pictures, a cut uplink, a page nobody alters."""

import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from door_twin import WEB4, Resident, Twin, wait_for

from captive_portal.uplink import EVERY_SECONDS, MISSES, PATIENCE_SECONDS

pytestmark = [pytest.mark.root, pytest.mark.slow]
PORTAL = "https://wifi.cachan.example"
NOTICED_SECONDS = (EVERY_SECONDS + PATIENCE_SECONDS) * (MISSES + 1)


class Terminal:
    """Somebody before a text browser: types, and reads what comes."""

    def __init__(self, *argv: str) -> None:
        self._end, inside = pty.openpty()
        words = {"TERM": "xterm", "LANG": "C.UTF-8", "LINES": "40", "COLUMNS": "100"}
        self._child = subprocess.Popen(
            argv, stdin=inside, stdout=inside, stderr=inside, env=os.environ | words, start_new_session=True
        )
        os.close(inside)
        self.shown = ""

    def types(self, text: str) -> None:
        self.shown = ""
        os.write(self._end, text.encode())

    def reads(self, wanted: str, seconds: float = 20) -> bool:
        """Whether *wanted* appears on the screen in time."""
        ends = time.monotonic() + seconds
        while wanted not in self.shown and time.monotonic() < ends:
            if select.select([self._end], [], [], 0.2)[0]:
                try:
                    self.shown += os.read(self._end, 65536).decode("utf-8", "replace")
                except OSError:
                    break
        return wanted in self.shown

    def closes(self) -> None:
        self._child.kill()
        self._child.wait(10)
        os.close(self._end)


def test_f12_a_text_browser_without_cookies_and_scripts_gets_online(anna: Resident, tmp_path: Path) -> None:
    """ACC-17: w3m, real, follows the form."""
    if not anna.api()["captive"]:
        anna.leaves()
    hosts = tmp_path / "hosts"
    hosts.write_text(f"10.11.0.1 {anna.host}\n")
    words = f"-no-cookie -o ssl_ca_file={anna.certificate} -o use_mouse=0 {PORTAL}/fr/"
    shell = f"mount --bind {hosts} /etc/hosts && exec w3m {words}"
    w3m = Terminal("ip", "netns", "exec", anna.namespace, "sh", "-c", shell)
    try:
        assert w3m.reads("Bienvenue sur le Wi-Fi public"), w3m.shown
        w3m.types("/J'accepte les\r")
        time.sleep(0.5)
        w3m.types("\r")
        assert w3m.reads("Vous êtes en ligne"), w3m.shown
    finally:
        w3m.closes()

    assert anna.reaches(WEB4)
    anna.leaves()


def says(resident: Resident, words: str) -> Callable[[], bool]:
    return lambda: words in resident.curl(f"{PORTAL}/fr/")


def test_r02_a_fault_beyond_the_gateway_is_told_before_anybody_accepts_and_the_portal_still_answers(
    twin: Twin, anna: Resident
) -> None:
    """The fibre's light is on, but nobody answers: the page says so, by its own name, and takes it back."""
    if not anna.api()["captive"]:
        anna.leaves()
    cut = "Internet est coupé ici, nous le savons"
    wait_for(lambda: cut not in anna.curl(f"{PORTAL}/fr/"), "first page", NOTICED_SECONDS)

    twin.processes["names"].send_signal(signal.SIGSTOP)
    try:
        wait_for(says(anna, cut), "word of the fault", 3 * NOTICED_SECONDS)
        page = anna.curl(f"{PORTAL}/fr/")
        assert "je me connecte" not in page
        assert '<a class="button" href="/fr/">Réessayer</a>' in page
        assert anna.api()["captive"] is True
    finally:
        twin.processes["names"].send_signal(signal.SIGCONT)

    wait_for(says(anna, "je me connecte"), "word of the repair", 3 * NOTICED_SECONDS)


def test_cgu10_a_page_of_the_internet_comes_unaltered(twin: Twin, anna: Resident) -> None:
    """CGU-10: byte for byte what its server sent."""
    anna.accepts()

    seen = anna.curl(f"http://{WEB4}/")
    sent = twin.within("inet", "curl", "-sS", f"http://{WEB4}/")
    anna.leaves()

    assert seen == sent != ""
