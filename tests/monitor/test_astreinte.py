"""What being on call is worth and costs in rest; the rota's exceptions; statements."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from monitor import calendars
from monitor.astreinte import Duty, Sheet, Unconfirmed, amount, recovered, units
from monitor.holidays_of_france import french_holidays
from monitor.oncall_commands import oncall
from monitor.outputs import faults
from monitor.rest import rests, warnings
from monitor.rota import NobodyOnCall, Roster
from monitor.statement import statement
from monitor.statement_files import RatesFaulty, as_csv, as_pdf, rates
from parvis.inventory import DEMO_TOWN, Rota, Town, load

PARIS = ZoneInfo("Europe/Paris")
TOWN = load(DEMO_TOWN)
HOLIDAY = french_holidays()
RATES = rates()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


def with_rota(**changes: object) -> Town:
    return TOWN.model_copy(update={"rota": Rota(**{**TOWN.rota.model_dump(), **changes})})


def named(starts: str, ends: str) -> list[str]:
    return [unit.name for unit in units(Duty("agent-1", at(starts), at(ends)), HOLIDAY, PARIS)]


@pytest.mark.parametrize(
    ("starts", "ends", "expected"),
    [
        ("2026-06-01T08:00", "2026-06-08T08:00", ["week"]),
        ("2026-04-27T08:00", "2026-05-04T08:00", ["week"]),  # with 1 May inside: the week has it
        ("2026-03-23T08:00", "2026-03-30T08:00", ["week"]),  # 167 hours, the clocks change
        ("2026-10-19T08:00", "2026-10-26T08:00", ["week"]),  # 169 hours
        ("2026-06-05T18:00", "2026-06-08T08:00", ["weekend"]),
        ("2026-06-02T18:00", "2026-06-03T08:00", ["night"]),
        ("2026-06-02T22:00", "2026-06-03T06:00", ["short_night"]),
        ("2026-06-06T00:00", "2026-06-07T00:00", ["saturday"]),
        ("2026-05-01T00:00", "2026-05-02T00:00", ["sunday"]),
        ("2026-06-02T08:00", "2026-06-02T18:00", []),
        ("2026-06-02T18:00", "2026-06-04T08:00", ["night", "night"]),
    ],
)
def test_ast07_the_units_of_a_duty(starts: str, ends: str, expected: list[str]) -> None:
    assert named(starts, ends) == expected


def test_ast07_amounts_come_from_the_dated_file_and_short_notice_adds_half() -> None:
    week = Duty("a", at("2026-06-01T08:00"), at("2026-06-08T08:00"))
    late = Duty("a", week.starts, week.ends, short_notice=True)

    assert amount(units(week, HOLIDAY, PARIS), "exploitation", RATES) == Decimal("159.20")
    assert amount(units(late, HOLIDAY, PARIS), "exploitation", RATES) == Decimal("238.80")
    assert amount(units(week, HOLIDAY, PARIS), "securite", RATES) == Decimal("149.48")


def test_ast07_rest_is_chosen_instead_of_money_where_the_rates_let_one() -> None:
    found = units(Duty("a", at("2026-06-02T18:00"), at("2026-06-08T08:00")), HOLIDAY, PARIS)
    made = statement(Roster(TOWN), "agent-1", date(2026, 6, 1), [], RATES, "autres-filieres", HOLIDAY, as_rest=True)

    assert [unit.name for unit in found] == ["night", "night", "night", "weekend"]
    assert recovered(found, "autres-filieres", RATES) == timedelta(hours=13)
    assert [row for row in made.rows() if row[0] == "Repos compensateur (autres-filieres)"]
    assert not [row for row in made.rows() if "€" in row[1]], "never both"
    with pytest.raises(ValueError, match="exploitation is paid"):
        recovered(found, "exploitation", RATES)


def test_ast07_outside_the_technical_services_a_working_week_is_one_unit() -> None:
    """Arrêté of 2015-11-03: 45 euros from Monday morning to Friday evening, 109.28 for the weekend."""
    duty = Duty("a", at("2026-06-01T08:00"), at("2026-06-07T08:00"))
    found = units(replace(duty, ends=at("2026-06-05T18:00")), HOLIDAY, PARIS, workweeks=True)
    longer = units(replace(duty, ends=at("2026-06-08T07:00")), HOLIDAY, PARIS, workweeks=True)

    assert [unit.name for unit in found] == ["workweek"]
    assert amount(found, "autres-filieres", RATES) == Decimal("45.00")
    assert longer[0].name == "workweek"
    assert "workweek" not in {unit.name for unit in units(duty, HOLIDAY, PARIS)}


def test_ast07_late_notice_adds_nothing_to_an_astreinte_de_decision() -> None:
    """Décret 2015-415 names sécurité, exploitation and crisis communication only; fifteen clear days."""
    (told,) = [one for one in RATES if one.category == "decision"]
    weekend = units(Duty("a", at("2026-06-05T18:00"), at("2026-06-08T08:00"), short_notice=True), HOLIDAY, PARIS)
    clear = {one.category: one.late(date(2026, 6, 1), date(2026, 6, 16)) for one in RATES}

    assert amount(weekend, "decision", [replace(told, confirmed=True)]) == Decimal("76.00")
    assert clear == {**dict.fromkeys(clear, True), "autres-filieres": False}


def test_ast07_rates_nobody_has_read_in_a_text_are_refused_until_the_town_gives_them() -> None:
    (told,) = [one for one in RATES if one.category == "decision"]
    unread = {one.category for one in RATES if not one.confirmed}
    with pytest.raises(Unconfirmed, match="could not be read in Arrêté du 14 avril 2015"):
        statement(Roster(TOWN), "agent-1", date(2026, 6, 1), [], RATES, "decision", HOLIDAY)

    own = [replace(told, confirmed=True)]
    assert unread == {"decision"}
    assert statement(Roster(TOWN), "agent-1", date(2026, 6, 1), [], own, "decision", HOLIDAY).total is not None


def test_before_the_first_rates_there_is_no_amount() -> None:
    old = Duty("a", at("2015-01-05T08:00"), at("2015-01-12T08:00"))

    with pytest.raises(ValueError, match="no rates of exploitation hold on 2015-01-05"):
        amount(units(old, HOLIDAY, PARIS), "exploitation", RATES)


@pytest.mark.parametrize(
    ("text", "where"),
    [("a: [{from: 2026-01-01}]", "a.0.text"), ("x", "dict"), ("[", "rates"), ("a: [{from: soon}]", "a.0.from")],
)
def test_wrong_rates_are_refused_with_the_place(tmp_path: Path, text: str, where: str) -> None:
    file = tmp_path / "rates.yml"
    file.write_text(text)

    with pytest.raises(RatesFaulty, match=where):
        rates(file)


def sheet(starts: str, minutes: int, travel: int = 0) -> Sheet:
    return Sheet("agent-1", at(starts), at(starts) + timedelta(minutes=minutes), timedelta(minutes=travel))


def test_ast06_an_intervention_in_the_night_puts_work_off_by_eleven_hours_from_its_end_with_travel() -> None:
    assert warnings([sheet("2026-06-03T02:20", 60, travel=40)], PARIS) == [
        "Repos de 11 h rompu le 03/06 : reprise du travail pas avant le 03/06 à 14:40."
    ]
    assert warnings([sheet("2026-06-02T18:30", 60)], PARIS) == []


def test_ast06_a_weekend_without_thirty_five_hours_in_a_row_is_said() -> None:
    some = [sheet("2026-06-06T10:00", 60), sheet("2026-06-07T12:00", 60)]

    assert [line for line in warnings(some, PARIS) if "35 h" in line]
    assert not [line for line in warnings(some[:1], PARIS) if "35 h" in line]


def test_ast06_the_way_back_ends_the_intervention_and_the_way_there_begins_it() -> None:
    late = replace(sheet("2026-06-02T20:00", 30, travel=60), back=timedelta(minutes=50))

    assert (late.leaves, late.home) == (at("2026-06-02T19:50"), at("2026-06-02T21:20"))
    assert late.worked == timedelta(minutes=90)


TIRING = [sheet("2026-06-06T10:00", 60), sheet("2026-06-07T12:00", 60)]


def test_ast06_who_lacks_the_weekly_rest_is_off_duty_for_a_week_unless_it_is_lifted() -> None:
    (owed,) = rests(TIRING, PARIS)
    week = with_rota(order=["agent-1"], levels=[{"after": 600, "order": ["agent-2"]}])
    tired, rested = Roster(week, rests=(owed,)), Roster(week)
    inside, later = at("2026-06-10T12:00"), at("2026-06-15T08:00")

    assert (owed.starts, owed.ends) == (at("2026-06-08T08:00"), at("2026-06-15T08:00"))
    assert [person.name for person in tired.duty(inside).values()] == ["agent-2"]
    assert tired.duty(later) == rested.duty(later)
    assert rests(TIRING, PARIS, {("agent-1", date(2026, 6, 5))}) == []
    assert rests(TIRING[:1], PARIS) == []


def test_ast06_when_all_are_owed_their_rest_somebody_is_called_all_the_same() -> None:
    alone = with_rota(order=["agent-1"], levels=[])

    assert Roster(alone, rests=tuple(rests(TIRING, PARIS))).duty(at("2026-06-10T12:00"))


@given(st.integers(0, 500), st.integers(1, 400))
def test_units_cover_a_duty_without_overlap(first_hour: int, hours: int) -> None:
    """Each unit begins at or after the one before, inside the duty."""
    starts = at("2026-03-20T00:00") + timedelta(hours=first_hour)
    duty = Duty("a", starts, starts + timedelta(hours=hours))
    begins = [unit.starts for unit in units(duty, HOLIDAY, PARIS)]

    assert begins == sorted(set(begins))
    assert all(duty.starts <= one < duty.ends for one in begins)


def test_ast01_ast07_a_swap_moves_the_duty_and_its_short_notice_is_paid() -> None:
    roster = Roster(TOWN)
    owner = roster.turn(at("2026-06-03T12:00")).person.name
    other = next(
        name for name in TOWN.rota.order if name not in {owner, roster.turn(at("2026-06-03T12:00"), 2).person.name}
    )
    swap = {"person": other, "starts": "2026-06-05T18:00", "ends": "2026-06-08T08:00", "told": "2026-06-01"}
    swapped = Roster(with_rota(swaps=[swap]))

    assert swapped.turn(at("2026-06-05T17:59")).person.name == owner
    assert swapped.turn(at("2026-06-06T12:00")).person.name == other
    made = statement(swapped, other, date(2026, 6, 1), [], RATES, "exploitation", HOLIDAY)
    assert ("weekend", True) in {(unit.name, unit.short_notice) for unit in made.units}


def test_ast01_an_absence_nobody_stands_in_for_is_refused_by_check() -> None:
    owner = Roster(TOWN).turn(at("2026-06-03T12:00")).person.name
    away = {"person": owner, "starts": "2026-06-03T00:00", "ends": "2026-06-04T00:00"}
    found = [str(fault) for fault in faults(with_rota(absences=[away]))]

    assert any("is away at 2026-06-03 00:00 and nobody stands in" in text for text in found)
    with pytest.raises(NobodyOnCall):
        Roster(with_rota(absences=[away])).turn(at("2026-06-03T12:00"))
    assert faults(TOWN) == []


def test_ast01_one_person_at_two_levels_is_refused_by_check() -> None:
    second = Roster(TOWN).turn(at("2026-06-03T12:00"), 2).person.name
    swap = {"person": second, "starts": "2026-06-03T00:00", "ends": "2026-06-04T00:00"}
    found = [str(fault) for fault in faults(with_rota(swaps=[swap]))]

    assert any(f"{second} is on duty at levels 1 and 2" in text for text in found)


@pytest.mark.parametrize(
    ("person", "rota", "why"),
    [
        ({"housed": True}, {}, "is lodged by absolute necessity of service"),
        ({"status": "contractuel"}, {"statuses": ["titulaire", "stagiaire"]}, "is contractuel"),
        ({"job": "jardinier"}, {"jobs": ["technicien réseau"]}, "has the job 'jardinier'"),
    ],
)
def test_ast02_who_the_deliberation_does_not_let_be_on_call_is_refused_by_check(
    person: dict[str, object], rota: dict[str, object], why: str
) -> None:
    jobs = {"jobs": ["technicien réseau"]}
    fit = {"status": "titulaire", "job": "technicien réseau"}
    people = tuple(one.model_copy(update=fit) for one in TOWN.people)
    town = with_rota(**jobs).model_copy(update={"people": people})
    other = people[1].model_copy(update=person)
    unfit = with_rota(**{**jobs, **rota}).model_copy(update={"people": (people[0], other, *people[2:])})

    assert faults(town) == []
    assert [str(fault) for fault in faults(unfit) if f"{other.name} is on the rota and {why}" in fault.message]
    assert len(faults(unfit)) == 1


CALENDAR = """BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//x//y//FR\r
BEGIN:VEVENT\r
UID:1@x\r
DTSTAMP:20260101T000000Z\r
DTSTART;TZID=Europe/Paris:20260603T180000\r
DTEND;TZID=Europe/Paris:20260604T080000\r
RRULE:FREQ=WEEKLY;COUNT=3\r
SUMMARY:{summary}\r
END:VEVENT\r
END:VCALENDAR\r
"""


def with_calendar(summary: str) -> Town:
    return TOWN.model_copy(update={"calendars": {"astreinte.ics": CALENDAR.format(summary=summary)}})


def test_a_calendar_prevails_over_turns_and_repeats() -> None:
    town = with_calendar("agent-3")
    roster = Roster(town, calendars.shifts_of(town))

    for day in ("2026-06-03", "2026-06-10", "2026-06-17"):
        assert roster.turn(at(f"{day}T20:00")).person.name == "agent-3"
    assert roster.turn(at("2026-06-24T20:00")) == Roster(TOWN).turn(at("2026-06-24T20:00"))


@pytest.mark.parametrize("summary", ["Réunion", "agent-9", "agent-1 N9", ""])
def test_a_calendar_that_names_nobody_is_a_located_fault(summary: str) -> None:
    (fault,) = faults(with_calendar(summary))

    assert str(fault).startswith("rota/astreinte.ics:1:")
    assert "names nobody" in fault.message


def test_our_own_calendar_read_back_is_the_rota() -> None:
    start = at("2026-06-01T00:00")
    text = calendars.exported(Roster(TOWN), start, days=60).decode()
    titles = {person.title: person.name for person in TOWN.people}
    for title, name in titles.items():
        text = text.replace(f"SUMMARY:{title}", f"SUMMARY:{name}")
    town = TOWN.model_copy(update={"calendars": {"own.ics": text.replace("\r\n ", "")}})
    roster = Roster(town, calendars.shifts_of(town))

    for hour in range(0, 24 * 50, 7):
        for level in (1, 2):
            moment = start + timedelta(hours=hour)
            assert roster.turn(moment, level).person == Roster(TOWN).turn(moment, level).person


def test_ast07_ast08_a_month_is_a_statement_in_csv_and_pdf_that_ranks_nobody() -> None:
    sheets = [
        Sheet("agent-1", at("2026-06-17T02:00"), at("2026-06-17T03:00"), timedelta(minutes=30), True, 7, "=Béton €")
    ]
    made = statement(Roster(TOWN), "agent-1", date(2026, 6, 1), sheets, RATES, "exploitation", HOLIDAY)
    text = as_csv(made)

    assert "Semaine complète" in text
    assert "'=Béton €" in text, "no spreadsheet takes a note for a formula"
    assert "1 h 30" in text
    assert "Repos de 11 h" in text
    assert as_pdf(made, "Ville").startswith(b"%PDF-")
    assert not any(person.phone in text or person.name in text for person in TOWN.people[1:])


def test_an_intervention_on_a_public_holiday_counts_as_one_on_a_sunday() -> None:
    labour_day = Sheet("agent-1", at("2026-05-01T10:00"), at("2026-05-01T11:00"))
    monday = Sheet("agent-1", at("2026-05-04T10:00"), at("2026-05-04T10:30"))
    made = statement(Roster(TOWN), "agent-1", date(2026, 5, 1), [labour_day, monday], RATES, "exploitation", HOLIDAY)

    assert ("Intervention dimanche ou jour férié", "1 h 00", "") in made.rows()
    assert ("Intervention de jour", "0 h 30", "") in made.rows()


def test_ast06_ast07_the_command_line_from_sheet_to_statement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARVIS_STATE", str(tmp_path))
    run = CliRunner().invoke
    words = ["sheet", "agent-1", "--from", "2026-06-17T02:00", "--until", "2026-06-17T03:00", "--travel", "30"]
    written = run(oncall, words)
    made = run(oncall, ["statement", "agent-1", "2026-06", "--into", str(tmp_path / "out")])

    assert (written.exit_code, made.exit_code) == (0, 0), written.output + made.output
    assert "Repos de 11 h" in written.output
    assert "Intervention de nuit: 1 h 30" in made.output
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {".csv", ".pdf"}
    assert "nobody is called agent-9" in run(oncall, ["statement", "agent-9", "2026-06"]).output
    assert "there is no incident 7" in run(oncall, ["ack", "7"]).output
    assert "is paid and gives no rest" in run(oncall, ["statement", "agent-1", "2026-06", "--rest"]).output


def test_ast06_the_command_line_says_who_owes_rest_and_lifts_it_with_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARVIS_STATE", str(tmp_path))
    run = CliRunner().invoke
    for begin, end in (("2026-06-06T10:00", "2026-06-06T11:00"), ("2026-06-07T12:00", "2026-06-07T13:00")):
        words = ["--travel", "40", "--back", "30", "--called", begin, "--result", "fibre ressoudée", "--on-site"]
        written = run(oncall, ["sheet", "agent-2", "--from", begin, "--until", end, *words])
        assert written.exit_code == 0, written.output
    owed = run(oncall, ["rest"])
    who = ["who", "--at", "2026-06-10T12:00"]
    off_duty, made = run(oncall, who), run(oncall, ["statement", "agent-2", "2026-06", "--into", str(tmp_path / "out")])
    lifting = ["rest", "agent-2", "--weekend", "2026-06-05", "--despite"]

    assert owed.exit_code == 1
    assert "agent-2 is owed the rest of the weekend of 2026-06-05: not on duty until 2026-06-15 08:00" in owed.output
    assert "level 1: nobody (agent-2 is away" in off_duty.output
    assert made.exit_code == 0, made.output
    assert "fibre ressoudée" in (tmp_path / "out/astreinte-agent-2-2026-06.csv").read_text("utf-8-sig")
    assert run(oncall, [*lifting, " "]).exit_code == 1
    assert run(oncall, [*lifting, "nobody else"]).exit_code == 0
    rested = run(oncall, ["rest"])
    assert (rested.exit_code, rested.output) == (0, "nobody is owed a rest\n")
    assert "level 1: agent-2" in run(oncall, who).output
    assert "is owed no rest" in run(oncall, [*lifting, "again"]).output
