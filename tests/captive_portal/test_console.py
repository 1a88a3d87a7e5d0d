"""The staff console: who may do what, what staff see and order."""

import html
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from house import ANNA
from staff import TOKEN, Office, forms, words

from captive_portal.console.roles import MAY, Action, Role
from captive_portal.console.sites import Sites, answers, silent
from captive_portal.directives import Kind
from parvis.addresses import MacAddress


@pytest.mark.parametrize("role", list(Role))
def test_each_role_may_do_what_the_table_says_and_nothing_else(here: Office, role: Role) -> None:
    somebody = here.staff(role)
    for number, action in enumerate(Action):
        if ANNA not in here.house.gateway.admitted():
            here.house.visitor().accepts()
        path, data = forms(here)[action]
        before = len(here.house.directives.standing()), len(here.house.gateway.admitted())
        answer = somebody.post(path, **data) if data else somebody.get(path)
        after = len(here.house.directives.standing()), len(here.house.gateway.admitted())
        if action in MAY[role]:
            assert answer.status_code in {200, 303}, action
            assert not data or after != before, action
        else:
            assert (answer.status_code, after) == (403, before), action
        for order in here.house.directives.standing():
            here.house.directives.end(order.number, f"test {number}")


def test_the_table_names_every_role_and_no_role_may_do_all() -> None:
    assert set(MAY) == set(Role)
    assert all(MAY[role] < set(Action) for role in Role)


def test_a_form_that_is_not_ours_does_nothing(here: Office) -> None:
    here.house.visitor().accepts()
    agent, other = here.staff(), here.staff(Role.ADMINISTRATOR)
    path, data = forms(here)[Action.DISCONNECT]
    foreign = re.findall(r'name="token" value="([^"]+)"', other.get("/").text)[0]
    answers = [agent.post(path, token=token, **data).status_code for token in ("", "x", foreign)]

    assert answers == [400, 400, 400]
    assert ANNA in here.house.gateway.admitted()


def test_f52_sessions_are_listed_under_codes_and_one_is_disconnected(here: Office) -> None:
    anna = here.house.visitor()
    anna.accepts()
    code = here.house.timeline.code(ANNA)
    agent = here.staff()
    listed = agent.get(f"/lieux/{here.site}").text
    answer = agent.post(f"/lieux/{here.site}/appareils/{code}/deconnecter", why="appel du résident")

    assert code in listed
    assert ANNA.text not in listed
    assert (answer.status_code, here.house.gateway.admitted()) == (303, {})
    assert "C'est fait" in words(agent.get(answer.headers["Location"]).text)


def test_r29_sessions_are_shown_page_by_page(here: Office) -> None:
    for number in range(1, 121):
        here.house.visitor(f"10.11.1.{number}", MacAddress.parse(f"02{number:010x}")).accepts()
    agent = here.staff()
    first = agent.get(f"/lieux/{here.site}").text
    link = re.search(r'href="(/lieux/[^"]*after=\d+)"', first)
    assert link is not None
    second = agent.get(html.unescape(link[1])).text
    codes = [set(re.findall(r"code=([A-Z0-9]{3}-[A-Z0-9]{3})", page)) for page in (first, second)]

    assert (len(codes[0]), len(codes[1]), len(codes[0] | codes[1])) == (100, 20, 120)


def test_r28_a_site_that_does_not_answer_is_shown_as_silent_and_blocks_nothing(here: Office) -> None:
    agent = here.staff()
    overview, silent = agent.get("/"), agent.get(f"/lieux/{here.silent_site}")
    device = agent.get("/appareil?code=K7F-2QD")

    assert words(overview.text).count("Ne répond pas") == 1
    assert (here.value("console_sites_silent"), here.value("console_visits")) == (1, 1)
    assert "En marche" in words(overview.text)
    assert (silent.status_code, "Ne répond pas" in words(silent.text)) == (200, True)
    assert "Sans réponse :" in words(device.text)


def test_r28_many_sites_that_hang_take_no_turn_of_one_that_answers(here: Office) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=128) as mute, ThreadPoolExecutor() as staff:
        living = here.hall.sites.known[here.site]
        hanging = [replace(living, name=f"site-{n}", port=mute.getsockname()[1]) for n in range(30)]
        sites = Sites([*hanging, living], here.folder / "site.ca", TOKEN)
        overview = staff.submit(sites.everywhere, "/v1/site")
        begun = [mute.accept()[0] for _ in range(8)]
        asked = sites.ask(here.site, "/v1/site")
        found = overview.result()
        sites.close()
        for one in begun:
            one.close()

    assert asked["sessions"] is not None
    assert ([name for name, _ in answers(found)], len(silent(found))) == ([here.site], 30)


def test_an_order_to_a_silent_site_says_so_and_keeps_what_was_written(here: Office) -> None:
    agent = here.staff()
    answer = agent.post(
        f"/lieux/{here.silent_site}/ordres", kind="banner", minutes="5", why="essai", fr="Un texte", en="A text"
    )

    assert answer.status_code == 400
    assert "Le lieu ne répond pas" in words(answer.text)
    assert here.entries()[0]["how"] == "the site is silent"


def test_a_banner_given_in_the_console_is_on_the_residents_page(here: Office) -> None:
    agent, anna = here.staff(), here.house.visitor()
    agent.post(
        f"/lieux/{here.site}/ordres",
        kind="banner",
        minutes="60",
        why="CGU-11",
        fr="Hameçonnage !",
        en="Phishing",
    )

    assert "Hameçonnage\u202f!" in anna.get("/fr/").text
    assert "Phishing" in anna.get("/en/").text


def test_an_order_is_ended_from_its_page(here: Office) -> None:
    agent = here.staff()
    agent.post(f"/lieux/{here.site}/ordres", kind="open-door", minutes="2", why="panne")
    page = agent.get(f"/lieux/{here.site}").text
    opened = here.house.gateway.status().open
    number = here.house.directives.standing()[0].number
    agent.post(f"/lieux/{here.site}/ordres/{number}/fin", kind="open-door", why="réparé")

    assert (opened, "encore 2 min" in words(page)) == (120, True)
    assert (here.house.gateway.status().open, here.house.directives.standing()) == (0, ())


def test_an_order_is_not_ended_under_another_kinds_name(here: Office) -> None:
    """Who may end a banner may not, by its name, end what only others may."""
    agent = here.staff()
    agent.post(f"/lieux/{here.site}/ordres", kind="closed", minutes="5", why="panne")
    number = here.house.directives.standing()[0].number
    answer = agent.post(f"/lieux/{here.site}/ordres/{number}/fin", kind="banner", why="réparé")

    assert answer.status_code == 400
    assert here.house.directives.latest(Kind.CLOSED) is not None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"why": ""}, "Il manque : la raison"),
        ({"why": "x" * 301}, "Trop long"),
        ({"why": "appareil 02:00:00:00:00:0a"}, "ni adresse MAC ni adresse IP"),
        ({"why": "depuis 10.11.0.5"}, "ni adresse MAC ni adresse IP"),
        ({"minutes": "0"}, "La durée va de 1 à 240 minutes"),
        ({"minutes": "241"}, "La durée va de 1 à 240 minutes"),
        ({"minutes": "x"}, "La durée va de 1 à 240 minutes"),
        ({"minutes": ""}, "La durée va de 1 à 240 minutes"),
    ],
)
def test_a_form_that_is_not_right_is_refused_in_words_before_anything_happens(
    here: Office, change: dict[str, str], says: str
) -> None:
    agent = here.staff()
    count = here.hall.audit.verify()[0]
    form = {"kind": "open-door", "minutes": "5", "why": "essai", **change}
    answer = agent.post(f"/lieux/{here.site}/ordres", **form)

    assert (answer.status_code, says in words(answer.text)) == (400, True)
    assert here.house.directives.standing() == ()
    assert here.hall.audit.verify()[0] == count


@pytest.mark.parametrize("minutes", ["1", "240"])
def test_the_shortest_and_the_longest_order_are_taken(here: Office, minutes: str) -> None:
    here.staff().post(f"/lieux/{here.site}/ordres", kind="open-door", minutes=minutes, why="essai")

    assert [order.seconds for order in here.house.directives.standing()] == [int(minutes) * 60]


def test_figures_of_all_sites_name_nobody(here: Office) -> None:
    here.house.visitor().accepts()
    page = here.staff(Role.DPO).get("/chiffres").text

    assert "Acceptations en 30 jours : 1" in words(page)
    assert ANNA.text not in page
    assert here.house.timeline.code(ANNA) not in page


@pytest.mark.parametrize("name", ["nowhere", "..", "%2e%2e"])
def test_a_site_there_is_not_is_not_found(here: Office, name: str) -> None:
    assert here.staff().get(f"/lieux/{name}").status_code == 404


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "PATCH"])
def test_other_methods_do_nothing(here: Office, method: str) -> None:
    agent = here.staff()
    answer = agent.client.open("/", method=method, base_url="https://console.example")

    assert answer.status_code in {403, 405}


def test_pages_are_closed_to_scripts_frames_and_other_hosts(here: Office) -> None:
    answer = here.staff().get("/")
    policy = answer.headers["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert "<script" not in answer.text
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", answer.text)
