"""The pages of sites, access points, uplinks, the portal's funnel and the collectors, and what explains an alert."""

import json
import re
import time
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from atlas import Atlas
from click.testing import CliRunner
from monitor_actors import Desk, alert

from monitor import explain_command
from monitor.explain import Asked, asked, explanation
from monitor.explaining import known
from monitor.incidents import Event
from monitor.web.curve import SPANS
from parvis.alerts import alerts
from parvis.inventory import DEMO_TOWN, Town, load

LINK, SITE, POINT = "fibre-lagrange", "leo-lagrange", "ap-lagrange-gymnase"
BEHIND = ("gw-lagrange", "sw-lagrange", POINT, "ap-lagrange-tribune")
PAGES = (f"/sites/{SITE}", f"/points/{POINT}", f"/uplinks/{LINK}", "/portal", "/collectors", "/explain")
EXPLAINED = f"/explain/LienCoupe?site={SITE}"
VOID = {"meta", "link", "br", "path", "circle", "rect", "input"}


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Atlas:
    made = Atlas(load(DEMO_TOWN), tmp_path_factory.mktemp("atlas"))
    return made.shows(silent=(LINK, *BEHIND))


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known_ = dict(attrs)
        self.found += [str(known_[key]) for key in ("href", "src") if known_.get(key)]
        self.ids += [str(known_["id"])] if "id" in known_ else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


@pytest.mark.parametrize("lang", ["fr", "en"])
@pytest.mark.parametrize("path", [*PAGES, EXPLAINED])
def test_every_page_is_whole_asks_nobody_else_and_leads_to_pages_that_are_there(
    atlas: Atlas, path: str, lang: str
) -> None:
    reader = Links()
    reader.feed(atlas.text(f"{path}{'&' if '?' in path else '?'}lang={lang}"))

    assert reader.open == []
    assert len(set(reader.ids)) == len(reader.ids)
    own = [one for one in reader.found if not one.startswith(("data:", "tel:", "#"))]
    assert [one for one in own if urlsplit(one).netloc or not one.startswith("/")] == []
    broken = [one for one in set(own) if not one.startswith("/wall") and atlas.client.get(one).status_code != 200]
    assert broken == []


def test_without_script_each_curve_is_drawn_and_told_as_a_table(atlas: Atlas) -> None:
    page = atlas.text(f"/uplinks/{LINK}?span=1d")
    figure = page.partition("<strong>Latence</strong>")[2].partition("</figure>")[0]

    assert re.search(r'<path class="line" d="M[\d. L]+', figure)
    assert re.search(r'<path class="band" d="M[\d. L]+Z', figure)
    assert figure.count('<th scope="row">') >= 12
    assert "ms</td>" in figure


def test_what_was_not_measured_is_said_in_words_and_drawn_as_a_hole(atlas: Atlas) -> None:
    page = atlas.text(f"/uplinks/{LINK}?span=1y")

    assert "Rien n'a été mesuré pendant cette période." in page
    assert "fibre-lagrange</span> <b>" not in page.partition("Perte de la fibre")[2].partition("</figure>")[0]


@pytest.mark.parametrize("span", SPANS)
def test_the_points_for_the_browser_are_those_the_server_draws(atlas: Atlas, span: str) -> None:
    found = atlas.client.get(f"/history.json?series=rtt/{LINK}&span={span}").json
    now = atlas.now

    assert found["unit"] == "ms"
    assert len(found["at"]) == len(found["low"]) == len(found["middle"]) == len(found["high"]) <= 400
    assert all(now - SPANS[span].seconds - SPANS[span].slot <= at <= now for at in found["at"])
    if span in {"2h", "1d"}:
        assert len(found["at"]) > 200


@pytest.mark.parametrize(
    "path", ["/sites/nowhere", "/points/x", "/uplinks/x", "/explain/NoSuch", "/history.json?series=x/y"]
)
def test_what_does_not_exist_is_a_sentence(atlas: Atlas, path: str) -> None:
    answer = atlas.client.get(path)

    assert (answer.status_code, answer.mimetype) == (404, "text/plain")


def test_a_building_that_never_closes_is_not_open_until_nothing(atlas: Atlas, tmp_path: Path) -> None:
    always = [s.model_copy(update={"opening_hours": "24/7"}) if s.site == SITE else s for s in atlas.town.sites]
    town = atlas.town.model_copy(update={"sites": tuple(always)})

    page = Atlas(town, tmp_path, day=False).shows().text(f"/sites/{SITE}")

    assert "<dd>ouvert</dd>" in page


def test_the_building_s_hours_are_told_in_the_reader_s_language(atlas: Atlas) -> None:
    assert "lun. – dim. : 08:00–22:00" in atlas.text(f"/sites/{SITE}?lang=fr")
    assert "Mon – Sun: 08:00–22:00" in atlas.text(f"/sites/{SITE}?lang=en")


def test_the_uplink_s_page_has_light_promise_outage_and_papers(atlas: Atlas) -> None:
    page = atlas.text(f"/uplinks/{LINK}")

    for words in (
        "-14,2 dBm",
        "Marge jusqu'à rx_low_warn",
        "5,8 dB",
        "GTR tenue",
        "10 h ouvrées",
        "en cours",
        "FTTH-PRO-2023-008",
        "Au-delà du lien",
        "4,2 ms, 5 % de pertes",
        "<dt>203.0.113.80</dt><dd>ne répond pas</dd>",
    ):
        assert words in page
    month = time.strftime("%Y-%m", time.localtime(atlas.now))
    assert atlas.client.get(f"/sla/{LINK}/{month}.pdf").data.startswith(b"%PDF")
    assert "Non mesuré" in atlas.client.get(f"/sla/{LINK}/{month}.csv").data.decode("utf-8-sig")
    assert atlas.client.get(f"/sla/{LINK}/2099-01.pdf").status_code == 404
    assert atlas.client.get(f"/sla/{LINK}/yesterday.pdf").status_code == 404


def test_the_access_point_s_page_says_what_it_stands_behind_and_what_it_says_itself(atlas: Atlas) -> None:
    page = atlas.text(f"/points/{POINT}")
    way = re.findall(r"<li>\w+ <strong>([\w-]+)</strong>", page)

    assert way == ["fibre-lagrange", "gw-lagrange", "sw-lagrange", POINT]
    for words in (
        "Ubiquiti U6-Pro",
        "6.6.77",
        "10 j",
        "wifi1 (5)",
        "<td>44</td>",
        "<td>31 %</td>",
        "sw-lagrange, port 1",
    ):
        assert words in page


def test_s53_the_residents_way_in_stands_beside_the_state_of_the_site(atlas: Atlas) -> None:
    section = atlas.text("/portal").partition(f'aria-labelledby="{SITE}"')[2].partition("</section>")[0]
    steps = re.findall(r'class="name">(.*?)</span>.*?<b>(\d+)</b>', section)

    assert "En panne" in section
    assert steps[0] == ("adresse obtenue", "110")
    assert steps[-1] == ("premier octet d'internet", "44")
    assert "90 % de l'étape d'avant" in section


def test_a_picture_that_is_late_claims_nothing(town: Town, tmp_path: Path) -> None:
    atlas = Atlas(town, tmp_path, day=False).shows()
    assert "répond" in atlas.text(f"/points/{POINT}")
    atlas.now += 60

    page = atlas.text(f"/points/{POINT}")
    assert "rien de ce qui suit n'est sûr" in page
    assert "Inconnu" in page


def parts_of(desk: Desk, what: Asked, atlas: Atlas | None = None) -> dict[str, list[tuple[str, str]]]:
    findings = atlas.desk.watch.picture.findings if atlas else ()
    found = explanation(desk.town, what, known(desk.duty, what, desk.clock(), findings, (), {}))
    return {part.title: list(part.rows) for part in found}


def reasons(desk: Desk, what: Asked, atlas: Atlas | None = None) -> str:
    return " ".join(text for _, text in parts_of(desk, what, atlas)["Pourquoi on appelle, ou pas"])


def test_an_explanation_says_what_is_recorded_for_a_rule_that_looks_back_a_month(atlas: Atlas) -> None:
    page = atlas.client.get(f"/explain/AlimentationEnPanne.json?site={SITE}").json
    text = json.dumps(page, ensure_ascii=False)

    assert "device_power_supply_up:max30d" in text
    assert "calculé toutes les 10 min : max_over_time(device_power_supply_up[30d:1h])" in text


def test_an_explanation_names_rule_path_state_samples_and_the_call(atlas: Atlas) -> None:
    found = atlas.client.get(f"/explain/LienCoupe.json?site={SITE}").json
    text = json.dumps(found, ensure_ascii=False)

    assert found["subject"] == LINK
    for words in (
        "uplink_up",
        "unless on ()",
        "down (silent)",
        "Premier écho manquant",
        "rtt/fibre-lagrange",
        "/runbooks/LienCoupe",
    ):
        assert words in text, words


def test_it_says_who_was_called_and_what_became_of_it(desk: Desk) -> None:
    desk.messenger.beats()
    desk.messenger.tells(alert("LienCoupe", uplink=LINK))
    desk.works()
    what = asked(desk.town, "LienCoupe", SITE)

    assert "1 appel : le premier à" in reasons(desk, what)
    desk.engine.act(1, Event.ACKNOWLEDGE, "agent-1", desk.clock())
    assert "plus personne n'est appelé" in reasons(desk, what)


def test_it_says_why_nobody_was_called(atlas: Atlas, desk: Desk) -> None:
    ticket = next(name for name, rule in alerts().items() if rule.severity == "ticket" and rule.scope == "site")

    assert "L'alerte n'est pas levée" in reasons(desk, Asked("LienCoupe", SITE, LINK))
    assert "on n'appelle personne" in reasons(desk, Asked(ticket, SITE))
    assert "derrière fibre-lagrange" in reasons(desk, Asked("BorneMuette", SITE, POINT), atlas)


def test_the_command_line_explains_without_a_running_monitor(tmp_path: Path) -> None:
    settings = tmp_path / "monitor.toml"
    settings.write_text(f'state = "{tmp_path}"\nport = 9\n')

    done = CliRunner().invoke(explain_command.explain, ["LienCoupe", "--site", SITE, "--settings", str(settings)])
    assert done.exit_code == 0, done.output
    assert "this is what its files know" in done.output
    assert "Condition (PromQL)" in done.output
    wrong = CliRunner().invoke(explain_command.explain, ["LienCoupee", "--settings", str(settings)])
    assert wrong.exit_code == 1
    assert "LienCoupe," in wrong.output
