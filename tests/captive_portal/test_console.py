"""The staff console: who comes in, who may do what, what staff see and order, what is written down."""

import html
import json
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pyotp
import pytest
from house import ANNA
from staff import PASSWORD, Office, Staff, office

from captive_portal.console.hall import COOKIE
from captive_portal.console.pages import PAGES
from captive_portal.console.roles import MAY, Action, Role
from captive_portal.console.verdict import WORDS
from captive_portal.console.visits import ABSOLUTE_SECONDS, IDLE_SECONDS
from captive_portal.directives import Kind
from parvis.addresses import MacAddress
from parvis.inventory import Town

ROOM = Path(__file__).parents[2] / "captive_portal/console"


@pytest.fixture
def here(town: Town, tmp_path: Path) -> Iterator[Office]:
    with office(town, tmp_path) as made:
        yield made


def words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


# --- coming in


def test_nobody_sees_a_page_without_signing_in(here: Office) -> None:
    stranger = here.anybody()
    for method, rule in PAGES:
        path = rule.replace("<name>", here.site).replace("<code>", "K7F-2QD").replace("<int:number>", "1")
        answer = stranger.client.open(path, method=method, base_url="https://console.example")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/entrer")


def test_a_session_cookie_is_for_our_own_pages_over_tls_and_no_script(here: Office) -> None:
    somebody = here.staff()
    cookie = somebody.client.get_cookie(COOKIE, domain="console.example")

    assert cookie is not None
    assert (cookie.secure, cookie.http_only, cookie.same_site, cookie.path) == (True, True, "Strict", "/")
    assert cookie.key.startswith("__Host-")


@pytest.mark.parametrize(
    ("password", "code", "name"),
    [("wrong password here", None, None), (PASSWORD, "000000", None), (PASSWORD, "", None), (PASSWORD, None, "nobody")],
)
def test_a_wrong_word_says_only_that_something_is_wrong(
    here: Office, password: str, code: str | None, name: str | None
) -> None:
    made = here.hall.accounts.add("agent", Role.READER, PASSWORD)
    answer = Staff(here, here.app.test_client(), "agent", made.totp).signs_in(password, code, name)

    assert answer.status_code == 403
    assert "Nom, mot de passe ou code incorrect" in words(answer.text)
    assert here.value("console_sign_ins_total", result="refused") == 1


def test_a_code_counts_once_even_from_two_places(here: Office) -> None:
    made = here.hall.accounts.add("agent", Role.READER, PASSWORD)
    first, second = (Staff(here, here.app.test_client(), "agent", made.totp) for _ in range(2))

    assert first.signs_in().status_code == 303
    assert second.signs_in().status_code == 403
    here.house.clock.passes(30)
    assert second.signs_in().status_code == 303


@pytest.mark.parametrize(("steps", "status"), [(-2, 403), (-1, 303), (0, 303), (1, 303), (2, 403)])
def test_a_phones_clock_may_be_half_a_minute_off(here: Office, steps: int, status: int) -> None:
    made = here.hall.accounts.add("agent", Role.READER, PASSWORD)
    code = pyotp.TOTP(made.totp).at(int(here.house.clock.wall) + 30 * steps)

    assert Staff(here, here.app.test_client(), "agent", made.totp).signs_in(code=code).status_code == status


def test_who_guesses_is_slowed_down_even_with_the_right_words_then(here: Office) -> None:
    made = here.hall.accounts.add("agent", Role.READER, PASSWORD)
    agent = Staff(here, here.app.test_client(), "agent", made.totp)
    guesses = [agent.signs_in("not the password").status_code for _ in range(5)]
    right = agent.signs_in()
    here.house.clock.passes(900)

    assert guesses == [403] * 5
    assert (right.status_code, "réessayez dans 15 min" in words(right.text)) == (429, True)
    assert agent.signs_in().status_code == 303


def test_an_address_that_tries_many_names_is_slowed_down(here: Office) -> None:
    stranger = here.anybody()
    tried = [stranger.signs_in(name=f"name{n}").status_code for n in range(21)]

    assert tried == [403] * 20 + [429]


def test_a_sign_in_form_from_elsewhere_is_refused(here: Office) -> None:
    made = here.hall.accounts.add("agent", Role.READER, PASSWORD)
    agent = Staff(here, here.app.test_client(), "agent", made.totp)
    data = {"name": "agent", "password": PASSWORD, "code": pyotp.TOTP(made.totp).at(int(here.house.clock.wall))}
    answer = agent.client.post("/entrer", data={**data, "token": "x" * 43}, base_url="https://console.example")

    assert answer.status_code == 400


def test_a_visit_ends_when_idle_and_after_a_working_day(here: Office) -> None:
    agent = here.staff()
    here.house.clock.passes(IDLE_SECONDS - 1)
    kept = agent.get("/").status_code
    here.house.clock.passes(IDLE_SECONDS + 1)
    idle = agent.get("/").status_code
    agent.signs_in()
    for _ in range(int(ABSOLUTE_SECONDS // 600) + 1):
        here.house.clock.passes(600)
        last = agent.get("/").status_code

    assert (kept, idle, last) == (200, 303, 303)


def test_signing_out_ends_the_visit_for_whoever_kept_the_cookie(here: Office) -> None:
    agent = here.staff()
    kept = agent.client.get_cookie(COOKIE, domain="console.example")
    agent.post("/sortir")
    thief = here.app.test_client()
    assert kept is not None
    thief.set_cookie(COOKIE, kept.value, domain="console.example", secure=True)

    assert thief.get("/", base_url="https://console.example").status_code == 303


@pytest.mark.parametrize("change", ["disable", "reset"])
def test_an_account_that_is_disabled_or_reset_is_out_at_once(here: Office, change: str) -> None:
    agent = here.staff()
    accounts = here.hall.accounts
    if change == "disable":
        accounts.disable(agent.name)
    else:
        accounts.reset(agent.name, "another long password")

    assert agent.get("/").status_code == 303
    assert agent.signs_in().status_code == 403


# --- who may do what


def forms(here: Office) -> dict[Action, tuple[str, dict[str, str]]]:
    """For each action a post or a page that does it."""
    code = here.house.timeline.code(ANNA)
    site = f"/lieux/{here.site}"
    order = {"minutes": "5", "why": "essai"}
    return {
        Action.OVERVIEW: ("/", {}),
        Action.SESSIONS: (site, {}),
        Action.DEVICE: (f"/appareil?code={code}", {}),
        Action.FIGURES: ("/chiffres", {}),
        Action.AUDIT: ("/journal", {}),
        Action.DISCONNECT: (f"{site}/appareils/{code}/deconnecter", {"why": "essai"}),
        Action.BLOCK: (f"{site}/appareils/{code}/bloquer", order),
        Action.BANNER: (f"{site}/ordres", {**order, "kind": "banner", "fr": "Un", "en": "One"}),
        Action.CLOSE: (f"{site}/ordres", {**order, "kind": "closed"}),
        Action.OPEN_DOOR: (f"{site}/ordres", {**order, "kind": "open-door"}),
        Action.DISCONNECT_ALL: (f"{site}/deconnecter-tous", {"why": "essai"}),
    }


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


# --- what staff see and do


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
    assert "Ne répondent pas" in words(device.text)


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

    assert "Hameçonnage !" in anna.get("/fr/").text
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


def test_figures_of_all_sites_name_nobody(here: Office) -> None:
    here.house.visitor().accepts()
    page = here.staff(Role.DPO).get("/chiffres").text

    assert "1 acceptations en 30 jours" in words(page)
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


# --- what is written down


def test_f59_who_did_what_where_and_why_is_written(here: Office) -> None:
    here.house.visitor().accepts()
    code = here.house.timeline.code(ANNA)
    agent = here.staff()
    agent.post(f"/lieux/{here.site}/appareils/{code}/bloquer", minutes="5", why="abus signalé")
    last = here.entries()[0]

    assert {key: last[key] for key in ("who", "role", "did", "site", "about", "why", "how")} == {
        "who": "technician",
        "role": "technician",
        "did": "block",
        "site": here.site,
        "about": code,
        "why": "abus signalé",
        "how": "",
    }
    assert [entry["did"] for entry in here.entries()] == ["block", "sign-in"]


def test_f59_what_a_role_does_not_allow_is_written_too(here: Office) -> None:
    reader = here.staff(Role.READER)
    reader.post(f"/lieux/{here.site}/ordres", kind="closed", minutes="5", why="essai")

    assert (here.entries()[0]["did"], here.entries()[0]["how"]) == ("close", "forbidden")


def test_f59_nothing_is_done_when_it_cannot_be_written(here: Office) -> None:
    here.house.visitor().accepts()
    agent = here.staff()
    path, data = forms(here)[Action.DISCONNECT]
    token = re.findall(r'name="token" value="([^"]+)"', agent.get("/").text)[0]
    here.hall.audit._folder = here.folder / "not" / "there"
    answer = agent.post(path, token=token, **data)

    assert (answer.status_code, "rien n'a été fait" in words(answer.text)) == (503, True)
    assert ANNA in here.house.gateway.admitted()


def test_f59_the_log_is_read_by_the_dpo_and_a_changed_line_is_seen(here: Office) -> None:
    here.staff().post(f"/lieux/{here.site}/ordres", kind="closed", minutes="5", why="inondation")
    dpo = here.staff(Role.DPO)
    whole = dpo.get("/journal").text
    (path,) = here.audit_folder().iterdir()
    path.write_text(path.read_text("utf-8").replace("inondation", "essai"), "utf-8")
    broken = dpo.get("/journal").text

    assert "inondation" in whole
    assert "La chaîne est entière" in words(whole)
    assert "La chaîne du journal est rompue" in words(broken)


def test_f59_no_address_of_a_device_is_ever_written(here: Office) -> None:
    here.house.visitor().accepts()
    code = here.house.timeline.code(ANNA)
    admin = here.staff(Role.ADMINISTRATOR)
    for path, data in forms(here).values():
        if data:
            admin.post(path, **{**data, "why": "essai 02:00:00:00:00:0a"})
            admin.post(path, **data)
    (path,) = here.audit_folder().iterdir()
    written = path.read_text("utf-8")

    assert code in written
    assert not re.search(r"02:00:00|10\.11\.", written)
    assert all(json.loads(line)["before"] for line in written.splitlines())


# --- the two languages


def said_in_french() -> set[str]:
    from babel.messages.extract import extract_from_dir  # noqa: PLC0415

    found = extract_from_dir(str(ROOM / "templates"), [("**.html", "jinja2")])
    texts = {message for _, _, message, *_ in found if isinstance(message, str)}
    for path in ROOM.glob("*.py"):
        texts |= set(re.findall(r'\bsay\(\s*"([^"]+)"', path.read_text("utf-8")))
    return texts | {text for pair in WORDS.values() for text in pair}


def test_every_text_of_the_console_has_an_english_one_with_the_same_facts() -> None:
    english = json.loads((ROOM / "english.json").read_text("utf-8"))

    assert said_in_french() == set(english)
    for french, text in english.items():
        assert sorted(re.findall(r"%\(\w+\)s", french)) == sorted(re.findall(r"%\(\w+\)s", text)), french


def test_the_language_is_kept_for_the_visit(here: Office) -> None:
    agent = here.staff()
    agent.get("/?langue=en")

    assert '<html lang="en">' in agent.get("/").text
    assert "Each site, now" in agent.get("/").text
    assert '<html lang="fr">' in agent.get("/?langue=fr").text


def test_a_code_typed_badly_is_explained(here: Office) -> None:
    answer = here.staff().get("/appareil?code=%3Cscript%3E")

    assert (answer.status_code, "comme K7F-2QD" in words(answer.text)) == (400, True)
    assert "<script>" not in answer.text
    assert BytesIO(answer.data).read()
