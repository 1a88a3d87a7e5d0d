"""What an operator owes, by the requirements FIB-01 to FIB-07: instants, hours, GTR, IMS, availability, penalties."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.holidays_of_france import french_holidays
from monitor.sla.desk import opened
from monitor.sla.figures import (
    Terms,
    contract_availability,
    felt_availability,
    interrupted,
    judged,
    penalties,
    repetitions,
)
from monitor.sla.hours import Span, elapsed, less, merged, month_of, none_is_a_holiday, overlaps
from monitor.sla.outages import (
    Cause,
    Extent,
    Freeze,
    Outage,
    OutOfOrder,
    attribution,
    check_order,
    presumed_cause,
)
from parvis.inventory import Penalty, Sla, Town, WorkingHours

PARIS = ZoneInfo("Europe/Paris")
HOUR = 3600.0
OFFICE = WorkingHours(days=("mo", "tu", "we", "th", "fr", "sa"))
WEEKDAYS = WorkingHours(days=("mo", "tu", "we", "th", "fr"))
GTR4 = Sla(gtr=4 * HOUR, ims_year=13 * HOUR, availability=0.9985)


def paris(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).timestamp()


def cut(start: str, end: str | None, **changes: object) -> Outage:
    began = paris(start)
    told = changes.pop("signalled_at", began)
    values = {"signalled_at": told, "verified_at": None if end is None else paris(end)} | changes
    return Outage(1, "fibre-msp", began, began + 15, **values)  # type: ignore[arg-type]


def terms(sla: Sla, *, alsace: bool = False, holidays: bool = True) -> Terms:
    return Terms(sla, PARIS, french_holidays(alsace_moselle=alsace) if holidays else none_is_a_holiday)


def gtr_hours(outage: Outage, hours: WorkingHours | None, *, alsace: bool = False) -> float:
    found = judged(outage, terms(Sla(gtr=10 * HOUR, gtr_hours=hours), alsace=alsace), paris("2027-12-31T00:00"))
    assert found.gtr_seconds is not None
    return found.gtr_seconds / HOUR


@pytest.mark.parametrize(
    ("start", "end", "hours", "expected"),
    [
        ("2026-11-27T17:00", "2026-11-30T09:00", WEEKDAYS, 2.0),
        ("2026-11-27T17:00", "2026-11-30T09:00", OFFICE, 12.0),
        ("2026-11-27T17:00", "2026-11-30T09:00", None, 64.0),
        ("2026-11-27T19:00", "2026-11-27T23:00", OFFICE, 0.0),
        ("2026-11-27T09:15", "2026-11-27T09:45", OFFICE, 0.5),
    ],
)
def test_fib03_an_outage_over_a_weekend_runs_only_in_the_contract_s_hours(
    start: str, end: str, hours: WorkingHours | None, expected: float
) -> None:
    assert gtr_hours(cut(start, end), hours) == expected


def test_fib03_the_nights_the_clocks_change_have_their_true_length() -> None:
    assert gtr_hours(cut("2026-10-25T00:00", "2026-10-25T06:00"), None) == 7.0
    assert gtr_hours(cut("2027-03-28T00:00", "2027-03-28T06:00"), None) == 5.0
    every_day = WorkingHours(days=("mo", "tu", "we", "th", "fr", "sa", "su"), holidays="none")
    assert gtr_hours(cut("2026-10-24T12:00", "2026-10-25T12:00"), every_day) == 10.0


def test_fib03_a_public_holiday_does_not_run() -> None:
    saturday, monday = "2025-11-01T09:00", "2025-11-03T09:00"  # All Saints' Day is a Saturday

    assert gtr_hours(cut(saturday, monday), OFFICE) == 1.0
    assert gtr_hours(cut("2025-11-08T09:00", "2025-11-10T09:00"), OFFICE) == 10.0


def test_fib02_alsace_moselle_has_two_holidays_more() -> None:
    saint_stephen = cut("2025-12-26T08:00", "2025-12-26T18:00")
    good_friday = cut("2026-04-03T08:00", "2026-04-03T18:00")

    assert [gtr_hours(one, OFFICE) for one in (saint_stephen, good_friday)] == [10.0, 10.0]
    assert [gtr_hours(one, OFFICE, alsace=True) for one in (saint_stephen, good_friday)] == [0.0, 0.0]


def test_fib03_a_freeze_of_two_hours_does_not_run_and_raw_time_stands_beside_it() -> None:
    stop = Freeze(paris("2026-11-24T10:00"), paris("2026-11-24T12:00"), "site fermé")
    found = judged(cut("2026-11-24T08:00", "2026-11-24T13:30", freezes=(stop,)), terms(GTR4), paris("2026-12-01T00:00"))

    assert found.gtr_seconds == 3.5 * HOUR
    assert found.raw_seconds == 5.5 * HOUR
    assert found.gtr_kept is True


def test_fib03_the_gtr_runs_from_the_ticket_or_from_detection_as_the_contract_says() -> None:
    outage = cut("2026-11-24T08:00", "2026-11-24T13:00", signalled_at=paris("2026-11-24T09:30"))
    by_ticket, by_detection = GTR4, Sla(gtr=4 * HOUR, measured_from="detection")
    now = paris("2026-12-01T00:00")

    assert judged(outage, terms(by_ticket), now).gtr_kept is True
    assert judged(outage, terms(by_detection), now).gtr_kept is False
    assert judged(replace(outage, signalled_at=None), terms(by_ticket), now).gtr_kept is None


def test_fib03_the_operator_s_word_ends_the_gtr_only_once_it_is_verified() -> None:
    said = cut("2026-11-24T08:00", None, restored_at=paris("2026-11-24T09:00"))
    now = paris("2026-11-24T13:00")

    assert judged(said, terms(GTR4), now).gtr_kept is False
    seen = replace(said, verified_at=paris("2026-11-24T13:00"))
    assert judged(seen, terms(GTR4), now).gtr_seconds == HOUR


def test_fib03_the_instants_follow_each_other_or_are_refused() -> None:
    now = paris("2026-11-24T20:00")
    outage = cut("2026-11-24T08:00", None)
    check_order(replace(outage, restored_at=paris("2026-11-24T12:00")), now)

    with pytest.raises(OutOfOrder, match="signalled would come before detected"):
        check_order(replace(outage, signalled_at=paris("2026-11-24T07:00")), now)
    with pytest.raises(OutOfOrder, match="restored would come before signalled"):
        check_order(replace(outage, restored_at=paris("2026-11-24T07:30")), now)
    with pytest.raises(OutOfOrder, match="restored is in the future"):
        check_order(replace(outage, restored_at=paris("2026-11-25T08:00")), now)


@pytest.mark.parametrize(
    ("changes", "sla", "counts", "reason"),
    [
        ({}, GTR4, True, ""),
        ({"cause": Cause.OPERATOR}, GTR4, True, ""),
        ({"cause": Cause.POWER}, GTR4, False, "power"),
        ({"cause": Cause.LAN}, GTR4, False, "lan"),
        ({"cause": Cause.TOWN}, Sla(exclusions=()), False, "town"),
        ({"cause": Cause.THIRD_PARTY}, GTR4, False, "third-party"),
        ({"cause": Cause.THIRD_PARTY}, Sla(exclusions=()), True, ""),
        ({"partial": True}, GTR4, False, "partial"),
        ({"partial": True}, Sla(partial_counts=True), True, ""),
        ({"cause": Cause.PLANNED, "announced_at": paris("2026-11-10T08:00")}, GTR4, False, "planned"),
        ({"cause": Cause.PLANNED, "announced_at": paris("2026-11-23T08:00")}, GTR4, True, "late-notice"),
        ({"cause": Cause.PLANNED}, GTR4, True, "late-notice"),
    ],
)
def test_fib04_only_what_is_the_operator_s_counts(
    changes: dict[str, object], sla: Sla, counts: bool, reason: str
) -> None:
    found = attribution(cut("2026-11-24T08:00", "2026-11-24T09:00", **changes), sla, paris("2026-12-01T00:00"))

    assert (found.counts, found.reason) == (counts, reason)


def test_fib04_a_cut_of_less_than_a_minute_is_a_micro_cut_once_it_is_over() -> None:
    short = cut("2026-11-24T08:00", None)
    now = short.detected_at + 59

    assert short.extent(now) is Extent.TOTAL
    assert replace(short, verified_at=now).extent(now) is Extent.MICRO
    assert not attribution(replace(short, verified_at=now), Sla(exclusions=("micro",)), now).counts


def test_fib04_what_is_known_at_the_beginning_presumes_a_cause() -> None:
    assert presumed_cause({"optics": "no_light"}, others_down=0, others=3) is Cause.OPERATOR
    assert presumed_cause({"optics": "ok"}, others_down=0, others=3) is Cause.PRESUMED
    assert presumed_cause({"optics": "no_light"}, others_down=3, others=3) is Cause.TOWN
    assert presumed_cause({}, others_down=0, others=0) is Cause.PRESUMED


def test_fib06_the_contract_s_availability_and_the_felt_one_are_never_mixed() -> None:
    month = month_of(date(2026, 11, 1), PARIS)
    now = month[1]
    ours = judged(cut("2026-11-10T08:00", "2026-11-10T20:00", cause=Cause.POWER), terms(GTR4), now)
    theirs = judged(cut("2026-11-20T08:00", "2026-11-20T14:00"), terms(GTR4), now)
    contract = contract_availability([ours, theirs], [month], month, now)
    felt = felt_availability([ours, theirs], [month], month, now)
    opened = felt_availability(
        [ours, theirs], [month], month, now, [(paris("2026-11-20T09:00"), paris("2026-11-20T17:00"))]
    )

    assert contract.ratio == pytest.approx(1 - 6 / 720)
    assert felt.ratio == pytest.approx(1 - 18 / 720)
    assert opened.ratio == pytest.approx(1 - 5 / 8)


def test_fib07_silence_of_the_probe_is_neither_up_nor_down() -> None:
    month = month_of(date(2026, 11, 1), PARIS)
    half = (month[0], month[0] + 360 * HOUR)
    outage = judged(cut("2026-11-14T12:00", "2026-11-16T12:00"), terms(GTR4), month[1])
    found = contract_availability([outage], [half], month, month[1])

    assert found.unmeasured == 360 * HOUR
    assert found.down == 36 * HOUR
    assert found.ratio == pytest.approx(1 - 36 / 360)
    assert contract_availability([outage], [], month, month[1]).ratio is None


def test_fib05_the_ims_sums_what_counts_within_the_year_less_the_freezes() -> None:
    year = (paris("2026-01-01T00:00"), paris("2027-01-01T00:00"))
    stop = Freeze(paris("2026-03-02T09:00"), paris("2026-03-02T10:00"))
    some = [
        cut("2025-12-31T22:00", "2026-01-01T02:00"),
        cut("2026-03-02T08:00", "2026-03-02T12:00", freezes=(stop,)),
        cut("2026-05-02T08:00", "2026-05-02T12:00", cause=Cause.POWER),
    ]
    found = [judged(one, terms(GTR4), year[1]) for one in some]

    assert interrupted(found, year, year[1]) == (2 + 3) * HOUR


def test_fib05_an_outage_that_comes_back_within_thirty_days_is_a_repetition() -> None:
    first = cut("2026-11-01T08:00", "2026-11-01T09:00")
    again = cut("2026-11-30T08:00", "2026-11-30T09:00")
    much_later = cut("2027-01-15T08:00", "2027-01-15T09:00")

    assert repetitions([much_later, first, again], paris("2027-02-01T00:00")) == [again]


STEPS = (
    Penalty(measure="gtr", percent=Decimal(10)),
    Penalty(measure="gtr", above=2 * HOUR, percent=Decimal(20)),
    Penalty(measure="ims", percent=Decimal(25)),
    Penalty(measure="availability", above=0.001, percent=Decimal(5)),
)


def test_fib02_penalties_follow_the_grid_up_to_the_cap() -> None:
    sla = GTR4.model_copy(update={"penalties": STEPS, "penalty_cap_percent": Decimal(40)})
    now = paris("2026-12-01T00:00")
    short = judged(cut("2026-11-24T08:00", "2026-11-24T12:00"), terms(sla), now)
    late = judged(cut("2026-11-25T08:00", "2026-11-25T13:00"), terms(sla), now)
    very_late = judged(cut("2026-11-26T08:00", "2026-11-26T16:00"), terms(sla), now)
    fee = Decimal("390.00")

    assert penalties(terms(sla), [short], 0, None, fee) == []
    gtr = penalties(terms(sla), [short, late, very_late], 0, None, fee)
    assert [(one.measure, one.percent, one.euros) for one in gtr] == [
        ("gtr", Decimal(10), Decimal("39.00")),
        ("gtr", Decimal(20), Decimal("78.00")),
    ]
    capped = penalties(terms(sla), [very_late], 1.0, 0.9985 - 0.002, fee)
    assert [one.percent for one in capped] == [Decimal(20), Decimal(20), Decimal(0)]
    assert [one.euros for one in penalties(terms(sla), [late], 0, None, None)] == [None]


Spans = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), max_size=8).map(
    lambda pairs: [(float(min(p)), float(max(p))) for p in pairs]
)


@given(Spans, Spans)
def test_spans_are_sets_of_seconds(some: list[Span], others: list[Span]) -> None:
    def seconds(spans: list[Span]) -> set[int]:
        return {second for start, end in spans for second in range(int(start), int(end))}

    assert seconds(merged(some)) == seconds(some)
    assert elapsed(merged(some)) == len(seconds(some))
    assert seconds(less(some, others)) == seconds(some) - seconds(others)
    common = overlaps(merged(some), merged(others))
    assert seconds(common) == seconds(some) & seconds(others)
    assert elapsed(common) == len(seconds(common))


def test_a_month_of_hours_that_change_every_minute_is_open_until_it_closes(town: Town) -> None:
    minutes = ", ".join(f'{n // 60:02}:{n % 60:02}-{(n + 1) // 60:02}:{(n + 1) % 60:02} "{n}"' for n in range(1440))
    site = town.sites[0].model_copy(update={"opening_hours": f"Mo-Su {minutes}; Dec 20 off"})
    month = month_of(date(2026, 12, 1), PARIS)
    closed = paris("2026-12-20T00:00")

    assert opened(site, PARIS.key, month) == [(month[0], closed), (closed + 86400, month[1])]
