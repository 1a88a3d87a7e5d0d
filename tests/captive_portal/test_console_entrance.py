"""Who comes into the staff console, how, and for how long."""

import pyotp
import pytest
from staff import PASSWORD, Office, Staff, words

from captive_portal.console.hall import COOKIE
from captive_portal.console.pages import PAGES
from captive_portal.console.roles import Role
from captive_portal.console.visits import ABSOLUTE_SECONDS, IDLE_SECONDS


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


def test_sec03_a_code_counts_once_even_from_two_places(here: Office) -> None:
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
