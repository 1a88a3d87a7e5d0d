"""A session ends by itself: the kernel's own timeout, whether or not any process of ours is alive."""

import signal
import time

import pytest
from door_twin import WEB4, Resident, Twin, connect, stops, wait_for

pytestmark = [pytest.mark.root, pytest.mark.slow]


@pytest.fixture(scope="module")
def session() -> str:
    return "10s"


def test_f37_r31_the_end_of_a_session_is_captive_again_without_drift(twin: Twin, anna: Resident) -> None:
    started = time.monotonic()
    anna.accepts()
    assert anna.reaches(WEB4)

    wait_for(lambda: anna.api()["captive"] is True, "the end", 30)

    assert time.monotonic() - started > 9
    assert not anna.reaches(WEB4)
    wait_for(lambda: twin.metric(9201, "portal_sessions_active") == 0, "empty house", 5)
    assert twin.metric(9201, 'portal_repairs_total{direction="surplus"}') == 0


def test_f43_a_session_ends_although_every_process_is_dead(twin: Twin, anna: Resident) -> None:
    anna.accepts()
    download = connect(anna.namespace, (WEB4, 5000))
    assert download.recv(10)
    for name in ("portal", "gatewayd"):
        twin.stop(name, signal.SIGKILL)

    time.sleep(11)

    assert stops(download, 1)
    download.close()
    assert not anna.reaches(WEB4)


def test_f39_a_reboot_restores_nobody_whose_time_is_over(twin: Twin, anna: Resident) -> None:
    twin.within("gw", "nft", "flush", "ruleset")
    twin.start_gatewayd()
    twin.start_portal()

    assert anna.api()["captive"] is True
    anna.accepts()
    assert anna.reaches(WEB4)
