"""The wall: what it says, in two languages, to anyone, without script and without asking anybody else."""

import re
import time
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from monitor_actors import Desk, Listener, alert

from monitor.collectors import Heard
from monitor.observations import Sample
from monitor.rota import on_call
from monitor.sites import views
from monitor.watch import Picture
from monitor.web.wall import MAX_ALERTS
from monitor.web.words import words
from parvis.inventory import Town, load
from tests_support import Edit

VOID = {"meta", "link", "br", "path", "circle", "rect"}


class Strict(HTMLParser):
    """Reads a page; every tag must be closed in order and every id used once."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.asked: list[str] = []
        self.headings: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.ids += [str(known["id"])] if "id" in known else []
        self.asked += [str(known[key]) for key in ("src", "href") if known.get(key)]
        self.headings += [int(tag[1])] if re.fullmatch(r"h\d", tag) else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def read(page: str) -> Strict:
    reader = Strict()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def show(desk: Desk, listener: Listener, samples: tuple[Sample, ...] = (), *, wrong: str = "") -> None:
    at = time.time()
    found = views(listener.town, listener.findings, samples)
    desk.watch.picture = Picture(at, listener.findings, found, Heard(at, samples, wrong))


@pytest.fixture
def cut(desk: Desk, listener: Listener) -> Desk:
    """Everything answers but one site's uplink and what stands behind it, and one access point elsewhere."""
    behind = ["gw-lagrange", "sw-lagrange", "ap-lagrange-gymnase", "ap-lagrange-tribune"]
    listener.now = time.time() - 120
    listener.hears(2).hears(3, silent=["fibre-lagrange", *behind, "ap-msp-etage"])
    show(desk, listener, (Sample("ap-biblio-adultes", up=True, succeeded_at=time.time() - 12, clients=7),))
    return desk


def test_the_root_leads_to_the_wall(desk: Desk) -> None:
    assert desk.client.get("/").location == "/wall"


def test_each_state_is_told_in_a_word_and_a_shape_worst_site_first(cut: Desk) -> None:
    page = cut.client.get("/wall").text
    titles = re.findall(r"<h3><a [^>]*>(.*?)</a></h3><p class=\"word\">(.*?)</p>", page)

    assert titles == [
        ("Complexe sportif Léo-Lagrange", "En panne"),
        ("Maison des services publics", "Perturbé"),
        ("Bibliothèque centrale", "En service"),
        ("Service Relation Citoyen", "En service"),
    ]
    shapes = {re.sub(r"\s+", " ", shape) for shape in re.findall(r'<svg class="shape".*?</svg>', page, re.DOTALL)}
    assert len(shapes) == 3, "one drawing for each state"


def test_the_wall_speaks_french_first_and_english_when_asked(cut: Desk) -> None:
    french, english = cut.client.get("/wall").text, cut.client.get("/wall?lang=en").text

    assert '<html lang="fr" class="wall">' in french
    assert "Le lien fibre est coupé." in french
    assert '<html lang="en" class="wall">' in english
    assert "The fibre uplink is cut." in english
    assert 'href="/wall?lang=en" hreflang="en"' in french
    assert 'href="/wall" hreflang="fr"' in english


def test_the_devices_behind_the_cut_are_counted_not_accused(cut: Desk) -> None:
    page = cut.client.get("/wall").text

    assert "fibre-lagrange</strong>, ne répond pas" in page
    assert "4 équipements injoignables derrière" in page
    assert "ap-lagrange-gymnase" not in page


@pytest.mark.parametrize(
    ("until", "said"),
    [
        ("until: 2020-02-29, ", "la dérogation a pris fin le 29/02/2020"),
        ("", "ap-lagrange-gymnase est interrogé en clair (SNMPv2c), sans date de fin."),
        ("until: 9999-12-31, ", ""),
    ],
)
def test_sec06_a_device_asked_in_clear_text_beyond_its_exception_is_red_on_the_wall(
    town_folder: Path, edit: Edit, tmp_path: Path, until: str, said: str
) -> None:
    edit("town.yml", "until: 2027-12-31, ", until)

    page = Desk(load(town_folder), tmp_path).client.get("/wall").text

    red = re.findall(r'<p class="notice overdue" role="status">(.*?)</p>', page)
    assert [said in words for words in red] == ([True] if said else [])


def test_clients_have_an_age_and_unknown_is_not_zero(cut: Desk) -> None:
    sites = {site["site"]: site for site in cut.client.get("/wall.json").json["sites"]}

    assert sites["bibliotheque-centrale"]["clients"] == 7
    data = sites["bibliotheque-centrale"]["data"]
    assert 12 <= data["age_seconds"] < 60
    assert data["words"] == f"il y a {int(data['age_seconds'])} s"
    assert data["late"] is False
    assert sites["leo-lagrange"]["clients"] is None
    assert sites["leo-lagrange"]["data"] == {"age_seconds": None, "words": "aucune donnée", "late": True}
    assert "inconnu</dd>" in cut.client.get("/wall").text


def test_late_figures_are_marked_in_words_too(desk: Desk, listener: Listener) -> None:
    old = Sample("ap-biblio-adultes", up=True, succeeded_at=time.time() - 200, clients=7)
    show(desk, listener.hears(2), (old,))

    assert '<dd class="late">il y a 3 min · en retard</dd>' in desk.client.get("/wall").text


def test_a_monitor_that_stopped_measuring_claims_nothing(cut: Desk) -> None:
    picture = cut.watch.picture
    cut.watch.picture = Picture(picture.at - 60, picture.findings, picture.sites, picture.heard)
    wall = cut.client.get("/wall.json").json

    assert {site["state"] for site in wall["sites"]} == {"unknown"}
    assert wall["measured"]["late"] is True


def test_before_the_first_round_the_wall_says_so(desk: Desk) -> None:
    answer = desk.client.get("/wall")

    assert answer.status_code == 200
    assert "Première mesure en cours." in answer.text


def test_silent_collectors_are_announced(desk: Desk, listener: Listener) -> None:
    show(desk, listener.hears(2), wrong="refused")

    assert "Les collecteurs ne répondent pas" in desk.client.get("/wall").text


def test_an_isolated_monitor_is_announced(desk: Desk, listener: Listener) -> None:
    show(desk, listener.hears_nothing_at_all(3))

    assert "aucun site n&#39;est accusé" in desk.client.get("/wall").text


def test_who_is_on_call_until_when_without_a_number(cut: Desk, town: Town) -> None:
    page = cut.client.get("/wall").text
    turn = on_call(town, datetime.now(UTC))

    assert turn.person.title.replace("'", "&#39;") in page
    assert turn.ends.isoformat() in page
    assert not any(person.phone in page or person.email in page for person in town.people)


def test_open_alerts_say_who_was_called(cut: Desk, town: Town) -> None:
    cut.messenger.tells(
        alert("LienCoupe"), alert("BorneMuette", severity="ticket", layer="ap", site="bibliotheque-centrale")
    )
    page = cut.client.get("/wall").text

    assert f"Appel : {on_call(town, datetime.now(UTC)).person.title}".replace("'", "&#39;") in page
    assert "Personne n&#39;est appelé" in page
    assert "LienCoupe !" in page


def test_what_comes_from_outside_is_text(cut: Desk) -> None:
    nasty = '"><script>alert(1)</script>{{ 7 * 7 }}'
    texts = {"summary": nasty, "impact": nasty, "runbook_url": "javascript:alert(1)"}
    cut.messenger.tells(alert(nasty, annotations=texts, severity=nasty, site=nasty))
    page = cut.client.get("/wall").text

    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "{{ 7 * 7 }}" in page
    assert 'href="javascript' not in page
    read(page)


@pytest.mark.parametrize("path", ["/wall", "/wall?lang=en"])
def test_the_page_is_well_formed_and_asks_nobody_else(cut: Desk, path: str) -> None:
    cut.messenger.tells(alert("LienCoupe"))
    page = cut.client.get(path).text
    reader = read(page)

    assert len(reader.ids) == len(set(reader.ids))
    assert all(link.startswith(("/wall", "/oncall", "/incidents/", "/sites/", "#", "data:,")) for link in reader.asked)
    assert reader.headings[0] == 1
    assert all(later - earlier <= 1 for earlier, later in zip(reader.headings, reader.headings[1:], strict=False))
    assert "maximum-scale" not in page
    assert page.count("<main>") == 1


@pytest.mark.parametrize("path", ["/", "/wall", "/wall.json", "/wall.css", "/nowhere"])
def test_every_answer_carries_the_guards(desk: Desk, path: str) -> None:
    headers = desk.client.get(path).headers

    assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in headers


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("POST", "/wall", 405)])
def test_an_error_is_a_sentence(desk: Desk, method: str, path: str, status: int) -> None:
    answer = desk.client.open(path, method=method)

    assert (answer.status_code, answer.mimetype) == (status, "text/plain")


def test_a_page_that_fails_says_so_without_its_insides(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.web.app.wall", lambda *_parts: 1 / 0)
    answer = desk.client.get("/wall")

    assert answer.status_code == 500
    assert answer.text == "La page n'a pas pu être faite ; le journal dit pourquoi.\n"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.text(max_size=30))
def test_any_language_asked_for_gives_a_page(desk: Desk, lang: str) -> None:
    assert desk.client.get("/wall", query_string={"lang": lang}).status_code == 200


def test_every_word_is_in_both_languages_and_fills_in_the_same_names() -> None:
    for key, text in words().items():
        assert set(re.findall(r"{(\w+)}", text.fr)) == set(re.findall(r"{(\w+)}", text.en)), key


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [0, 1], ids=["dark", "light"])
def test_every_text_colour_stands_out_from_every_ground(theme: int) -> None:
    """WCAG 2.1 criterion 1.4.3: at least 4.5."""
    css = (files("monitor.web") / "wall.css").read_text("utf-8").split("prefers-color-scheme: light")[theme]
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", css))
    for ground in ("ground", "panel"):
        for ink in ("text", "soft", "up", "degraded", "down", "unknown", "focus"):
            lighter, darker = sorted((luminance(colours[ground]), luminance(colours[ink])), reverse=True)
            assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (ground, ink)


def test_a_monitor_that_stands_still_shows_nothing_of_what_it_knew(cut: Desk) -> None:
    cut.watch.picture = replace(cut.watch.picture, at=time.time() - 4000)
    page = cut.client.get("/wall").text

    assert "La supervision ne mesure plus : rien de ce qui suit n&#39;est sûr." in page
    assert "Aucune alerte connue, mais la supervision n&#39;est pas entière : voir en haut." in page
    for old in ("10,0 ms", "1 / 2", "2 / 2", "ne répond pas", "depuis 2 min"):
        assert old not in page, old
    assert cut.client.get("/wall.json").json["sites"][0]["points_up"] is None


def test_without_prometheus_the_absence_of_alerts_proves_nothing(cut: Desk) -> None:
    assert "Aucune alerte connue, mais" in cut.client.get("/wall").text
    cut.messenger.beats()
    assert "Aucune alerte ouverte." in cut.client.get("/wall").text


@pytest.mark.parametrize(("lang", "said"), [("fr", "et 1 autre<"), ("en", "and 1 more<")])
def test_the_wall_counts_its_incidents_shows_the_gravest_and_says_where_the_others_are(
    cut: Desk, lang: str, said: str
) -> None:
    for n in range(MAX_ALERTS + 1):
        grave = "ticket" if n == 0 else "page"
        cut.messenger.tells(alert("LienCoupe", site=f"place-{n}", fingerprint=f"{n:04x}", severity=grave))
    page = cut.client.get(f"/wall?lang={lang}").text

    assert f"<span>{MAX_ALERTS + 1}</span></h2>" in page
    assert said in page
    assert len(cut.client.get("/wall.json").json["alerts"]) == MAX_ALERTS + 1
    assert 'class="alert ticket"' not in page


def test_one_of_a_thing_is_not_told_as_many(cut: Desk, listener: Listener) -> None:
    listener.hears(3, silent=["sw-lagrange", "ap-lagrange-tribune"])
    show(cut, listener)
    page = cut.client.get("/wall").text

    assert "1 équipement injoignable derrière" in page
    assert "(s)" not in page


def test_when_is_told_with_its_article(cut: Desk) -> None:
    cut.messenger.tells(alert("LienCoupe"))

    assert re.search(r"depuis le (lun|mar|mer|jeu|ven|sam|dim)\. ", cut.client.get("/wall").text)


def test_a_town_without_sites_is_told_in_words(cut: Desk) -> None:
    cut.watch.picture = replace(cut.watch.picture, sites=[])

    assert "Aucun site à montrer." in cut.client.get("/wall").text
