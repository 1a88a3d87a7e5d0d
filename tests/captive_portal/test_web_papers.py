"""What the pages say: by law, by the town, in plain words; and what they never ask."""

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path

import html5lib
import pytest
from babel.support import Translations
from house import ANNA, House, Visitor
from page_faults import ill_made

from captive_portal import branding
from captive_portal.accessibility import CRITERIA, BadAudit, conformity, outdated, parse
from captive_portal.directives import Kind, Order
from captive_portal.page_facts import page_facts
from captive_portal.standing import WELCOME, Refusal, Standing
from captive_portal.web.notice import Unsaid, fields
from captive_portal.web.terms import CLAUSES, terms
from parvis.inventory import DEMO_TOWN, Town, load
from parvis.languages import LANGUAGES
from tests_support import copy_town

PAPERS = ("cgu", "cgu/1.0.0", "donnees", "mentions", "aide", "ici", "facile", "accessibilite", "eco-conception",
          "affiche", "mes-donnees", "goodbye", "nulle-part", "")  # fmt: skip


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(load(DEMO_TOWN), tmp_path_factory.mktemp("house"))
    with made.doorkeeper:
        yield made


@pytest.fixture
def anna(house: House) -> Iterator[Visitor]:
    found = house.visitor()
    yield found
    house.stands = WELCOME
    if house.gateway.admitted():
        found.leaves()
    house.ends_orders()


def words(html: str) -> str:
    """The text of the page's main part."""
    main = html.partition("<main")[2].partition("</main>")[0].partition(">")[2]
    text = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", main, flags=re.DOTALL)
    return re.sub(r"\s+", " ", text.replace("&#39;", "'")).strip()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_valid_html_with_a_title_of_its_own(anna: Visitor, language: str) -> None:
    """ACC-02, ACC-03: html5lib's strict parser finds no error."""
    titles = []
    for paper in PAPERS:
        html = anna.get(f"/{language}/{paper}").text
        html5lib.HTMLParser(strict=True).parse(html)
        ids = re.findall(r'\bid="([^"]+)"', html)
        assert len(ids) == len(set(ids)), paper
        levels = [int(level) for level in re.findall(r"<h(\d)", html)]
        assert levels[0] == 1, paper
        assert all(below - above <= 1 for above, below in pairwise(levels)), paper
        titles.append(re.findall(r"<title>(.*?)</title>", html)[0])
    assert len(set(titles)) == len(PAPERS) - 1, "the archived terms share the name of those in force"


@pytest.mark.parametrize("language", LANGUAGES)
def test_sec17_every_page_is_small_whole_and_well_made(anna: Visitor, language: str) -> None:
    found = {name: ill_made(anna.get(f"/{language}/{name}"), language) for name in PAPERS if name != "nulle-part"}

    assert {name: wrong for name, wrong in found.items() if wrong} == {}
    assert len(found) == len(PAPERS) - 1


def test_the_page_without_a_language_in_its_address_is_as_well_made(anna: Visitor) -> None:
    assert ill_made(anna.get("/"), "fr") == []


REASONS = {
    Refusal.CLOSED_HOURS: ("fermé à cette heure", "Réouverture : demain à 08:00", "mardi, jeudi et vendredi"),
    Refusal.CLOSED_BY_STAFF: ("fermé pour le moment", "Réouverture : demain à 08:00", "n'y est pour rien"),
    Refusal.FULL: ("places sont prises", "Réessayez dans quelques minutes", ""),
    Refusal.BLOCKED: ("accès de cet appareil est suspendu", "Fin de la suspension : demain à 08:00", "contester"),
}


@pytest.mark.parametrize("refusal", Refusal)
def test_r57_who_is_refused_reads_why_until_when_and_what_to_do(house: House, anna: Visitor, refusal: Refusal) -> None:
    until = house.clock.wall + 16 * 3600 if refusal is not Refusal.FULL else None
    house.stands = Standing(refusal, until)

    answer = anna.get("/fr/")

    assert answer.status_code == 200
    assert all(said in words(answer.text) for said in REASONS[refusal])
    assert "<form" not in answer.text
    assert house.timeline.code(ANNA) in answer.text
    assert '<a class="button" href="/fr/"' in answer.text
    others = {words(anna.get(f"/{language}/").text) for language in LANGUAGES}
    assert len(others) == len(LANGUAGES)


def test_beyond_the_quota_the_page_says_slower_not_cut(house: House, anna: Visitor) -> None:
    anna.accepts()
    house.stands = Standing(bytes_left=1_500_000_000)
    assert "Données restantes\N{NO-BREAK SPACE}: 1,5\N{NO-BREAK SPACE}Go." in anna.get("/fr/status").text.replace(
        "\u202f", "\xa0"
    )
    house.stands = Standing(slowed=True, bytes_left=0)

    page = words(anna.get("/fr/status").text)
    assert "Rien n'est coupé" in page
    assert "Données restantes" not in page


def test_r09_cgu14_nothing_is_asked_no_code_no_application_no_other_window(anna: Visitor) -> None:
    """CGU-14: no age, no telephone number, no postcode either."""
    anna.accepts()
    pages = [anna.get(f"/fr/{paper}").text for paper in (*PAPERS, "status")]
    anna.leaves()
    pages.append(anna.get("/fr/").text)

    for html in pages:
        inputs = re.findall(r"<(?:input|select|textarea)[^>]*>", html)
        assert all('type="hidden"' in field and 'name="token"' in field for field in inputs)
        links = re.findall(r'href="([a-z]+):', html)
        assert set(links) <= {"https", "tel", "sms", "mailto", "data"}
        assert "target=" not in html


CATALOGUES = Path(branding.__file__).parent / "web/translations"
CHANGE_NOTHING = (
    "Elle convient très bien : ne changez rien. Si votre appareil en prend une nouvelle, acceptez simplement une "
    "nouvelle fois."
)


def test_r55_nobody_is_asked_to_switch_off_the_random_address(anna: Visitor) -> None:
    for language in LANGUAGES:
        text = words(anna.get(f"/{language}/aide").text)
        asked = (
            "désactivez l'adresse",
            "disable",
            "turn off the private",
            "desactive la dirección",
            "关闭随机",
            "关闭私有",
        )
        assert not [words_ for words_ in asked if words_ in text.lower()]
        assert Translations.load(CATALOGUES, [language]).gettext(CHANGE_NOTHING) in text


def test_f18_the_status_page_with_a_way_out_is_the_first_page_of_who_is_online(anna: Visitor) -> None:
    anna.accepts()

    assert anna.get("/fr/").headers["Location"] == "/fr/status"
    page = anna.get("/fr/status").text
    assert 'action="/fr/leave"' in page
    assert 'action="/fr/extend"' in page


def test_f07_the_page_about_the_place_has_its_hours_services_and_numbers(anna: Visitor) -> None:
    page = words(anna.get("/fr/ici").text)

    assert "mardi, jeudi et vendredi : 14:00" in page
    assert "Bibliothèques" in page
    assert "15 Samu" in page


def test_f17_each_site_has_its_own_page(town: Town, tmp_path: Path) -> None:
    pages = []
    for position, site in enumerate(town.sites[:2]):
        folder = tmp_path / str(position)
        folder.mkdir()
        house = House(town.model_copy(update={"sites": (site,)}), folder)
        text = house.visitor().get("/fr/ici").text
        assert site.title.fr in text
        pages.append(words(text))
    assert pages[0] != pages[1]


def test_the_message_of_staff_is_read_in_the_pages_language_or_in_both(house: House, anna: Visitor) -> None:
    """CGU-11."""
    order = Order(Kind.BANNER, "agent", "hameçonnage", fr="De faux SMS circulent.", en="False messages are about.")
    house.directives.give(order, 3600)

    french, english, arabic = (anna.get(f"/{language}/").text for language in ("fr", "en", "ar"))

    assert "De faux SMS" in french
    assert "False messages" not in french
    assert "De faux SMS" not in english
    assert '<p lang="fr" dir="ltr">De faux SMS' in arabic
    assert '<p lang="en" dir="ltr">False messages' in arabic


def test_cgu03_the_first_layer_of_the_notice_is_short_and_the_rest_one_tap_away_without_internet(anna: Visitor) -> None:
    """CGU-03: at most 60 words on the first page."""
    page = anna.get("/fr/").text
    layer = re.findall(r'<p class="soft">(.*?)</p>', page, re.DOTALL)[0]

    assert len(re.sub(r"<[^>]+>", " ", layer).split()) <= 60
    assert 'href="/fr/donnees"' in layer


@pytest.mark.parametrize("language", LANGUAGES)
def test_cgu03_the_notice_says_everything_article_13_wants_in_every_language(anna: Visitor, language: str) -> None:
    page = anna.get(f"/{language}/donnees").text
    wanted = ("responsable", "dpo", "finalites", "categories", "source", "destinataires", "transferts", "decision",
              "obligation", "droits", "reclamation")  # fmt: skip
    for name in wanted:
        text = re.findall(rf'<dt id="{name}">.*?</dt>\s*<dd>(.*?)</dd>', page, re.DOTALL)
        assert text, name
        assert text[0].strip(), name
    assert "www.cnil.fr" in page


def test_cgu03_a_notice_with_an_empty_field_is_not_built(house: House) -> None:
    silent = replace(house.facts, email="", legal=None)

    with pytest.raises(Unsaid, match="dpo"):
        fields(silent, "fr", str)


def test_cgu05_my_data_are_those_of_my_device_now_and_nobody_elses(house: House, anna: Visitor) -> None:
    """CGU-05."""
    anna.accepts("en")
    ben = house.visitor("10.11.0.7", type(ANNA)("02:00:00:00:00:0b"))

    mine = json.loads(anna.get("/mes-donnees.json").data)
    assert (mine["mac"], mine["language"], mine["terms_version"]) == (ANNA.text, "en", "2.0.0")
    assert "boot" not in mine
    assert ANNA.text in anna.get("/fr/mes-donnees").text
    assert json.loads(ben.get("/mes-donnees.json").data) == {}
    assert ANNA.text not in ben.get("/fr/mes-donnees").text

    anna.leaves()
    assert json.loads(anna.get("/mes-donnees.json").data) == {}


def test_cgu04_a_poster_has_the_networks_name_the_law_and_a_code_that_leads_to_the_notice(anna: Visitor) -> None:
    """CGU-04."""
    page = anna.get("/fr/affiche").text

    assert "Cachan-WiFi" in page
    assert "conserver le sont un an" in page
    assert page.count("<path") >= 3
    assert "https://wifi.cachan.example/donnees" in page


SENTENCE = re.compile(r"[^.!?:]+[.!?:]")


def test_the_simplified_version_is_written_in_short_sentences(anna: Visitor) -> None:
    """ACC-21: at most 15 words a sentence, 10 on average; no double negation, no subordinate in a chain."""
    text = words(anna.get("/fr/facile").text)
    sentences = [sentence.strip() for sentence in SENTENCE.findall(text)]
    lengths = [len(sentence.split()) for sentence in sentences]

    assert len(sentences) > 20
    assert [s for s, length in zip(sentences, lengths, strict=True) if length > 15] == []
    assert sum(lengths) / len(lengths) <= 10
    assert not re.search(r"\b(ne|n')\b.*\b(ne|n')\b[^.]*\.", " ".join(s for s in sentences if " que " in s))
    assert all(word in text for word in ("Données", "Réseau"))


def test_a_page_is_packed_for_who_can_unpack_it(anna: Visitor) -> None:
    packed = anna.get("/fr/", Accept_Encoding="gzip, br")
    plain = anna.get("/fr/")

    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert len(packed.data) < len(plain.data) / 2
    assert words(gzip.decompress(packed.data).decode()) == words(plain.text)
    assert "Content-Encoding" not in plain.headers
    assert "Content-Encoding" not in anna.get("/fr/", Accept_Encoding="gzip;q=0").headers


def verdicts(met: int, failed: int) -> str:
    criteria = {str(n): "C" if n < met else "NC" if n < met + failed else "NA" for n in range(CRITERIA)}
    told = {"date": "2026-01-05", "auditor": "Atelier", "sample": ["Accueil"], "environment": ["NVDA"]}
    return json.dumps({**told, "criteria": criteria, "failures": ["Un contraste."] if failed else []})


def test_the_declaration_says_what_an_audit_found_and_not_compliant_without_one() -> None:
    """ACC-14."""
    today = date(2026, 6, 1)

    assert conformity(None, today) == "none"
    assert conformity(parse(verdicts(50, 0)), today) == "full"
    assert conformity(parse(verdicts(50, 1)), today) == "partial"
    assert conformity(parse(verdicts(10, 50)), today) == "none"
    assert conformity(parse(verdicts(50, 0)), date(2029, 1, 5)) == "none"
    assert outdated(parse(verdicts(50, 0)), date(2029, 1, 4)) == ""
    changed = json.loads(verdicts(50, 0)) | {"pages_changed": True}
    assert conformity(parse(json.dumps(changed)), today) == "none"


GOOD = verdicts(1, 1)
BAD = ("", "[]", "{}", '{"date": "x"}', GOOD.replace("2026-01-05", "5 janvier"), GOOD.replace('"0": "C", ', ""),
       GOOD.replace("NC", "maybe"))  # fmt: skip


@pytest.mark.parametrize("text", BAD)
def test_an_audit_that_says_too_little_is_refused_in_words(text: str) -> None:
    with pytest.raises(BadAudit):
        parse(text)


LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" width="9"><title>M</title>'
    '<path d="M1 1h7" fill="#fff"/></svg>'
)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A town with a portal/ folder of its own."""
    folder = copy_town(DEMO_TOWN, tmp_path / "town")
    (folder / "portal/terms").mkdir(parents=True)
    return folder


def test_f16_a_town_has_its_own_logo_colours_texts_terms_and_audit(own: Path, tmp_path: Path) -> None:
    clauses = "".join(f'<h3 id="{clause}">{clause}</h3><p>{{{{ town }}}}</p>' for clause in CLAUSES)
    portal = own / "portal"
    (portal / "logo.svg").write_text(LOGO)
    (portal / "texts.yml").write_text("Bienvenue sur le Wi-Fi public: {fr: Bienvenue à la fête, en: Come in}\n")
    (portal / "terms/3.0.0.fr.html").write_text(clauses)
    (portal / "audit.json").write_text(verdicts(50, 10))
    text = (own / "town.yml").read_text()
    (own / "town.yml").write_text(
        text.replace("terms_version: 2.0.0", "terms_version: 3.0.0") + 'appearance: {main: "#7a1f3d"}\n'
    )
    town = load(own)
    assert branding.faults(town) == []
    folder = tmp_path / "state"
    folder.mkdir()
    house = House(town, folder)

    french, english = (house.visitor().get(f"/{language}/").text for language in ("fr", "en"))

    assert '<svg viewBox="0 0 9 9" aria-hidden="true">' in french
    assert "--main:#7a1f3d" in french
    assert "Bienvenue à la fête" in french
    assert "Come in" in english
    assert "Accessibilité : partiellement conforme" in words(f"<main>{french.partition('<footer')[2]}</main>")
    assert 'id="cgu-16"' in french
    assert terms(house.facts, "3.0.0", "en").language == "fr"
    assert house.visitor().get("/fr/cgu/2.0.0").status_code == 200


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("logo.svg", LOGO.replace("<path", "<script/><path"), "element script"),
        ("logo.svg", LOGO.replace("d=", "onload="), "attribute onload"),
        ("logo.svg", LOGO.replace('fill="#fff"', 'fill="url(https://x.example/a)"'), "attribute fill"),
        ("logo.svg", '<!DOCTYPE svg [<!ENTITY a "b">]>' + LOGO, "DOCTYPE"),
        ("logo.svg", LOGO.replace("M1 1h7", "M1 1h7" * 1000), "too large"),
        ("logo.svg", LOGO.replace("<title>M</title>", "<g/>" * 20), "join its paths"),
        ("logo.svg", "<svg", "not XML"),
        ("logo.svg", "<p/>", "no SVG"),
        ("texts.yml", "Bienvenu sur le Wi-Fi public: {fr: A}\n", "did you mean Bienvenue sur le Wi-Fi public?"),
        ("texts.yml", '"Il reste %(time)s.": {fr: Bientôt fini}\n', "has not the same"),
        ("texts.yml", "Aide: [a]\n", "is not a text"),
        ("audit.json", "{}", "missing"),
        ("audit.json", verdicts(3, 0).replace("2026-01-05", "2020-01-05"), "3 years old"),
        ("terms/new.html", "x", "no version and language"),
        ("texte.yml", "a: b", "did you mean texts.yml"),
    ],
)  # fmt: skip
def test_what_a_town_gets_wrong_is_located_and_said_in_words(own: Path, name: str, text: str, said: str) -> None:
    (own / "portal" / name).write_text(text)

    faults = branding.faults(load(own))

    assert [fault.file for fault in faults] == [f"portal/{name}"]
    assert said in str(faults[0])


def test_terms_that_lack_a_clause_or_ask_for_what_there_is_not_are_refused(own: Path) -> None:
    for text, said in (
        ("<p>x</p>", "lacks the clauses cgu-1"),
        ("{{ a.b.c }}", "no template"),
        ("{% x", "no template"),
    ):
        (own / "portal/terms/3.0.0.fr.html").write_text(text)
        town = load(own)
        with pytest.raises(Exception, match=said):
            page_facts(town, town.sites[0])
