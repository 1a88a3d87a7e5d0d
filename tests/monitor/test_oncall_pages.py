"""The pages of who is on call, and the links of messages: a GET changes nothing, a link works once."""

import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from monitor_actors import Desk, alert

from monitor.duty import KEY_FILE, KEY_OCTETS
from monitor.gsm7 import BASIC, EXTENDED, LONGEST, fitted, septets
from monitor.incidents import Event
from monitor.links import ACTIONS, Link, LinkRefused, read, token
from monitor.messages import AGAIN, Again, Cause, all_clear, call, digest, relay
from monitor.messages import test as trial
from parvis.inventory import Town

NIGHT = datetime(2026, 6, 3, 23, tzinfo=ZoneInfo("Europe/Paris"))
URL = "https://supervision.cachan.example"


@pytest.fixture
def called(town: Town, tmp_path: Path) -> Desk:
    """Somebody was called for incident 1."""
    desk = Desk(town, tmp_path, now=NIGHT, public_url=URL)
    desk.messenger.tells(alert("LienCoupe", startsAt=NIGHT.isoformat()))
    return desk.works()


def link(desk: Desk, action: str = "acknowledge") -> str:
    with desk.engine.book.page() as entries:
        page = entries.pages_of(1)[-1]["id"]
    return desk.letters_links(page)[action].removeprefix(URL)


def test_opening_a_link_changes_nothing_its_button_does(called: Desk) -> None:
    page = called.client.get(link(called))

    assert page.status_code == 200
    assert 'method="post"' in page.text
    assert called.states() == ["open"]
    assert called.client.post(link(called)).status_code == 200
    assert called.states() == ["acknowledged"]
    assert called.incidents()[0]["owner"] == called.written()[0]["person"]


def test_a_link_works_once(called: Desk) -> None:
    once = link(called, "hand-over")

    assert called.client.post(once).status_code == 200
    second = called.client.post(once)
    assert (second.status_code, "déjà servi" in second.text) == (409, True)
    assert called.timeline().count("hand-over") == 1


@pytest.mark.parametrize(
    ("action", "state"), [("acknowledge", "acknowledged"), ("snooze", "snoozed"), ("hand-over", "open")]
)
def test_a_link_does_its_action_and_no_other(called: Desk, action: str, state: str) -> None:
    called.client.post(link(called, action))

    assert called.states() == [state]
    assert called.timeline()[-1] == action


def test_links_outlive_a_restart_and_a_key_that_a_power_cut_left_empty_signs_nothing(
    town: Town, tmp_path: Path
) -> None:
    first = Desk(town, tmp_path, now=NIGHT).duty.key
    again = Desk(town, tmp_path, now=NIGHT).duty.key
    (tmp_path / KEY_FILE).write_bytes(b"")
    anew = Desk(town, tmp_path, now=NIGHT).duty.key

    assert first == again
    assert (len(anew), anew == first) == (KEY_OCTETS, False)
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600


def test_an_old_link_is_void(called: Desk) -> None:
    old = link(called)
    called.at = called.clock() + 86_401

    assert called.client.get(old).status_code == 403
    assert called.client.post(old).status_code == 403
    assert called.states() == ["open"]


@pytest.mark.parametrize("place", [0, 5, 9, 27])
def test_a_link_with_a_letter_changed_is_void(called: Desk, place: int) -> None:
    good = link(called).removeprefix("/a/")
    bad = good[:place] + ("A" if good[place] != "A" else "B") + good[place + 1 :]

    assert called.client.post(f"/a/{bad}").status_code == 403
    assert called.states() == ["open"]


@given(st.text(max_size=60))
def test_whatever_is_no_link_is_refused(text: str) -> None:
    with pytest.raises(LinkRefused):
        read(text, b"k" * 32, 0.0)


@given(st.integers(0, 2**32 - 1), st.sampled_from(ACTIONS), st.integers(1, 2**32 - 1))
def test_a_link_reads_as_it_was_made_and_with_its_key_only(page: int, action: str, until: int) -> None:
    made = Link(page, action, until)
    text = token(made, b"k" * 32)

    assert read(text, b"k" * 32, until) == made
    with pytest.raises(LinkRefused):
        read(text, b"j" * 32, until)


def test_the_link_of_an_incident_that_is_over_says_so(called: Desk) -> None:
    old = link(called)
    called.engine.act(1, Event.CLOSE, "agent-1", called.clock())

    assert called.client.get(old).status_code == 409
    assert called.client.post(old).status_code == 409


def test_the_page_says_who_until_when_and_what(called: Desk, town: Town) -> None:
    page = called.client.get("/oncall").text
    turn = called.duty.roster.turn(NIGHT)

    assert turn.person.title.replace("'", "&#39;") in page
    assert "lun. 08/06 à 08:00" in page
    assert "LienCoupe !" in page
    assert not any(person.phone in page or person.email in page for person in town.people)
    assert "Waiting" not in page
    assert "waiting to be acknowledged" in called.client.get("/oncall?lang=en").text


def test_s33_an_incidents_page_acknowledges_and_takes_notes_with_its_own_token_only(called: Desk) -> None:
    page = called.client.get("/incidents/1").text
    (form, *_) = re.findall(r'name="token" value="([^"]+)"', page)

    assert called.client.post("/incidents/1", data={"do": "acknowledge"}).status_code == 403
    assert called.client.post("/incidents/2", data={"do": "acknowledge", "token": form}).status_code == 403
    assert called.states() == ["open"]
    assert called.client.post("/incidents/1", data={"do": "acknowledge", "token": form}).status_code == 303
    called.client.post("/incidents/1", data={"do": "note", "text": "Orange <prévenu>", "token": form})
    after = called.client.get("/incidents/1").text
    assert called.states() == ["acknowledged"]
    assert "Orange &lt;prévenu&gt;" in after
    assert "Pris en charge" in after


def test_a_links_token_is_no_forms_token_and_the_other_way_round(called: Desk) -> None:
    (form, *_) = re.findall(r'name="token" value="([^"]+)"', called.client.get("/incidents/1").text)
    stolen = link(called).removeprefix("/a/")

    assert called.client.post("/incidents/1", data={"do": "close", "token": stolen}).status_code == 403
    assert called.client.post(f"/a/{form}").status_code == 403
    assert called.states() == ["open"]


def test_there_is_no_page_for_an_incident_there_is_not(called: Desk) -> None:
    assert called.client.get("/incidents/77").status_code == 404


def test_ast08_the_calendar_has_each_turn_and_no_telephone_number(called: Desk, town: Town) -> None:
    text = called.client.get("/oncall.ics").text

    assert text.count("BEGIN:VEVENT") > 40
    assert text.startswith("BEGIN:VCALENDAR\r\n")
    assert not any(person.phone in text for person in town.people)


CAUSE = st.builds(
    Cause, st.integers(1, 99999), st.text(max_size=300), st.text(max_size=50), st.just("docs"), st.just(NIGHT)
)


@given(CAUSE, st.booleans(), st.booleans())
def test_ast05_every_message_is_one_sms_whatever_the_names_are(cause: Cause, replies: bool, linked: bool) -> None:
    """160 septets of GSM-7 at most; the number, the way to answer and the link are never cut."""
    links = {"acknowledge": f"{URL}/a/{token(Link(1, 'acknowledge', 1), b'k' * 32)}"} if linked else {}
    made = call(cause, links, replies=replies)
    grave = [replace(cause, severity="page", again=Again(event, NIGHT)) for event in AGAIN]
    others = [all_clear(cause, NIGHT), digest([cause] * 3, URL), trial("ovh", NIGHT), relay([cause] * 3, NIGHT, URL)]
    others += [call(one, links, replies=replies) for one in grave]

    for message in (made, *others):
        assert set(message.short) <= BASIC | EXTENDED
        assert septets(message.short) <= LONGEST
    assert made.short.startswith(f"#{cause.number}")
    assert not linked or made.short.endswith(links["acknowledge"])
    assert not replies or f"OK {cause.number}" in made.short


@given(st.text(max_size=400), st.integers(20, 160))
def test_a_text_cut_to_fit_keeps_its_tail(head: str, longest: int) -> None:
    text = fitted(head, " (02:14)", longest)

    assert text.endswith("(02:14)")
    assert septets(text) <= longest


@pytest.mark.parametrize(
    ("severity", "short", "long"),
    [("page", "(23:00, urgent)", "toute heure"), ("page-jour", "(23:00, jour)", "journée")],
)
def test_ast05_a_message_says_what_where_since_when_how_grave_and_its_number(
    severity: str, short: str, long: str
) -> None:
    made = call(Cause(12, "Lien fibre coupé : Bibliothèque " + "x" * 200, "", "", NIGHT, severity), {}, replies=True)

    assert made.short.startswith("#12 Lien fibre coupé : Bibliothèque")
    assert f" {short}." in made.short
    assert long in made.long
    assert septets(made.short) <= LONGEST


def test_a_french_site_reads_well() -> None:
    cause = Cause(12, "Lien fibre coupé : Médiathèque « Cœur de forêt », façade Ouest", "", "", NIGHT)

    assert call(cause, {}, replies=True).short == (
        '#12 Lien fibre coupé : Médiathèque "Coeur de foret", facade Ouest (23:00). Rep. OK 12 (vu) ou NON 12'
    )
