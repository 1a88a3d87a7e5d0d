"""hostapd.conf with several networks: the residents' is isolated, the others keep what they have."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from test_placed_files import STARTING

MODULE = Path(__file__).parents[2] / "ansible" / "library" / "hostapd_isolated.py"
SEVERAL = """\
interface=wlan0
ssid=Bureaux
wpa_passphrase=secret-5ea1
ap_isolate=0
bss=wlan0_guests
ssid2="Cachan-WiFi"
#ap_isolate=1
ap_isolate=0
bridge=br-guests
bss=wlan0_third
ssid=Ateliers
"""


def isolate(path: Path, network: str, check: bool = False) -> dict[str, Any]:
    told = {"path": str(path), "network": network, "_ansible_check_mode": check}
    done = subprocess.run(
        [sys.executable, "-c", STARTING, MODULE],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": told}),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture
def several(tmp_path: Path) -> Path:
    file = tmp_path / "hostapd.conf"
    file.write_text(SEVERAL)
    file.chmod(0o600)
    return file


def test_sec01_only_the_residents_network_of_several_is_isolated_and_only_once(several: Path) -> None:
    first, second = isolate(several, "Cachan-WiFi"), isolate(several, "Cachan-WiFi")

    wanted = SEVERAL.replace('WiFi"\n#ap_isolate=1\nap_isolate=0\n', 'WiFi"\nap_isolate=1\n#ap_isolate=1\n')
    assert several.read_text() == wanted
    assert (first["changed"], second["changed"]) == (True, False)
    assert first["interfaces"] == [{"name": "wlan0_guests", "bridge": "br-guests"}]
    assert several.stat().st_mode & 0o777 == 0o600


def test_in_check_mode_nothing_is_written_and_no_password_is_shown(several: Path) -> None:
    answer = isolate(several, "Cachan-WiFi", check=True)

    assert answer["changed"] is True
    assert several.read_text() == SEVERAL
    assert "secret-5ea1" not in json.dumps(answer)


def test_a_network_that_is_not_there_is_said_with_those_there_are(several: Path) -> None:
    answer = isolate(several, "Cachan")

    assert answer["failed"]
    assert "no network is called Cachan; there are Bureaux, Cachan-WiFi, Ateliers" in answer["msg"]
    assert several.read_text() == SEVERAL


def test_a_machine_without_hostapd_is_told_from_one_without_the_network(tmp_path: Path) -> None:
    assert "is this an access point with hostapd?" in isolate(tmp_path / "hostapd.conf", "Cachan-WiFi")["msg"]
