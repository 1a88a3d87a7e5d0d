"""Ready is said when the door can be opened, not before."""

import socket
import threading

import pytest

from captive_portal import ready as about
from captive_portal.ready import NeverOpened, Ready


def test_r24_ready_is_said_only_once_the_pages_can_be_reached() -> None:
    told = threading.Event()
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        ready = Ready(held.getsockname()[:2], told.set)
        ready.watch()
        assert not told.wait(0.1)
        assert ready.wrong

        held.listen()

        assert told.wait(5)
        assert ready.wrong == ""


def test_a_port_that_never_opens_ends_the_process_so_that_it_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(about, "MOST_SECONDS", 0.05)
    told = threading.Event()
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with pytest.raises(NeverOpened, match=r"127\.0\.0\.1"):
            Ready(held.getsockname()[:2], told.set)._wait()

    assert not told.is_set()


def test_any_address_is_asked_at_the_machines_own() -> None:
    told = threading.Event()
    with socket.create_server(("::", 0), family=socket.AF_INET6) as held:
        Ready(("::", held.getsockname()[1]), told.set).watch()

        assert told.wait(5)
