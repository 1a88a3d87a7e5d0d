"""The host's windows when there is no descriptor left for another connection."""

import resource
import socket
import subprocess
import sys
import time

FEW = 64


def test_windows_that_cannot_take_another_connection_serve_again_when_some_have_gone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        place = listener.getsockname()
        words = (sys.executable, "-m", "lab.windows", f"{listener.fileno()}=proxy")
        with subprocess.Popen(words, pass_fds=(listener.fileno(),), preexec_fn=_limit) as windows:  # noqa: PLW1509 one thread
            try:
                crowd = [socket.create_connection(place, 10) for _ in range(2 * FEW)]
                time.sleep(1)
                for one in crowd:
                    one.close()
                assert b"502 Bad Gateway" in _asked(place)
                assert windows.poll() is None
            finally:
                windows.terminate()


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (FEW, FEW))


def _asked(place: tuple[str, int]) -> bytes:
    with socket.create_connection(place, 10) as one:
        one.sendall(b"nothing that a proxy knows\r\n\r\n")
        return one.recv(4096)
