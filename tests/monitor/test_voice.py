"""A real call over SIP: baresip dials, espeak-ng speaks, a telephone hears it and presses a key."""

import shutil
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from monitor_actors import Desk, alert
from telephone import ENOUGH_PACKETS, Telephone

from monitor.channels import voice
from monitor.messages import Cause, Message, call
from parvis.inventory import Town
from parvis.inventory.people import FileChannel, VoiceChannel

NIGHT = datetime(2026, 6, 3, 23, tzinfo=ZoneInfo("Europe/Paris"))
missing = [name for name in ("baresip", "espeak-ng") if not shutil.which(name)]
calls = [
    pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)} (script/packages.txt has them)"),
    pytest.mark.slow,
    pytest.mark.timeout(180),
]
WORDS = call(Cause(12, "Fibre coupée vers la bibliothèque", "", "", NIGHT), {}, replies=False)


def line(phone: Telephone, **changes: Any) -> VoiceChannel:
    made = {"name": "telephone", "kind": "sip", "account": f"sip:parvis@127.0.0.1:{phone.port}", "transport": "udp"}
    return VoiceChannel(**{**made, **changes})


def task(phone: Telephone, words: Message = WORDS, **changes: Any) -> dict[str, Any]:
    to = {"phone": "+33 6 39 98 00 02", "email": "astreinte-2@cachan.example", "person": "agent-2"}
    channel = line(phone, **changes).model_dump(mode="json")
    return {"do": "send", "channel": channel, "secret": "", "to": to, "spoken": words.spoken}


@pytest.mark.usefixtures("short")
class TestCalls:
    pytestmark = calls

    @pytest.fixture
    def short(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(voice, "TALK_SECONDS", 8.0)
        monkeypatch.setattr(voice, "RING_SECONDS", 8.0)

    @pytest.mark.parametrize("key", ["1", "2"])
    def test_ast04_a_telephone_is_called_hears_the_alert_and_its_key_is_the_answer(self, key: str) -> None:
        with Telephone(key=key) as phone:
            said = voice.send(task(phone))

            assert (said["result"], said.get("pressed")) == ("proved", key)
            assert phone.dialled == ["+33639980002"]
            assert phone.heard >= ENOUGH_PACKETS

    def test_ast04_a_machine_that_picks_up_and_presses_nothing_proves_nothing(self) -> None:
        with Telephone() as phone:
            said = voice.send(task(phone))

            assert said["result"] == "failed"
            assert "no key was pressed" in said["detail"]
            assert phone.heard >= ENOUGH_PACKETS, "it was spoken to"

    def test_a_busy_telephone_is_a_failure_at_once(self) -> None:
        with Telephone(busy=True) as phone:
            said = voice.send(task(phone, prefix="00"))

            assert (said["result"], phone.dialled) == ("failed", ["0033639980002"])
            assert "486" in said["detail"] or "Busy" in said["detail"]

    def test_a_telephone_nobody_picks_up_is_a_failure(self) -> None:
        with Telephone(picks_up=False) as phone:
            assert voice.send(task(phone))["result"] == "failed"

    def test_ast04_a_key_acknowledges_the_incident_and_nobody_else_is_called(self, town: Town, tmp_path: Path) -> None:
        with Telephone(key="1") as phone:
            desk = Desk(with_channels(town, line(phone)), tmp_path, now=NIGHT)
            desk.messenger.tells(alert("LienCoupe", startsAt=NIGHT.isoformat()))
            desk.works()
            desk.passes(900, step=60)

        assert desk.states() == ["acknowledged"]
        assert desk.timeline() == ["opened", "sent-proved", "acknowledge"]
        assert desk.written() == [], "the second channel was not needed"
        assert len(phone.dialled) == 1


def with_channels(town: Town, first: VoiceChannel) -> Town:
    return town.model_copy(update={"channels": (first, FileChannel(name="carnet", kind="file"))})


def test_ast04_when_no_telephone_can_be_called_the_next_channel_has_the_message(town: Town, tmp_path: Path) -> None:
    """Without baresip, or with an operator that is not there, a call is one failed attempt."""
    dead = VoiceChannel(name="telephone", kind="sip", account="sip:parvis@127.0.0.1:9", transport="tcp", secret="sip")
    desk = Desk(with_channels(town, dead), tmp_path, now=NIGHT)
    desk.messenger.tells(alert("LienCoupe", startsAt=NIGHT.isoformat()))
    desk.works().works()

    assert [line["kind"] for line in desk.written()] == ["call"]
    assert desk.timeline()[:2] == ["opened", "sent-failed"]


def test_ast05_what_is_spoken_says_what_since_when_and_which_key_does_what() -> None:
    assert WORDS.spoken == (
        "Alerte du wifi public, incident 12. Fibre coupée vers la bibliothèque. Depuis 23 heures 00. "
        "Pour prendre en charge, tapez 1. Pour passer au suivant, tapez 2. Pour reporter au matin, tapez 3."
    )


def test_a_password_that_baresip_cannot_read_is_refused_and_not_cut() -> None:
    with pytest.raises(ValueError, match="the password of the line"):
        voice._account({"account": "sip:a@b.example", "transport": "tls", "registers": True}, "a;b")


def test_ast04_each_call_to_a_person_begins_a_channel_further_and_so_does_each_level(
    town: Town, tmp_path: Path
) -> None:
    """Letter, SMS, telephone: whoever is silent is rung in the end, and the second level not with a letter first."""
    channels = tuple(FileChannel(name=name, kind="file") for name in ("letter", "sms", "telephone"))
    desk = Desk(town.model_copy(update={"channels": channels}), tmp_path, now=NIGHT)
    first, second = (desk.duty.roster.turn(NIGHT, level).person.name for level in (1, 2))
    desk.messenger.tells(alert("LienCoupe", startsAt=NIGHT.isoformat()))
    desk.works().passes(41 * 60, step=60)
    with desk.engine.book.look() as entries:
        sent = [(line["who"], line["text"]) for line in entries.timeline_of(1) if line["what"] == "sent-accepted"]

    assert sent == [
        (first, "letter"),
        (first, "sms"),
        (second, "sms"),
        (first, "telephone"),
        (first, "letter"),
        (second, "telephone"),
    ]
