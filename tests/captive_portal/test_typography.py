"""French typography: no line of a page begins with a colon, a mark of exclamation or the end of a quotation."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from house import House
from served import LOOKS, Look, Served
from staff import Office, forms

from captive_portal.console.roles import Role
from captive_portal.page_facts import page_facts
from captive_portal.redirects import answers
from captive_portal.typography import spaced
from captive_portal.web.terms import render
from parvis.inventory import DEMO_TOWN, Town, load

PLAIN = re.compile(r"[^ <>]* [:;!?»%](?=[\s<).,»]|$)|« [^ <]*")
"""A plain space where French has one that does not break."""
OURS = {"title": "Gymnase : « Le stade »", "news": "Attention ! Où ? Ici ; 5 % de places : « peu »."}
VISITED = ("fr", "ar")
"""In the others French stands only where Arabic has it too: what the town has written in no other language."""


def breakable(page: str) -> list[str]:
    return PLAIN.findall(re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A house whose town writes with plain spaces everywhere. Nobody listens."""
    folder = tmp_path_factory.mktemp("served")
    house = House(load(DEMO_TOWN), folder)
    for name, text in OURS.items():
        object.__setattr__(house.facts, name, {"fr": text})
    with house.doorkeeper:
        yield Served(house, folder)


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
def test_no_page_breaks_a_line_before_a_sign(served: Served, look: Look) -> None:
    with served.looking(look):
        pages = {
            language: served.house.visitor("127.0.0.1", None).get(f"/{language}/{look.path}").text
            for language in VISITED
        }

    assert {language: breakable(page) for language, page in pages.items()} == {"fr": [], "ar": []}
    assert "Gymnase\u00a0: «\u00a0Le stade\u00a0»" in pages["fr"]


def test_the_words_of_the_law_of_the_audit_and_of_port_80_are_set_like_that_too(town: Town) -> None:
    facts = page_facts(town, town.sites[0])
    text = (Path(str(DEMO_TOWN)).parents[1] / "captive_portal/terms/2.0.0.fr.html").read_text("utf-8")

    assert breakable(text) != []
    assert breakable(render(text, facts, "fr")) == []
    assert [
        found for page in answers("https://wifi.cachan.example/").values() for found in breakable(page.decode())
    ] == []


def test_what_staff_read_is_set_like_that_too(here: Office) -> None:
    here.house.visitor().accepts()
    pages = []
    for role in (Role.TECHNICIAN, Role.DPO):
        somebody = here.staff(role)
        pages += [somebody.get(path).text for path, form in forms(here).values() if not form]

    assert len(pages) == 10
    assert [found for page in pages for found in breakable(page)] == []


def test_only_what_french_sets_apart_is_touched() -> None:
    untouched = (
        "Help: 12:30; yes! no? 5%", "a:hover{color:red}", "«\u00a0déjà\u00a0»", "x = a ?b", "https://x.example/?a=1",
        "%(rate)s %(unit)s", " : au début", '<a href="/fr/" class="b">c</a>',
    )  # fmt: skip

    assert [spaced(text) for text in untouched] == list(untouched)
