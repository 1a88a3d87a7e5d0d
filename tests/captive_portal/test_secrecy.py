"""Every agent reads the notice on secrecy once, and sees nothing before."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from staff import PASSWORD, Office, Staff, office, words

from captive_portal.console import secrecy
from captive_portal.console.pages import PAGES
from captive_portal.console.roles import Role
from parvis.inventory import Town


@pytest.fixture
def here(town: Town, tmp_path: Path) -> Iterator[Office]:
    with office(town, tmp_path) as made:
        yield made


def newcomer(here: Office, role: Role = Role.ADMINISTRATOR) -> Staff:
    made = here.hall.accounts.add("nouveau", role, PASSWORD)
    found = Staff(here, here.app.test_client(), "nouveau", made.totp)
    assert found.signs_in().status_code == 303
    return found


def comes_back(here: Office, agent: Staff) -> Staff:
    """The same agent a minute later, in another browser."""
    here.house.clock.passes(60)
    found = Staff(here, here.app.test_client(), agent.name, agent.totp)
    assert found.signs_in().status_code == 303
    return found


@pytest.mark.parametrize("role", Role)
def test_req06_nobody_sees_or_does_anything_before_the_notice_is_read(here: Office, role: Role) -> None:
    agent = newcomer(here, role)
    token = agent.get("/secret").text.partition('name="token" value="')[2].partition('"')[0]
    for method, rule in PAGES:
        path = rule.replace("<name>", here.site).replace("<code>", "K7F-2QD").replace("<int:number>", "1")
        if method == "GET":
            answer = agent.get(path)
            assert (answer.status_code, answer.headers["Location"]) == (303, "/secret"), path
        else:
            assert agent.post(path, token=token).status_code == 403, path
    assert "<nav" not in agent.get("/secret").text


def test_req06_the_notice_names_the_law_and_is_written_down_with_version_and_time(here: Office, tmp_path: Path) -> None:
    agent = newcomer(here)
    text = words(agent.get("/secret").text)
    assert all(article in text for article in ("L. 32-3", "226-13", "226-15", "432-9"))

    answer = agent.post("/secret", page="/secret")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert agent.get("/").status_code == 200
    kept = json.loads((tmp_path / "acknowledged.json").read_text("utf-8"))
    assert kept == {"nouveau": {"version": "1", "at": "2026-01-09T15:00:00+00:00"}}
    assert oct((tmp_path / "acknowledged.json").stat().st_mode)[-3:] == "600"
    newest = here.entries()[0]
    assert (newest["who"], newest["did"], newest["about"]) == ("nouveau", "secrecy-notice", "version 1")


def test_it_is_asked_once_and_again_when_its_words_change(here: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = newcomer(here)
    agent.post("/secret", page="/secret")
    again = comes_back(here, agent)
    assert again.get("/").status_code == 200

    monkeypatch.setattr(secrecy, "VERSION", "2")
    agent = comes_back(here, agent)
    assert agent.get("/").headers["Location"] == "/secret"


def test_only_our_own_form_says_that_it_is_read(here: Office) -> None:
    agent = newcomer(here)

    assert agent.post("/secret", token="x" * 43).status_code == 400
    assert agent.get("/").headers["Location"] == "/secret"


def test_signing_out_works_before_the_notice_is_read(here: Office) -> None:
    agent = newcomer(here)

    assert agent.post("/sortir", page="/secret").headers["Location"] == "/entrer"
    assert agent.get("/secret").headers["Location"] == "/entrer"
