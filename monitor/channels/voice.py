"""A telephone call by SIP (RFC 3261): spoken by espeak-ng, made by baresip, answered by a key (RFC 4733).

It rings where a message would not wake anybody. Who picks up proves nothing, it may be a machine; a key does.
"""

import json
import re
import socket
import subprocess
import time
import wave
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from monitor.channels import Told, told

START_SECONDS = 10.0
RING_SECONDS = 40.0
TALK_SECONDS = 60.0
WORDS_A_MINUTE = "140"
TELEPHONE_HERTZ = 8000
"""G.711; baresip's aufile wants the file so."""
TIMES = 3
"""So often the message is spoken."""
SILENT_SECONDS = 8
KEYS = "123"
MODULES = Path("/usr/lib/baresip/modules")
_WHOLE = re.compile(rb"(\d{1,6}):")
"""A netstring begins with its length."""


def send(task: dict[str, Any]) -> Told:
    """Call, speak, and wait for a key: proved with it, failed without."""
    with TemporaryDirectory(prefix="parvis-call-") as name:
        folder = Path(name)
        spoken = folder / "message.wav"
        words = " ... ".join([task["spoken"]] * TIMES)
        _done(["espeak-ng", "-v", "fr", "-s", WORDS_A_MINUTE, "-w", str(spoken), words])
        narrow(spoken)
        port = _free_port()
        (folder / "config").write_text(_config(port, folder))
        (folder / "accounts").write_text(_account(task["channel"], task["secret"]))
        (folder / "accounts").chmod(0o600)
        with _baresip(folder), _control(port) as control:
            return _called(Control(control), _number(task["channel"], task["to"]["phone"]), spoken)


def _called(control: "Control", number: str, spoken: Path) -> Told:
    """The call, from dialling to its end."""
    control.say("dial", number)
    answered = False
    for event, parameter in control.events(RING_SECONDS):
        if event == "CALL_ESTABLISHED":
            answered = True
            control.say("ausrc", f"aufile,{spoken}")
            control.waits(TALK_SECONDS)
        elif event == "CALL_DTMF_START" and parameter and parameter in KEYS:
            control.say("hangup", "")
            return told("proved", proves=True, detail=f"key {parameter}", pressed=parameter)
        elif event == "CALL_CLOSED":
            reason = "picked up, but no key was pressed" if answered else parameter or "not answered"
            return told("failed", proves=True, detail=reason)
    control.say("hangup", "")
    return told("failed", proves=True, detail="picked up, but no key was pressed" if answered else "not answered")


class Control:
    """baresip's control connection: commands and events, each a JSON object in a netstring."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._deadline = 0.0

    def say(self, command: str, parameters: str) -> None:
        """Send a command."""
        body = json.dumps({"command": command, "params": parameters}).encode()
        self._connection.sendall(b"%d:%s," % (len(body), body))

    def waits(self, seconds: float) -> None:
        """Events are waited for so long from now on."""
        self._deadline = time.monotonic() + seconds

    def events(self, seconds: float) -> Iterator[tuple[str, str]]:
        """(type, parameter) of each event, until none has come for the time to wait, or the connection ends."""
        self.waits(seconds)
        held = b""
        while (left := self._deadline - time.monotonic()) > 0:
            self._connection.settimeout(left)
            try:
                more = self._connection.recv(65536)
            except TimeoutError:
                return
            if not more:
                return
            held += more
            while (head := _WHOLE.match(held)) and len(held) > head.end() + int(head[1]):
                end = head.end() + int(head[1])
                found, held = json.loads(held[head.end() : end]), held[end + 1 :]
                if found.get("event"):
                    yield str(found.get("type", "")), str(found.get("param", ""))


def narrow(spoken: Path) -> None:
    """Bring a WAV file (16 bit, one channel) to the sample rate of a telephone, each sample the mean of its time.

    Silence follows, for whoever looks for the key: at the end of the file the call ends.
    """
    with wave.open(str(spoken), "rb") as file:
        step, frames = file.getframerate() / TELEPHONE_HERTZ, file.readframes(file.getnframes())
    sums = [0, *accumulate(array("h", frames[: len(frames) // 2 * 2]))]
    edges = [int(number * step) for number in range(int((len(sums) - 1) / step) + 1)]
    with wave.open(str(spoken), "wb") as file:
        file.setparams((1, 2, TELEPHONE_HERTZ, 0, "NONE", ""))
        file.writeframes(array("h", ((sums[b] - sums[a]) // (b - a) for a, b in pairwise(edges))).tobytes())
        file.writeframes(bytes(2 * TELEPHONE_HERTZ * SILENT_SECONDS))


@contextmanager
def _baresip(folder: Path) -> Iterator[None]:
    words = ["baresip", "-f", str(folder)]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(words, **quiet) as running:  # type: ignore[call-overload]  # noqa: S603 of Debian, its words ours
        try:
            yield
        finally:
            running.terminate()
            try:
                running.wait(5)
            except subprocess.TimeoutExpired:
                running.kill()


@contextmanager
def _control(port: int) -> Iterator[socket.socket]:
    """The control connection, once baresip listens for it; OSError when it does not in time."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            connection = socket.create_connection(("127.0.0.1", port), timeout=1)
            break
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
    with connection:
        yield connection


def _config(port: int, folder: Path) -> str:
    modules = ("g711.so", "aufile.so", "aubridge.so")
    return "\n".join(
        [
            "sip_verify_server yes",
            "sip_cafile /etc/ssl/certs/ca-certificates.crt",
            f"ctrl_tcp_listen 127.0.0.1:{port}",
            f"audio_path {folder}",
            "audio_source aubridge,silence",
            "audio_player aubridge,away",
            "audio_alert aubridge,away",
            f"module_path {MODULES}",
            *(f"module {name}" for name in modules),
            "module_tmp account.so",
            "module_app menu.so",
            "module_app ctrl_tcp.so",
            "",
        ]
    )


def _account(channel: dict[str, Any], secret: str) -> str:
    """The line of the town; baresip's file of accounts has no way to write a password with these letters."""
    if set(secret) & set(' ;">'):
        raise ValueError('the password of the line holds a blank or one of ; " >, which baresip cannot read')
    password = f";auth_pass={secret}" if secret else ""
    register = 3600 if channel["registers"] else 0
    return f"<{channel['account']};transport={channel['transport']}>;regint={register}{password}\n"


def _number(channel: dict[str, Any], phone: str) -> str:
    digits = re.sub(r"[^+\d]", "", phone)
    dialled = digits if channel["prefix"] == "+" else digits.replace("+", channel["prefix"])
    return f"sip:{dialled}@{channel['account'].partition('@')[2]}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _done(words: list[str]) -> None:
    subprocess.run(words, check=True, capture_output=True, timeout=20)  # noqa: S603 of Debian, its words ours
