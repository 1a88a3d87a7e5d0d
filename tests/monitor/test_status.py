"""The public page: what it says, what it never says, how it is written and sent; without script, in two languages."""

import json
import re
import shutil
import stat
import threading
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import icalendar
import pytest
from click.testing import CliRunner
from monitor_actors import empty_history

from monitor.planned import Work
from monitor.status import commands
from monitor.status.content import Condition, Notice, Seen, Status, status
from monitor.status.files import files, overall
from monitor.status.publish import NotPublished, exported
from parvis import durable
from parvis.inventory import Town

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 24, 18, 0, tzinfo=PARIS).timestamp()
HOUR, DAY = 3600.0, 86400.0
SITE = "leo-lagrange"
ATOM = "{http://www.w3.org/2005/Atom}"


def lived(town: Town) -> dict[str, list[Seen]]:
    """Ninety days in service; one place was cut for two hours a week ago and is disturbed now."""
    seen = {site.site: [Seen("up", NOW - 91 * DAY, NOW - 10)] for site in town.sites}
    cut = NOW - 7 * DAY
    seen[SITE] = [
        Seen("up", NOW - 60 * DAY, cut),
        Seen("down", cut, cut + 2 * HOUR),
        Seen("up", cut + 2 * HOUR, NOW - HOUR),
        Seen("degraded", NOW - HOUR, NOW - 10),
    ]
    return seen


def works() -> list[Work]:
    return [Work(NOW + DAY, NOW + DAY + 2 * HOUR, "Remplacement de sw-biblio par un technicien nommé", ("sw-biblio",))]


@pytest.fixture
def made(town: Town) -> Status:
    notices = {SITE: [(NOW - 7 * DAY + HOUR, Notice.OPERATOR)]}
    return status(town, lived(town), works(), notices, NOW)


def test_s50_each_place_has_its_state_its_ninety_days_and_what_happened(made: Status) -> None:
    place = next(place for place in made.places if place.site == SITE)

    assert made.condition is Condition.DEGRADED
    assert place.condition is Condition.DEGRADED
    assert len(place.days) == 90
    assert place.days[-1].condition is Condition.DEGRADED
    assert place.days[-8].condition is Condition.DOWN
    assert place.days[-8].down == 2 * HOUR
    assert place.days[0].condition is Condition.UNKNOWN
    assert place.days[0].ratio is None
    assert place.ratio == pytest.approx(1 - 2 / (60 * 24), rel=1e-4)
    assert [(one.condition, one.ends is None) for one in made.happened] == [
        (Condition.DEGRADED, True),
        (Condition.DOWN, False),
    ]
    assert made.happened[1].notices == ((NOW - 7 * DAY + HOUR, Notice.OPERATOR),)


def test_announced_work_is_told_as_such_and_accuses_nobody(town: Town) -> None:
    seen = {site.site: [Seen("up", NOW - DAY, NOW - HOUR), Seen("down", NOW - HOUR, NOW - 5)] for site in town.sites}
    found = status(town, seen, [Work(NOW - HOUR, NOW + HOUR, "Coupure annoncée")], {}, NOW)

    assert found.condition is Condition.MAINTENANCE
    assert {place.condition for place in found.places} == {Condition.MAINTENANCE}
    assert {place.days[-1].condition for place in found.places} == {Condition.MAINTENANCE}
    assert {one.condition for one in found.happened} == {Condition.MAINTENANCE}


def test_what_nobody_sees_any_more_is_not_known(town: Town) -> None:
    seen = {site.site: [Seen("up", NOW - DAY, NOW - 600)] for site in town.sites}

    assert status(town, seen, [], {}, NOW).condition is Condition.UNKNOWN


def test_short_disturbances_are_not_told_and_near_ones_are_one_incident(town: Town) -> None:
    def at(minutes: float, lasting: float) -> Seen:
        return Seen("down", NOW - DAY + minutes * 60, NOW - DAY + (minutes + lasting) * 60)

    seen = {SITE: [at(0, 4), at(60, 3), at(70, 3), at(300, 30), Seen("up", NOW - HOUR, NOW)]}
    found = status(town, seen, [], {}, NOW).happened

    assert [round((one.ends or 0) - one.starts) // 60 for one in found] == [30, 13]


def test_nothing_that_helps_an_attacker_or_names_a_person_is_in_any_file(made: Status, town: Town) -> None:
    written = files(made, "https://etat.cachan.example")
    text = "\n".join(body.decode() for body in written.values())
    secrets = [device.name for site in town.sites for device in site.polled()]
    secrets += [one for site in town.sites for one in (site.gateway.name, site.uplink.name, site.uplink.contract)]
    secrets += [str(device.address) for site in town.sites for device in (*site.polled(), site.gateway)]
    secrets += [fact for person in town.people for fact in (person.name, person.title, person.phone, person.email)]
    secrets += [site.uplink.operator for site in town.sites] + ["un technicien nommé", "Remplacement"]

    assert [secret for secret in secrets if secret in text] == []


@pytest.mark.parametrize(("name", "lang"), [("index.html", "fr"), ("en.html", "en")])
def test_the_page_needs_no_script_and_asks_nobody_for_anything(made: Status, name: str, lang: str) -> None:
    page = files(made)[name].decode()

    assert f'<html lang="{lang}">' in page
    assert "<script" not in page
    assert set(re.findall(r'(?:href|src)="([^"#]+)', page)) <= {
        *("index.html", "en.html", "data:,", "incidents.atom", "incidents-en.atom", "maintenance.ics", "status.json")
    }
    assert page.count("<rect class=") == 90 * len(made.places)
    assert page.count("<table>") == 1, "the bars of the place that was cut, as text"


def test_the_feed_the_calendar_and_the_json_say_the_same(made: Status) -> None:
    written = files(made, "https://etat.cachan.example/")
    feed = ET.fromstring(written["incidents.atom"])
    entries = feed.findall(f"{ATOM}entry")
    calendar = icalendar.Calendar.from_ical(written["maintenance.ics"])
    told = json.loads(written["status.json"])

    assert len({entry.findtext(f"{ATOM}id") for entry in entries}) == len(entries) == 2
    assert "prévenu" in (entries[1].findtext(f"{ATOM}content") or "")
    assert feed.findall(f"{ATOM}link")[0].get("href") == "https://etat.cachan.example/incidents.atom"
    work = calendar.walk("VEVENT")
    assert [event["DTSTART"].dt.timestamp() for event in work] == [NOW + DAY]
    assert "Bibliothèque centrale" in str(work[0]["SUMMARY"])
    assert told["condition"] == "degraded"
    assert [one["id"] for one in told["incidents"]] == [one.key for one in made.happened]


def test_a_feed_whose_address_has_a_quotation_mark_is_a_feed(made: Status) -> None:
    address = 'https://etat.cachan.example/?ville="cachan"&'
    feed = ET.fromstring(files(made, address)["incidents.atom"])

    assert feed.findall(f"{ATOM}link")[1].get("href") == f"{address}/index.html"
    assert {str(link.get("href")).startswith(address) for link in feed.findall(f"{ATOM}entry/{ATOM}link")} == {True}


def test_each_file_is_replaced_whole_or_stays(made: Status, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = exported(files(made), tmp_path / "etat")
    before = {path.name: path.read_bytes() for path in first}

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(durable.os, "fsync", full)
    for body in (b"half", b"ha"):
        with pytest.raises(NotPublished, match="No space left"):
            exported({"index.html": body}, tmp_path / "etat")
    left = {path.name: path.read_bytes() for path in (tmp_path / "etat").iterdir()}

    assert {name: body for name, body in left.items() if not name.startswith(".")} == before
    assert len(left) <= len(before) + 1, "one draft at most, which the next attempt writes over"
    assert {stat.S_IMODE(path.stat().st_mode) for path in first} == {0o644}


def test_two_that_write_the_page_at_once_do_not_spoil_each_others(tmp_path: Path) -> None:
    bodies = [bytes([letter]) * 400_000 for letter in b"ab"]
    wrong: list[object] = []

    def write(body: bytes) -> None:
        for _ in range(20):
            try:
                exported({"index.html": body}, tmp_path)
            except NotPublished as error:
                wrong.append(error)

    threads = [threading.Thread(target=write, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        seen = (tmp_path / "index.html").read_bytes() if (tmp_path / "index.html").exists() else bodies[0]
        wrong += [] if seen in bodies else [len(seen)]

    assert wrong == []


def test_the_command_writes_the_page_and_says_ready_sentences_only(tmp_path: Path) -> None:
    shutil.copy(empty_history(), tmp_path / "history.sqlite")
    settings = tmp_path / "monitor.toml"
    settings.write_text(f'state = "{tmp_path}"\n')

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(commands.status, [*words, "--settings", str(settings)])
        return done.exit_code, done.output

    assert run("export", str(tmp_path / "etat"))[0] == 0
    assert (tmp_path / "etat/index.html").read_text().startswith("<!DOCTYPE html>")
    assert "opérateur" in run("say", SITE, "operator")[1]
    assert run("say", SITE, "un technicien nommé s'en occupe")[0] == 2
    assert "no site is called" in run("say", "nowhere", "operator")[1]


def test_where_nothing_was_measured_the_page_does_not_say_that_all_was_well(town: Town) -> None:
    page = files(status(town, {}, [], {}, NOW))["index.html"].decode()

    assert page.count("Rien n&#39;a été mesuré") > len(town.sites)
    assert "Rien à signaler" not in page
    assert "non mesuré du temps" not in page


def test_when_all_is_down_every_day_the_page_says_so_and_stays_readable(town: Town) -> None:
    spells = [Seen("down", NOW - n * DAY, NOW - n * DAY + HOUR) for n in range(80, 0, -1)]
    seen = {site.site: [*spells, Seen("down", NOW - HOUR, NOW)] for site in town.sites}
    page = files(status(town, seen, [], {}, NOW))["index.html"].decode()
    first, _, folded = page.partition("Plus anciens")

    assert "en panne partout" in first
    assert first.count('class="incident"') == 20
    assert folded.count('class="incident"') == 81 * len(town.sites) - 20


@pytest.mark.parametrize(
    ("state", "seen_to", "some", "all_of_them"),
    [
        ("up", NOW - 600, "L'état de certains lieux n'est pas connu", "L'état des lieux n'est pas connu"),
        ("degraded", NOW - 5, "Le service est perturbé à certains endroits", "Le service est perturbé partout"),
        ("down", NOW - 5, "Le Wi-Fi est en panne à certains endroits", "Le Wi-Fi est en panne partout"),
    ],
)
def test_what_is_so_everywhere_is_not_told_of_some_places(
    town: Town, state: str, seen_to: float, some: str, all_of_them: str
) -> None:
    everywhere = {site.site: [Seen(state, NOW - DAY, seen_to)] for site in town.sites}
    elsewhere = everywhere | {SITE: [Seen("up", NOW - DAY, NOW - 5)]}

    assert overall(status(town, everywhere, [], {}, NOW), "fr").startswith(all_of_them)
    assert overall(status(town, elsewhere, [], {}, NOW), "fr").startswith(some)


@pytest.mark.parametrize(
    ("name", "over", "aged", "days"),
    [
        ("index.html", "En panne (rétabli)", "Elle est refaite chaque minute", "2 jours avec une perturbation, 29 non"),
        ("en.html", "Out of service (over)", "made anew every minute", "2 days with a disturbance, 29 not"),
    ],
)
def test_what_is_over_says_so_in_words_and_an_old_page_can_be_told(
    made: Status, name: str, over: str, aged: str, days: str
) -> None:
    page = files(made)[name].decode()

    for words in (over, aged, days):
        assert words in page, words
    assert "(s)" not in page


def test_one_day_is_not_told_as_many(town: Town) -> None:
    seen = {site.site: [Seen("up", NOW - 91 * DAY, NOW - 10)] for site in town.sites}
    seen[SITE] = [Seen("up", NOW - 91 * DAY, NOW - 5 * HOUR), Seen("down", NOW - 5 * HOUR, NOW - 10)]
    page = files(status(town, seen, [], {}, NOW))["index.html"].decode()

    assert "1 jour avec une perturbation, 0 non mesuré." in page
    assert "0 jour avec une perturbation, 0 non mesuré." in page
