"""At three in the morning, with a telephone: every alert leads to what to do, and no link leads nowhere."""

import re
from datetime import datetime
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from atlas import Atlas
from flask.testing import FlaskClient
from monitor_actors import Desk, alert
from test_places import BEHIND, LINK

from monitor.incidents import Event
from monitor.web.app import duty_app
from parvis.inventory import Town
from parvis.runbooks import runbook, runbooks

NIGHT = datetime(2026, 6, 3, 3, tzinfo=ZoneInfo("Europe/Paris"))
CUT = alert("LienCoupe", uplink=LINK, annotations={"summary": "Lien coupé", "runbook_url": runbook("LienCoupe")})
ELSEWHERE = alert("LienCoupe", site="", annotations={"summary": "?", "runbook_url": "https://elsewhere.example/x"})


@pytest.fixture
def atlas(town: Town, tmp_path: Path) -> Atlas:
    made = Atlas(town, tmp_path, day=False).shows(silent=(LINK, *BEHIND))
    made.desk.messenger.beats()
    made.desk.messenger.tells(CUT)
    made.desk.works()
    return made


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_the_monitor_itself_shows_what_to_do_about_every_alert(desk: Desk, lang: str) -> None:
    listed = desk.client.get(f"/runbooks?lang={lang}").text
    for name, one in runbooks().items():
        assert f'href="{runbook(name)}' in listed, name
        page = unescape(desk.client.get(f"{runbook(name)}?lang={lang}").text)
        assert [title for title, _ in one.parts if f">{title}</h2>" not in page] == [], name
        assert "`" not in page, name


def test_there_is_no_runbook_for_what_is_no_alert(desk: Desk) -> None:
    assert desk.client.get("/runbooks/LienCoupé").status_code == 404


@pytest.mark.parametrize("path", ["/wall", "/incidents/1", "/explain/LienCoupe?site=leo-lagrange"])
def test_from_where_an_alert_is_seen_one_click_leads_to_its_runbook(atlas: Atlas, path: str) -> None:
    assert 'href="/runbooks/LienCoupe' in atlas.text(path)


def test_an_incident_says_at_once_what_to_look_at_what_to_mend_and_where(atlas: Atlas) -> None:
    page = atlas.text("/incidents/1")

    assert "Débrancher et rebrancher la jarretière une fois" in page
    assert "<code>parvis show</code> donne l'opérateur" in page
    assert 'href="/sites/leo-lagrange"' in page


def test_a_runbook_that_is_elsewhere_is_text(desk: Desk) -> None:
    desk.messenger.tells(ELSEWHERE)
    desk.works()

    for path in ("/wall", "/incidents/1"):
        page = desk.client.get(path).text
        assert "https://elsewhere.example/x" in page
        assert 'href="https://elsewhere' not in page


def letter(town: Town, folder: Path, url: str) -> str:
    desk = Desk(town, folder, now=NIGHT, public_url=url)
    desk.messenger.tells(CUT)
    desk.engine.tick(desk.clock())
    row = {"id": 1, "incident": 1, "kind": "call", "round": 1, "level": 1}
    return desk.duty.letters.write(row, "courriel", desk.clock(), replies=False, plain=False).long


def test_a_letter_says_what_is_done_first_and_where_the_rest_is(town: Town, tmp_path: Path) -> None:
    text = letter(town, tmp_path, "https://supervision.example/")

    assert "Que faire : https://supervision.example/runbooks/LienCoupe\n" in text
    assert "- Vérifier en 2 minutes : Sur le mur, un seul site est-il touché ?" in text
    assert "- Réparer : Sur place :" in text


def test_a_letter_without_a_place_for_links_says_what_is_done_first_too(town: Town, tmp_path: Path) -> None:
    assert "Que faire : /runbooks/LienCoupe\n- Vérifier" in letter(town, tmp_path, "")


def crawled(client: FlaskClient, start: str) -> dict[str, int]:
    """Every page one comes to from *start*, with its status."""
    found: dict[str, int] = {}
    waiting = [start]
    while waiting:
        path = waiting.pop()
        answer = client.get(path, follow_redirects=True)
        found[path] = answer.status_code
        if answer.mimetype == "text/html":
            hrefs = [unescape(one).partition("#")[0] for one in re.findall(r'href="([^"]*)"', answer.text)]
            own = [one for one in hrefs if one.startswith("/") and urlsplit(one).path.count("reports") == 0]
            waiting += [one for one in dict.fromkeys(own) if one not in found and one not in waiting]
    return found


def test_no_link_of_the_monitor_leads_nowhere(atlas: Atlas) -> None:
    atlas.desk.engine.act(1, Event.ACKNOWLEDGE, "agent-1", atlas.desk.clock())
    found = crawled(atlas.client, "/")

    assert {"/wall", "/oncall", "/incidents/1", "/runbooks/LienCoupe", "/explain/LienCoupe"} <= set(found)
    assert {path: status for path, status in found.items() if status != 200} == {}


def test_no_link_of_the_watch_outside_leads_nowhere(town: Town, desk: Desk) -> None:
    desk.messenger.tells(CUT)
    desk.works()
    found = crawled(duty_app(town, desk.duty, desk.metrics).test_client(), "/")

    assert {"/oncall", "/incidents/1", "/runbooks/LienCoupe"} <= set(found)
    assert {path: status for path, status in found.items() if status != 200} == {}
