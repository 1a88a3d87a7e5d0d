"""The host's windows into the twin: pages of the centre, and a proxy that is wherever a resident is."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from lab.building import Options
from lab.town import Lab
from lab_support import eventually

pytestmark = [pytest.mark.root, pytest.mark.slow]

OTHERS = frozenset({"console", "collectors", "prometheus", "alertmanager"})
LED_TO_THE_PORTAL = "302"
"""What a resident sees who has not accepted yet, and nobody else."""
Built = Callable[[int], Lab]


@pytest.fixture
def built(small: Options, tmp_path: Path) -> Iterator[Callable[[int], Lab]]:
    """``built(residents)``: a town with windows, of which only the monitor's leads anywhere."""
    twin = Lab(tmp_path / "lab")

    def up(residents: int) -> Lab:
        twin.up(replace(small, prefix="pw-", residents=residents, windows=True, without=OTHERS))
        return twin

    yield up
    twin.down()


def fetch(url: str, *options: str) -> str:
    """The status of a page, as the host's own curl sees it."""
    argv = ["curl", "-s", "-m5", "-o", "/dev/null", "-w", "%{http_code}", *options, url]
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout


def wall(lab: Lab) -> str:
    return fetch(f"http://127.0.0.1:{lab.about.windows['monitor']}/healthz")


def through_the_proxy(lab: Lab) -> str:
    return fetch(
        "http://connectivitycheck.gstatic.com/generate_204", "--proxy", f"127.0.0.1:{lab.about.windows['proxy']}"
    )


@contextmanager
def offline(lab: Lab, resident: str) -> Iterator[None]:
    lab.exec(resident, ["ip", "link", "set", "wlan0", "down"])
    yield
    lab.exec(resident, ["ip", "link", "set", "wlan0", "up"])


def test_the_windows_show_the_centre_and_what_the_first_resident_sees(built: Built) -> None:
    lab = built(1)

    assert wall(lab) == "200"
    eventually(lambda: through_the_proxy(lab) == LED_TO_THE_PORTAL)
    with offline(lab, "gw-msp-r1"):
        assert through_the_proxy(lab) == "502"
        assert wall(lab) == "200"


def test_another_resident_takes_the_proxy_and_every_port_stays(built: Built) -> None:
    lab = built(2)
    before = lab.about.windows

    lab.browse("gw-msp-r2")

    assert lab.about.windows == before
    assert lab.about.proxied == "maison-services-publics/2"
    with offline(lab, "gw-msp-r1"):
        assert wall(lab) == "200"
        eventually(lambda: through_the_proxy(lab) == LED_TO_THE_PORTAL)
    with offline(lab, "gw-msp-r2"):
        assert through_the_proxy(lab) == "502"


def test_without_residents_the_pages_are_open_all_the_same(built: Built) -> None:
    lab = built(0)

    assert wall(lab) == "200"
    assert list(lab.about.windows) == ["monitor"]


def test_windows_started_again_keep_their_ports(built: Built) -> None:
    lab = built(1)
    before = lab.about.windows

    lab.restart("windows")

    assert lab.about.windows == before
    assert wall(lab) == "200"
    eventually(lambda: through_the_proxy(lab) == LED_TO_THE_PORTAL)
