"""The data protection officer's tools: what the inventory says becomes papers, clocks run, what is over is seen."""

import csv
import json
import os
import re
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path

import html5lib
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from captive_portal.console.audit import Audit, Entry
from captive_portal.dpo import register
from captive_portal.dpo.arcom import Letter
from captive_portal.dpo.incident import Incident, clocks, late, notice, parameters
from captive_portal.dpo.record_commands import dpo
from captive_portal.session import Now, Session, State
from captive_portal.store import Acceptance, Store
from captive_portal.store_migration import migrate
from parvis.addresses import MacAddress
from parvis.data_inventory import data_inventory
from parvis.inventory import DEMO_TOWN, Town, load

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def town() -> Town:
    return load(DEMO_TOWN)


class Officer:
    """Somebody at a terminal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "settings.toml").write_text(f'state = "{folder}"')

    def runs(self, *words: str) -> Result:
        return CliRunner().invoke(dpo, [*words, "--settings", str(self.folder / "settings.toml")])


@pytest.fixture
def officer(tmp_path: Path) -> Officer:
    return Officer(tmp_path)


def incident(**changes: object) -> Incident:
    said = {
        "number": "2026-001",
        "title": "Fuite du journal",
        "began": NOON - timedelta(hours=3),
        "aware": NOON,
        "sites": ("leo-lagrange", "bibliotheque-centrale"),
        "users": 40,
        "degree": "partial",
        "impact": "Lenteur",
        "personal_data": True,
    }
    return Incident.model_validate(said | changes)


def test_gdp02_the_register_has_every_processing_and_every_kind_of_data(town: Town) -> None:
    inventory = data_inventory()
    rows = list(register.lines(inventory, town))
    told = list(csv.DictReader(StringIO(register.as_csv(rows)), delimiter=";"))

    assert len(inventory.processings) == 5
    assert [row["Données"] for row in told] == [
        kind.title for name in inventory.processings for kind in inventory.of(name).values()
    ]
    assert len(told) == len(inventory.kinds)
    assert [(row["Données"], head) for row in told for head, text in row.items() if not text.strip()] == []
    assert {row["Délégué à la protection des données"] for row in told} == {"dpo@cachan.example"}


@pytest.mark.parametrize("ending", ["csv", "html", "pdf"])
def test_gdp02_the_register_is_written_in_each_format(officer: Officer, ending: str) -> None:
    out = officer.folder / f"register.{ending}"
    told = officer.runs("register", str(out))
    data = out.read_bytes()

    assert told.exit_code == 0, told.output
    if ending == "pdf":
        assert data.startswith(b"%PDF-")
        assert b"/Lang (fr)" in data
    else:
        text = data.decode("utf-8-sig")
        assert all(
            kind.title.replace("'", "&#39;" if ending == "html" else "'") in text
            for kind in data_inventory().kinds.values()
        )
    if ending == "html":
        html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(data.decode())
    assert officer.runs("register", str(officer.folder / "register.doc")).exit_code == 2


def test_gdp02_a_change_of_the_inventory_is_a_change_of_the_register(town: Town) -> None:
    inventory = data_inventory()
    longer = inventory.kinds["directive"].model_copy(update={"days": 400})
    changed = inventory.model_copy(update={"kinds": inventory.kinds | {"directive": longer}})

    assert "400 jours" in register.as_csv(list(register.lines(changed, town)))
    assert "400 jours" not in register.as_csv(list(register.lines(inventory, town)))


def test_gdp03_the_assessment_names_what_is_done_the_risks_and_what_is_left(officer: Officer) -> None:
    out = officer.folder / "assessment.html"
    assert officer.runs("assessment", str(out)).exit_code == 0
    text = out.read_text("utf-8")

    html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)
    assert len(data_inventory().risks) >= 4
    assert all(risk.title.replace("'", "&#39;") in text for risk in data_inventory().risks)
    assert "Avis du délégué" in text


def test_cgu12_the_five_parameters_are_computed(town: Town) -> None:
    told = parameters(incident(), town, NOON + timedelta(minutes=5))

    assert told == {
        "Utilisateurs touchés": "40",
        "Durée": "3 h 05 min, en cours",
        "Zone": "2 lieu(x) sur 4 : Complexe sportif Léo-Lagrange, Bibliothèque centrale",
        "Degré de perturbation": "service dégradé",
        "Conséquences": "Lenteur",
    }
    over = incident(ended=NOON - timedelta(hours=1), users=None)
    assert parameters(over, town, NOON)["Durée"] == "2 h 00 min"
    assert parameters(over, town, NOON)["Utilisateurs touchés"] == "pas encore connu"


@pytest.mark.parametrize(
    ("facts", "authorities"),
    [
        ({}, ["cnil", "cnil-complement", "interior"]),
        ({"cyber": True, "high_risk": True}, ["cnil", "cnil-complement", "interior", "anssi", "residents"]),
        ({"personal_data": False, "degree": "none"}, []),
        ({"personal_data": False, "degree": "total"}, ["interior"]),
    ],
)
def test_cgu12_who_must_be_told_depends_on_what_happened(facts: dict[str, object], authorities: list[str]) -> None:
    assert [clock.authority for clock in clocks(incident(**facts))] == authorities


@given(st.integers(0, 200))
def test_cgu12_the_clocks_of_24_and_72_hours_run_from_when_the_town_knew(hours: int) -> None:
    found = {clock.authority for clock in late(incident(), NOON + timedelta(hours=hours, minutes=1))}

    assert ("cnil" in found) == (hours >= 24)
    assert ("cnil-complement" in found) == (hours >= 72)


def test_cgu12_the_notice_is_filled_in_and_says_what_is_late(town: Town) -> None:
    text = notice(incident(told={"interior": NOON + timedelta(hours=2)}), town, NOON + timedelta(hours=30))

    assert "CNIL, notification initiale : avant le 01/12/2026 12:00 UTC : EN RETARD de 6 h" in text
    assert "Ministère de l'Intérieur : fait le 30/11/2026 14:00 UTC" in text
    assert "reste 42 h" in text
    assert "SIRET 00000000000000" in text
    assert "Mesures prises : à compléter" in text


def test_cgu12_an_incident_is_opened_corrected_and_told(officer: Officer) -> None:
    when = ("--began", "2026-11-29T20:00", "--aware", "2026-11-29T21:00")
    what = ("--site", "leo-lagrange", "--degree", "total", "--impact", "Pas d'accès")
    opened = officer.runs("incident", "open", "--title", "Panne", *when, *what)
    assert opened.exit_code == 0, opened.output
    number = opened.output.split()[0]
    assert re.fullmatch(r"\d{4}-001", number)

    assert "12" in officer.runs("incident", "update", number, "--users", "12", "--personal-data").output
    late_ = officer.runs("incident", "list")
    assert (late_.exit_code, "EN RETARD" in late_.output) in {(1, True), (0, False)}
    for authority in ("cnil", "cnil-complement", "interior"):
        assert officer.runs("incident", "told", number, authority).exit_code == 0
    assert officer.runs("incident", "list").exit_code == 0
    assert "Panne" in officer.runs("incident", "notice", number).output
    assert oct((officer.folder / f"dpo/incidents/{number}.json").stat().st_mode)[-3:] == "600"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("notice", "2026-009"), "there is no record 2026-009"),
        (("open", "--site", "nowhere"), "no site is called 'nowhere'"),
        (("open", "--began", "2026-12-01T10:00"), "cannot know before it begins"),
        (("open", "--began", "hier"), "is no moment"),
    ],
)
def test_what_an_incident_cannot_be_is_said_in_words(officer: Officer, words: tuple[str, ...], says: str) -> None:
    whole = {"--title": "Panne", "--began": "2026-11-29T20:00", "--aware": "2026-11-29T21:00", "--site": "leo-lagrange",
             "--degree": "total", "--impact": "Rien"}  # fmt: skip
    given_ = dict(zip(words[1::2], words[2::2], strict=False)) if words[0] == "open" else {}
    more = [part for pair in (whole | given_).items() for part in pair] if words[0] == "open" else list(words[1:])
    told = officer.runs("incident", words[0], *more)

    assert told.exit_code != 0
    assert says in told.output
    assert "Traceback" not in told.output


def test_cgu08_a_letter_is_watched_for_a_year(officer: Officer) -> None:
    old = ("--received", "2023-01-10", "--reference", "ARCOM-1", "--alleged", "2023-01-02T21:00")
    new = (
        "--received",
        datetime.now(UTC).date().isoformat(),
        "--reference",
        "ARCOM-2",
        "--alleged",
        "2026-11-02T21:00",
    )
    for letter in (old, new):
        told = officer.runs("arcom", "received", *letter, "--measure", "Débit du pair-à-pair limité")
        assert told.exit_code == 0, told.output

    listed = officer.runs("arcom", "list").output
    assert "ARCOM-2" in listed
    assert "watched until" in listed
    assert "Débit du pair-à-pair limité" in listed
    assert listed.count("its time is over") == 1
    assert listed.index("ARCOM-1") < listed.index("its time is over") < listed.index("ARCOM-2")


def test_cgu08_the_year_of_a_letter_ends_on_its_day() -> None:
    letter = Letter(
        number="2028-001", received=date(2028, 2, 29), reference="x", alleged=NOON, measures=("rien de plus",)
    )

    assert letter.watch_ends == date(2029, 2, 28)
    assert letter.watched(date(2029, 2, 28))
    assert not letter.watched(date(2029, 3, 1))


def test_the_retention_report_says_what_is_kept_and_what_is_over(officer: Officer) -> None:
    path = officer.folder / "portal.sqlite3"
    migrate(path)
    year_ago = datetime.now(UTC).timestamp() - 370 * 86400
    with Store(path).transaction() as book:
        for number, ended in enumerate((year_ago, year_ago + 10 * 86400, None)):
            now = Now("b", 0.0, ended or datetime.now(UTC).timestamp())
            accepted = Acceptance(
                MacAddress(f"02:00:00:00:00:0{number}"), "mairie", "fr", "2.0.0", "0" * 64, f"t{number}"
            )
            made = book.accept(accepted, Session(State.OPEN, "b", 0.0, 0.0), now)
            if ended:
                book.end(made, "left", now)
    (officer.folder / "audit").mkdir()
    journal = officer.folder / "audit/audit-2025-01.jsonl"
    journal.write_text("{}\n")
    told = officer.runs("retention", str(officer.folder), "--keep")

    assert told.exit_code == 1
    assert re.search(r"acceptance-proof\s+acceptances\.ended_at\s+3\s.*365 d\s+1 OVER", told.output)
    assert "staff-journal" in told.output
    (kept,) = (officer.folder / "dpo/retention").glob("*.json")
    assert {line["kind"] for line in json.loads(kept.read_text())} >= {"acceptance-proof", "staff-journal"}

    os.utime(journal, (year_ago - 86400, year_ago - 86400))
    assert "2 kind(s) of data are kept longer" in officer.runs("retention", str(officer.folder)).output


def test_the_review_of_the_journal_counts_deeds_and_points_at_the_odd_ones(officer: Officer) -> None:
    (officer.folder / "audit").mkdir()
    audit = Audit(officer.folder / "audit")
    for at, who, did, how in (
        ("2026-10-03T09:00:00.000+00:00", "anne-l", "close", ""),
        ("2026-11-03T09:00:00.000+00:00", "anne-l", "disconnect", ""),
        ("2026-11-03T09:00:01.000+00:00", "anne-l", "disconnect", ""),
        ("2026-11-04T01:30:00.000+00:00", "anne-l", "block", ""),
        ("2026-11-05T09:00:00.000+00:00", "paul-r", "open-door", "forbidden"),
        *((f"2026-11-06T10:00:0{n}.000+00:00", "unknown", "sign-in", "refused") for n in range(6)),
    ):
        audit.write(Entry(at, who, "technician", did, "mairie", "", "essai", how))
    told = officer.runs("journal", "--month", "2026-11").output

    assert re.search(r"anne-l\s+disconnect\s+2\b", told)
    assert "interdit à son rôle" in told
    assert "la nuit" in told
    assert "unknown: 6 connexions refusées" in told
    assert "close" not in told

    (officer.folder / "audit/audit-2026-11.jsonl").write_text("{}\n")
    assert officer.runs("journal").exit_code == 1
