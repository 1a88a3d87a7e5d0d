"""The channels against real receivers and strict fakes; the next one when one fails; answers by SMS."""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime
from email import message_from_bytes, policy
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pytest
from aiosmtpd.controller import Controller
from hypothesis import given
from hypothesis import strategies as st
from monitor_actors import Desk, alert

from monitor.channels import apprise, gsm, mail, ovh
from monitor.delivery import ASK_SECONDS, PROOF_SECONDS, AskProof, Attempt, Done, Result, Send, Wait, next_move
from monitor.replies import read
from monitor.sending import answer
from parvis.inventory import Town
from parvis.inventory.people import AppriseChannel, FileChannel, MailChannel, ModemChannel, OvhChannel

NIGHT = datetime(2026, 6, 3, 23, tzinfo=ZoneInfo("Europe/Paris"))
KEYS = "app-key app-secret consumer-key"
PHONE = "+33 6 39 98 00 02"


def task(channel: Any, **changes: Any) -> dict[str, Any]:
    to = {"phone": PHONE, "email": "astreinte-2@cachan.example", "person": "agent-2"}
    words = {"short": "#1 Lien coupé", "subject": "[Wi-Fi] #1 Lien coupé", "long": "Lien coupé\n\nÀ voir"}
    return {"do": "send", "channel": channel.model_dump(mode="json"), "secret": "", "to": to, **words, **changes}


class Box:
    """A mail server's inside: keeps what it is given."""

    def __init__(self) -> None:
        self.letters: list[Any] = []
        self.refuses = False

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 aiosmtpd's name
        if self.refuses:
            return "451 later"
        self.letters.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=policy.default)))
        return "250 OK"


@pytest.fixture
def box() -> Iterator[tuple[Box, MailChannel]]:
    made = Box()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(made, hostname="127.0.0.1", port=port)
    server.start()
    channel = MailChannel(
        name="courriel", kind="smtp", host="127.0.0.1", port=port, security="none", sender="wifi@cachan.example"
    )
    yield made, channel
    server.stop()


def test_a_letter_arrives_whole_at_a_real_server(box: tuple[Box, MailChannel]) -> None:
    kept, channel = box
    said = mail.send(task(channel))

    ((to, letter),) = kept.letters
    assert said["result"] == "accepted"
    assert (to, letter["Subject"]) == (["astreinte-2@cachan.example"], "[Wi-Fi] #1 Lien coupé")
    assert letter.get_content().splitlines()[:3] == ["Lien coupé", "", "À voir"]
    assert letter["Message-ID"] == said["reference"]


def test_a_refused_letter_is_a_failure_in_words(box: tuple[Box, MailChannel]) -> None:
    kept, channel = box
    kept.refuses = True

    assert (answer(task(channel))["result"], answer(task(channel))["detail"][:21]) == (
        "failed",
        "SMTPDataError: (451, ",
    )


def test_a_secret_is_never_in_a_failures_words(box: tuple[Box, MailChannel]) -> None:
    broken = {**task(box[1]), "secret": "hunter2"}
    broken["channel"]["host"] = "hunter2.invalid"

    assert "hunter2" not in answer(broken)["detail"]
    assert answer(broken)["result"] == "failed"


class Ovh(BaseHTTPRequestHandler):
    """OVH's SMS API, as strict as the real one about signatures."""

    received: ClassVar[list[dict[str, Any]]] = []
    delivered: ClassVar[set[int]] = set()
    incoming: ClassVar[dict[int, dict[str, str]]] = {}
    drift = 7200
    """OVH's clock is OVH's: a signature with another time is refused."""

    def do_GET(self) -> None:
        if self.path == "/1.0/auth/time":
            self._say(200, int(time.time()) + self.drift)
        elif self._signed(b""):
            self._read()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self._signed(body):
            order = json.loads(body)
            if not all(number.startswith("+") and number[1:].isdigit() for number in order["receivers"]):
                self._say(400, {"message": "invalid receiver"})
                return
            self.received.append(order)
            self._say(200, {"ids": [len(self.received)], "invalidReceivers": [], "validReceivers": order["receivers"]})

    def do_DELETE(self) -> None:
        if self._signed(b""):
            del self.incoming[int(self.path.rsplit("/", 1)[1])]
            self._say(200, None)

    def _read(self) -> None:
        if self.path == "/1.0/sms/sms-xx1-1":
            self._say(200, {"creditsLeft": 37.5, "name": "sms-xx1-1"})
            return
        kind, _, number = self.path.removeprefix("/1.0/sms/sms-xx1-1/").partition("/")
        if kind == "outgoing":
            self._say(200, {"id": int(number), "deliveryReceipt": int(int(number) in self.delivered)})
        elif number:
            self._say(200, self.incoming[int(number)])
        else:
            self._say(200, sorted(self.incoming))

    def _signed(self, body: bytes) -> bool:
        app, secret, consumer = KEYS.split()
        host = f"http://127.0.0.1:{self.server.server_address[1]}"
        at = self.headers["X-Ovh-Timestamp"]
        words = f"{secret}+{consumer}+{self.command}+{host}{self.path}+{body.decode()}+{at}"
        wanted = {
            "X-Ovh-Application": app,
            "X-Ovh-Consumer": consumer,
            "X-Ovh-Signature": "$1$" + sha1(words.encode()).hexdigest(),
        }
        good = all(self.headers[name] == value for name, value in wanted.items())
        if not good or abs(int(at) - time.time() - self.drift) > 60:
            self._say(403, {"message": "Invalid signature"})
            return False
        return True

    def _say(self, status: int, what: Any) -> None:
        body = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: Any) -> None:
        """Be quiet."""


@pytest.fixture
def sms() -> Iterator[OvhChannel]:
    Ovh.received.clear()
    Ovh.delivered.clear()
    Ovh.incoming.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Ovh) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        api = f"http://127.0.0.1:{server.server_address[1]}/1.0"
        yield OvhChannel(name="sms", kind="ovh", service="sms-xx1-1", secret="ovh", api=api)
        server.shutdown()


def test_ovh_takes_a_signed_order_and_proves_delivery(sms: OvhChannel) -> None:
    said = ovh.send(task(sms, secret=KEYS))
    asked = {**task(sms, secret=KEYS), "reference": said["reference"]}

    assert (said["result"], said["proves"]) == ("accepted", True)
    (order,) = Ovh.received
    assert (order["receivers"], order["senderForResponse"], order["message"]) == (
        ["+33639980002"],
        True,
        "#1 Lien coupé",
    )
    assert ovh.prove(asked)["result"] == "accepted"
    Ovh.delivered.add(1)
    assert ovh.prove(asked)["result"] == "proved"


def test_ovh_refuses_a_wrong_key_and_that_is_a_failure(sms: OvhChannel) -> None:
    said = answer(task(sms, secret="app-key other-secret consumer-key"))

    assert said["result"] == "failed"
    assert "403" in said["detail"]
    assert Ovh.received == []


def test_ovh_says_how_many_messages_are_left(sms: OvhChannel) -> None:
    assert ovh.credit(task(sms, secret=KEYS)) == {"credit": 37.5}


def test_answers_to_ovh_are_read_once(sms: OvhChannel) -> None:
    Ovh.incoming[5] = {"sender": "+33639980002", "message": "OK 1"}

    assert ovh.replies(task(sms, secret=KEYS)) == [{"number": "+33639980002", "text": "OK 1", "mark": "5"}]
    assert ovh.replies(task(sms, secret=KEYS)) == []


@pytest.fixture
def spool(tmp_path: Path) -> ModemChannel:
    for name in ("outbox", "sent", "error", "inbox"):
        (tmp_path / "spool" / name).mkdir(parents=True)
    return ModemChannel(name="modem", kind="gsm", spool=str(tmp_path / "spool"))


def test_the_modem_gets_a_file_and_where_it_goes_is_the_proof(spool: ModemChannel) -> None:
    said = gsm.send(task(spool))
    asked = {**task(spool), "reference": said["reference"]}
    (file,) = Path(spool.spool, "outbox").iterdir()

    assert "+33639980002" in file.name
    assert file.read_text("utf-8") == "#1 Lien coupé"
    assert gsm.prove(asked)["result"] == "accepted"
    shutil.move(file, Path(spool.spool, "sent"))
    assert gsm.prove(asked)["result"] == "proved"
    shutil.move(Path(spool.spool, "sent", file.name), Path(spool.spool, "error"))
    assert gsm.prove(asked)["result"] == "failed"


@pytest.mark.skipif(not shutil.which("gammu-smsd"), reason="gammu-smsd is not installed (script/packages.txt has it)")
@pytest.mark.slow
def test_gammu_smsd_itself_reads_the_outbox(spool: ModemChannel, tmp_path: Path) -> None:
    """The real daemon with gammu's dummy phone takes the file from the outbox to sent: our names are its names."""
    lines = ["[gammu]", f"device = {tmp_path}/phone", "connection = none", "model = dummy", "[smsd]", "service = files"]
    lines += [f"{name}path = {spool.spool}/{name}/" for name in ("inbox", "outbox")]
    lines += [f"sentsmspath = {spool.spool}/sent/", f"errorsmspath = {spool.spool}/error/", "commtimeout = 1"]
    (tmp_path / "phone").mkdir()
    (tmp_path / "smsdrc").write_text("\n".join([*lines, "loopsleep = 1", "checksecurity = 0", "hangupcalls = 0", ""]))
    said = gsm.send(task(spool))
    with subprocess.Popen(["gammu-smsd", "-c", str(tmp_path / "smsdrc")], stderr=subprocess.DEVNULL) as daemon:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and list(Path(spool.spool, "outbox").glob("OUT*")):
            time.sleep(0.2)
        time.sleep(1)
        daemon.terminate()
    asked = {**task(spool), "reference": said["reference"]}

    assert gsm.prove(asked)["result"] == "proved"


def test_a_town_of_apprises_urls_gets_its_facts_quoted() -> None:
    channel = AppriseChannel(name="ntfy", kind="apprise", url="json://127.0.0.1:9/{person}?k={secret}")
    full = task(channel, secret="a/b&c")

    assert apprise._address(full) == "json://127.0.0.1:9/agent-2?k=a%2Fb%26c"
    assert apprise.send(full)["result"] == "failed"  # nobody listens on the discard port
    assert apprise.send(task(channel.model_copy(update={"url": "nonsense://x"})))["result"] == "failed"


class Hook(BaseHTTPRequestHandler):
    """A service apprise posts JSON to."""

    received: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        self.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_words: Any) -> None:
        """Be quiet."""


def test_apprise_hands_the_letter_to_a_service_that_answers() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"json://127.0.0.1:{server.server_address[1]}/{{person}}"
        said = apprise.send(task(AppriseChannel(name="hook", kind="apprise", url=url)))
        server.shutdown()

    (letter,) = Hook.received
    assert said["result"] == "accepted"
    assert (letter["title"], letter["message"]) == ("[Wi-Fi] #1 Lien coupé", "Lien coupé\n\nÀ voir")


def tried(*results: Result, proves: bool = False, ended: float = 0.0) -> list[Attempt]:
    return [Attempt(n, f"c{n}", 0.0, ended, result, proves) for n, result in enumerate(results)]


CHANNELS = ["c0", "c1"]


def test_ast04_the_next_channel_follows_one_that_fails_or_proves_nothing() -> None:
    assert next_move([], CHANNELS, 0, 0.0) == Send("c0")
    assert next_move([], CHANNELS, 1, 0.0) == Send("c1"), "a second call begins a channel further"
    assert next_move(tried(Result.FAILED), CHANNELS, 0, 0.0) == Send("c1")
    assert next_move(tried(Result.ACCEPTED), CHANNELS, 0, 0.0) == Done(proved=False)
    waiting = tried(Result.ACCEPTED, proves=True)
    assert isinstance(next_move(waiting, CHANNELS, 0, ASK_SECONDS - 1), Wait)
    assert isinstance(next_move(waiting, CHANNELS, 0, ASK_SECONDS), AskProof)
    assert next_move(waiting, CHANNELS, 0, PROOF_SECONDS) == Send("c1")
    assert next_move(tried(Result.STARTED), CHANNELS, 0, 0.0) == Send("c0"), "nobody knows whether it went"


@given(st.lists(st.sampled_from([Result.FAILED, Result.STARTED]), max_size=9), st.integers(0, 5))
def test_a_message_no_channel_took_is_never_given_up(results: list[Result], step: int) -> None:
    attempts = [Attempt(n, CHANNELS[n % 2], 0.0, 0.0, result) for n, result in enumerate(results)]

    assert isinstance(next_move(attempts, CHANNELS, step, 3600.0), Send)


def with_channels(town: Town, *channels: Any) -> Town:
    return town.model_copy(update={"channels": channels})


def test_when_the_mail_server_is_dead_the_file_is_written(town: Town, tmp_path: Path) -> None:
    dead = MailChannel(name="courriel", kind="smtp", host="127.0.0.1", port=9, security="none", sender="w@c.example")
    desk = Desk(with_channels(town, dead, FileChannel(name="carnet", kind="file")), tmp_path, now=NIGHT)
    desk.messenger.tells(alert("LienCoupe", startsAt=NIGHT.isoformat()))
    desk.works().works()

    assert [line["kind"] for line in desk.written()] == ["call"]
    assert desk.timeline() == ["opened", "sent-failed", "sent-accepted"]
    assert desk.counted("oncall_messages_total", channel="courriel", result="failed") == 1


def answers(desk: Desk, number: str, text: str) -> None:
    inbox = Path(desk.town.channels[0].spool, "inbox")
    (inbox / f"IN20260603_230100_00_{number}_00.txt").write_text(text, "utf-8")
    desk.duty.dispatcher.read_replies()


@pytest.fixture
def modem(town: Town, spool: ModemChannel, tmp_path: Path) -> Desk:
    desk = Desk(with_channels(town, spool), tmp_path, now=NIGHT)
    desk.messenger.tells(alert("LienCoupe", startsAt=NIGHT.isoformat()))
    return desk.works()


def verdict(modem: Desk) -> str:
    (found,) = (one for one in modem.client.get("/oncall.json").json["tests"])
    return str(found["result"])


def test_the_test_of_a_channel_that_proves_waits_for_the_proof(modem: Desk) -> None:
    outbox, sent = (Path(modem.town.channels[0].spool, name) for name in ("outbox", "sent"))
    for file in outbox.iterdir():
        shutil.move(file, sent)
    modem.engine.test(modem.duty.roster.turn(NIGHT).person.name, modem.town.channels[0].name, modem.clock())
    modem.passes(10, step=5)
    waiting = verdict(modem)
    for file in outbox.iterdir():
        shutil.move(file, sent)
    modem.passes(20, step=5)

    assert (waiting, verdict(modem)) == ("accepted", "proved")


def test_a_test_that_nobody_proves_has_failed_and_the_wall_says_so(modem: Desk) -> None:
    modem.engine.test(modem.duty.roster.turn(NIGHT).person.name, modem.town.channels[0].name, modem.clock())
    modem.passes(100)
    early = verdict(modem)
    modem.passes(40)

    assert (early, verdict(modem)) == ("accepted", "failed")
    assert "Dernier essai en échec" in modem.client.get("/wall").text


def test_ok_from_who_was_called_acknowledges(modem: Desk) -> None:
    duty = modem.duty.roster.turn(NIGHT).person
    answers(modem, duty.phone.replace(" ", ""), "Ok 1")

    assert modem.states() == ["acknowledged"]
    assert modem.incidents()[0]["owner"] == duty.name


def test_a_strangers_answer_changes_nothing(modem: Desk) -> None:
    other = next(p for p in modem.town.people if p != modem.duty.roster.turn(NIGHT).person)
    answers(modem, "+33639989999", "OK 1")
    answers(modem, other.phone.replace(" ", ""), "OK 1")

    assert modem.states() == ["open"]
    assert modem.counted("oncall_replies_total", result="stranger") == 2


@given(st.text(max_size=30))
def test_an_answer_is_understood_or_nothing(text: str) -> None:
    found = read(text)

    assert found is None or text.strip()[:1].isalpha()
